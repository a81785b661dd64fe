"""Key pairs as authorities issue them, good and bad, with the reason why each is refused."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID as Usage
from tests.fakes.certificates.authority import (
    CA,
    Extension,
    Key,
    alternatives,
    key_text,
    sign,
    signed_text,
)

from certificates import SERVER_NAME, KeyPair
from certificates.x509 import key_pair

KEYS: dict[str, Callable[[], Key]] = {
    "P-256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "P-384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "P-521": lambda: ec.generate_private_key(ec.SECP521R1()),
    "RSA-2048": lambda: rsa.generate_private_key(65537, 2048),
    "RSA-4096": lambda: rsa.generate_private_key(65537, 4096),
    "Ed25519": ed25519.Ed25519PrivateKey.generate,
    "Ed448": ed448.Ed448PrivateKey.generate,
    "P-224": lambda: ec.generate_private_key(ec.SECP224R1()),
    "secp256k1": lambda: ec.generate_private_key(ec.SECP256K1()),
    "brainpool": lambda: ec.generate_private_key(ec.BrainpoolP256R1()),
    "RSA-1024": lambda: rsa.generate_private_key(65537, 1024),
}


@functools.cache
def key_of(kind: str, which: int) -> Key:
    """A key of a kind, the same for all tests; ``which`` tells several apart."""
    return KEYS[kind]()


@dataclasses.dataclass(frozen=True)
class Draft:
    """A certificate to be signed."""

    subject: str
    key: str = "P-256"
    which: int = 0
    names: tuple[str, ...] = ()
    other_names: tuple[x509.GeneralName, ...] = ()
    days: tuple[int, int] = (-1, 365)
    extensions: tuple[Extension, ...] = ()

    @property
    def private_key(self) -> Key:
        return key_of(self.key, self.which)

    def signed_by(self, issuer: Draft) -> str:
        """The certificate in PEM."""
        names = alternatives(self.names, *self.other_names)
        extensions = [*self.extensions, *([names] if [*names] else [])]
        by = issuer.subject, issuer.private_key
        return sign(self.subject, self.private_key.public_key(), self.days, by, extensions)


FOR_SERVERS, FOR_CLIENTS = map(x509.ExtendedKeyUsage, ([Usage.SERVER_AUTH], [Usage.CLIENT_AUTH]))
LEAF = Draft("leaf", names=(SERVER_NAME, "10.152.183.20"), extensions=(FOR_SERVERS,))
MIDDLE = Draft("middle", which=1, extensions=(CA,))
ROOT = Draft("root", which=2, extensions=(CA,))
UNKNOWN = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\5\0")
Change = dataclasses.replace


def pair(*drafts: Draft) -> KeyPair:
    """The pair of the first draft: each is signed by the next, and the last by itself."""
    signed = [
        draft.signed_by(issuer)
        for draft, issuer in zip(drafts, [*drafts[1:], drafts[-1]], strict=True)
    ]
    return KeyPair("".join(signed), key_text(drafts[0].private_key), "".join(signed[1:]))


def leaf(root: Draft = ROOT, **changes: object) -> KeyPair:
    """The pair of a changed leaf below a root."""
    return pair(dataclasses.replace(LEAF, **changes), root)


def below(**changes: object) -> KeyPair:
    """The pair of a good leaf below a changed intermediate below a root."""
    return pair(LEAF, dataclasses.replace(MIDDLE, **changes), ROOT)


def made_of(*drafts: Draft) -> KeyPair:
    """The same, as the charm makes it of a provider's answer."""
    good = pair(*drafts)
    return key_pair(good.certificate, good.key, good.ca)


def renewed() -> KeyPair:
    """Below an authority whose former certificate has expired, and comes first."""
    former = Change(ROOT, days=(-30, -1)).signed_by(ROOT)
    good = leaf()
    return Change(good, ca=former + good.ca)


