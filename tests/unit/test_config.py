"""Options: one line for whatever cannot work."""

from __future__ import annotations

import contextlib
import re
from typing import Any

import ops
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.fakes.juju.model import Model
from tests.fakes.kubernetes.server import FakeCluster

from access.partitions import PARTITIONS
from config import Config
from errors import Blocked

IMAGE = "public.ecr.aws/eks-distro/kubernetes-sigs/aws-iam-authenticator:v0.7.18-cvefix-eks-1-36-9"
DIGEST = "@sha256:" + "0123456789abcdef" * 4
ID_REMEDY = "must be 1 to 64 of A-Z a-z 0-9 . _ - and begin with a letter or digit"
PARTITION_REMEDY = (
    "is not one of aws, aws-cn, aws-us-gov, aws-iso, aws-iso-b, aws-iso-e, aws-iso-f, aws-eusc"
)
REGISTRY_REMEDY = "is not a registry such as ghcr.io/example"


def config(
    image: str = IMAGE, cluster_id: str = "", replicas: int = 2, registry: str = ""
) -> Config:
    return Config(image, cluster_id, replicas, image_registry=registry).checked()


@pytest.mark.parametrize(
    ("options", "line"),
    [
        *(
            ({"image": text}, f"option image: {text!r} is not an image with a tag or digest")
            for text in ("", "nginx", "Nginx:v1", "a:v1\nx: y", "a@sha256:12")
        ),
        *(
            ({"image-registry": text}, f"option image-registry: {text!r} {REGISTRY_REMEDY}")
            for text in ("https://a.example", "a.example/", "/a", "a b", "a:v1", "a\n", "é", "A")
        ),
        *(
            ({"cluster-id": text}, f"option cluster-id: {text!r} {ID_REMEDY}")
            for text in ("-a", "a/b", "a\n", "é", "a" * 65)
        ),
        *(
            ({"partition": text}, f"option partition: {text!r} {PARTITION_REMEDY}")
            for text in ("aws-us-govt", "")
        ),
        ({"replicas": 0}, "option replicas: 0 is out of range; set 1 to 10"),
        ({"replicas": 11}, "option replicas: 11 is out of range; set 1 to 10"),
        ({"mapping-policy": "off"}, "option mapping-policy: 'off' is not enforce or warn"),
    ],
)
def test_given_a_bad_value_when_a_hook_runs_then_one_line_has_option_value_and_remedy(
    model: Model, api: FakeCluster, options: dict[str, str | int], line: str
):
    model.config = options

    assert model.hook(model.on.config_changed()) == ops.BlockedStatus(line)
    assert api.seen == []


@pytest.mark.parametrize(
    "options",
    [
        *({"partition": partition} for partition in PARTITIONS),
        *({"replicas": replicas} for replicas in (1, 10)),
        *({"cluster_id": text} for text in ("", "a", "0", "prod", "A.b_c-d", "a" * 64)),
    ],
)
def test_given_a_value_that_can_work_when_checked_then_it_is_taken(options: dict[str, Any]):
    found = Config(**{"image": IMAGE, "cluster_id": "", "replicas": 2, **options})

    assert found.checked() == found


@given(st.text(), st.text(), st.integers())
@example(IMAGE + "\n", "a", 1)
@example("a" * 100_000, "a" * 100_000, 10**30)
@example("a:" + "-" * 50_000, "." * 50_000, 1)
def test_given_any_text_when_checked_then_it_is_taken_or_refused_in_one_short_line(
    image: str, cluster_id: str, replicas: int
):
    try:
        config(image, cluster_id, replicas)
    except Blocked as error:
        line = str(error)
        assert line.startswith("option ")
        assert line.isprintable()
        assert len(line) < 800
    else:
        assert (image + cluster_id).isascii()
        assert (image + cluster_id).isprintable()
        assert " " not in image + cluster_id


# An image that a node can pull and that is new enough, and its version.
TAKEN = {
    IMAGE: "v0.7.18",
    "a:v0.7.13": "v0.7.13",
    "a:0.7.13-alpine": "0.7.13",
    "localhost:5000/aws-iam-authenticator:v0.7.18": "v0.7.18",
    "registry.example.com:5000/a/b_c/d--e:v1": "v1",
    "xn--bcher-kva.example/auth:nightly": "nightly",
    "a" + DIGEST: "0123456789ab",
    "registry/a:v0.7.13" + DIGEST: "v0.7.13",
    "a:v0.5.9-eks-1-22-5": "v0.5.9",
    **{f"a:{tag}": tag for tag in ("v0.5.9", "v0.5.10", "v1.0.0", "v0.5")},
}


@pytest.mark.parametrize(("image", "version"), TAKEN.items())
def test_given_an_image_that_a_node_can_pull_then_it_is_taken_and_the_tag_tells_its_version(
    image: str, version: str
):
    assert config(image).image == image
    assert config(image).version == version


@pytest.mark.parametrize("tag", ["v0.5.8", "0.5.0", "v0.4.0-debian-stretch", "v0.5.8-eks-1-18-9"])
def test_given_an_image_by_which_people_log_in_as_others_when_checked_then_it_is_refused(tag: str):
    with pytest.raises(Blocked) as raised:
        config(f"registry.example.com/aws-iam-authenticator:{tag}{DIGEST}")
    version = re.search(r"\d+\.\d+\.\d+", tag)
    assert version
    assert str(raised.value) == (
        f"option image: v{version[0]} lets people take others' usernames; set v0.5.9 or newer"
    )


@pytest.mark.parametrize(
    ("registry", "image", "deployed"),
    [
        ("", IMAGE, IMAGE),
        ("r.example", "public.ecr.aws/a/b:v1", "r.example/a/b:v1"),
        ("r.example:5000", "registry:443/b:v1", "r.example:5000/b:v1"),
        (
            "ghcr.io/mirror/of_a-b",
            "public.ecr.aws/a/b" + DIGEST,
            "ghcr.io/mirror/of_a-b/a/b" + DIGEST,
        ),
        ("localhost", "b:v1", "localhost/b:v1"),
        ("r.example", "b" + DIGEST, "r.example/b" + DIGEST),
    ],
)
def test_given_a_registry_then_it_replaces_the_images_text_up_to_the_first_slash(
    registry: str, image: str, deployed: str
):
    assert config(image, registry=registry).deployed_image == deployed
    assert config(deployed).version == config(image, registry=registry).version


@given(st.from_regex(r"[a-z:/._-]{0,12}", fullmatch=True))
def test_given_any_registry_that_is_taken_then_the_image_from_it_can_be_pulled(registry: str):
    with contextlib.suppress(Blocked):
        image = config(registry=registry).deployed_image
        assert config(image).image == image
