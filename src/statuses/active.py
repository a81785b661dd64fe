# SPDX-License-Identifier: Apache-2.0

"""The parts of an active status."""

from __future__ import annotations

from statuses.text import Text

AUTHENTICATOR = Text(
    "authenticator {version}",
    means="The version of aws-iam-authenticator that the pods run, by the image's tag.",
    do="Nothing.",
)
PODS = Text(
    "{ready}/{wanted} pods",
    means="How many pods serve, and how many the option `replicas` asks for.",
    do="Nothing.",
)
STRANGER = Text(
    "stranger among the pods; run: kubectl -n kube-system describe pod {pod}",
    means="A pod that the Deployment did not make has the label "
    "`k8s-app=aws-iam-authenticator`, so the Service may send logins to it. Whoever runs "
    "it may read people's tokens, and answer who they are.",
    do="Run the command, and find out whose pod it is. Delete it, or remove its label: `kubectl "
    "-n kube-system label pod <pod> k8s-app-`.",
)
MAPPINGS = Text(
    "{mappings}",
    means="How many `IAMIdentityMapping` objects the cluster has, whoever made them.",
    do="Nothing. `juju run aws-iam/leader list-mappings` lists them.",
    shown="<number> mappings",
)
NOT_EFFECTIVE = Text(
    "activating {pending} of {mappings}",
    means="Many mappings came at once. The unit makes several effective at a time.",
    do="Nothing. The unit goes on every second.",
    shown="activating <number> of <number> mappings",
)
NOT_DELETED = Text(
    "{mappings}, {former} former ones not deleted yet",
    means="The option `mappings` no longer declares these, nor did the application that left "
    "them.",
    do="Nothing. The unit goes on every second.",
    shown="<number> mappings, <number> former ones not deleted yet",
)
RIGHTS_PENDING = Text(
    "{pending} of the mappings' role bindings not made yet",
    means="Many came at once. The unit makes several at a time.",
    do="Nothing. The unit goes on every second.",
    shown="<number> of the mappings' role bindings not made yet",
)
WEBHOOK = Text(
    "webhook {url}",
    means="This unit does not lead. It has connected its control plane to this address.",
    do="Nothing.",
    shown="webhook https://<address>:443/authenticate",
)
NEXT_STEP = Text(
    "next for Charmed Kubernetes 1.29: {step}",
    means="The units have both relations, for the upgrade of Charmed Kubernetes from 1.28.",
    do="Run the command when you want to go on. See [the upgrade's "
    "page](../how-to/upgrade-to-1.29.md).",
)
LEAVE_RELATION = Text(
    "relation aws-iam no longer needed; run: {command}",
    means="The control plane uses its option, so the units need the former relation no longer. "
    "This follows `next for Charmed Kubernetes 1.29:`.",
    do="Run the command when you want to go on.",
    shown="relation aws-iam no longer needed; run: juju remove-relation <application>:aws-iam "
    "<control plane>:aws-iam",
)
CERTIFICATE_EXPIRES = Text(
    "CA expires {day}; change it",
    means="The certificate expires within 14 days, and its authority has given no longer one. "
    "So the authority itself ends then.",
    do="Renew the authority or [move to another](../how-to/change-the-authority.md) by that day.",
)
OLD_CA_TRUSTED = Text(
    "old CA trusted until its last pod ends",
    means="The change to a new authority is done but for its last step.",
    do="Nothing. It takes a minute or two.",
)
NO_HTTPS_PROXY = Text(
    "web-proxy-enable has no effect on logins: the model has no juju-https-proxy",
    means="The pods are to use the model's proxy, and the model has none for HTTPS. They reach "
    "AWS directly.",
    do="Set the proxy, or take the option back: `juju config aws-iam web-proxy-enable=false`. "
    "See [Reach AWS through a proxy](../how-to/behind-a-proxy.md).",
)
CAS_UNREADABLE = Text(
    "{certificates} from {application} cannot be read",
    means="A charm at the endpoint `receive-ca-cert` sent something that is not a certificate. "
    "The pods trust its other certificates.",
    do="See what that charm was given.",
    shown="<number> certificates from <application> cannot be read",
)
CAS_NO_ROOM = Text(
    "no room for {certificates} from {application}",
    means="The charms at the endpoint `receive-ca-cert` sent more than 512 KiB of certificates. "
    "The rest is left out.",
    do="Send only the authorities that the pods need.",
    shown="no room for <number> certificates from <application>",
)
TO_CORRECT = Text(
    "{number} to correct: {mapping}: {problem}",
    means="So many mappings do not work as they are. The status names the first. The problems "
    "are [below](#mappings-to-correct).",
    do="Correct the mapping. `juju run aws-iam/leader list-mappings` lists all of them.",
)
NOT_APPLIED = Text(
    "{number} not applied: {place}: {reason}",
    means="So many entries of the option `mappings` have no effect. The status names the first. "
    "The reasons are [below](#entries-that-are-not-applied).",
    do="Correct the entry. The unit's log names up to 20.",
)
LEFT_OUT = Text(
    "{number} left out: {place}: {reason}",
    means="So many parts of the option `mappings` have no meaning here, such as the nodes of EKS.",
    do="Nothing, or take them out of the file. See [What is left "
    "out](../how-to/move-from-eks.md#what-is-left-out).",
)
