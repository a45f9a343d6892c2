"""`kubeadm certs generate-csr`: keys and requests for an authority elsewhere (certlist.go, kubeconfig.go)."""

from __future__ import annotations

import ipaddress

from cryptography import x509 as codec
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import NameOID

from ...host import x509
from ...host.x509 import KeyPair
from ...kube.kubeadm import pki
from ...kube.kubeadm.pki import CERTIFICATES
from . import kubeconfigs
from .config import InitConfig
from .run import Failure, Run


def request(key: bytes, name: str, groups: tuple[str, ...], dns: tuple[str, ...], ips: tuple[str, ...]) -> bytes:
    """A signing request, PEM."""
    parts = [codec.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in groups]
    builder = codec.CertificateSigningRequestBuilder().subject_name(
        codec.Name([*parts, codec.NameAttribute(NameOID.COMMON_NAME, name)])
    )
    names: list[codec.GeneralName] = [codec.DNSName(item) for item in dns]
    names += [codec.IPAddress(ipaddress.ip_address(item)) for item in ips]
    if names:
        builder = builder.add_extension(codec.SubjectAlternativeName(names), critical=False)
    return x509.sign_request(builder, x509.load_key(key)).public_bytes(serialization.Encoding.PEM)


def create(run: Run, config: InitConfig, folder: str) -> None:
    """All keys, requests and partial kubeconfigs; raises Failure when one is there already."""
    algorithm = config.cluster["encryptionAlgorithm"]
    run.say(f"generating keys and CSRs in {config.pki}")
    for spec in (spec for spec in CERTIFICATES if spec.authority):
        base = f"{config.pki}/{spec.base}"
        if run.exists(f"{base}.key") or run.exists(f"{base}.csr"):
            raise Failure(f"file already exists: key or CSR {base}")
        key = x509.new_key(run.world, algorithm=algorithm)
        dns, ips = pki.alternative_names(spec, config.cluster, config.node, config.ip)
        run.write(f"{base}.key", key, 0o600)
        run.write(f"{base}.csr", request(key, spec.common_name or config.node, (), dns, ips), 0o600)
        run.say(f"  {spec.base}")
    run.say(f"generating keys and CSRs in {folder}")
    for name, who in kubeconfigs.specs(config).items():
        path = f"{folder}/{name}"
        if run.exists(path):
            raise Failure(f"file already exists: kube config: {path}")
        if run.exists(f"{path}.csr"):
            raise Failure(f"file already exists: csr: {path}")
        key = x509.new_key(run.world, algorithm=algorithm)
        server = config.local_server if who.local and name != "kubelet.conf" else config.server
        content = kubeconfigs.with_certificate(server, config.cluster["clusterName"], who.user, b"", KeyPair(b"", key))
        run.write(path, kubeconfigs.dump(content), 0o600)
        run.write(f"{path}.csr", request(key, who.user, who.groups, (), ()), 0o600)
        run.say(f"  {name}")
