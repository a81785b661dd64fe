# SPDX-License-Identifier: Apache-2.0

"""The control-plane machine: the files on it."""
