# SPDX-License-Identifier: Apache-2.0

"""Every text of a status: a name, and a line with blanks."""

from __future__ import annotations

import string

from text import quoted


class Text:
    """A line with blanks in braces. A blank with ``!q`` has the words of strangers, in quotes."""

    def __init__(self, line: str):
        self.line = line

    def __call__(self, **blanks: object) -> str:
        """Return the line with a value in each of its blanks."""
        return _FORMATTER.vformat(self.line, (), blanks)


class _Formatter(string.Formatter):
    def convert_field(self, value: object, conversion: str | None) -> object:
        return quoted(str(value)) if conversion == "q" else value


_FORMATTER = _Formatter()

# Each text keeps to one line, whatever its length.
# fmt: off


class blocked:
    """What a unit is blocked by: a person must act."""

    SET_WEBHOOK = Text("webhook not set; run: juju config {control_plane} authn-webhook-endpoint={url}")
    REPLACE_WEBHOOK = Text("another webhook is set; if unused, run: juju config {control_plane} authn-webhook-endpoint={url}")
    NO_CONTROL_PLANE = Text("no control plane; run: juju integrate {application}:control-plane {control_plane}:juju-info")
    NOT_A_CONTROL_PLANE = Text("not a kubernetes-control-plane; run: juju remove-relation {application}:control-plane {principal}:juju-info")
    TWO_CONTROL_PLANES = Text("two control planes; run: {command}")
    OWNED_BY_ANOTHER = Text("authenticator owned by {owner!q}; if gone, run: kubectl -n kube-system annotate {kind} aws-iam-authenticator aws-iam/owner-")
    POD_CANNOT_START = Text("an authenticator pod cannot start: {cause!q}")
    NO_AUTHORITY = Text("no certificate authority; run: juju integrate {application}:certificates easyrsa:client")
    CERTIFICATE_UNUSABLE = Text("certificate {problem}; run: {command}")
    NAME_REFUSED = Text("{authority} does not allow {name}; run: juju config {authority} pki_allowed_domains")
    REQUEST_REFUSED = Text("{authority} refuses: {reason!q}; run: juju show-status-log --type application {authority}")
    CERTIFICATE_MALFORMED = Text("malformed certificate; run: {command}")
    OBJECT_REJECTED = Text("the cluster rejects {what}: {reason!q}")
    SERVICE_HEADLESS = Text("headless Service in the way; if unused, run: kubectl -n kube-system delete service aws-iam-authenticator")
    FILE_FAILED = Text("cannot {verb} {file}: {cause}; repair the machine")
    INTERNAL_ERROR = Text("internal error {kind} at {place}; run: juju debug-log --include {unit}")


class waiting:
    """What a unit waits for: another party must act first."""

    TO_JOIN = Text("waiting for {control_plane} to join")
    API_SERVER = Text("waiting for the API server of {control_plane}")
    CONTROL_PLANE_TO_USE = Text("waiting for {control_plane} to use the webhook")
    KUBECONFIG_UNUSABLE = Text("waiting for the control plane to write a usable {file} ({cause})")
    KUBECONFIG = Text("waiting for the control plane to write a usable kubeconfig")
    LEADER_TO_DEPLOY = Text("waiting for the leader to deploy the authenticator")
    REMOVAL = Text("waiting for Juju to remove this unit")
    ANOTHER_UNIT = Text("waiting for another unit")
    SERVICE_KEPT = Text("Service kept; run: {command}")
    JUJU = Text("waiting for Juju, which refuses a request: {cause!q}")
    PEER_RELATION = Text("waiting for Juju to set up the peer relation")
    NEW_LEADER = Text("waiting for the new leader")
    CERTIFICATE = Text("waiting for a certificate from {authority}")
    PODS = Text("waiting for the authenticator's pods, {ready}/{wanted} updated pods ready")
    API_LATE = Text("waiting for the Kubernetes API: it does not answer in time")
    API_ANSWER = Text("waiting for the Kubernetes API: {code} {reason!q}")
    API_FAILED = Text("waiting for the Kubernetes API: {cause}")
    KUBECONFIG_REFUSED = Text("waiting for the Kubernetes API to accept /root/.kube/config: {code} {reason!q}")
    NOT_KUBERNETES = Text("something other than Kubernetes answers: {cause!q}")
    CRD_NOT_SERVED = Text("waiting for the Kubernetes API to serve IAMIdentityMapping")
    CLUSTER_IP = Text("waiting for the Kubernetes API to give Service aws-iam-authenticator a ClusterIP")
    MAPPINGS_LEFT = Text("{number:,} mappings and role bindings are left; run: {command}")
    REMOVAL_UNKNOWN = Text("Juju does not say what is being removed: {cause}")


