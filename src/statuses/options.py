# SPDX-License-Identifier: Apache-2.0

"""What a unit is blocked by in the options of the application and the model."""

from __future__ import annotations

from statuses.text import Text

ADDRESS_INVALID = Text(
    "option webhook-address: {value} is not an IP address",
    means="The option holds something else than an address. Names do not work, because the "
    "control plane looks none up in the cluster.",
    do="Set an IP address, or reset the option: `juju config <application> --reset "
    "webhook-address`.",
)
ADDRESS_IN_USE = Text(
    "option webhook-address: another Service has {address}; set a free address",
    means="Kubernetes gives an address to one Service only. Nothing has changed, and the former "
    "address goes on serving.",
    do="See which addresses are taken: `kubectl get services --all-namespaces`. Set one that is "
    "not.",
)
ADDRESS_OUT_OF_RANGE = Text(
    "option webhook-address: {address} is not in {range}; set a free address of it",
    means="The cluster's Services have addresses of another range.",
    do="Set a free address of the range that the status shows, which is the option "
    "`service-cidr` of kubernetes-control-plane.",
)
IMAGE_INVALID = Text(
    "option image: {value} is not an image with a tag or digest",
    means="The image has neither a tag nor a digest, or it is not the name of an image at all. "
    "Without a tag, nobody could tell which version runs.",
    do="Set the whole name, such as `registry.example.com/aws-iam-authenticator:v0.7.18`, or take "
    "the default again: `juju config aws-iam --reset image`.",
)
REGISTRY_INVALID = Text(
    "option image-registry: {value} is not a registry such as ghcr.io/example",
    means="The option has a host, perhaps a port and a path, and nothing else. It has no "
    "`https://`.",
    do="Set the host alone, such as `registry.example.com:5000`. See [Use a private "
    "registry](../how-to/use-a-private-registry.md).",
)
PULL_SECRET_INVALID = Text(
    "option image-pull-secret: its value is not the id of a secret; run: juju secrets",
    means="The option holds something that is not the id of a Juju secret. The status does not "
    "show it, because it may be a password.",
    do="Set the id that `juju add-secret` printed, such as `secret:d0h4v2m8e1s9c7k3b5g0`. The "
    "command lists the ids. If the option holds a password, change that "
    "password, because everybody who reads the model's options has seen it.",
)
CLUSTER_ID_INVALID = Text(
    "option cluster-id: {value} must be 1 to 64 of A-Z a-z 0-9 . _ - and begin with a letter "
    "or digit",
    means="People's kubeconfigs and AWS's signatures hold this id, so it may have these "
    "characters only.",
    do="Set another id. People need it in their kubeconfig.",
)
REPLICAS_OUT_OF_RANGE = Text(
    "option replicas: {number} is out of range; set 1 to 10",
    means="The number of authenticator pods is out of range.",
    do="Set a number from 1 to 10.",
)
PARTITION_UNKNOWN = Text(
    "option partition: {value} is not one of {partitions}",
    means="aws-iam-authenticator does not know this AWS partition.",
    do="Set one of those that the status lists.",
)
PARTITION_TOO_NEW = Text(
    "option partition: {version} exits on aws-eusc; set the option image to v0.7.7 or newer",
    means="The authenticator in this image does not know the partition `aws-eusc`, and would "
    "end at once.",
    do="Set a newer image, or take the default again with `juju config aws-iam --reset image`.",
)
POLICY_UNKNOWN = Text(
    "option mapping-policy: {value} is not enforce or warn",
    means="The option has two values, and this is neither.",
    do="Set one of them, or take the default again: `juju config aws-iam --reset mapping-policy`.",
)
MAPPINGS_INVALID = Text(
    "option mappings: {problem}",
    means="The option cannot be read, so the charm changes none of the option's "
    "mappings. People keep the access that they have. Everything else that the charm does "
    "goes on.",
    do="Correct what the status names, and set the option again. See [When an entry "
    "is wrong](../how-to/declare-who-may-log-in.md#when-an-entry-is-wrong).",
    shown="option mappings: <place>: <what is wrong>",
)
PROXY_INVALID = Text(
    "model option {option} is no proxy's URL; run: juju model-config {option}=http://HOST:PORT",
    means="The pods are to use the model's proxy, and its URL cannot work. The status does not "
    "show the URL, which may hold a password. The pods go on with the proxy that they use.",
    do="Run the command with your proxy. One with a login is `http://USER:PASSWORD@HOST:PORT`, "
    "with special characters as `%XX`. See [Reach AWS through a "
    "proxy](../how-to/behind-a-proxy.md).",
)
