# SPDX-License-Identifier: Apache-2.0

"""What a unit is blocked by: a person must act."""

from __future__ import annotations

from statuses.text import Text

SET_WEBHOOK = Text(
    "webhook not set; run: juju config {control_plane} authn-webhook-endpoint={url}",
    means="Everything is deployed. The control plane of Charmed Kubernetes 1.29 and newer does "
    "not ask the authenticator yet, because only you can set its option.",
    do="Run the command as your status shows it. The unit notices within a minute or two, and "
    "after an hour at its next update-status.",
    shown="webhook not set; run: juju config <control plane> "
    "authn-webhook-endpoint=https://<address>:443/authenticate",
)
REPLACE_WEBHOOK = Text(
    "another webhook is set: {current}; if unused, run: juju config "
    "{control_plane} authn-webhook-endpoint={url}",
    means="The option holds the address of another webhook, and it can hold only one. The "
    "status leaves out credentials that the address may hold.",
    do="If nobody logs in through the other webhook, run the command. It replaces that webhook. "
    "Run it too if the address is an old one of this authenticator.",
    shown="another webhook is set: <host and path>; if unused, run: juju "
    "config <control plane> authn-webhook-endpoint=https://<address>:443/authenticate",
)
SPACES_AROUND_WEBHOOK = Text(
    "spaces around the webhook's URL; run: juju config "
    "{control_plane} authn-webhook-endpoint={url}",
    means="The control plane uses the option as it is, spaces included, and such a URL does not "
    "work.",
    do="Run the command, which sets the option without spaces.",
    shown="spaces around the webhook's URL; run: juju "
    "config <control plane> authn-webhook-endpoint=https://<address>:443/authenticate",
)
SERVICE_KEPT = Text(
    "Service kept; run: {command}",
    means="The application is being removed, and its control plane still sends logins to the "
    "Service's address. The Service stays without pods, because whoever got its address "
    "would read people's tokens.",
    do="Run the command. When `juju status` shows the control plane's units idle, delete the "
    "Service with the command that the log gives. If you deploy the application again "
    "instead, it takes the Service over.",
    shown="Service kept; run: juju config <control plane> --reset authn-webhook-endpoint",
)
ADDRESS_TAKEN = Text(
    "tokens may go to another Service; run: {command}",
    means="The application is being removed, its control plane still sends logins to the "
    "address that its Service had, and the charm cannot get the address back.",
    do="Run the command at once. Then find out whose Service has the address that the log names, "
    "with `kubectl get services --all-namespaces`. Whoever owns it may have read tokens, each of "
    "which is valid for 15 minutes.",
    shown="tokens may go to another Service; run: juju config <control plane> --reset "
    "authn-webhook-endpoint",
)
NO_CONTROL_PLANE = Text(
    "no control plane; run: juju integrate {application}:control-plane {control_plane}:juju-info",
    means="The application has no relation with a control plane, so there is no cluster to log "
    "in to.",
    do="Run the command. A control plane of Charmed Kubernetes 1.28 or older also takes `juju "
    "integrate <application>:aws-iam <control plane>:aws-iam`, and then needs no option.",
)
NOT_A_CONTROL_PLANE = Text(
    "not a kubernetes-control-plane; run: juju remove-relation "
    "{application}:control-plane {principal}:juju-info",
    means="The application is integrated with another charm, such as `k8s` of Canonical "
    "Kubernetes or kubernetes-worker. The charm works with kubernetes-control-plane of "
    "Charmed Kubernetes only, and has deployed nothing.",
    do="Run the command, and integrate the application with the control plane of Charmed "
    "Kubernetes.",
)
TWO_CONTROL_PLANES = Text(
    "two control planes; run: {command}",
    means="The application is integrated with two control planes, and can serve one. Each "
    "cluster needs an aws-iam application of its own.",
    do="Run the command. It removes the newer relation, and people go on logging in to the "
    "cluster that they know. Then deploy a second application for the other cluster.",
    shown="two control planes; run: juju remove-relation "
    "<application>:<endpoint> <control plane>:<endpoint>",
)
OWNED_BY_ANOTHER = Text(
    "authenticator owned by {owner}; if gone, run: kubectl -n "
    "kube-system annotate service aws-iam-authenticator aws-iam/owner-",
    means="Another application of this charm, perhaps in another model, serves this cluster. "
    "Two of them would overwrite each other's objects.",
    do="If the other application still exists, remove this one. If it is gone, run the command. "
    "This application takes over at its next hook.",
    shown="authenticator owned by <application and model>; if gone, "
    "run: kubectl -n kube-system annotate service aws-iam-authenticator aws-iam/owner-",
)
POD_CANNOT_START = Text(
    "an authenticator pod cannot start: {cause}",
    means="Kubernetes says why a pod of the newest kind does not start. Former pods go on "
    "serving, if there are any. The reason is Kubernetes' own word: `ErrImagePull` and "
    "`ImagePullBackOff` are about the image, `CrashLoopBackOff` means that the "
    "authenticator ends, `Unschedulable` that no node takes the pod.",
    do="For an image, see [When a pull "
    "fails](../how-to/use-a-private-registry.md#when-a-pull-fails). For `CrashLoopBackOff`, "
    "read the log: `kubectl -n kube-system logs -l k8s-app=aws-iam-authenticator "
    "--previous`. For `Unschedulable`, the cause names what the nodes lack.",
    shown="an authenticator pod cannot start: <reason>: <cause>",
)
SECRET_NOT_GRANTED = Text(
    "image-pull-secret is not granted; run: juju grant-secret {id} {application}",
    means="The application may not read the secret yet.",
    do="Run the command. The unit notices within a minute or two, and after an hour at its next "
    "update-status.",
)
SECRET_GONE = Text(
    "image-pull-secret {id} is gone; run: juju config {application} --reset image-pull-secret",
    means="The model has no secret with this id. The pods go on, and nodes pull with the "
    "credentials that the cluster has.",
    do="Make a secret, grant it, and set its id. If the registry needs no credentials, run the "
    "command.",
)
SECRET_LACKS_KEYS = Text(
    "secret lacks {keys}; run: juju update-secret {id} username=NAME password#file=FILE",
    means="The secret of the option `image-pull-secret` lacks the user name, the password, or "
    "both.",
    do="Run the command with the name, and with a file that holds the password.",
)
SECRET_OF_OTHERS = Text(
    "another Secret is in the way; if unused, run: kubectl -n kube-system delete secret {name}",
    means="Somebody made a Secret by the name that the charm needs for the registry's "
    "credentials. The charm does not overwrite it.",
    do="Save the Secret under another name if somebody needs it, then run the command.",
)
NO_AUTHORITY = Text(
    "no certificate authority; run: juju integrate {application}:certificates easyrsa:client",
    means="The webhook needs a TLS certificate, and the application has no relation with an "
    "authority.",
    do="Run the command, with another authority if your model has no easyrsa. See [By the "
    "certificate authority](../how-to/deploy.md#by-the-certificate-authority).",
)
CERTIFICATE_UNUSABLE = Text(
    "certificate {problem}; run: {command}",
    means="The API server would refuse this certificate, so the pods do not get it. If they "
    "have a former one, they go on serving it.",
    do="Run the command. Once `juju status --relations` no longer shows the relation, integrate "
    "the two again. If a new relation brings the same fault, the authority itself must be "
    "corrected, or you [move to another](../how-to/change-the-authority.md). easyrsa and vault "
    "1.8 keep an answer for ever, so integrate another authority there.",
    shown="certificate <what is wrong>; run: juju remove-relation <application>:certificates "
    "<authority>",
)
ADDRESSES_REFUSED = Text(
    "{authority} refuses addresses; run: juju config {authority} pki_allow_ip_sans=true",
    means="The authority does not sign the Service's address. vault 1.18 and newer does so once "
    "this option allows it.",
    do="Run the command. The option holds for all applications that vault serves.",
)
NAMES_REFUSED = Text(
    "{authority} refuses names below svc (in pki_allowed_domains?); run: juju config {authority} "
    "pki_allow_subdomains=true",
    means="The authority does not sign the Service's names. vault 1.18 and newer needs both: the "
    "domains in `pki_allowed_domains`, and `pki_allow_subdomains`.",
    do="Run the command, and add `svc` and `cluster.local` to `pki_allowed_domains`, which is one "
    "list for all applications that vault serves. See [By the certificate "
    "authority](../how-to/deploy.md#by-the-certificate-authority).",
)
DOMAIN_REFUSED = Text(
    "{authority} refuses cluster.local, so add it to the list; run: juju config {authority} "
    "pki_allowed_domains",
    means="vault signs the Service's name below `svc`, and not the one below `cluster.local`.",
    do="The command shows the list, which is one for all applications that vault serves. Set it "
    "again with `cluster.local` added. See [By the certificate "
    "authority](../how-to/deploy.md#by-the-certificate-authority).",
)
AUTHORITY_AWAY = Text(
    "{authority} cannot sign: {reason}; run: juju status {authority}",
    means="The authority says that the server behind it does not answer.",
    do="Read its status, and help it. It answers the request then.",
)
REQUEST_REFUSED = Text(
    "{authority} refuses: {reason}; run: juju show-status-log --type application {authority}",
    means="The authority does not sign the request, for a reason that the charm does not know. "
    "The status has the end of the authority's own words, in quotes.",
    do="Run the command, read the log of the authority's unit, and lift what it names.",
)
CERTIFICATE_MALFORMED = Text(
    "malformed certificate; run: {command}",
    means="The relation holds something that cannot be read as a certificate. Pods go on with "
    "their former one.",
    do="Run the command. Once `juju status --relations` no longer shows the relation, integrate "
    "the two again.",
    shown="malformed certificate; run: juju remove-relation <application>:certificates "
    "<authority>",
)
KUBECONFIG_FORBIDDEN = Text(
    "the cluster refuses /root/.kube/config: {reason}; it must be an admin's kubeconfig",
    means="The charm uses the administrator's kubeconfig on the control-plane machine. The API "
    "server answers 403, so this user lacks a permission.",
    do="Put an administrator's kubeconfig there again, or lift the policy that the reason names.",
)
OBJECT_REJECTED = Text(
    "the cluster rejects an object of this charm: {reason}",
    means="The API server calls an object invalid, or an admission policy refuses it. The "
    "reason is the server's own.",
    do="Lift the policy that the reason names. If no policy of yours is in it, report it as a "
    "bug.",
)
SERVICE_HEADLESS = Text(
    "headless Service in the way; if unused, run: kubectl -n "
    "kube-system delete service aws-iam-authenticator",
    means="There is a Service of this name without an address, which the charm did not make. "
    "Control planes need an address.",
    do="Run the command, if nobody uses that Service. The charm then makes its own.",
)
FILE_FAILED = Text(
    "cannot {verb} {file}: {cause}; repair the machine",
    means="The control-plane machine refuses a change of this file, for example because its "
    "disk is full or read-only.",
    do="Repair the machine. The unit's next hook tries again. `juju exec --unit <control-plane "
    "unit> -- COMMAND` runs a command there.",
    shown="cannot <write or remove> <file>: <cause>; repair the machine",
)
PYTHON_TOO_OLD = Text(
    "no packages for Python {version}; replace {unit} with a unit on Ubuntu 22.04 or newer",
    means="The machine's Ubuntu is older than 22.04, and its Python is too old for the charm.",
    do="Add a control-plane unit on a newer Ubuntu, and remove the old unit once the new one is "
    "active. [Requirements](../how-to/deploy.md#requirements) says how.",
)
PYTHON_TOO_NEW = Text(
    "no packages for Python {version}; run: juju refresh {application}",
    means="The machine's Ubuntu is newer than this revision of the charm.",
    do="Run the command.",
)
NO_PYTHON = Text(
    "no python3; run: juju exec --unit {unit} -- apt-get install -y python3",
    means="Somebody removed Python from the machine.",
    do="Run the command.",
)
INTERNAL_ERROR = Text(
    "internal error {kind} at {place}; run: juju debug-log --include {unit}",
    means="The charm itself is at fault. The place is in its code. The unit tries again at its "
    "next hook, and people who can log in still can.",
    do="Run the command. Report the charm's version and the traceback that follows `internal "
    "error`. It holds places in the code only. [Why such a unit is blocked and not in "
    "error](../explanation/how-it-works.md#a-bug-of-the-charm).",
    shown="internal error <kind> at <file>:<line>; run: juju debug-log --include <unit>",
)
