"""What the leader makes of a provider's answers by the older protocol, and how it asks for others.

A provider of the older protocol keeps its answer to a common name for ever, so another name is
what brings another certificate.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from typing import Any
from unittest import mock

import ops
import pytest
from tests.fakes.certificates.authority import Authority, root
from tests.fakes.juju.model import Bag, Easyrsa, Model
from tests.fakes.kubernetes.paths import SECRET
from tests.fakes.kubernetes.server import FakeCluster
from tests.fakes.machine import Files

from certificates import SERVER_NAME, x509
from text import fingerprint

# The names of today, by authority.
TODAY = f"{dt.datetime.now(dt.timezone.utc):%Y%m%d}"
AGAIN, AGAIN_OF_NEW = (
    f"{fingerprint(each.certificate)[:8]}-{TODAY}.{SERVER_NAME}" for each in (root(), root("new"))
)
NAMES = [AGAIN, *(f"{each}.{SERVER_NAME}" for each in "abc")]
ACTIVE = "2/2 pods, 0 mappings"
Pair = tuple[Any, Any]


def answers(*replies: tuple[str, Pair]) -> Bag:
    """The databag of a provider that has answered these names with these pairs."""
    pairs = {name: {"cert": cert, "key": key} for name, (cert, key) in replies}
    return {"aws-iam_0.processed_requests": json.dumps(pairs)}


def answered(model: Model, *replies: tuple[str, Pair]) -> ops.StatusBase:
    """Have the provider answer so, and run a hook."""
    assert isinstance(model.provider, Easyrsa)
    model.provider.overrides = answers(*replies)
    model.answer()
    return model.hook()


def asked_for(model: Model, unit: int = 0) -> list[str]:
    """The common names that a unit asks for."""
    return [*json.loads(model.units[unit].certificates.get("cert_requests") or "{}")]


def issued(*days: int) -> Pair:
    return root().issue([SERVER_NAME], days=(days[0], days[1]) if days else (-1, 365))


GOOD, EARLY = issued(), issued(1, 30)
OTHER_KEY = (GOOD[0], EARLY[1])
NO_TEXTS = ([5], {"a": None})
HALF_A_CHARACTER = "-----BEGIN CERTIFICATE-----\n\ud800\n-----END CERTIFICATE-----"
WAITING = "waiting for a certificate from easyrsa"
EXPIRES = f"{ACTIVE}, certificate expires DAY; waiting for another one from easyrsa"
UNUSABLE = (
    "certificate does not belong to its private key; "
    "run: juju remove-relation aws-iam:certificates easyrsa"
)


@pytest.mark.parametrize(
    ("replies", "status", "name"),
    [
        ([], WAITING, SERVER_NAME),
        ([GOOD], ACTIVE, SERVER_NAME),
        # Another is asked for in the last two weeks, or in the last third of a short life.
        ([issued(-300, 14)], EXPIRES, f"until-DAY.{SERVER_NAME}"),
        ([issued(-300, 15)], ACTIVE, SERVER_NAME),
        ([issued(-6, 4)], ACTIVE, SERVER_NAME),
        ([issued(-7, 3)], EXPIRES, f"until-DAY.{SERVER_NAME}"),
        # The one that lasts longest is served.
        ([issued(-300, days) for days in (2, 9, 5)], EXPIRES, f"until-DAY.{SERVER_NAME}"),
        # The authority is asked for another, once a day.
        ([OTHER_KEY], WAITING, AGAIN),
        ([("no PEM", GOOD[1])], WAITING, AGAIN),
        ([(GOOD[0], "?")], WAITING, AGAIN),
        ([NO_TEXTS], WAITING, AGAIN),
        ([(HALF_A_CHARACTER, "b")], WAITING, AGAIN),
        ([issued(-300, -1)], WAITING, AGAIN),
        ([OTHER_KEY] * 2, UNUSABLE, AGAIN),
        ([EARLY], WAITING, AGAIN),
    ],
    # What the charm asks for has a hash of an authority that each process makes.
    ids=lambda each: "name" if str(each) in NAMES else None,
)
def test_given_answers_then_a_good_one_is_served_or_what_is_waited_for_is_said(
    model: Model, api: FakeCluster, replies: list[Pair], status: str, name: str
):
    found = answered(model, *zip([SERVER_NAME, *NAMES], replies, strict=False))

    assert re.sub(r"20\d\d-\d\d-\d\d( \S+ UTC)?", "DAY", found.message) == status
    asked = [re.sub(r"20\d{10}", "DAY", asked) for asked in asked_for(model)]
    assert asked == ([name] if name else [])
    if status.startswith(ACTIVE):
        best = max(replies, key=lambda pair: x509.read(pair[0]).not_valid_after_utc)
        assert api.secret("cert.pem") == best[0]


def test_given_no_authority_then_the_command_that_brings_one_is_said(model: Model):
    model.provider = None

    text = "no certificate authority; run: juju integrate aws-iam:certificates easyrsa:client"
    assert model.hook() == ops.BlockedStatus(text)
    assert model.units[0].alarms == []


def test_given_an_authority_near_its_end_then_its_end_is_said(model: Model):
    late = Authority("late", days=(-300, 10))
    model.provider = Easyrsa(late)
    model.settle()

    end = x509.read(late.certificate).not_valid_after_utc
    assert model.hook().message == EXPIRES.replace("DAY", f"{end:%Y-%m-%d}")
    # Another would live no longer, so there is one more request at most.
    assert asked_for(model) == [f"until-{end:%Y%m%d%H%M}.{SERVER_NAME}"]


def test_given_a_pair_in_use_when_another_answer_becomes_good_then_it_stays_in_use(
    model: Model, api: FakeCluster
):
    in_use = (NAMES[0], issued())
    for other in (OTHER_KEY, issued(-1, 400)):
        assert answered(model, (SERVER_NAME, other), in_use).name == "active"
        assert api.secret("cert.pem") == in_use[1][0]
        assert asked_for(model) == [NAMES[0]]


def test_given_a_pair_in_use_then_it_is_checked_again_only_for_another_answer_or_near_its_end(
    deployed: Model, easyrsa: Easyrsa, api: FakeCluster, monkeypatch: pytest.MonkeyPatch
):
    deployed.hook()
    with mock.patch.object(x509, "check", side_effect=x509.check) as check:
        for _ in range(3):
            deployed.hook()
        assert check.call_count == 0

        easyrsa.overrides = {"client.cert": "another"}
        deployed.answer()
        for _ in range(3):
            deployed.hook()
        assert check.call_count == 1

        # Somebody changed it in the cluster.
        api.objects[SECRET]["data"]["key.pem"] = "YQ=="
        for _ in range(3):
            deployed.hook()
        assert check.call_count == 2

        later = dt.datetime.now(dt.timezone.utc) + dt.timedelta(days=352)
        monkeypatch.setattr("certificates.now", lambda: later)
        assert "certificate expires" in deployed.hook().message
        assert check.call_count == 3


def test_given_a_certificate_near_its_end_when_settled_then_a_new_one_is_served(
    deployed: Model, easyrsa: Easyrsa, api: FakeCluster, files: Files
):
    easyrsa.days = (-300, 10)
    easyrsa.reissue()
    deployed.answer()
    easyrsa.days = (-1, 365)
    file, status = files.webhook.stat(), deployed.hook().message
    near = api.secret("cert.pem")
    end = x509.read(near).not_valid_after_utc
    assert status == EXPIRES.replace("DAY", f"{end:%Y-%m-%d}")
    assert asked_for(deployed) == [f"until-{end:%Y%m%d%H%M}.{SERVER_NAME}"]
    deployed.settle()

    assert deployed.hook().message == ACTIVE
    assert api.secret("cert.pem") != near
    assert files.webhook.stat() == file
    assert asked_for(deployed) == [f"until-{end:%Y%m%d%H%M}.{SERVER_NAME}"]


# Units that lead in turns.


def lead(model: Model, unit: int) -> None:
    model.leader = unit
    model.settle()


def come_back(two: Model, easyrsa: Easyrsa) -> None:
    """Let the first unit lead again after another has led into a new authority."""
    lead(two, 1)
    easyrsa.replace_authority(root("new"))
    easyrsa.reissue_for("aws-iam_1")
    two.settle()
    forget(two, easyrsa, 1)
    lead(two, 0)


def forget(model: Model, easyrsa: Easyrsa, unit: int) -> None:
    """Let the provider have nothing of a unit, whose pair is in use."""
    model.units[unit].certificates = {}
    easyrsa.reissue_for(f"aws-iam_{unit}")


def test_given_a_leader_that_led_under_a_former_authority_then_it_gets_a_certificate_of_this_one(
    two: Model, easyrsa: Easyrsa, api: FakeCluster
):
    come_back(two, easyrsa)

    assert [unit.status.name for unit in two.units] == ["active", "active"]
    assert two.peer["ca"] == api.secret("ca.pem") == root("new").certificate
    assert asked_for(two) == [AGAIN_OF_NEW]


def test_given_a_former_authority_that_comes_back_then_its_answer_is_taken_again(
    two: Model, easyrsa: Easyrsa, api: FakeCluster
):
    first = api.secret("cert.pem")
    come_back(two, easyrsa)
    easyrsa.replace_authority(root())
    two.settle()

    assert two.hook().name == "active"
    assert api.secret("cert.pem") == first
    assert asked_for(two) == [SERVER_NAME]


def test_given_an_answer_that_expired_while_others_led_when_it_leads_again_then_it_gets_another(
    two: Model, easyrsa: Easyrsa, monkeypatch: pytest.MonkeyPatch
):
    come_back(two, easyrsa)
    lead(two, 1)
    easyrsa.expire("aws-iam_0")
    forget(two, easyrsa, 1)
    tomorrow = dt.datetime.now(dt.timezone.utc) + dt.timedelta(days=1)
    monkeypatch.setattr("certificates.now", lambda: tomorrow)
    lead(two, 0)

    assert two.hook().name == "active"
    assert asked_for(two) == [AGAIN_OF_NEW.replace(TODAY, f"{tomorrow:%Y%m%d}")]
