"""Whatever state aws-iam is in, and in whichever order Juju ends it, it leaves nothing behind."""