def with_sha_1() -> KeyPair:
    """Signed by a digest that nobody trusts any more, so cryptography makes none of these."""
    good = leaf(Change(ROOT, key="RSA-2048"))
    sha_256, sha_1 = (
        bytes.fromhex(f"300d06092a864886f70d0101{kind}0500") for kind in ("0b", "05")
    )
    signed = x509.load_pem_x509_certificate(good.certificate.encode()).tbs_certificate_bytes
    signed = signed.replace(sha_256, sha_1)
    key = key_of("RSA-2048", ROOT.which)
    assert isinstance(key, rsa.RSAPrivateKey)
    signature = key.sign(signed, padding.PKCS1v15(), hashes.SHA1())
    return Change(good, certificate=signed_text(signed, sha_1, signature))


def with_key(good: KeyPair, key: Key) -> KeyPair:
    """With the key in its traditional form."""
    return Change(good, key=key_text(key, PrivateFormat.TraditionalOpenSSL))


def with_damaged_exponent() -> KeyPair:
    """With an RSA key whose private exponent is not the public one's."""
    key = key_of("RSA-2048", 0)
    assert isinstance(key, rsa.RSAPrivateKey)
    good = key.private_numbers()
    rest = good.dmp1, good.dmq1, good.iqmp, good.public_numbers
    numbers = rsa.RSAPrivateNumbers(good.p, good.q, good.d ^ 2, *rest)
    damaged = numbers.private_key(unsafe_skip_rsa_key_validation=True)
    return with_key(leaf(key="RSA-2048"), damaged)


