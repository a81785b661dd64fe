# SPDX-License-Identifier: Apache-2.0

"""The way of a login, step by step: what works, what does not, and what fixes it.

The steps are those of Charmed Kubernetes' page on AWS IAM, a module each. They change nothing.
`flow` runs them.
"""
