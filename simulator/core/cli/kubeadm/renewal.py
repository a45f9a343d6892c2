"""Which certificates there are, when they end, and renewing them (phases/certs/renewal)."""

from __future__ import annotations

import base64
from typing import Any

import msgspec
from cryptography import x509 as codec
from cryptography.x509.oid import ExtendedKeyUsageOID

from ...host import x509
from ...host.x509 import KeyPair
from ...kube.kubeadm.pki import CERTIFICATES
from . import certificates, kubeconfigs
from .config import InitConfig
from .run import KUBERNETES_DIR, Failure, Run, go_error

Json = dict[str, Any]


class Renewable(msgspec.Struct, frozen=True):
    """A certificate: its name, what it is, its authority's name, and whether it sits in a kubeconfig."""

    name: str
    long_name: str
    authority: str
    base: str
    kubeconfig: bool = False


_EMBEDDED = "certificate embedded in the kubeconfig file for the "
_KUBECONFIGS = (
    ("admin.conf", f"{_EMBEDDED}admin to use and for kubeadm itself"),
    ("super-admin.conf", f"{_EMBEDDED}super-admin"),
    ("controller-manager.conf", f"{_EMBEDDED}controller manager to use"),
    ("scheduler.conf", f"{_EMBEDDED}scheduler manager to use"),
)


def renewables(config: InitConfig | None = None) -> list[Renewable]:
    """All, by name; an external etcd's are left out."""
    found = [Renewable(name, text, "ca", name, True) for name, text in _KUBECONFIGS]
    for spec in CERTIFICATES:
        if spec.authority and not (config and config.external_etcd and spec.authority == "etcd-ca"):
            found.append(Renewable(spec.name, spec.long_name, spec.authority, spec.base))
    return sorted(found, key=lambda item: item.name)


def authorities(config: InitConfig | None = None) -> list[Renewable]:
    """The authorities, by name."""
    found = [
        Renewable(spec.name, spec.long_name, "", spec.base)
        for spec in CERTIFICATES
        if not spec.authority and not (config and config.external_etcd and spec.name == "etcd-ca")
    ]
    return sorted(found, key=lambda item: item.name)


def path_of(config: InitConfig, item: Renewable) -> str:
    """The file that holds it."""
    return f"{KUBERNETES_DIR}/{item.name}" if item.kubeconfig else f"{config.pki}/{item.base}.crt"


def read(run: Run, config: InitConfig, item: Renewable) -> bytes:
    """Its PEM; raises Failure."""
    path = path_of(config, item)
    try:
        data = run.read(path)
    except OSError as error:
        raise Failure(f"failed to load existing certificate {item.base}: {go_error(error)}") from None
    if item.kubeconfig:
        user = kubeconfigs.current_user(kubeconfigs.load(run, path)) or {}
        if not user.get("client-certificate-data"):
            raise Failure(f"kubeConfig file {path} does not have an embedded client certificate")
        data = base64.b64decode(str(user["client-certificate-data"]))
    try:
        x509.load_cert(data)
    except ValueError:
        if item.kubeconfig:
            raise Failure(f"kubeConfig file {path} does not contain a valid client certificate") from None
        raise Failure(
            f"failed to load existing certificate {item.base}: error reading {path}: data does not contain any valid RSA or ECDSA "
            "certificates"
        ) from None
    return data


def external(run: Run, config: InitConfig, authority: str) -> bool:
    """Whether an authority is kept elsewhere; raises Failure when what it should have signed is wrong."""
    try:
        return certificates.external_authority(run, config.pki, authority)
    except Failure as failed:
        base = certificates.BY_NAME[authority].base
        raise Failure(f"Error checking external CA condition for {base} certificate authority: {failed}") from None


def renew(run: Run, config: InitConfig, item: Renewable) -> bool:
    """A new key and certificate for the same subject and names; False when the authority is kept elsewhere."""
    if external(run, config, item.authority):
        return False
    old = x509.load_cert(read(run, config, item))
    authority = certificates.load_authority(run, config.pki, certificates.BY_NAME[item.authority])
    subject = x509.subject_of(read(run, config, item))
    usages = _usages(old)
    dns, ips = certificates.names_of(read(run, config, item))
    pair = x509.issue(
        run.world,
        subject.common_name,
        issuer=authority,
        organizations=subject.organizations,
        dns=tuple(dns),
        ips=tuple(ips),
        server=ExtendedKeyUsageOID.SERVER_AUTH in usages,
        client=ExtendedKeyUsageOID.CLIENT_AUTH in usages,
        seconds=config.validity(authority=False),
        algorithm=config.cluster["encryptionAlgorithm"],
        identifiers=True,
        skew=run.skew,
    )
    _write(run, config, item, pair, authority)
    return True


def _usages(cert: codec.Certificate) -> list[codec.ObjectIdentifier]:
    try:
        return list(cert.extensions.get_extension_for_class(codec.ExtendedKeyUsage).value)
    except codec.ExtensionNotFound:
        return []


def _write(run: Run, config: InitConfig, item: Renewable, pair: KeyPair, authority: KeyPair) -> None:
    if not item.kubeconfig:
        certificates.write_pair(run, config.pki, item.base, pair)
        return
    path = path_of(config, item)
    found = kubeconfigs.load(run, path)
    user, (_, entry) = kubeconfigs.current_user(found), kubeconfigs.current_cluster(found)
    assert user is not None
    entry["certificate-authority-data"] = base64.b64encode(authority.cert).decode()
    user["client-certificate-data"] = base64.b64encode(pair.cert).decode()
    user["client-key-data"] = base64.b64encode(pair.key).decode()
    run.write(path, kubeconfigs.dump(found), 0o600)
