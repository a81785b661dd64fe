"""Which names an authority's name constraints allow, and which certificates Go cannot read.

The conformance tests compare the same functions with Go itself, on random names.
"""

from __future__ import annotations

import ipaddress

import pytest
from cryptography import x509

from certificates import names

DNS, URI = x509.DNSName, x509.UniformResourceIdentifier
# A certificate may hold what the constructor refuses.
MAIL = x509.RFC822Name._init_without_validation


def address(text: str) -> x509.IPAddress:
    return x509.IPAddress(ipaddress.ip_address(text))


def network(text: str) -> x509.IPAddress:
    return x509.IPAddress(ipaddress.ip_network(text))


@pytest.mark.parametrize(
    ("name", "base", "below"),
    [
        (DNS("example.com"), DNS("example.com"), True),
        (DNS("A.Example.com"), DNS("example.COM"), True),
        (DNS("anexample.com"), DNS("example.com"), False),
        (DNS("a.example.com"), DNS(".example.com"), True),
        (DNS("example.com"), DNS(".example.com"), False),
        (DNS("example.com"), DNS(""), True),
        (address("10.1.2.3"), network("10.1.0.0/16"), True),
        (address("10.2.2.3"), network("10.1.0.0/16"), False),
        (MAIL("alice@example.com"), MAIL("example.com"), True),
        (MAIL("alice@a.example.com"), MAIL(".example.com"), True),
        (MAIL("alice@example.com"), MAIL("alice@EXAMPLE.com"), True),
        (MAIL("bob@example.com"), MAIL("alice@example.com"), False),
        (MAIL('"alice"@example.com'), MAIL("alice@example.com"), True),
        (MAIL("al\\ice@example.com"), MAIL("alice@example.com"), True),
        (URI("https://a.example.com/x"), URI(".example.com"), True),
        (URI("https://user@a.example.com:443/x"), URI("a.example.com"), True),
        (URI("https://example.org/example.com"), URI("example.com"), False),
    ],
)
def test_given_a_name_then_what_permits_its_base_allows_it_and_what_excludes_it_does_not(
    name: x509.GeneralName, base: x509.GeneralName, below: bool
):
    assert names.is_allowed(name, [(True, base)]) is below
    assert names.is_allowed(name, [(False, base)]) is not below
    assert not names.is_allowed(name, [(True, base), (False, base)])


@pytest.mark.parametrize(
    "name",
    [
        DNS("a..example.com"),
        DNS("example.com."),
        DNS("a b.example.com"),
        MAIL("example.com"),
        MAIL("a..b@example.com"),
        MAIL(".a@example.com"),
        MAIL("a@example..com"),
        URI("https://10.1.2.3/"),
        URI("https://[2001:db8::1]:443/"),
        URI("mailto:alice"),
        URI("https:///x"),
    ],
)
def test_given_a_name_that_constraints_cannot_be_compared_with_then_it_is_not_allowed(
    name: x509.GeneralName,
):
    assert not names.is_allowed(name, [])
    assert not names.is_allowed(name, [(True, base) for base in (DNS(""), MAIL(""), URI(""))])


def test_given_rules_for_names_of_another_kind_then_they_allow_the_name():
    rules = [(True, DNS("example.org")), (False, MAIL("example.com"))]

    assert names.is_allowed(address("10.1.2.3"), rules)
    assert not names.is_allowed(DNS("example.com"), rules)


def test_given_several_permitted_bases_then_one_of_them_is_enough():
    rules = [(True, DNS("example.org")), (True, DNS("example.com"))]

    assert names.is_allowed(DNS("a.example.com"), rules)


@pytest.mark.parametrize(
    ("name", "excluded", "allowed"),
    [
        (DNS("*.example.com"), DNS("a.example.com"), False),
        (DNS("*.example.com"), DNS("a.EXAMPLE.com"), False),
        (DNS("*.example.com"), DNS("a.b.example.com"), True),
        (DNS("*"), DNS("com"), True),
        (DNS("b.example.com"), DNS("a.example.com"), True),
        (MAIL("a@*.example.com"), MAIL("b.example.com"), False),
        (MAIL("a@*.example.com"), MAIL("a@b.example.com"), True),
    ],
)
def test_given_a_wildcard_then_it_stands_for_the_excluded_names_beside_it(
    name: x509.GeneralName, excluded: x509.GeneralName, allowed: bool
):
    assert names.is_allowed(name, [(False, excluded)]) is allowed


@pytest.mark.parametrize(
    ("uri", "readable"),
    [
        ("https://example.com/%20", True),
        ("https://example.com/%2", False),
        ("https://example.com/#%zz", False),
        ("https://exa mple.com/", False),
        ("https://a:b:1/", False),
        ("spiffe://a:1/", True),
        ("https://user%zz@example.com/", False),
        ("https://[::1]:80/", True),
        ("https://[::1%25eth0]/", True),
        ("https://[10.1.2.3]/", False),
        ("no scheme: at all", False),
        ("path/only", True),
        ("urn:a%zz", True),
        ("https://example.com/\x7f", False),
        ("https://example..com/", False),
    ],
)
def test_given_a_uri_then_a_certificate_with_it_can_be_read_if_go_parses_it(
    uri: str, readable: bool
):
    assert names.is_readable(URI(uri)) is readable


@pytest.mark.parametrize(
    ("base", "readable"),
    [
        (DNS(".example.com"), True),
        (DNS("example..com"), False),
        (MAIL("alice@example.com"), True),
        (MAIL("alice@"), True),
        (MAIL("@example.com"), False),
        (MAIL("example.com"), True),
        (URI("example.com"), True),
        (URI("10.1.2.3"), False),
        (network("10.1.0.0/16"), True),
    ],
)
def test_given_the_base_of_a_constraint_then_a_certificate_with_it_can_be_read_as_go_does(
    base: x509.GeneralName, readable: bool
):
    assert names.is_readable_base(base) is readable
