# SPDX-License-Identifier: Apache-2.0

"""What a unit is blocked by in the options of the application and the model."""

from __future__ import annotations


def ADDRESS_INVALID(value: str) -> str:
    return f"option webhook-address: {value} is not an IP address"


def ADDRESS_IN_USE(address: str) -> str:
    return f"option webhook-address: another Service has {address}; set a free address"


def ADDRESS_OUT_OF_RANGE(address: str, range: str) -> str:
    return f"option webhook-address: {address} is not in {range}; set a free address of it"


def IMAGE_INVALID(value: str) -> str:
    return f"option image: {value} is not an image with a tag or digest"


def IMAGE_TOO_OLD(version: str) -> str:
    return f"option image: {version} lets people take others' usernames; set v0.5.9 or newer"


def REGISTRY_INVALID(value: str) -> str:
    return f"option image-registry: {value} is not a registry such as ghcr.io/example"


def CLUSTER_ID_INVALID(value: str) -> str:
    return (
        f"option cluster-id: {value} must be 1 to 64 of A-Z a-z 0-9 . _ - and begin with a "
        "letter or digit"
    )


def REPLICAS_OUT_OF_RANGE(number: int) -> str:
    return f"option replicas: {number} is out of range; set 1 to 10"


def PARTITION_UNKNOWN(value: str, partitions: str) -> str:
    return f"option partition: {value} is not one of {partitions}"


def POLICY_UNKNOWN(value: str) -> str:
    return f"option mapping-policy: {value} is not enforce or warn"


def MAPPINGS_INVALID(problem: str) -> str:
    return f"option mappings: {problem}"


def PROXY_INVALID(option: str) -> str:
    return (
        f"model option {option} is no proxy's URL; run: juju model-config "
        f"{option}=http://HOST:PORT"
    )
