# SPDX-License-Identifier: Apache-2.0

"""IAMIdentityMappings in the cluster: read, write, delete them, one or thousands."""
