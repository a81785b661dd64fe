# SPDX-License-Identifier: Apache-2.0

"""Who may log in: IAM principals, and the mappings that name them."""
