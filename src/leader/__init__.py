# SPDX-License-Identifier: Apache-2.0

"""What the leader alone does."""
