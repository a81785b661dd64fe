# SPDX-License-Identifier: Apache-2.0

"""The catalogue of every text that `juju status` can show. Pure.

A text quotes what strangers control, so that no caller can forget it. What a text does not say
itself is in docs/reference/statuses.yaml.
"""
