"""`kubeadm certs` (cmd/certs.go)."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

from ...host import x509
from ...host.program import Wait
from ...kernel.clock import SECOND, parse_rfc3339, rfc3339, to_datetime
from ...kernel.errors import BadInput
from ...kube.api.printers.base import human
from ..cobra import Command, no_args
from ..tabwriter import align
from . import config, copycerts, csrs, fetching, options, renewal
from .config import InitConfig
from .printing import Printer
from .renewal import Renewable
from .run import Failure, Run, Steps
from .workflow import NEEDS_SUBCOMMAND

Json = dict[str, Any]


def _load(run: Run, prefix: str, say: Callable[[str], None]) -> Generator[Wait, Any, InitConfig]:
    """The configuration: a file's, the cluster's, or defaults (`getInternalCfg`)."""
    values = run.values
    folder = values.text("cert-dir")
    if not values.text("config"):
        try:
            client = run.client(values.text("kubeconfig"))
        except (OSError, BadInput):
            client = None
        if client is not None:
            try:
                found: InitConfig = yield from fetching.fetch(
                    run, client, prefix, registration=True, endpoint=fetching.is_control_plane(run), components=True, say=say
                )
                say("\n")
                if folder:
                    found.cluster["certificatesDir"] = folder
                return found
            except Failure:
                say(f"[{prefix}] Error reading configuration from the Cluster. Falling back to default configuration\n\n")
    if values.text("config"):
        return config.load_init(run, values.text("config"), detect=False)
    body = {"kubernetesVersion": run.version, "certificatesDir": folder}
    return config.from_flags(run, {}, body, detect=False)


# -- expiration ---------------------------------------------------------------------------------------------------------------


def _entry(run: Run, cfg: InitConfig, item: Renewable) -> Json:
    if not run.exists(renewal.path_of(cfg, item)):
        return {"name": item.name, "expirationDate": None, "residualTime": 0, "externallyManaged": False, "missing": True}
    outside = renewal.external(run, cfg, item.authority or item.name)
    end = x509.subject_of(renewal.read(run, cfg, item)).not_after
    found: Json = {
        "name": item.name, "expirationDate": rfc3339(end), "residualTime": (end - run.now) // SECOND,
        "externallyManaged": outside,
    }  # fmt: skip
    if item.authority:
        found["caName"] = item.authority
    return found


def _shown(entry: Json, *, leaf: bool) -> str:
    if entry.get("missing"):
        return f"!MISSING! {entry['name']}" + "\t" * (4 if leaf else 3) + "\n"
    when = f"{to_datetime(parse_rfc3339(entry['expirationDate'])):%b %d, %Y %H:%M} UTC"
    left = human(entry["residualTime"] * SECOND)
    outside = f"{'yes' if entry['externallyManaged'] else 'no':<8}"
    middle = f"\t{entry['caName']}" if leaf else ""
    return f"{entry['name']}\t{when}\t{left}{middle}\t{outside}\n"


def _text(info: Json) -> str:
    out = "CERTIFICATE\tEXPIRES\tRESIDUAL TIME\tCERTIFICATE AUTHORITY\tEXTERNALLY MANAGED\n"
    out += "".join(_shown(entry, leaf=True) for entry in info["certificates"])
    out += "\nCERTIFICATE AUTHORITY\tEXPIRES\tRESIDUAL TIME\tEXTERNALLY MANAGED\n"
    out += "".join(_shown(entry, leaf=False) for entry in info["certificateAuthorities"])
    return align(out, minwidth=10, padding=3)


def _check(run: Run) -> Steps:
    printer = Printer(run, _text)
    yield from run.pause(20, 60)
    cfg = yield from _load(run, "check-expiration", printer.say)
    info = {
        "certificates": [_entry(run, cfg, item) for item in renewal.renewables(cfg)],
        "certificateAuthorities": [_entry(run, cfg, item) for item in renewal.authorities(cfg)],
    }
    printer.show("CertificateExpirationInfo", info)


# -- renewal ------------------------------------------------------------------------------------------------------------------


def _renew_one(run: Run, cfg: InitConfig, item: Renewable) -> Steps:
    if not run.exists(renewal.path_of(cfg, item)):
        run.say(f"MISSING! {item.long_name}")
        return
    yield from run.pause(60, 140)
    if renewal.renew(run, cfg, item):
        run.say(f"{item.long_name} renewed")
    else:
        base = {"front-proxy-ca": "front-proxy-ca", "etcd-ca": "etcd/ca"}.get(item.authority, "ca")
        run.say(f"Detected external {base}, {item.long_name} can't be renewed")


def _renew(item: Renewable) -> Callable[[Run], Steps]:
    def action(run: Run) -> Steps:
        cfg = yield from _load(run, "renew", run.out)
        yield from _renew_one(run, cfg, item)

    return action


def _renew_all(run: Run) -> Steps:
    cfg = yield from _load(run, "renew", run.out)
    for item in renewal.renewables(cfg):
        yield from _renew_one(run, cfg, item)
    run.say(
        "\nDone renewing certificates. You must restart the kube-apiserver, kube-controller-manager, kube-scheduler and etcd, so that they "
        "can use the new certificates."
    )


_RENEW_LONG = (
    "Renew the {}.\n\nRenewals run unconditionally, regardless of certificate expiration date; extra attributes such as SANs will be based "
    "on the existing file/certificates, there is no need to resupply them.\n\nRenewal by default tries to use the certificate authority in "
    "the local PKI managed by kubeadm; as alternative it is possible to use K8s certificate API for certificate renewal, or as a last "
    "option, to generate a CSR request.\n\nAfter renewal, in order to make changes effective, is required to restart control-plane "
    "components and eventually re-distribute the renewed certificate in case the file is used elsewhere."
)


def _key(run: Run) -> None:
    run.say(copycerts.new_key(run))


def _generate(run: Run) -> Steps:
    values = run.values
    if values.text("config"):
        cfg = config.load_init(run, values.text("config"), detect=False)
    else:
        cfg = config.from_flags(run, {}, {}, detect=False)
    if values.text("cert-dir"):
        cfg.cluster["certificatesDir"] = values.text("cert-dir")
    yield from run.pause(300, 900)
    csrs.create(run, cfg, values.text("kubeconfig-dir"))


COMMAND = Command(
    "certs",
    short="Commands related to handling Kubernetes certificates",
    aliases=("certificates",),
    args=no_args,
    run=NEEDS_SUBCOMMAND,
    commands=(
        Command(
            "renew",
            short="Renew certificates for a Kubernetes cluster",
            args=no_args,
            run=NEEDS_SUBCOMMAND,
            commands=(
                *(
                    Command(
                        item.name,
                        short=f"Renew the {item.long_name}",
                        long=_RENEW_LONG.format(item.long_name),
                        flags=options.CERT_FLAGS,
                        args=no_args,
                        run=_renew(item),
                    )
                    for item in renewal.renewables()
                ),
                Command(
                    "all",
                    short="Renew all available certificates",
                    long="Renew all known certificates necessary to run the control plane. Renewals are run unconditionally, regardless of "
                    "expiration date. Renewals can also be run individually for more control.",
                    flags=options.CERT_FLAGS,
                    args=no_args,
                    run=_renew_all,
                ),
            ),
        ),
        Command(
            "check-expiration",
            short="Check certificates expiration for a Kubernetes cluster",
            long="Checks expiration for the certificates in the local PKI managed by kubeadm.",
            flags=(*options.CERT_FLAGS, *options.OUTPUT),
            args=no_args,
            run=_check,
        ),
        Command(
            "certificate-key",
            short="Generate certificate keys",
            long="""