class options:
    """What a unit is blocked by in the options of the application and the model."""

    ADDRESS_INVALID = Text("option webhook-address: {value!q} is not an IP address")
    ADDRESS_REFUSED = Text("option webhook-address: the cluster refuses {address}: {reason!q}")
    ADDRESS_FIXED = Text("option webhook-address: the Service keeps its address; run: juju config {application} webhook-address={address}")
    IMAGE_INVALID = Text("option image: {value!q} is not an image with a tag or digest")
    IMAGE_TOO_OLD = Text("option image: {version} lets people take others' usernames; set v0.5.9 or newer")
    REGISTRY_INVALID = Text("option image-registry: {value!q} is not a registry such as ghcr.io/example")
    CLUSTER_ID_INVALID = Text("option cluster-id: {value!q} must be 1 to 64 of A-Z a-z 0-9 . _ - and begin with a letter or digit")
    REPLICAS_OUT_OF_RANGE = Text("option replicas: {number} is out of range; set 1 to 10")
    PARTITION_UNKNOWN = Text("option partition: {value!q} is not one of {partitions}")
    POLICY_UNKNOWN = Text("option mapping-policy: {value!q} is not enforce or warn")
    MAPPINGS_INVALID = Text("option mappings: {problem}")
    PROXY_INVALID = Text("model option {option} is no proxy's URL; run: juju model-config {option}=http://HOST:PORT")


class active:
    """The parts of an active status."""

    PODS = Text("{ready}/{wanted} pods")
    CHANGES_LEFT = Text("{changes} of access not made yet")
    READY = Text("ready")
    NEXT_STEP = Text("next for Charmed Kubernetes 1.29: {step}")
    LEAVE_RELATION = Text("relation aws-iam no longer needed; run: {command}")
    CERTIFICATE_EXPIRES = Text("certificate expires {day}; waiting for another one from {authority}")
    NO_HTTPS_PROXY = Text("web-proxy-enable has no effect on logins: the model has no juju-https-proxy")
    CAS_UNUSABLE = Text("{certificates} from {application} cannot be used")
    TO_CORRECT = Text("{broken}: {mapping}: {problem}")
    NOT_APPLIED = Text("{number} not applied: {place}: {reason}")


class mapping:
    """What is wrong with a mapping, in the active status after its name."""

    ROLE_PATH = Text("no login has a role path; map {arn} instead")
    ONE_SESSION = Text("admits its whole role; map {arn} instead")
    DUPLICATE = Text("same ARN as mapping {name}; delete one of them")
    DUPLICATE_OF_DECLARED = Text("same ARN as declared mapping {declared}; run: kubectl delete iamidentitymapping {name}")
    GROUPS_INVALID = Text("groups is not a list of names; delete the mapping, and create it again")
    PLACEHOLDER_UNKNOWN = Text("{{{{EC2PrivateDNSName}}}} is not supported; remove it")
    USERNAME_EMPTY = Text("the username is empty; set spec.username")
    OTHER_PARTITION = Text("no login has partition {partition}, because the option partition is {option}")
    NOT_AN_ARN = Text("{arn!q} is not an ARN such as arn:aws:iam::111122223333:role/admin")
    PARTITION_UNKNOWN = Text("{arn!q} has no known partition ({partitions})")
    SERVICE_UNKNOWN = Text("{arn!q} must start with arn:{partition}:iam:: or arn:{partition}:sts::")
    NO_ACCOUNT = Text("{arn!q} has no account of 12 digits")
    KIND_UNKNOWN = Text("{arn!q} must name one of: {kinds}")
    NAME_INVALID = Text("{arn!q} has no valid {kind} name")
    NO_SESSION = Text("{arn!q} names no role; map the role itself")
    EXPIRY_INVALID = Text("annotation aws-iam/expires: {problem}")
    EXPIRED = Text("expired at {time}, and still lets people in")
    GROUP_RESERVED = Text("group {group!q} is for the rights of mapping {name!q}; remove it")


class entry:
    """Why an entry of the option is not applied, in the active status after its place."""

    ROLE_UNKNOWN = Text("role unknown; log in once with this permission set, or set suffix")
    FAILED = Text("the cluster does not make it: {reason!q}")
