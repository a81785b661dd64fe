"""Whom the API server asks about a token, and what people and aws-iam are told of it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import ops
import pytest
import yaml
from ops import testing
from running import (
    FORWARDER,
    RENDERED,
    WEBHOOK_FILE,
    WEBHOOK_PATH,
    FakeHost,
    Run,
    aws_iam,
    client_config,
    endpoints,
    flags,
    names,
    trust,
    write_webhook,
)

DIRECTLY = {"webhook-caller": "kube-apiserver"}


@contextlib.contextmanager
def dying_at_a_restart(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A hook that dies in the instant in which it would restart a service."""

    def die(self: FakeHost, verb: str, service: str) -> bool:
        if verb == "restart":
            raise KeyboardInterrupt
        return True

    with monkeypatch.context() as dying:
        dying.setattr(FakeHost, "systemctl", die)
        with pytest.raises(KeyboardInterrupt):
            yield


def test_the_api_server_takes_the_whole_file_of_aws_iam(run_old: Run, host: FakeHost) -> None:
    write_webhook(host)

    state = run_old(aws_iam(), **DIRECTLY)

    [file] = [
        flag for flag in flags(host) if flag.startswith("--authentication-token-webhook-con")
    ]
    assert (host.root / file.partition("=")[2].lstrip("/")).read_text() == WEBHOOK_FILE
    [relation] = state.relations
    assert relation.local_unit_data["api_server_state"] == "true"


@pytest.mark.parametrize("caller", ["kube-apiserver", "forwarder", "original"])
def test_nobody_is_asked_once_aws_iam_has_taken_its_file_away(
    run_old: Run, host: FakeHost, caller: str
) -> None:
    write_webhook(host)
    run_old(aws_iam(), **{"webhook-caller": caller})
    (host.root / WEBHOOK_PATH).unlink()

    run_old(aws_iam(), **{"webhook-caller": caller})

    assert endpoints(host) == ("", "")


@pytest.mark.parametrize("caller", ["forwarder", "original"])
def test_the_forwarder_is_asked_by_an_api_server_that_no_file_restarts(
    run_old: Run, host: FakeHost, caller: str
) -> None:
    run_old(event="install", **{"webhook-caller": caller})
    write_webhook(host)
    run_old(aws_iam(), **{"webhook-caller": caller})

    [path] = [flag.partition("=")[2] for flag in flags(host) if "token-webhook-config" in flag]
    used = yaml.safe_load((host.root / path.lstrip("/")).read_text())["clusters"][0]["cluster"]
    assert used == {"server": "http://127.0.0.1:5000/"}
    assert FORWARDER in host.running
    assert host.restarts() == 1


def test_the_forwarder_goes_by_the_whole_file(run_old: Run, host: FakeHost) -> None:
    write_webhook(host)

    run_old(aws_iam(), **{"webhook-caller": "forwarder"})

    assert endpoints(host) == ("https://10.152.183.7:443/authenticate", "")
    assert trust(host) == {
        "server_name": "aws-iam-authenticator.kube-system.svc",
        "authorities": "authority",
    }


def test_a_file_without_a_server_name_is_about_the_urls_host(run_old: Run, host: FakeHost) -> None:
    name = "    tls-server-name: aws-iam-authenticator.kube-system.svc\n"
    assert name in WEBHOOK_FILE
    write_webhook(host, WEBHOOK_FILE.replace(name, ""))

    run_old(aws_iam(), **{"webhook-caller": "forwarder"})

    assert trust(host) == {"server_name": "", "authorities": "authority"}


def test_as_the_original_it_takes_the_url_alone(run_old: Run, host: FakeHost) -> None:
    write_webhook(host, "clusters: [{cluster: {server: 'https://10.152.183.7/a'}}]\n")

    run_old(aws_iam(), **{"webhook-caller": "original"})

    assert endpoints(host) == ("https://10.152.183.7/a", "")
    assert trust(host) == {}


def test_a_caller_that_there_is_not_is_refused(run_old: Run, host: FakeHost) -> None:
    state = run_old(**{"webhook-caller": "nobody"})

    assert state.unit_status == ops.BlockedStatus(
        "option webhook-caller: 'nobody' is none of kube-apiserver, forwarder, original"
    )
    assert host.commands == []


