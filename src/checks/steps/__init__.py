# SPDX-License-Identifier: Apache-2.0

"""The verdict of each step: what was seen, and what fixes it. Most are pure."""
