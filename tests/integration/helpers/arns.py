"""The ARNs that tests map and log in with."""

from __future__ import annotations

from demo import page

ROLE = page.ROLE
USER = "arn:aws:iam::111122223333:user/mallory"
CHINA_USER = "arn:aws-cn:iam::777788889999:user/mei"
GOV_USER = "arn:aws-us-gov:iam::222233334444:user/gus"
# A login of a role never has the role's path, so a mapping of this ARN never matches.
ROLE_WITH_PATH = "arn:aws:iam::111122223333:role/team/dev"
# The same role as the authenticator reads it too.
ROLE_IN_CAPITALS = ROLE.upper()
SESSION = ROLE.replace(":iam::", ":sts::").replace(":role/", ":assumed-role/") + "/alice"
