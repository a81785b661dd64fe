"""The ARNs that tests map and log in with."""

from __future__ import annotations

from demo import page

ROLE = page.ROLE
USER = "arn:aws:iam::111122223333:user/mallory"
# A login of a role never has the role's path, so a mapping of this ARN never matches.
ROLE_WITH_PATH = "arn:aws:iam::111122223333:role/team/dev"
# The same role as the authenticator reads it too: in capital letters, and as one of its sessions.
ROLE_SPELLINGS = (
    ROLE.upper(),
    ROLE.replace(":iam::", ":sts:eu-west-1:").replace(":role/", ":assumed-role/") + "/*",
)
