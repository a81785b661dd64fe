# SPDX-License-Identifier: Apache-2.0

"""The way of a login, step by step: what works, what does not, and what fixes it.

The steps are those of Charmed Kubernetes' page on AWS IAM. They change nothing. `probes` fetch
what the verdicts of `steps` are about, and `flow` runs both.
"""
