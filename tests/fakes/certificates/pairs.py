"""Key pairs as authorities issue them, good and bad, with the reason why each is refused."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID as Usage
from tests.fakes.certificates.authority import (
    MISLABELLED,
    PREAMBLE,
    Key,
    alternatives,
    distinguished,
    key_text,
    pem_text,
    period,
    signed_text,
)

from certificates import SERVER_NAME, pem
from certificates.keypair import KeyPair

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
    ca: bool | None = None
    path_length: int | None = None
    names: tuple[str, ...] = ()
    other_names: tuple[x509.GeneralName, ...] = ()
    # In DER, in place of all names.
    raw_names: bytes = b""
    days: tuple[int, int] = (-1, 365)
    usages: tuple[x509.ObjectIdentifier, ...] = ()
    signs_certificates: bool | None = None
    permitted: str = ""
    excluded: str = ""
    unknown_critical: bool = False
    digest: hashes.SHA256 | hashes.SHA384 = dataclasses.field(default_factory=hashes.SHA256)

    @property
    def private_key(self) -> Key:
        return key_of(self.key, self.which)

    def signed_by(self, issuer: Draft) -> str:
        """The certificate in PEM."""
        begins, ends = period(self.days)
        builder = (
            x509.CertificateBuilder()
            .subject_name(distinguished(self.subject))
            .issuer_name(distinguished(issuer.subject))
            .public_key(self.private_key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(begins)
            .not_valid_after(ends)
        )
        for extension, critical in self._extensions():
            builder = builder.add_extension(extension, critical)
        digest = None if issuer.key.startswith("Ed") else issuer.digest
        return pem_text(builder.sign(issuer.private_key, digest))

    def _extensions(self) -> list[tuple[x509.ExtensionType, bool]]:
        found: list[tuple[x509.ExtensionType, bool]] = []
        if self.ca is not None:
            found.append((x509.BasicConstraints(self.ca, self.path_length), True))
        if self.raw_names:
            oid = x509.SubjectAlternativeName.oid
            found.append((x509.UnrecognizedExtension(oid, self.raw_names), False))
        elif self.names or self.other_names:
            names = x509.SubjectAlternativeName([*alternatives(self.names), *self.other_names])
            found.append((names, False))
        if self.usages:
            found.append((x509.ExtendedKeyUsage(self.usages), False))
        if self.signs_certificates is not None:
            signs = self.signs_certificates
            others = dict.fromkeys(
                (
                    *("content_commitment", "key_encipherment", "data_encipherment"),
                    *("key_agreement", "crl_sign", "encipher_only", "decipher_only"),
                ),
                False,
            )
            usage = x509.KeyUsage(digital_signature=True, key_cert_sign=signs, **others)
            found.append((usage, True))
        if self.permitted or self.excluded:
            permitted, excluded = (
                [x509.DNSName(name)] if name else None for name in (self.permitted, self.excluded)
            )
            found.append((x509.NameConstraints(permitted, excluded), True))
        if self.unknown_critical:
            oid = x509.ObjectIdentifier("1.2.3.4")
            found.append((x509.UnrecognizedExtension(oid, b"\5\0"), True))
        return found


LEAF = Draft("leaf", names=(SERVER_NAME, "10.152.183.20"), usages=(Usage.SERVER_AUTH,))
MIDDLE = Draft("middle", which=1, ca=True)
ROOT = Draft("root", which=2, ca=True)
Change = dataclasses.replace
TRADITIONAL = serialization.PrivateFormat.TraditionalOpenSSL


def pair(*drafts: Draft, trusted: slice = slice(1, None), served: slice = slice(None)) -> KeyPair:
    """The pair of the first draft: each is signed by the next, and the last by itself."""
    signed = [
        draft.signed_by(issuer)
        for draft, issuer in zip(drafts, [*drafts[1:], drafts[-1]], strict=True)
    ]
    return KeyPair(
        "".join(signed[served]), key_text(drafts[0].private_key), "".join(signed[trusted])
    )


def leaf(root: Draft = ROOT, **changes: object) -> KeyPair:
    """The pair of a changed leaf below a root."""
    return pair(dataclasses.replace(LEAF, **changes), root)


def below(**changes: object) -> KeyPair:
    """The pair of a good leaf below a changed intermediate below a root."""
    return pair(LEAF, dataclasses.replace(MIDDLE, **changes), ROOT)


def made_of(*drafts: Draft) -> KeyPair:
    """The same, as the charm makes it of a provider's answer."""
    good = pair(*drafts)
    return pem.key_pair(good.certificate, good.key, good.ca)


