# SPDX-License-Identifier: Apache-2.0

"""The option `mappings`: its formats, its entries, and what must change to follow it."""
