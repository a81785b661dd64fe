# SPDX-License-Identifier: Apache-2.0

"""What a unit waits for: another party must act first."""

from __future__ import annotations

from statuses.text import Text

TO_JOIN = Text(
    "waiting for {control_plane} to join",
    means="The relation exists, and the control plane's unit has not entered it yet.",
    do="Nothing. If it lasts, see `juju status` of the control plane.",
)
API_SERVER = Text(
    "waiting for the API server of {control_plane}",
    means="The control plane of Charmed Kubernetes 1.28 and older says when its API server "
    "answers. It has not said so yet.",
    do="Nothing. If it lasts, see `juju status` of the control plane.",
)
KUBECONFIG_UNUSABLE = Text(
    "waiting for the control plane to write a usable {file} ({cause})",
    means="The administrator's kubeconfig is not there, is half written, or holds no credential "
    "that the charm can use.",
    do="Nothing on a new machine. If it lasts, compare the file with that of another "
    "control-plane machine. The cause quotes nothing of the file.",
)
KUBECONFIG = Text(
    "waiting for the control plane to write a usable kubeconfig",
    means="The administrator's kubeconfig is there, and its address or its token cannot be sent.",
    do="Put an administrator's kubeconfig there again.",
)
LEADER_TO_DEPLOY = Text(
    "waiting for the leader to deploy the authenticator",
    means="This unit does not lead, and the leader's pods do not serve yet. The leader's status "
    "says why.",
    do="Read the leader's status. `juju status aws-iam` marks the leader with `*`.",
)
REMOVAL = Text(
    "waiting for Juju to remove this unit",
    means="The unit goes, with its application or with its control-plane unit.",
    do="Nothing.",
)
PEER_RELATION = Text(
    "waiting for Juju to set up the peer relation",
    means="The unit is in its first moments, or was just refreshed from the reactive charm.",
    do="Nothing.",
)
NEW_LEADER = Text(
    "waiting for the new leader",
    means="Juju has made another unit the leader during this hook.",
    do="Nothing. The new leader goes on.",
)
CERTIFICATE = Text(
    "waiting for a certificate from {authority}",
    means="The authority has the request, and has not answered.",
    do="Nothing for the first minutes. A sealed vault must be unsealed and authorized first.",
)
PATIENCE_OVER = Text(
    "{wait}, 10 minutes; run: juju status {authority}",
    means="An authority that is ready answers within seconds, and this one has not for ten "
    "minutes.",
    do="Read its status and its log.",
    shown="<what it waits for>, 10 minutes; run: juju status <authority>",
)
PROVIDER_SILENT = Text(
    "no answer from {authority} for 10 minutes; run: juju status {authority}",
    means="The authority has answered nothing at all, so it may not understand the request.",
    do="self-signed-certificates answers from channel 1/stable. vault 1.16 or 1.17 answers if its "
    "option `common_name` is `svc`, and a change of that revokes all certificates that vault has "
    "issued. See [By the certificate "
    "authority](../how-to/deploy.md#by-the-certificate-authority).",
)
CERTIFICATE_REVOKED = Text(
    "waiting for a new certificate from {authority}: it revoked the current one",
    means="The authority has revoked the certificate, and a new one has not come. Pods go on "
    "with the revoked one, which the API server does not check for that.",
    do="Find out why it was revoked, and have the authority issue another.",
)
CERTIFICATE_STALE = Text(
    "waiting for a new certificate from {authority}: the current one {problem}",
    means="The certificate is good, but not for the present address or names of the Service. "
    "The charm has asked for another.",
    do="Nothing. It takes seconds, unless the authority is down.",
    shown="waiting for a new certificate from <authority>: the current one <what it lacks>",
)
CERTIFICATE_EARLY = Text(
    "waiting for the certificate from {authority}: it {problem}",
    means="By this machine's clock, the certificate is not valid yet. The API server would "
    "refuse it.",
    do="Compare the clocks of this machine and of the authority's. If they are right, wait "
    "until the time that the status names.",
    shown="waiting for the certificate from <authority>: it is not valid before <time> UTC",
)
ANOTHER_CERTIFICATE = Text(
    "waiting for another certificate: the former one {problem}",
    means="The authority's answer cannot be served. Older authorities keep an answer for ever, "
    "so the charm has asked again under another name.",
    do="Nothing. If the next answer is no better, the unit is blocked and says what to do.",
    shown="waiting for another certificate: the former one <what is wrong>",
)
TRUST = Text(
    "waiting for {units} to trust the new authority",
    means="The pods change to the new authority once every unit trusts it. These units have not "
    "said so yet.",
    do="See what these units or their control planes wait for. If a machine is lost for good, "
    "remove its control-plane unit with `juju remove-unit`. See [Rotate "
    "certificates](../how-to/change-the-authority.md).",
)
PODS = Text(
    "waiting for the authenticator's pods, {ready}/{wanted} updated pods ready",
    means="Pods start or are replaced. If there are former pods, these serve meanwhile.",
    do="Nothing. If it lasts, see `kubectl -n kube-system describe pods -l "
    "k8s-app=aws-iam-authenticator`.",
)
API_LATE = Text(
    "waiting for the Kubernetes API: it does not answer in time",
    means="The API server took longer than the time that the charm gives each request.",
    do="See how the control plane is. The unit tries again every half minute.",
)
API_SLOW = Text(
    "waiting for the Kubernetes API: its answers take too long",
    means="The API server answers, so slowly that the hook's 30 seconds were over first.",
    do="See why the API server is slow. The unit goes on every half minute from where it was.",
)
API_ANSWER = Text(
    "waiting for the Kubernetes API: {code} {reason}",
    means="The API server refuses requests for now, for example 429 or 503 while it starts.",
    do="Nothing. If it lasts, read the API server's log.",
)
API_FAILED = Text(
    "waiting for the Kubernetes API: {cause}",
    means="The API server cannot be reached. The cause is the network's own word, such as "
    "`connection refused`.",
    do="See how the control plane is. The unit tries again every half minute.",
)
KUBECONFIG_REFUSED = Text(
    "waiting for the Kubernetes API to accept /root/.kube/config: {code} {reason}",
    means="The API server does not know the administrator's token now. The control plane's own "
    "webhook checks it, and is away for some seconds whenever it restarts.",
    do="Nothing. If it lasts, the kubeconfig is an old one. Compare it with that of another "
    "control-plane machine.",
    shown="waiting for the Kubernetes API to accept /root/.kube/config: 401 <reason>",
)
NOT_KUBERNETES = Text(
    "the Kubernetes API returned something that is not Kubernetes",
    means="Something else answers at the API server's address, such as a proxy or a load "
    "balancer's error page.",
    do="See what answers at the address in `/root/.kube/config`.",
)
NOT_DECODED = Text(
    "the Kubernetes API returned something that is not Kubernetes ({kind})",
    means="The same. The part in brackets says how the answer could not be read.",
    do="See what answers at the address in `/root/.kube/config`.",
)
CRD_NOT_SERVED = Text(
    "waiting for the Kubernetes API to serve IAMIdentityMapping",
    means="The API server has just got the CRD, and does not serve it yet.",
    do="Nothing. It takes a second.",
)
CLUSTER_IP = Text(
    "waiting for the Kubernetes API to give Service aws-iam-authenticator a ClusterIP",
    means="The Service has no address yet.",
    do="Nothing. If it lasts, the cluster's range of addresses may be used up.",
)
OTHERS_CHANGE = Text(
    "waiting for others to stop changing the authenticator's objects",
    means="Somebody changed the same objects at the same moment, several times in a row.",
    do="Nothing, once. If it lasts, find the controller or the person that changes them.",
)
SECRET_NOT_RETURNED = Text(
    "waiting for Juju to return secret {id} of option image-pull-secret: {cause}",
    means="Juju could not hand over the secret at this moment.",
    do="Nothing. If it lasts, see `juju show-secret` and the controller's log.",
)
MAPPINGS_LEFT = Text(
    "there was no time to delete all mappings that the charm made",
    means="Removal shows this in the log, not as a status. It ended before all mappings that "
    "the option `mappings` and `grant-access` made were deleted.",
    do="Delete the rest: `kubectl delete iamidentitymappings -l aws-iam/source`.",
)
REMOVAL_UNKNOWN = Text(
    "Juju does not say what is being removed: {cause}",
    means="Removal shows this in the log, not as a status. The unit could not learn whether its "
    "control plane goes too, so it left the cluster as it was.",
    do="If the cluster stays and the application goes, run the command that the log shows. It "
    "is in [Remove it](../how-to/remove.md) too.",
)
