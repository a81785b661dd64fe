"""The tokens that AWS signs for its principals: an account's issuer and its keys.

Endpoints and claims are those of AWS's user guide, "Federating AWS identities to external
services": those that a principal has without tags, organization or instance.
"""

from __future__ import annotations

import base64
import datetime as dt
import json
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils

DOMAIN = "tokens.sts.global.api.aws"
"""Each issuer is a host of this domain."""

DISCOVERY, JWKS = "/.well-known/openid-configuration", "/.well-known/jwks.json"
ALGORITHMS = ES384, RS256 = "ES384", "RS256"

_CURVE_BYTES = 48


@dataclass(frozen=True)
class Token:
    """What a token says: whose it is, for whom, and how long."""

    subject: str
    account: str
    region: str
    audiences: Sequence[str]
    issued: dt.datetime
    expires: dt.datetime


@dataclass(frozen=True)
class Issuer:
    """The issuer of one account."""

    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    rsa_key: rsa.RSAPrivateKey = field(
        default_factory=lambda: rsa.generate_private_key(65537, 2048)
    )
    ec_key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP384R1())
    )

    @property
    def url(self) -> str:
        """The value of `iss`."""
        return f"https://{self.id}.{DOMAIN}"

    def document(self, path: str) -> dict[str, Any] | None:
        """Return what the issuer publishes at a path, None for nothing."""
        return {DISCOVERY: self._discovery(), JWKS: {"keys": self._public_keys()}}.get(path)

    def sign(self, token: Token, algorithm: str) -> str:
        """Return a token as a JSON Web Token."""
        audiences = list(token.audiences)
        return self.sign_claims(
            {
                "iss": self.url,
                "aud": audiences[0] if len(audiences) == 1 else audiences,
                "sub": token.subject,
                "iat": int(token.issued.timestamp()),
                "exp": int(token.expires.timestamp()),
                "jti": str(uuid.uuid4()),
                "https://sts.amazonaws.com/": {
                    "aws_account": token.account,
                    "source_region": token.region,
                },
            },
            algorithm,
        )

    def sign_claims(self, claims: dict[str, Any], algorithm: str) -> str:
        """Return these claims as a JSON Web Token."""
        sign: Callable[[bytes], bytes] = {ES384: self._ec_sign, RS256: self._rsa_sign}[algorithm]
        header = {"alg": algorithm, "kid": self._key_id(algorithm), "typ": "JWT"}
        text = f"{encoded(header)}.{encoded(claims)}"
        return f"{text}.{_base64(sign(text.encode()))}"

    def _discovery(self) -> dict[str, Any]:
        return {
            "issuer": self.url,
            "jwks_uri": self.url + JWKS,
            "response_types_supported": ["id_token"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": list(ALGORITHMS),
        }

    def _public_keys(self) -> list[dict[str, str]]:
        curve, rsa_key = self.ec_key.public_key().public_numbers(), self.rsa_key.public_key()
        numbers = rsa_key.public_numbers()
        ec_part = {"kty": "EC", "crv": "P-384", "x": _number(curve.x), "y": _number(curve.y)}
        rsa_part = {
            "kty": "RSA",
            "n": _number(numbers.n, rsa_key.key_size // 8),
            "e": _number(numbers.e, 3),
        }
        parts = {ES384: ec_part, RS256: rsa_part}
        return [
            {"use": "sig", "alg": algorithm, "kid": self._key_id(algorithm), **part}
            for algorithm, part in parts.items()
        ]

    def _key_id(self, algorithm: str) -> str:
        return f"{self.id[:8]}-{algorithm}"

    def _ec_sign(self, text: bytes) -> bytes:
        """Sign as RFC 7518 has it: two numbers of the curve's size, where X.509 has ASN.1."""
        signature = self.ec_key.sign(text, ec.ECDSA(hashes.SHA384()))
        return b"".join(
            number.to_bytes(_CURVE_BYTES, "big")
            for number in utils.decode_dss_signature(signature)
        )

    def _rsa_sign(self, text: bytes) -> bytes:
        return self.rsa_key.sign(text, padding.PKCS1v15(), hashes.SHA256())


def encoded(part: dict[str, Any]) -> str:
    """Return a part of a JSON Web Token."""
    return _base64(json.dumps(part, separators=(",", ":")).encode())


def _number(value: int, size: int = _CURVE_BYTES) -> str:
    return _base64(value.to_bytes(size, "big"))


def _base64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")