SELF_SIGNED = Change(LEAF, subject="self-signed")
# For signatures of another kind than certificates'.
USAGE = x509.KeyUsage(*(number == 0 for number in range(9)))
CURVES = ("P-224", "secp256k1", "brainpool")
BLOCK = "-----BEGIN {0}-----\n{1}\n-----END {0}-----\n"
# Why pairs are refused, and what is special about each; those under the empty text are served.
_BY_REASON: dict[str, dict[str, Callable[[], KeyPair]]] = {
    "": {
        "below a root": leaf,
        "below an intermediate": below,
        "below an authority that was renewed": renewed,
        "for a wildcard": lambda: leaf(names=("*.kube-system.svc",)),
        "for the one name": lambda: leaf(names=(SERVER_NAME,)),
        "with another host, a mail name and a URI": lambda: leaf(
            other_names=(
                x509.DNSName("a_b.example.com"),
                x509.RFC822Name("a@b.c"),
                x509.UniformResourceIdentifier("spiffe://cluster.local/ns/a/sa/b"),
            )
        ),
        "with a subject that is not ASCII": lambda: leaf(subject="Zürich"),
        "self-signed": lambda: made_of(SELF_SIGNED),
        "with a traditional RSA key": lambda: with_key(
            leaf(key="RSA-2048"), key_of("RSA-2048", 0)
        ),
        "with a traditional EC key": lambda: with_key(leaf(), LEAF.private_key),
        **{
            f"with a key {kind}": functools.partial(leaf, key=kind)
            for kind in ("P-384", "P-521", "RSA-2048", "RSA-4096", "Ed25519")
        },
        # A client that verifies refuses these; the pods serve all of them, and people log in.
        "for clients alone": lambda: leaf(extensions=(FOR_CLIENTS,)),
        "with an unknown critical extension": lambda: leaf(extensions=(UNKNOWN,)),
        "below an authority for clients alone": lambda: below(extensions=(CA, FOR_CLIENTS)),
        "below what may sign no certificates": lambda: below(extensions=(CA, USAGE)),
        "below too long a path": lambda: pair(
            LEAF, MIDDLE, Change(ROOT, extensions=(x509.BasicConstraints(ca=True, path_length=0),))
        ),
        "below constraints that permit another": lambda: below(
            extensions=(CA, x509.NameConstraints([x509.DNSName("example.com")], None))
        ),
        "below constraints that exclude the name": lambda: below(
            extensions=(CA, x509.NameConstraints(None, [x509.DNSName("svc")]))
        ),
        **{
            f"below a key {kind}": functools.partial(leaf, Change(ROOT, key=kind))
            for kind in (*CURVES, "RSA-1024", "Ed448")
        },
        **{
            f"below an intermediate with a key {kind}": functools.partial(
                made_of, LEAF, Change(MIDDLE, key=kind), ROOT
            )
            for kind in (*CURVES[1:], "Ed448")
        },
    },
    "is not signed by a CA that came with it": {
        "without its intermediate": lambda: Change(leaf(MIDDLE), ca=pair(MIDDLE, ROOT).ca),
        "without an authority": lambda: Change(leaf(), ca=""),
        "with an authority that is no PEM": lambda: Change(leaf(), ca="\udc80"),
        "below a namesake": lambda: Change(leaf(), ca=leaf(Change(ROOT, which=9)).ca),
        "signed with SHA-1": with_sha_1,
    },
    "does not belong to its private key": {
        "with another's key": lambda: Change(leaf(), key=key_text(MIDDLE.private_key)),
        "with a key of another kind": lambda: Change(leaf(), key=key_text(key_of("RSA-2048", 0))),
    },
    r"has a key that cannot be read \(\w+\)": {
        "with a damaged private exponent": with_damaged_exponent,
        "without a key": lambda: Change(leaf(), key=""),
        "with an empty key": lambda: Change(leaf(), key=BLOCK.format("PRIVATE KEY", "AAAA")),
    },
    r"cannot be read \(\w+\)": {
        "without a certificate": lambda: Change(leaf(), certificate=""),
        **{
            f"with a certificate of {text}": lambda text=text: Change(
                leaf(), certificate=BLOCK.format("CERTIFICATE", text)
            )
            for text in ("AAAA", "?")
        },
    },
    "is too large: RSA-4096 is the largest key": {
        "with a large key": lambda: Change(leaf(), key="-" * 6_000),
        "with many authorities": lambda: Change(leaf(), ca=leaf().ca * 200),
    },
    f"does not cover {SERVER_NAME}": {
        "for another name": lambda: leaf(names=("other.svc",)),
        "for the wildcard of another": lambda: leaf(names=("*.svc",)),
        "for an address alone": lambda: leaf(names=("10.152.183.20",)),
        "with the name as the common name alone": lambda: leaf(subject=SERVER_NAME, names=()),
        "not valid yet, and for another name": lambda: leaf(days=(1, 9), names=("other.svc",)),
        "self-signed, for other names": lambda: made_of(Change(SELF_SIGNED, names=("other.svc",))),
    },
    "has a name that the pods cannot read": {
        **{
            f"with the URI {text}": lambda text=text: leaf(
                other_names=(x509.UniformResourceIdentifier(text),)
            )
            for text in ("https://a..b", "https://a:b", "https://[::a", "%zz")
        },
        # cryptography makes no such name unless it need not look at it.
        "with a name that is not ASCII": lambda: leaf(
            other_names=(x509.DNSName._init_without_validation("zürich"),)
        ),
    },
    "or its CA expired on 20.+ UTC": {
        "expired": lambda: leaf(days=(-9, -1)),
        "below an expired authority": lambda: leaf(Change(ROOT, days=(-9, -1))),
    },
    "or its CA is not valid before 20.+ UTC": {
        "not valid yet": lambda: leaf(days=(1, 9)),
        "below an authority that is not valid yet": lambda: leaf(Change(ROOT, days=(1, 9))),
    },
    "has a key that the pods cannot use": {
        f"with a key {kind}": functools.partial(leaf, key=kind)
        for kind in (*CURVES, "RSA-1024", "Ed448")
    },
}
CASES = {
    case: (make, reason) for reason, cases in _BY_REASON.items() for case, make in cases.items()
}
