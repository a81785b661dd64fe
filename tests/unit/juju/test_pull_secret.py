"""A registry that wants credentials: from a secret of the model to the pods' pull secret."""

from __future__ import annotations

import base64
import copy
import dataclasses
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import ops
import ops.testing
import pytest
import yaml
from tests.fakes.juju.model import UUID, Easyrsa, Model
from tests.fakes.kubernetes.paths import (
    DEPLOYMENT,
    MAPPINGS,
    PULL_SECRET,
    SECRET,
    SERVICE,
    SERVICE_ACCOUNT,
)
from tests.fakes.kubernetes.server import FakeCluster
from tests.fakes.owners import FORMER
from tests.fakes.owners import mark as put_mark

from config import Config
from juju import pull_secret

ID = "d0h4v2m8e1s9c7k3b5g0"
PASSWORD = "s3cr:t\u00e9 \u20ac"
CONTENT = {"username": "puller", "password": PASSWORD}


def kept(content: dict[str, str], **new: Any) -> frozenset[ops.testing.Secret]:
    """A secret that an operator added and granted; the unit reads ``content`` until it looks
    again."""
    return frozenset({ops.testing.Secret(content, id=f"secret:{ID}", **new)})


@pytest.fixture
def private(deployed: Model, api: FakeCluster) -> Model:
    """Deployed, and told to pull with the secret's content."""
    deployed.user_secrets = kept(CONTENT)
    deployed.config = {"image-pull-secret": f"secret:{ID}"}
    assert isinstance(deployed.hook(deployed.on.config_changed()), ops.ActiveStatus)
    return deployed


def pod(api: FakeCluster) -> Any:
    return api.objects[DEPLOYMENT]["spec"]["template"]["spec"]


def auths(api: FakeCluster) -> dict[str, dict[str, str]]:
    data = api.objects[PULL_SECRET]["data"][".dockerconfigjson"]
    return json.loads(base64.b64decode(data))["auths"]


def test_given_a_granted_secret_when_a_hook_runs_then_the_pods_pull_with_its_content(
    private: Model, api: FakeCluster
):
    assert api.objects[PULL_SECRET]["type"] == "kubernetes.io/dockerconfigjson"
    assert auths(api) == {"public.ecr.aws": CONTENT}
    assert pod(api)["imagePullSecrets"] == [{"name": "aws-iam-pull-secret"}]
    assert api.requests.index(f"PATCH {PULL_SECRET}") < api.requests.index(f"PATCH {DEPLOYMENT}")
    assert PASSWORD not in private.log()
    assert PASSWORD not in private.bags()


@pytest.mark.parametrize(
    ("options", "host"),
    [
        ({"image-registry": "r.example:5000/mirror"}, "r.example:5000"),
        ({"image": "localhost/a:v1"}, "localhost"),
        ({"image": "a/b:v1"}, "docker.io"),
        ({"image": "b:v1"}, "docker.io"),
    ],
)
def test_given_a_registry_when_a_hook_runs_then_the_credentials_are_for_its_host(
    private: Model, api: FakeCluster, options: dict[str, str], host: str
):
    private.config = {**private.config, **options}
    private.hook(private.on.config_changed())

    assert auths(api) == {host: CONTENT}


def test_given_a_new_revision_when_juju_announces_it_then_the_pull_secret_alone_changes(
    private: Model, api: FakeCluster
):
    api.forget()
    new = {**CONTENT, "password": "next"}
    private.user_secrets = kept(CONTENT, latest_content=new)
    (secret,) = private.user_secrets

    status = private.hook(private.on.secret_changed(secret))

    assert isinstance(status, ops.ActiveStatus)
    assert auths(api) == {"public.ecr.aws": new}
    assert api.changes == [f"PATCH {PULL_SECRET}"]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_given_values_from_files_when_a_hook_runs_then_only_their_last_newlines_go(
    private: Model, api: FakeCluster, end: str
):
    private.user_secrets = kept({key: f"{value} {end}" for key, value in CONTENT.items()})
    private.hook()

    assert auths(api) == {"public.ecr.aws": {key: f"{value} " for key, value in CONTENT.items()}}


def test_given_an_option_that_is_reset_when_the_pods_are_replaced_then_the_pull_secret_goes(
    private: Model, api: FakeCluster
):
    api.start_seconds = None
    private.config = {}
    private.hook(private.on.config_changed())
    assert "imagePullSecrets" not in pod(api)
    # Until the new pods serve, a former one may need it.
    assert PULL_SECRET in api.objects

    api.start_seconds = 0
    api.forget()
    assert isinstance(private.hook(), ops.ActiveStatus)
    assert PULL_SECRET not in api.objects
    assert f"DELETE {PULL_SECRET}" in api.changes