This command will print out a secure randomly-generated certificate key that can be used with
the "init" command.

You can also use "kubeadm init --upload-certs" without specifying a certificate key and it will
generate and print one for you.
""",
            args=no_args,
            run=_key,
        ),
        Command(
            "generate-csr",
            short="Generate keys and certificate signing requests",
            long="Generates keys and certificate signing requests (CSRs) for all the certificates required to run the control plane. This "
            'command also generates partial kubeconfig files with private key data in the  "users > user > client-key-data" field, and for '
            'each kubeconfig file an accompanying ".csr" file is created.\n\nThis command is designed for use in [Kubeadm External CA Mode]'
            "(https://kubernetes.io/docs/tasks/administer-cluster/kubeadm/kubeadm-certs/#external-ca-mode). It generates CSRs which you can "
            "then submit to your external certificate authority for signing.\n\nThe PEM encoded signed certificates should then be saved "
            'alongside the key files, using ".crt" as the file extension, or in the case of kubeconfig files, the PEM encoded signed '
            'certificate should be base64 encoded and added to the kubeconfig file in the "users > user > client-certificate-data" field.',
            example="  # The following command will generate keys and CSRs for all control-plane certificates and kubeconfig files:\n"
            "  kubeadm certs generate-csr --kubeconfig-dir /tmp/etc-k8s --cert-dir /tmp/etc-k8s/pki",
            flags=(options.CONFIG, options.like(options.CERT_DIRECTORY, usage="The path where to save the certificates", default=""),
                   options.KUBECONFIG_DIR),
            args=no_args,
            run=_generate,
        ),
    ),
)  # fmt: skip
