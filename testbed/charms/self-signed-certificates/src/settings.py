"""The options of the charm, checked. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from charmlibs.interfaces.tls_certificates import CertificateRequestErrorCode

_DURATION = re.compile(r"([1-9][0-9]*)([smhdw])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


@dataclass(frozen=True)
class Settings:
    """What the operator asked for."""

    common_name: str
    root_validity: timedelta
    certificate_validity: timedelta
    refusal: CertificateRequestErrorCode | None

    @classmethod
    def load(cls, config: Mapping[str, object]) -> Settings:
        """Read the options.

        Raises:
            ValueError: one of them cannot be; the message names it.
        """
        return cls(
            common_name=str(config["ca-common-name"]),
            root_validity=_duration(config, "root-ca-validity"),
            certificate_validity=_duration(config, "certificate-validity"),
            refusal=_refusal(str(config["refuse"])),
        )


def _duration(config: Mapping[str, object], option: str) -> timedelta:
    match = _DURATION.fullmatch(str(config[option]))
    if match is None:
        raise ValueError(f"{option}={config[option]}: use a number and s, m, h, d or w, as 90d")
    return timedelta(**{_UNITS[match[2]]: int(match[1])})


def _refusal(name: str) -> CertificateRequestErrorCode | None:
    if name and name not in CertificateRequestErrorCode.__members__:
        known = ", ".join(CertificateRequestErrorCode.__members__)
        raise ValueError(f"refuse={name}: use one of {known}")
    return CertificateRequestErrorCode[name] if name else None
