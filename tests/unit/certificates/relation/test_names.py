"""The common name of the request: a provider of the older protocol keeps its answer to a name for
ever, so another name is what brings another certificate."""

from __future__ import annotations

import json
import re

from tests.fakes.certificates.authority import root
from tests.fakes.juju.model import Easyrsa, Model
from tests.fakes.kubernetes.server import FakeCluster
from tests.fakes.machine import Files

from certificates import pem, reactive_protocol
from text import fingerprint

COMMON_NAME = "aws-iam-authenticator.kube-system.svc"
OLD, NEW = {"ca": root().certificate}, {"ca": root("new").certificate}


def asked_for(model: Model, unit: int = 0) -> list[str]:
    """The common names that a unit asks for."""
    return [*json.loads(model.units[unit].certificates.get("cert_requests") or "{}")]


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


def test_given_an_authority_then_its_names_are_below_the_services_and_stay_the_same():
    unknown = [f"ca-none-{attempt}.{COMMON_NAME}" for attempt in (1, 2, 3)]
    known = [name.replace("none", fingerprint(OLD["ca"])[:8]) for name in unknown]

    assert reactive_protocol.names_for_authority([{"client.cert": "-"}]) == unknown
    assert reactive_protocol.names_for_authority([OLD]) == known
    assert reactive_protocol.names_for_authority([{}, OLD, OLD]) == known
    assert all(len(name) <= 64 for name in known)


def test_given_replies_to_several_names_when_read_then_the_charms_own_come_back():
    reply = dict(zip(("cert", "key"), root().issue(["a"]), strict=True))
    other = dict(zip(("cert", "key"), root().issue(["a"]), strict=True))
    others = {"kubelet": reply, f"not-{COMMON_NAME}": reply}
    processed = {f"a.{COMMON_NAME}": other, **others, COMMON_NAME: reply}
    bag = OLD | {"aws-iam_0.processed_requests": json.dumps(processed)}

    found = reactive_protocol.replies("aws-iam/0", [bag])

    assert found == [
        (COMMON_NAME, pem.key_pair(reply["cert"], reply["key"], OLD["ca"])),
        (f"a.{COMMON_NAME}", pem.key_pair(other["cert"], other["key"], OLD["ca"])),
    ]


def test_given_replies_of_two_units_when_read_then_each_is_there_once_with_its_own_authority():
    reply = dict(zip(("cert", "key"), root().issue(["a"]), strict=True))
    processed = {"aws-iam_0.processed_requests": json.dumps({COMMON_NAME: reply})}

    found = reactive_protocol.replies(
        "aws-iam/0", [OLD | processed, NEW | processed, NEW | processed]
    )

    assert [one.pair.ca for one in found] == [OLD["ca"], NEW["ca"]]


def test_given_a_leader_that_led_under_a_former_authority_then_it_gets_a_certificate_of_this_one(
    two: Model, easyrsa: Easyrsa, api: FakeCluster
):
    come_back(two, easyrsa)

    assert [unit.status.name for unit in two.units] == ["active", "active"]
    assert two.peer["ca"] == root("new").certificate
    assert api.secret("ca.pem") == root("new").certificate
    assert asked_for(two) == reactive_protocol.names_for_authority([NEW])[:1]
    assert asked_for(two, 1) == []


def test_given_a_former_authority_that_comes_back_then_its_answer_is_taken_again(
    two: Model, easyrsa: Easyrsa, api: FakeCluster
):
    first = api.secret("cert.pem")
    come_back(two, easyrsa)
    easyrsa.replace_authority(root())
    two.settle()

    assert two.hook().name == "active"
    assert api.secret("cert.pem") == first
    assert asked_for(two) == [COMMON_NAME]


def test_given_an_answer_that_expired_while_others_led_when_it_leads_again_then_it_gets_another(
    two: Model, easyrsa: Easyrsa, api: FakeCluster
):
    come_back(two, easyrsa)
    lead(two, 1)
    easyrsa.expire("aws-iam_0")
    forget(two, easyrsa, 1)
    lead(two, 0)

    assert two.hook().name == "active"
    assert asked_for(two) == reactive_protocol.names_for_authority([NEW])[1:2]


def test_given_a_certificate_near_its_end_when_settled_then_a_new_one_is_served(
    deployed: Model, easyrsa: Easyrsa, api: FakeCluster, files: Files
):
    easyrsa.days = (-300, 10)
    easyrsa.reissue()
    deployed.answer()
    easyrsa.days = (-1, 365)
    file = files.webhook.stat()
    assert re.search(
        "certificate expires 20[0-9-]{8}; waiting for another one from easyrsa$",
        deployed.hook().message,
    )
    near = api.secret("cert.pem")
    deployed.settle()

    assert deployed.hook().message.endswith(" mappings")
    assert api.secret("cert.pem") != near
    assert files.webhook.stat() == file
    assert [name.startswith("until-20") for name in asked_for(deployed)] == [True]
