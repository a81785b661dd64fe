# SPDX-License-Identifier: Apache-2.0

"""The option `mappings`: its formats and its entries."""
