"""The options of the charm, checked. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

_VALIDITY = "certificate-validity"
_DURATION = re.compile(r"([0-9]+)([mhdw]?)")
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks", "": "days"}


@dataclass(frozen=True)
class Settings:
    """What the operator asked for."""

    common_name: str
    root_validity: timedelta
    certificate_validity: timedelta

    @classmethod
    def load(cls, config: Mapping[str, object]) -> Settings:
        """Return the options, checked as the original checks them.

        Raises:
            ValueError: some are not valid; the message names them in the original's words.
        """
        common_name = str(config.get("ca-common-name") or "")
        root, certificate = _duration(config, "root-ca-validity"), _duration(config, _VALIDITY)
        invalid = [] if common_name else ["ca-common-name"]
        if not root or not certificate or root < 2 * certificate:
            invalid += [_VALIDITY, "root-ca-validity"]
        if invalid:
            raise ValueError(f"The following configuration values are not valid: {invalid}")
        return cls(common_name, root, certificate)


def _duration(config: Mapping[str, object], option: str) -> timedelta:
    match = _DURATION.fullmatch(str(config.get(option) or ""))
    return timedelta(**{_UNITS[match[2]]: int(match[1])}) if match else timedelta()