def with_preamble() -> KeyPair:
    """As easy-rsa has it: a readable copy in front of each certificate."""
    good = leaf()
    return pem.key_pair(PREAMBLE + good.certificate, good.key, PREAMBLE + good.ca)


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


def with_damaged_exponent() -> KeyPair:
    """With an RSA key whose private exponent is not the public one's."""
    key = key_of("RSA-2048", 0)
    assert isinstance(key, rsa.RSAPrivateKey)
    numbers = key.private_numbers()
    damaged = rsa.RSAPrivateNumbers(
        d=numbers.d ^ 2,
        **{name: getattr(numbers, name) for name in ("p", "q", "dmp1", "dmq1", "iqmp")},
        public_numbers=numbers.public_numbers,
    ).private_key(unsafe_skip_rsa_key_validation=True)
    return Change(leaf(key="RSA-2048"), key=key_text(damaged, TRADITIONAL))


SELF_SIGNED = Change(LEAF, subject="self-signed")
FREE = x509.UniformResourceIdentifier
UNUSABLE = "has a key or a name that Kubernetes cannot use"
UNREADABLE = r"cannot be read \(\w+\)"
UNSIGNED = "is not signed by an authority that came with it"
OTHER_KEY = "does not belong to its private key"
OTHER_NAME = f"does not cover {SERVER_NAME}"
GOOD = ""
ODD = Change(
    ROOT,
    other_names=(x509.DNSName._init_without_validation("ü.example.com"), FREE("https://[::1")),
)
# By what is special: the pair, and why it is refused.
CASES: dict[str, tuple[Callable[[], KeyPair], str]] = {
    "below a root": (leaf, GOOD),
    "below an intermediate": (below, GOOD),
    "without its intermediate": (
        lambda: pair(LEAF, MIDDLE, ROOT, trusted=slice(2, None), served=slice(1)),
        UNSIGNED,
    ),
    "with a text in front": (with_preamble, GOOD),
    "below an authority that was renewed": (renewed, GOOD),
    "without an authority": (lambda: Change(leaf(), ca=""), UNSIGNED),
    "with an authority that is no PEM": (lambda: Change(leaf(), ca="\udc80"), UNSIGNED),
    "below a namesake": (
        lambda: Change(leaf(), ca=pair(LEAF, Change(ROOT, which=9)).ca),
        UNSIGNED,
    ),
    "with another's key": (lambda: Change(leaf(), key=key_text(MIDDLE.private_key)), OTHER_KEY),
    "with a key of another kind": (
        lambda: Change(leaf(), key=key_text(key_of("RSA-2048", 0))),
        OTHER_KEY,
    ),
    "with a damaged private exponent": (with_damaged_exponent, UNREADABLE),
    "without a key": (lambda: Change(leaf(), key=""), UNREADABLE),
    "with a large key": (
        lambda: Change(leaf(), key="-" * 6_000),
        "is too large: RSA-4096 is the largest key",
    ),
    "with many authorities": (
        lambda: Change(leaf(), ca=leaf().ca * 200),
        "is too large: RSA-4096 is the largest key",
    ),
    "for another name": (lambda: leaf(names=("other.svc",)), OTHER_NAME),
    "for a wildcard": (lambda: leaf(names=("*.kube-system.svc",)), GOOD),
    "for the wildcard of another": (lambda: leaf(names=("*.svc",)), OTHER_NAME),
    "for the one name": (lambda: leaf(names=(SERVER_NAME,)), GOOD),
    "for an address alone": (lambda: leaf(names=("10.152.183.20",)), OTHER_NAME),
    "with the name as the common name alone": (
        lambda: leaf(subject=SERVER_NAME, names=()),
        OTHER_NAME,
    ),
    "expired": (lambda: leaf(days=(-9, -1)), r"expired on 20.+ UTC"),
    "not valid yet": (lambda: leaf(days=(1, 9)), r"is not valid before 20.+ UTC"),
    "below an expired authority": (
        lambda: leaf(Change(ROOT, days=(-9, -1))),
        r"has an authority that expired on 20.+ UTC",
    ),
    "below an authority that is not valid yet": (
        lambda: leaf(Change(ROOT, days=(1, 9))),
        r"has an authority that is not valid before 20.+ UTC",
    ),
    "not valid yet, and for another name": (
        lambda: leaf(days=(1, 9), names=("other.svc",)),
        OTHER_NAME,
    ),
    **{
        f"with a key {kind}": (functools.partial(leaf, key=kind), GOOD)
        for kind in ("P-384", "P-521", "RSA-2048", "RSA-4096", "Ed25519")
    },
    **{
        f"with a key {kind}": (functools.partial(leaf, key=kind), UNUSABLE)
        for kind in ("P-224", "RSA-1024", "Ed448", "secp256k1", "brainpool")
    },
    "with a host that is not ASCII": (
        lambda: leaf(other_names=(x509.DNSName._init_without_validation("ü.example.com"),)),
        f"{UNUSABLE}|{UNREADABLE}",
    ),
    "with a mail name that is not ASCII": (
        lambda: leaf(other_names=(x509.RFC822Name._init_without_validation("ü@example.com"),)),
        f"{UNUSABLE}|{UNREADABLE}",
    ),
    "with a URI": (lambda: leaf(other_names=(FREE("https://[::1"),)), UNREADABLE),
    "with another host and a mail name": (
        lambda: leaf(other_names=(x509.DNSName("a_b.example.com"), x509.RFC822Name("a@b.c"))),
        GOOD,
    ),
    "with a subject that is not ASCII": (lambda: leaf(subject="Zürich"), GOOD),
    "with a subject whose form is ASCII's": (lambda: leaf(subject=MISLABELLED), UNUSABLE),
    "below a subject whose form is ASCII's": (lambda: below(subject=MISLABELLED), UNUSABLE),
    "self-signed": (lambda: made_of(SELF_SIGNED), GOOD),
    "self-signed, for other names": (
        lambda: made_of(Change(SELF_SIGNED, names=("other.svc",))),
        OTHER_NAME,
    ),
    "with a traditional RSA key": (
        lambda: Change(leaf(key="RSA-2048"), key=key_text(key_of("RSA-2048", 0), TRADITIONAL)),
        GOOD,
    ),
    "with a traditional EC key": (
        lambda: Change(leaf(), key=key_text(LEAF.private_key, TRADITIONAL)),
        GOOD,
    ),
    # A client that verifies refuses these; the pods serve all of them, and people log in.
    "for clients alone": (lambda: leaf(usages=(Usage.CLIENT_AUTH,)), GOOD),
    "with an unknown critical extension": (lambda: leaf(unknown_critical=True), GOOD),
    "below an authority for clients alone": (lambda: below(usages=(Usage.CLIENT_AUTH,)), GOOD),
    "below what may sign no certificates": (lambda: below(signs_certificates=False), GOOD),
    "below too long a path": (lambda: pair(LEAF, MIDDLE, Change(ROOT, path_length=0)), GOOD),
    "below constraints that permit another": (lambda: below(permitted="example.com"), GOOD),
    "below constraints that exclude the name": (lambda: below(excluded="svc"), GOOD),
    "signed with SHA-1": (with_sha_1, UNSIGNED),
    "below an odd name": (lambda: made_of(LEAF, MIDDLE, ODD), GOOD),
    **{
        f"below a key {kind}": (functools.partial(leaf, Change(ROOT, key=kind)), GOOD)
        for kind in ("P-224", "RSA-1024", "Ed448", "secp256k1", "brainpool")
    },
    **{
        f"below an intermediate with a key {kind}": (
            lambda kind=kind: made_of(LEAF, Change(MIDDLE, key=kind), ROOT),
            GOOD,
        )
        for kind in ("Ed448", "secp256k1", "brainpool")
    },
}
