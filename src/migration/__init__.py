# SPDX-License-Identifier: Apache-2.0

"""What the reactive charm left: a folder to delete once nobody refreshes from it any more."""
