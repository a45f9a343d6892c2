"""Who each controller is: with `--use-service-account-credentials` every controller acts as a service account of its own.

The manager makes the account where it is missing and asks the API server for a token
(staging/src/k8s.io/controller-manager/pkg/clientbuilder/client_builder_dynamic.go).  Informers stay the manager's own.
"""

from __future__ import annotations

from ..client import ApiError, Credentials, KubeClient

NAMESPACE = "kube-system"
#: Seconds that a controller's token is good for; the real manager asks for an hour and renews it.
TOKEN_SECONDS = 365 * 24 * 3600

#: Controller → its service account, where that is not the controller's name (plugin/pkg/auth/authorizer/rbac/bootstrappolicy).
ACCOUNTS: dict[str, str] = {
    "daemonset-controller": "daemon-set-controller",
    "endpoints-controller": "endpoint-controller",
    "endpointslice-mirroring-controller": "endpointslicemirroring-controller",
    "garbage-collector-controller": "generic-garbage-collector",
    "horizontal-pod-autoscaler-controller": "horizontal-pod-autoscaler",
    "node-ipam-controller": "node-controller",
    "node-lifecycle-controller": "node-controller",
    "persistentvolume-attach-detach-controller": "attachdetach-controller",
    "persistentvolume-binder-controller": "persistent-volume-binder",
    "persistentvolume-expander-controller": "expand-controller",
    "persistentvolume-protection-controller": "pv-protection-controller",
    "persistentvolumeclaim-protection-controller": "pvc-protection-controller",
    "pod-garbage-collector-controller": "pod-garbage-collector",
    "replicationcontroller-controller": "replication-controller",
    "root-ca-certificate-publisher-controller": "root-ca-cert-publisher",
    "serviceaccount-controller": "service-account-controller",
    "taint-eviction-controller": "node-controller",
    "certificatesigningrequest-approving-controller": "certificate-controller",
    "certificatesigningrequest-signing-controller": "certificate-controller",
    "certificatesigningrequest-cleaner-controller": "certificate-controller",
    "bootstrap-signer-controller": "bootstrap-signer",
    "legacy-serviceaccount-token-cleaner-controller": "legacy-service-account-token-cleaner",
    "service-cidr-controller": "service-cidrs-controller",
    "token-cleaner-controller": "token-cleaner",
}


#: Accounts of controllers that the real manager runs and this one does not: they are there all the same.
OTHERS: tuple[str, ...] = ("device-taint-eviction-controller", "resource-claim-controller")


def account_of(controller: str) -> str:
    """The service account of a controller."""
    return ACCOUNTS.get(controller, controller)


def token(client: KubeClient, account: str) -> str:
    """A token of a manager's service account, which is made when it is missing; raises ApiError and ConnectError."""
    request = {
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenRequest",
        "spec": {"expirationSeconds": TOKEN_SECONDS},
    }
    try:
        answer = client.create("serviceaccounts", NAMESPACE, request, subresource="token", name=account)
    except ApiError as error:
        if error.code != 404:
            raise
        _make(client, account)
        answer = client.create("serviceaccounts", NAMESPACE, request, subresource="token", name=account)
    return str(answer["status"]["token"])


def _make(client: KubeClient, account: str) -> None:
    body = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": account, "namespace": NAMESPACE}}
    client.create("serviceaccounts", NAMESPACE, body)


def make_accounts(client: KubeClient, controllers: list[str]) -> None:
    """Make the accounts of these controllers and of `OTHERS` that are missing; raises ApiError and ConnectError."""
    there = {item["metadata"]["name"] for item in client.list("serviceaccounts", NAMESPACE).items}
    wanted = dict.fromkeys([*(account_of(name) for name in controllers), *OTHERS])
    for account in wanted:
        if account not in there:
            _make(client, account)


def client_for(manager: KubeClient, account: str, text: str) -> KubeClient:
    """A client that acts as the account."""
    credentials = Credentials(ca=manager.credentials.ca, token=text)
    agent = f"{manager.user_agent}/system:serviceaccount:{NAMESPACE}:{account}"
    return KubeClient(manager.world, manager.netns, manager.server, credentials, agent)