def test_given_a_persons_secret_of_that_name_when_the_option_is_set_then_it_is_left_alone(
    deployed: Model, api: FakeCluster
):
    managed = [copy.deepcopy(FORMER)]
    metadata = {"name": "aws-iam-pull-secret", "resourceVersion": "1", "managedFields": managed}
    persons: dict[str, Any] = {"metadata": metadata, "data": {".dockerconfigjson": "e30="}}
    api.put(PULL_SECRET, copy.deepcopy(persons))
    # The Service has no mark, so the charm takes all that is its own.
    put_mark(api, SERVICE, None)
    deployed.user_secrets = kept(CONTENT)
    deployed.config = {"image-pull-secret": f"secret:{ID}", "replicas": 3}

    assert deployed.hook() == ops.BlockedStatus(
        "another Secret is in the way; if unused, run: "
        "kubectl -n kube-system delete secret aws-iam-pull-secret"
    )
    assert api.objects[PULL_SECRET] == persons
    assert api.objects[DEPLOYMENT]["spec"]["replicas"] == 3
    assert "imagePullSecrets" not in pod(api)

    api.delete(PULL_SECRET)
    deployed.settle()
    assert auths(api) == {"public.ecr.aws": CONTENT}


def refuse(monkeypatch: pytest.MonkeyPatch, error: str) -> None:
    """Have Juju refuse to return the secret."""
    get_secret = ops.Model.get_secret

    def fails(model: ops.Model, **which: Any) -> ops.Secret:
        if ID in which.get("id", ""):
            raise ops.ModelError(error)
        return get_secret(model, **which)

    monkeypatch.setattr(ops.Model, "get_secret", fails)


NOT_GRANTED = f"image-pull-secret is not granted; run: juju grant-secret {ID} aws-iam"
NOT_RETURNED = f"waiting for Juju to return secret {ID} of option image-pull-secret"


@pytest.mark.parametrize(
    ("error", "status"),
    [
        ("ERROR permission denied", ops.BlockedStatus(NOT_GRANTED)),
        ('ERROR "aws-iam/0" is not allowed to read this secret', ops.BlockedStatus(NOT_GRANTED)),
        ("ERROR backend sealed", ops.WaitingStatus(f"{NOT_RETURNED}: ERROR backend sealed")),
    ],
    ids=["Juju 3.6", "Juju 4.1", "sealed"],
)
def test_given_an_unreadable_secret_when_a_hook_runs_then_the_line_says_why_and_it_looks_again(
    private: Model, monkeypatch: pytest.MonkeyPatch, error: str, status: ops.StatusBase
):
    refuse(monkeypatch, error)

    assert private.hook() == status
    (alarm,) = private.units[0].alarms
    assert alarm.label == "alarm"


def test_given_an_unreadable_secret_when_hooks_run_then_the_cluster_is_kept_as_it_should_be(
    private: Model, api: FakeCluster, easyrsa: Easyrsa
):
    api.add_mapping("dev", "arn:aws:iam::111122223333:role/Dev")
    api.delete(SERVICE_ACCOUNT)
    private.config = {**private.config, "replicas": 3}
    easyrsa.reissue()
    private.answer()
    with pytest.MonkeyPatch.context() as patch:
        refuse(patch, "ERROR permission denied")
        assert private.hook() == ops.BlockedStatus(NOT_GRANTED)

    assert auths(api) == {"public.ecr.aws": CONTENT}
    assert pod(api)["imagePullSecrets"] == [{"name": "aws-iam-pull-secret"}]
    assert SERVICE_ACCOUNT in api.objects
    assert api.objects[DEPLOYMENT]["spec"]["replicas"] == 3
    assert f"PATCH {SECRET}" in api.changes
    assert f"PATCH {MAPPINGS}/dev/status" in api.changes
    api.forget()
    assert isinstance(private.hook(), ops.ActiveStatus)
    assert api.changes == []


@pytest.mark.parametrize(
    ("content", "missing"),
    [
        ({"username": "puller"}, "password"),
        ({"token": PASSWORD}, "username and password"),
        ({"username": "puller", "password": "\r\n"}, "password"),
    ],
)
def test_given_a_secret_without_a_key_when_a_hook_runs_then_the_line_names_it_and_the_command(
    private: Model, content: dict[str, str], missing: str
):
    private.user_secrets = kept(content)

    assert private.hook() == ops.BlockedStatus(
        f"secret lacks {missing}; run: juju update-secret {ID} username=NAME password#file=FILE"
    )
    assert PASSWORD not in private.log()


def test_given_an_id_with_the_models_uuid_when_it_is_read_then_the_secret_is_found():
    config = Config(
        "example.com/image:v1", "", 2, image_pull_secret=f"secret://{UUID}/{ID}"
    ).checked()
    model: Any = SimpleNamespace(
        app=SimpleNamespace(name="aws-iam"),
        get_secret=lambda id: SimpleNamespace(  # noqa: A006
            get_content=lambda refresh: CONTENT if id == f"secret:{ID}" and refresh else {}
        ),
    )

    assert json.loads(pull_secret.read(model, config)) == {"auths": {"example.com": CONTENT}}


def test_given_the_option_then_juju_checks_its_values():
    options = yaml.safe_load((Path(__file__).parents[3] / "config.yaml").read_text())["options"]

    assert options["image-pull-secret"]["type"] == "secret"


def test_given_a_unit_that_does_not_lead_when_a_hook_runs_then_it_reads_no_secret(
    two: Model, api: FakeCluster
):
    two.config = {"image-pull-secret": f"secret:{ID}"}
    two.user_secrets = kept(CONTENT, latest_content={**CONTENT, "password": "next"})
    before = two.user_secrets
    two.hook(unit=1)

    assert two.user_secrets == before
    assert dataclasses.asdict(*two.user_secrets)["tracked_content"] == CONTENT
