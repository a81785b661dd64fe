"""The STS answers users and roles of its accounts file, and refuses everything else."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import urllib.parse
import xml.etree.ElementTree as ET
from pathlib import Path

import botocore.auth
import botocore.awsrequest
import botocore.credentials
import botocore.session
import pytest

from testbed.aws import regions
from testbed.aws.accounts import Accounts, Role, shared_credentials
from testbed.aws.api import Response, respond
from testbed.aws.service import dns_command
from testbed.aws.sigv4 import Request

VERSION = "2011-06-15"
ACCOUNT = "111122223333"
VIEWER = f"arn:aws:iam::{ACCOUNT}:role/k8s-view-role"
SSO = (
    f"arn:aws:iam::{ACCOUNT}:role/aws-reserved/sso.amazonaws.com/"
    "AWSReservedSSO_ClusterViewer_0123456789abcdef"
)
NAMESPACE = {"": f"https://sts.amazonaws.com/doc/{VERSION}/"}
Keys = botocore.credentials.Credentials


@pytest.fixture
def accounts() -> Accounts:
    return Accounts.load()


@pytest.fixture
def knobby(accounts: Accounts) -> Keys:
    return keys(accounts, "AKIAKNOBBY0TESTBED00")


def keys(accounts: Accounts, access_key: str) -> Keys:
    known = accounts.credentials(access_key)
    assert known
    return Keys(known.access_key, known.secret_key, known.token or None)


def call(
    accounts: Accounts,
    signer: Keys,
    host: str = "sts.amazonaws.com",
    late: float = 0,
    accept: str = "application/json",
    region: str = "us-east-1",
    **parameters: str,
) -> Response:
    """Call an action with a signed POST, as SDKs do; `late` is in seconds."""
    body = urllib.parse.urlencode({"Version": VERSION, **parameters}).encode()
    request = botocore.awsrequest.AWSRequest("POST", f"https://{host}/", {}, body)
    botocore.auth.SigV4Auth(signer, "sts", region).add_auth(request)
    headers = {name.lower(): [str(value)] for name, value in request.headers.items()}
    headers |= {"host": [host], "accept": [accept]}
    now = dt.datetime.now(dt.timezone.utc) + dt.timedelta(seconds=late)
    return respond(Request("POST", "/", "", headers, body), accounts, now)


def assume(
    accounts: Accounts,
    signer: Keys,
    role: str,
    duration: str = "3600",
    session: str = "session",
) -> Response:
    return call(
        accounts,
        signer,
        Action="AssumeRole",
        RoleArn=role,
        RoleSessionName=session,
        DurationSeconds=duration,
    )


def assumed_keys(answer: Response) -> Keys:
    given = json.loads(answer.body)["AssumeRoleResponse"]["AssumeRoleResult"]["Credentials"]
    return Keys(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])


def identity(answer: Response) -> dict[str, str]:
    content = json.loads(answer.body)
    return content["GetCallerIdentityResponse"]["GetCallerIdentityResult"]


def error(answer: Response) -> tuple[int, str]:
    return answer.status, json.loads(answer.body)["Error"]["Code"]


@pytest.mark.parametrize(
    ("role", "size"), [("k8s-view-role", 800), ("token-400", 400), ("token-4096", 4096)]
)
def test_a_session_token_has_the_size_that_its_role_gives(
    accounts: Accounts, knobby: Keys, role: str, size: int
) -> None:
    given = assumed_keys(assume(accounts, knobby, f"arn:aws:iam::{ACCOUNT}:role/{role}"))
    assert given.token is not None
    assert len(given.token) == size
    assert call(accounts, given, Action="GetCallerIdentity").status == 200


@pytest.mark.parametrize("size", [399, 4097])
def test_no_role_gives_a_session_token_of_a_size_that_aws_does_not_issue(size: int) -> None:
    with pytest.raises(ValueError, match=f"{size} bytes"):
        Role(ACCOUNT, "x", f"arn:aws:iam::{ACCOUNT}:role/x", "AROA", frozenset(), size)


def test_get_caller_identity_names_the_user(accounts: Accounts, knobby: Keys) -> None:
    answer = call(accounts, knobby, Action="GetCallerIdentity")
    assert answer.status == 200
    assert identity(answer) == {
        "Account": ACCOUNT,
        "Arn": f"arn:aws:iam::{ACCOUNT}:user/knobby",
        "UserId": "AIDAKNOBBY0TESTBED00",
    }


def test_the_answer_is_xml_unless_the_request_accepts_json(
    accounts: Accounts, knobby: Keys
) -> None:
    answer = call(accounts, knobby, accept="*/*", Action="GetCallerIdentity")
    assert answer.content_type == "text/xml"
    arn = ET.fromstring(answer.body).findtext("GetCallerIdentityResult/Arn", namespaces=NAMESPACE)
    assert arn == f"arn:aws:iam::{ACCOUNT}:user/knobby"


def test_a_refusal_in_xml_carries_its_code(accounts: Accounts) -> None:
    answer = call(accounts, Keys("AKIAUNKNOWN", "x"), accept="*/*", Action="GetCallerIdentity")
    assert answer.status == 403
    code = ET.fromstring(answer.body).findtext("Error/Code", namespaces=NAMESPACE)
    assert code == "InvalidClientTokenId"


def test_an_assumed_role_has_its_sessions_arn_and_id(accounts: Accounts, knobby: Keys) -> None:
    role = assumed_keys(assume(accounts, knobby, VIEWER))
    assert role.access_key.startswith("ASIA")
    who = identity(call(accounts, role, Action="GetCallerIdentity"))
    assert who["Arn"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/k8s-view-role/session"
    assert who["UserId"] == "AROAVIEW00TESTBED000:session"


def test_the_arn_of_an_assumed_sso_role_lacks_the_path(accounts: Accounts, knobby: Keys) -> None:
    role = assumed_keys(assume(accounts, knobby, SSO))
    who = identity(call(accounts, role, Action="GetCallerIdentity"))
    name = "AWSReservedSSO_ClusterViewer_0123456789abcdef"
    assert who["Arn"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/{name}/session"


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("eu-west-1/", "AWSReservedSSO_DevOps_1a2b3c4d5e6f7081"),
        ("eu-west-1/", "AWSReservedSSO_DevOps_9182736455463728"),
        ("eu-west-1/", "AWSReservedSSO_DevOps_Admin_a1b2c3d4e5f60718"),
    ],
)
def test_given_a_role_of_identity_center_when_its_session_asks_then_it_has_its_mail_address(
    accounts: Accounts, knobby: Keys, path: str, name: str
) -> None:
    role = f"arn:aws:iam::{ACCOUNT}:role/aws-reserved/sso.amazonaws.com/{path}{name}"
    session = assumed_keys(assume(accounts, knobby, role, session="alice@example.com"))

    who = identity(call(accounts, session, Action="GetCallerIdentity"))

    assert who["Arn"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/{name}/alice@example.com"
    assert who["UserId"].endswith(":alice@example.com")


def test_given_a_role_of_identity_center_when_it_is_named_without_its_path_then_it_is_unknown(
    accounts: Accounts, knobby: Keys
) -> None:
    role = f"arn:aws:iam::{ACCOUNT}:role/AWSReservedSSO_DevOps_1a2b3c4d5e6f7081"
    assert error(assume(accounts, knobby, role)) == (403, "AccessDenied")


def test_given_a_permission_set_in_two_accounts_then_each_has_a_role_for_its_people_only(
    accounts: Accounts, knobby: Keys
) -> None:
    path = "role/aws-reserved/sso.amazonaws.com/eu-west-1"
    role = f"arn:aws:iam::555566667777:{path}/AWSReservedSSO_DevOps_00ff11ee22dd33cc"
    dora = keys(accounts, "AKIADORA000TESTBED00")

    who = identity(
        call(accounts, assumed_keys(assume(accounts, dora, role)), Action="GetCallerIdentity")
    )

    assert who["Account"] == "555566667777"
    assert error(assume(accounts, knobby, role)) == (403, "AccessDenied")


def test_given_a_throttled_user_when_they_call_then_sts_gets_too_many_requests(
    accounts: Accounts,
) -> None:
    swamped = keys(accounts, "AKIASWAMPED0TESTBED0")
    answer = call(accounts, swamped, Action="GetCallerIdentity")
    assert error(answer) == (400, "Throttling")


def test_a_role_of_the_account_may_assume_another(accounts: Accounts, knobby: Keys) -> None:
    role = assumed_keys(assume(accounts, knobby, VIEWER))
    assert assume(accounts, role, SSO).status == 200


def test_temporary_keys_need_their_token(accounts: Accounts, knobby: Keys) -> None:
    role = assumed_keys(assume(accounts, knobby, VIEWER))
    bare = Keys(role.access_key, role.secret_key)
    assert error(call(accounts, bare, Action="GetCallerIdentity")) == (403, "InvalidClientTokenId")


def test_long_lived_keys_take_no_token(accounts: Accounts, knobby: Keys) -> None:
    with_token = Keys(knobby.access_key, knobby.secret_key, "token")
    answer = call(accounts, with_token, Action="GetCallerIdentity")
    assert error(answer) == (403, "InvalidClientTokenId")


def test_temporary_keys_expire(accounts: Accounts, knobby: Keys) -> None:
    role = assumed_keys(assume(accounts, knobby, VIEWER, duration="900"))
    soon = dt.datetime.now(dt.timezone.utc) - dt.timedelta(seconds=1)
    given = accounts.credentials(role.access_key)
    assert given
    assert given.expires
    late = (given.expires - soon).total_seconds()
    assert late == pytest.approx(901, abs=5)
    assert call(accounts, role, late=880, Action="GetCallerIdentity").status == 200
    expired = Accounts([dataclasses.replace(given, expires=soon)], [])
    answer = call(expired, role, Action="GetCallerIdentity")
    assert error(answer) == (403, "ExpiredToken")


def test_another_accounts_user_may_not_assume_a_role(accounts: Accounts) -> None:
    stranger = keys(accounts, "AKIASTRANGER0TESTBED")
    assert error(assume(accounts, stranger, VIEWER)) == (403, "AccessDenied")


ASSUME = {
    "Action": "AssumeRole",
    "RoleArn": VIEWER,
    "RoleSessionName": "session",
    "DurationSeconds": "3600",
}
DENIED, INVALID = (403, "AccessDenied"), (400, "ValidationError")
UNKNOWN = (400, "InvalidAction")


@pytest.mark.parametrize(
    ("parameters", "refusal"),
    [
        *(
            ({**ASSUME, "RoleArn": role}, DENIED)
            for role in (f"arn:aws:iam::{ACCOUNT}:role/none", "", "AWSReservedSSO")
        ),
        *(
            ({**ASSUME, "DurationSeconds": seconds}, INVALID)
            for seconds in ("899", "43201", "an hour")
        ),
        *(
            ({**ASSUME, "RoleSessionName": name}, INVALID)
            for name in ("", "a", "with space", "x" * 65)
        ),
        *(({"Action": action}, UNKNOWN) for action in ("GetSessionToken", "")),
        ({"Action": "GetCallerIdentity", "Version": "2010-05-08"}, UNKNOWN),
    ],
)
def test_a_request_that_aws_would_refuse_is_refused(
    accounts: Accounts, knobby: Keys, parameters: dict[str, str], refusal: tuple[int, str]
) -> None:
    assert error(call(accounts, knobby, **parameters)) == refusal  # pyright: ignore[reportArgumentType]


def test_a_role_may_assume_another_for_an_hour_at_most(accounts: Accounts, knobby: Keys) -> None:
    role = assumed_keys(assume(accounts, knobby, VIEWER))
    answer = assume(accounts, role, SSO, duration="3601")
    assert error(answer) == (400, "ValidationError")


@pytest.mark.parametrize(
    "host", ["ec2.amazonaws.com", "sts.mars-1.amazonaws.com", "sts.amazonaws.com.cn", "localhost"]
)
def test_a_host_other_than_an_sts_is_refused(accounts: Accounts, knobby: Keys, host: str) -> None:
    answer = call(accounts, knobby, host=host, Action="GetCallerIdentity")
    assert error(answer) == (403, "SignatureDoesNotMatch")


def test_given_the_name_for_ipv6_too_when_an_sts_is_called_by_it_then_it_answers(
    accounts: Accounts, knobby: Keys
) -> None:
    host = "sts.eu-west-1.api.aws"

    answer = call(accounts, knobby, host, region="eu-west-1", Action="GetCallerIdentity")

    assert identity(answer)["Arn"].endswith(":user/knobby")


ELSEWHERE = [
    ("sts.cn-north-1.amazonaws.com.cn", "AKIAMEI000000TESTBED", "arn:aws-cn:iam::777788889999:"),
    ("sts.us-gov-west-1.amazonaws.com", "AKIAGUS000000TESTBED", "arn:aws-us-gov:iam::22223333444"),
    ("sts.us-gov-west-1.api.aws", "AKIAGUS000000TESTBED", "arn:aws-us-gov:iam::222233334444:"),
]


@pytest.mark.parametrize(("host", "key", "begin"), ELSEWHERE)
def test_given_a_user_of_another_partition_when_they_call_its_sts_then_it_knows_them(
    accounts: Accounts, knobby: Keys, host: str, key: str, begin: str
) -> None:
    def ask(signer: Keys) -> Response:
        region = host.split(".")[1]
        return call(accounts, signer, host, region=region, Action="GetCallerIdentity")

    assert identity(ask(keys(accounts, key)))["Arn"].startswith(begin)
    assert error(ask(knobby)) == (403, "InvalidClientTokenId")


@pytest.mark.parametrize(("host", "key", "begin"), ELSEWHERE)
def test_given_a_user_of_another_partition_when_they_call_the_global_sts_then_it_refuses_them(
    accounts: Accounts, host: str, key: str, begin: str
) -> None:
    answer = call(accounts, keys(accounts, key), Action="GetCallerIdentity")

    assert error(answer) == (403, "InvalidClientTokenId")


def test_given_a_role_of_another_partition_when_it_is_assumed_then_its_session_is_of_that_too(
    accounts: Accounts,
) -> None:
    def ask(signer: Keys, **parameters: str) -> Response:
        host, accept = "sts.cn-north-1.amazonaws.com.cn", "application/json"
        return call(accounts, signer, host, 0, accept, "cn-north-1", **parameters)

    role = "arn:aws-cn:iam::777788889999:role/k8s-view-role"
    mei = keys(accounts, "AKIAMEI000000TESTBED")
    answer = ask(mei, Action="AssumeRole", RoleArn=role, RoleSessionName="session")
    who = identity(ask(assumed_keys(answer), Action="GetCallerIdentity"))

    assert who["Arn"] == "arn:aws-cn:sts::777788889999:assumed-role/k8s-view-role/session"


def test_given_the_hosts_of_all_partitions_then_the_certificate_and_the_dns_have_them() -> None:
    for host in ("sts-fips.eu-west-1.api.aws", *(host for host, _, _ in ELSEWHERE)):
        assert f"*.{host.partition('.')[2]}" in regions.host_names()
        assert any(host.endswith(f".{domain}") for domain in regions.DOMAINS)
    assert "/amazonaws.com.cn/" in " ".join(dns_command())


def test_given_the_credentials_file_then_a_profile_has_the_keys_of_its_user(
    accounts: Accounts, knobby: Keys, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "credentials"
    file.write_text(shared_credentials())
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(file))

    found = botocore.session.Session(profile="knobby").get_credentials()

    assert (found.access_key, found.secret_key) == (knobby.access_key, knobby.secret_key)
