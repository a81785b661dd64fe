"""What the leader makes of a provider's answers, by either protocol."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import re
from collections.abc import Callable, Sequence
from typing import Any

import ops
import pytest
from ops import testing
from tests.fakes.certificates.authority import Authority, root

from certificates import SERVER_NAME, pem, reactive_protocol, verdict
from certificates.keypair import KeyPair
from certificates.relation import Certificates, Issued
from errors import Blocked, Unready, Waiting
from related import RelatedCharm

ADDRESS = "10.152.183.20"
META = {"name": "aws-iam", "requires": {"certificates": {"interface": "tls-certificates"}}}


class Asker(RelatedCharm):
    """A charm that only asks for certificates."""

    def __init__(self, framework: ops.Framework):
        super().__init__(framework)
        self.certificates = Certificates(self, "")


@dataclasses.dataclass
class Unit:
    """The leader. Each question is a hook, after which its databag and its memory are kept."""

    context: testing.Context[Asker]
    bag: dict[str, str] = dataclasses.field(default_factory=dict)
    stored: Any = frozenset()

    def ask(
        self, *bags: dict[str, str], address: str = ADDRESS, in_use: KeyPair | None = None
    ) -> Issued:
        """Ask a provider whose units have these databags."""
        return self._run(bags, lambda asking: asking.obtain(address, in_use))

    def refused(self, *bags: dict[str, str]) -> Unready:
        """Return why the answers of a provider cannot be served."""
        with pytest.raises(Unready) as raised:
            self.ask(*bags)
        return raised.value

    def withdraw(self) -> bool:
        return self._run([{}], lambda asking: asking.withdraw())

    @property
    def name(self) -> str:
        """The common name that the unit asks for."""
        (name,) = json.loads(self.bag["cert_requests"])
        return name

    def _run(self, bags: Sequence[dict[str, str]], act: Callable[[Certificates], Any]) -> Any:
        relation = testing.Relation(
            "certificates",
            id=9,
            remote_app_name="easyrsa",
            local_unit_data=self.bag,
            # As ops does, not in the order of their numbers.
            remote_units_data={n: dict(bag) for n, bag in reversed([*enumerate(bags)])},
        )
        state = testing.State(leader=True, relations=[relation], stored_states=self.stored)
        with self.context(self.context.on.update_status(), state) as manager:
            try:
                outcome, problem = act(manager.charm.certificates), None
            except Unready as error:
                outcome, problem = None, error
            after = manager.run()
        kept = after.get_relation(9)
        assert isinstance(kept, testing.Relation)
        self.bag, self.stored = dict(kept.local_unit_data), after.stored_states
        if problem:
            raise problem
        return outcome


@pytest.fixture
def unit() -> Unit:
    return Unit(testing.Context(Asker, meta=META))


def answers(*replies: tuple[str, tuple[str, str]]) -> dict[str, str]:
    """The databag of a provider that has answered these names with these pairs."""
    pairs = {name: {"cert": cert, "key": key} for name, (cert, key) in replies}
    ca = root().certificate
    return {"ca": ca, "aws-iam_0.processed_requests": json.dumps(pairs)}


def issued(*, days: tuple[int, int] = (-1, 365)) -> tuple[str, str]:
    return root().issue([SERVER_NAME, ADDRESS], days=days)


GOOD = issued()
OTHER_KEY = (GOOD[0], issued()[1])
EARLY = issued(days=(1, 30))


def test_given_a_provider_without_an_answer_then_the_name_and_the_address_are_asked_for(
    unit: Unit,
):
    problem = unit.refused({"ca": root().certificate})

    assert isinstance(problem, Waiting)
    assert str(problem) == "waiting for a certificate from easyrsa"
    assert problem.announced
    assert json.loads(unit.bag["cert_requests"]) == {SERVER_NAME: {"sans": [ADDRESS, SERVER_NAME]}}
    assert unit.bag["unit_name"] == "aws-iam_0"


def test_given_a_good_answer_then_its_pair_is_served_and_asked_for_under_the_same_name(unit: Unit):
    found = unit.ask(answers((SERVER_NAME, GOOD)))

    assert found == Issued(pem.key_pair(*GOOD, root().certificate))
    assert unit.name == SERVER_NAME


@pytest.mark.parametrize(("days", "soon"), [(14, True), (15, False)])
def test_given_a_certificate_then_its_end_is_said_and_another_asked_for_in_its_last_two_weeks(
    unit: Unit, days: int, soon: bool
):
    pair = issued(days=(-300, days))
    end = verdict.read(pair[0]).not_valid_after_utc

    found = unit.ask(answers((SERVER_NAME, pair)))

    warning = f"certificate expires {end:%Y-%m-%d}; waiting for another one from easyrsa"
    assert found.warning == (warning if soon else "")
    assert unit.name == (f"until-{end:%Y%m%d%H%M}.{SERVER_NAME}" if soon else SERVER_NAME)


@pytest.mark.parametrize(("days", "late"), [((-6, 4), False), ((-7, 3), True)])
def test_given_a_certificate_of_ten_days_then_another_is_asked_for_in_the_last_third(
    unit: Unit, days: tuple[int, int], late: bool
):
    found = unit.ask(answers((SERVER_NAME, issued(days=days))))

    assert found.warning.startswith("certificate expires ") is late
    assert unit.name.startswith("until-") is late


def test_given_an_authority_near_its_end_then_its_end_is_said(unit: Unit):
    late = Authority("late", days=(-300, 10))
    authority, pair = late.certificate, late.issue([SERVER_NAME])
    end = verdict.read(authority).not_valid_after_utc

    found = unit.ask({**answers((SERVER_NAME, pair)), "ca": authority})

    warning = f"CA expires {end:%Y-%m-%d}; renew or replace it"
    assert found == Issued(pem.key_pair(*pair, authority), warning)


def test_given_several_answers_near_their_end_then_the_one_that_lasts_longest_is_served(
    unit: Unit,
):
    short, long, middle = (issued(days=(-300, days)) for days in (2, 9, 5))

    found = unit.ask(
        answers((SERVER_NAME, short), (f"b.{SERVER_NAME}", long), (f"c.{SERVER_NAME}", middle))
    )

    assert found.pair == pem.key_pair(*long, root().certificate)


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_given_answers_that_end_together_then_the_same_is_served_in_whatever_order_they_come(
    unit: Unit, order: tuple[int, int], monkeypatch: pytest.MonkeyPatch
):
    end = dt.datetime.now(dt.timezone.utc) + dt.timedelta(days=9)
    life = verdict.Life(end, end)
    monkeypatch.setattr("certificates.verdict.check", lambda _: (life, life))
    pairs = sorted(issued() for _ in range(2))

    found = unit.ask(*(answers((SERVER_NAME, pairs[number])) for number in order))

    assert found.pair == pem.key_pair(*pairs[1], root().certificate)


def test_given_a_pair_in_use_when_another_answer_becomes_good_then_it_stays_in_use(unit: Unit):
    in_use = (f"ca-1.{SERVER_NAME}", issued())
    unit.ask(answers((SERVER_NAME, OTHER_KEY), in_use))

    pair = pem.key_pair(*in_use[1], root().certificate)
    found = unit.ask(answers((SERVER_NAME, GOOD), in_use), in_use=pair)

    assert found.pair == pair
    assert unit.name == in_use[0]


def test_given_a_pair_in_use_then_it_is_checked_again_only_for_another_answer_or_near_its_end(
    unit: Unit, monkeypatch: pytest.MonkeyPatch
):
    bag, checked = answers((SERVER_NAME, GOOD)), list[str]()
    end = verdict.read(GOOD[0]).not_valid_after_utc
    life = verdict.Life(end - dt.timedelta(days=365), end)
    pair = pem.key_pair(*GOOD, root().certificate)

    def check(pair: KeyPair) -> tuple[verdict.Life, verdict.Life]:
        checked.append(pair.certificate)
        return life, life

    monkeypatch.setattr("certificates.verdict.check", check)
    # Juju has the request after the second hook.
    found = [unit.ask(bag, in_use=pair) for _ in range(4)]
    assert found == [Issued(pair)] * 4
    assert checked == [pair.certificate] * 2

    unit.ask(bag, in_use=pair, address="10.152.183.99")
    unit.ask(bag | {"client.cert": "-"}, in_use=pair)
    unit.ask(bag, in_use=dataclasses.replace(pair, key="another"))
    assert checked == [pair.certificate] * 5

    monkeypatch.setattr("certificates.keypair.now", lambda: end - dt.timedelta(days=13))
    assert unit.ask(bag, in_use=pair).warning.startswith("CA expires ")
    assert len(checked) == 6


@pytest.mark.parametrize(
    ("pair", "problem"),
    [
        (OTHER_KEY, "does not belong to its private key"),
        (("no PEM", GOOD[1]), "does not belong to its private key"),
        ((GOOD[0], "?"), "cannot be read"),
        (issued(days=(-300, -1)), "expired on DAY"),
    ],
)
def test_given_an_answer_that_never_fits_then_the_authority_is_asked_for_another(
    unit: Unit, pair: tuple[str, str], problem: str
):
    names = reactive_protocol.names_for_authority([{"ca": root().certificate}])

    found = unit.refused(answers((SERVER_NAME, pair)))

    assert isinstance(found, Waiting)
    said = re.sub(r" \(\w+Error\)$", "", str(found))
    assert re.sub(r"2\d{3}-\S+ \S+ UTC", "DAY", said) == (
        f"waiting for another certificate: the former one {problem}"
    )
    assert found.announced
    assert unit.name == names[0]


def test_given_answers_none_of_which_fits_then_the_command_that_ends_the_relation_is_said(
    unit: Unit,
):
    names = reactive_protocol.names_for_authority([{"ca": root().certificate}])
    asked = [SERVER_NAME, *names]

    problem = unit.refused(answers(*((name, OTHER_KEY) for name in asked)))

    assert isinstance(problem, Blocked)
    assert str(problem) == (
        "certificate does not belong to its private key; "
        "run: juju remove-relation aws-iam:certificates easyrsa"
    )
    assert problem.announced
    assert unit.name == names[-1]


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_given_a_certificate_that_is_good_later_then_it_is_waited_for_and_no_other_asked_for(
    unit: Unit, order: tuple[int, int]
):
    replies = [(SERVER_NAME, EARLY), (SERVER_NAME, OTHER_KEY)]

    problem = unit.refused(*(answers(replies[number]) for number in order))

    assert isinstance(problem, Waiting)
    assert re.fullmatch(
        r"waiting for the certificate from easyrsa: it is not valid before 2\d{3}-.+ UTC",
        str(problem),
    )
    # No event says when it is good: the unit looks again by itself.
    assert not problem.announced
    assert unit.name == SERVER_NAME


def test_given_a_request_when_it_is_withdrawn_then_nothing_is_asked_and_that_is_done_once(
    unit: Unit,
):
    assert not unit.withdraw()
    unit.ask(answers((SERVER_NAME, GOOD)))

    assert unit.withdraw()
    assert unit.bag == {"unit_name": "aws-iam_0"} | {
        key: value for key, value in unit.bag.items() if key.endswith(("address", "subnets"))
    }
    assert not unit.withdraw()


def test_given_no_authority_then_the_command_that_brings_one_is_said(unit: Unit):
    state = testing.State(leader=True)

    with unit.context(unit.context.on.update_status(), state) as manager:
        with pytest.raises(Blocked) as raised:
            manager.charm.certificates.obtain(ADDRESS, None)
        assert not manager.charm.certificates.withdraw()

    assert str(raised.value) == (
        "no certificate authority; run: juju integrate aws-iam:certificates easyrsa:client"
    )
    assert raised.value.announced
