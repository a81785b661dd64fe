"""ARNs to test with: those of logins, those of mappings, and texts that are almost one."""

from __future__ import annotations

from hypothesis import strategies as st

from access import arn

ACCOUNT = "111122223333"
DEV = f"arn:aws:iam::{ACCOUNT}:role/Dev"
# What a login of that role is looked up by, and an ARN with a path, which no login has.
CANONICAL = f"arn:aws:iam::{ACCOUNT}:role/dev"
PATHED = f"arn:aws:iam::{ACCOUNT}:role/team/dev"

_NAMES = st.text("aBz09_+=,.@-", min_size=1, max_size=8)
_PATHS = st.text("aB/!:~*'\"\x7f", min_size=1, max_size=6).map("{}/".format) | st.just("")
_PARTITIONS = st.sampled_from(arn.PARTITIONS)

LOGINS = st.builds(
    "arn:{}:{}".format,
    _PARTITIONS,
    st.one_of(
        st.just(f"iam::{ACCOUNT}:root"),
        st.builds(f"iam::{ACCOUNT}:user/{{}}{{}}".format, _PATHS, _NAMES),
        st.builds(f"sts::{ACCOUNT}:assumed-role/{{}}/{{}}".format, _NAMES, _NAMES),
        st.builds(f"sts::{ACCOUNT}:federated-user/{{}}".format, _NAMES),
    ),
)
"""What STS answers to GetCallerIdentity."""

# Characters that Go and Python might see as different ones in lower case.
_ODD_CASE = "\u0130\u0131\u017f\u212a\u03a3\u1e9e\u01c4\u01c5\uff21\u13a0\u1c90\U00010400"
_ODD = st.text(f"aB:/ \n\0*\u0661é{_ODD_CASE}", max_size=3)
_KINDS = ("user", "role", "root", "assumed-role", "federated-user")


def _mostly(*usual: str, odd: tuple[str, ...] = ()) -> st.SearchStrategy[str]:
    return st.sampled_from([*usual * 4, *odd]) | st.sampled_from(usual)


_RESOURCES = st.builds(
    lambda kind, names: "/".join([kind, *names]),
    _mostly(*_KINDS, odd=("Role", "ROOT", "group", "", "root:a", "\u0130")),
    st.lists(_NAMES | _ODD, max_size=3),
)
_SECTIONS = st.tuples(
    _mostly("arn", odd=("ARN", "Arn", "", " arn")),
    _mostly(*arn.PARTITIONS, odd=("AWS", "aws-\u0130so", "aws-us-govt", "")),
    _mostly("iam", "sts", odd=("IAM", "Sts", "\u0130am", "s3", "")),
    _mostly("", odd=("eu-west-1", " ")),
    _mostly(ACCOUNT, odd=("1", "", "\u0661" * 12, ACCOUNT + "4")),
    _RESOURCES,
)


def _mutated(text: str, position: int, inserted: str, dropped: int) -> str:
    start = position % (len(text) + 1)
    return text[:start] + inserted + text[start + dropped :]


_WHOLE = _SECTIONS.map(":".join) | LOGINS | LOGINS.map(str.upper)
TEXTS = st.one_of(_WHOLE, st.builds(_mutated, _WHOLE, st.integers(0, 80), _ODD, st.integers(0, 2)))
"""What a mapping may hold: ARNs that are valid, almost valid, and not at all."""