def test_a_changed_file_restarts_the_api_server_once(run_old: Run, host: FakeHost) -> None:
    write_webhook(host)
    run_old(aws_iam(), **DIRECTLY)
    write_webhook(host, f"{WEBHOOK_FILE}# changed\n")

    run_old(aws_iam(), **DIRECTLY)
    run_old(aws_iam(), **DIRECTLY)

    assert host.restarts() == 2


def test_a_hook_that_died_before_the_restart_restarts_when_it_is_run_again(
    run_old: Run, host: FakeHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_old(event="install")

    with dying_at_a_restart(monkeypatch):
        run_old(event="config_changed", **{"authorization-mode": "RBAC"})

    run_old(event="config_changed", **{"authorization-mode": "RBAC"})

    assert host.restarts() == 2


@pytest.mark.parametrize("text", ["clusters: []", "{", "clusters: [{cluster: {server: 5}}]"])
def test_a_file_that_is_not_what_it_should_be_fails_the_hook(
    run_old: Run, host: FakeHost, text: str
) -> None:
    write_webhook(host, text)

    with pytest.raises(testing.errors.UncaughtCharmError):
        run_old(aws_iam())


def test_without_a_serving_webhook_the_file_is_not_looked_at(run_old: Run, host: FakeHost) -> None:
    write_webhook(host, "{")

    run_old(aws_iam(status="false"), **DIRECTLY)

    assert flags(host) == ["--own=flag", "--authorization-mode=Node,RBAC"]


def test_when_aws_iam_withdraws_the_api_server_runs_without_it(
    run_old: Run, host: FakeHost
) -> None:
    write_webhook(host)
    run_old(aws_iam(), **DIRECTLY)

    run_old(aws_iam(status="false"), **DIRECTLY)

    assert flags(host) == ["--own=flag", "--authorization-mode=Node,RBAC"]
    assert not (host.root / "var/snap/kube-apiserver/current/webhook.yaml").exists()


def test_people_keep_the_aws_user_until_the_relation_goes(run_old: Run, host: FakeHost) -> None:
    write_webhook(host)
    run_old(aws_iam())

    run_old(aws_iam(status="false"))
    assert names(client_config(host)["users"]) == ["admin", "aws-iam-user"]

    run_old()
    assert names(client_config(host)["users"]) == ["admin"]


def test_people_get_the_aws_user_with_the_cluster_id(run_old: Run, host: FakeHost) -> None:
    write_webhook(host)

    run_old(aws_iam(cluster_id='"prod"'))

    config = client_config(host)
    assert names(config["contexts"]) == ["juju-context", "aws-iam-authenticator"]
    user = config["users"][1]
    assert user["name"] == "aws-iam-user"
    assert "['token', '-i', 'prod', '-r', '<<insert_arn_here>>']" in str(user)
    assert (host.root / "home/ubuntu/config").stat().st_mode & 0o777 == 0o600


def test_a_second_application_of_aws_iam_that_is_blocked_changes_nothing(
    run_old: Run, host: FakeHost
) -> None:
    write_webhook(host)
    blocked = testing.SubordinateRelation("aws-iam", remote_app_name="second")

    run_old(blocked, aws_iam(cluster_id='"prod"'))

    assert "['token', '-i', 'prod'" in str(client_config(host)["users"][1])
    assert any(flag.startswith("--authentication-token-webhook-con") for flag in flags(host))


def test_the_newer_flavours_forwarder_asks_the_url_of_its_option(
    run_new: Run, host: FakeHost
) -> None:
    url = "https://10.152.183.7:443/authenticate"

    run_new(event="config_changed", **{"authn-webhook-endpoint": url})

    assert FORWARDER in host.running
    assert endpoints(host) == ("", url)
    assert trust(host) == {}
    assert url in (host.root / RENDERED).read_text()
    assert names(client_config(host)["users"]) == ["admin"]


def test_the_newer_flavour_renders_no_url_when_the_option_is_cleared(
    run_new: Run, host: FakeHost
) -> None:
    run_new(event="config_changed", **{"authn-webhook-endpoint": "https://10.152.183.7/a"})

    run_new(event="config_changed")

    assert endpoints(host) == ("", "")
    assert "https" not in (host.root / RENDERED).read_text()
    assert host.restarts() == 1


@pytest.mark.parametrize("caller", ["kube-apiserver", "forwarder", "original"])
def test_the_older_flavour_keeps_a_webhook_when_the_option_replaces_aws_iam(
    run_old: Run, host: FakeHost, caller: str
) -> None:
    url = "https://10.152.183.7:443/authenticate"
    options = {"authn-webhook-endpoint": url, "webhook-caller": caller}
    write_webhook(host)
    run_old(aws_iam(), event="config_changed", **options)
    assert endpoints(host) == (url, url)

    run_old(aws_iam(status="false"), **options)

    assert endpoints(host) == ("", url)
    assert trust(host) == {}
    assert FORWARDER in host.running
    assert any("token-webhook-config-file" in flag for flag in flags(host))


def test_the_option_alone_does_not_change_who_calls_aws_iam(run_old: Run, host: FakeHost) -> None:
    write_webhook(host)
    run_old(aws_iam(), **DIRECTLY)

    options = {"authn-webhook-endpoint": "https://10.1.2.3/a", **DIRECTLY}
    run_old(aws_iam(), event="config_changed", **options)

    assert FORWARDER not in host.running
    assert host.restarts() == 1


def test_a_refresh_to_the_newer_flavour_restarts_nothing_of_a_cluster_with_the_option(
    run_old: Run, run_new: Run, host: FakeHost
) -> None:
    options = {"authn-webhook-endpoint": "https://10.1.2.3/a", "channel": "1.28/stable"}
    run_old(event="install", **options)
    host.commands.clear()

    run_new(event="upgrade_charm", **options)

    assert [command for command in host.commands if "restart" in command] == []
    assert endpoints(host) == ("", "https://10.1.2.3/a")


def test_a_strict_forwarder_stays_strict_when_aws_iam_withdraws(
    run_old: Run, host: FakeHost
) -> None:
    write_webhook(host)
    run_old(aws_iam(), **{"webhook-caller": "forwarder"})

    run_old(aws_iam(status="false"), **{"webhook-caller": "forwarder"})

    assert endpoints(host) == ("", "")
    assert trust(host) == {"authorities": "", "server_name": ""}


def test_the_forwarder_is_restarted_when_the_url_changes_and_only_then(
    run_new: Run, host: FakeHost
) -> None:
    for url in ("", "https://10.152.183.7/a", "https://10.152.183.7/a", "https://10.152.183.8/a"):
        run_new(event="config_changed", **{"authn-webhook-endpoint": url})

    assert host.restarts(FORWARDER) == 3


def test_the_forwarder_is_not_restarted_for_a_new_authority(run_old: Run, host: FakeHost) -> None:
    write_webhook(host)
    run_old(aws_iam(), **{"webhook-caller": "forwarder"})
    former = trust(host)
    write_webhook(host, WEBHOOK_FILE.replace("YXV0aG9yaXR5", "bmV3"))

    run_old(aws_iam(), **{"webhook-caller": "forwarder"})

    assert trust(host) == {**former, "authorities": "new"}
    assert host.restarts(FORWARDER) == 1


def test_a_hook_that_died_before_the_forwarders_restart_restarts_it_when_it_is_run_again(
    run_new: Run, host: FakeHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = {"authn-webhook-endpoint": "https://10.152.183.7/a"}
    run_new(event="install")

    with dying_at_a_restart(monkeypatch):
        run_new(event="config_changed", **options)

    run_new(event="config_changed", **options)

    assert host.restarts(FORWARDER) == 2


def test_the_administrator_logs_in_by_a_token_that_the_originals_forwarder_knows(
    run_new: Run, host: FakeHost
) -> None:
    run_new(event="install")

    [root] = yaml.safe_load((host.root / "root/.kube/config").read_text())["users"]
    token, *user = (host.root / "root/cdk/known_tokens.csv").read_text().strip().split(",")
    assert root == {"name": "admin", "user": {"token": token}}
    assert token.startswith("admin::")
    assert user == ["admin", "admin", "system:masters"]
    assert client_config(host)["users"] == [root]


@pytest.mark.parametrize("caller", ["kube-apiserver", "forwarder"])
def test_the_administrator_logs_in_by_certificate_where_that_forwarder_is_not_asked(
    run_old: Run, host: FakeHost, caller: str
) -> None:
    run_old(event="install", **{"webhook-caller": caller})

    [root] = yaml.safe_load((host.root / "root/.kube/config").read_text())["users"]
    assert root["user"] == {"client-certificate-data": "Y2VydA=="}
    assert not (host.root / "root/cdk/known_tokens.csv").exists()
