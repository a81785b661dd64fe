# SPDX-License-Identifier: Apache-2.0

"""What the verdicts are about, fetched from the cluster, the pods and this machine."""
