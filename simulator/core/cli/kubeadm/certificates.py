"""Certificates and keys as files (phases/certs, util/pkiutil): made where they are missing, checked where they are there."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from cryptography import x509 as codec
from cryptography.hazmat.primitives import serialization

from ...host import x509
from ...host.x509 import KeyPair
from ...kernel import clock
from ...kube.kubeadm import pki
from ...kube.kubeadm.pki import CERTIFICATES, CertSpec
from .config import InitConfig
from .run import Failure, Run, go_error

Json = dict[str, Any]
BY_NAME = {spec.name: spec for spec in CERTIFICATES}


def leaves(authority: str) -> list[CertSpec]:
    """What an authority signs."""
    return [spec for spec in CERTIFICATES if spec.authority == authority]


# -- reading ------------------------------------------------------------------------------------------------------------------


def load_cert(run: Run, folder: str, base: str) -> bytes:
    """A certificate file's PEM (`TryLoadCertFromDisk`); raises Failure."""
    path = f"{folder}/{base}.crt"
    try:
        data = run.read(path)
        x509.load_cert(data)
    except OSError as error:
        raise Failure(f"couldn't load the certificate file {path}: {go_error(error)}") from None
    except ValueError:
        raise Failure(
            f"couldn't load the certificate file {path}: error reading {path}: data does not contain any valid RSA or ECDSA certificates"
        ) from None
    return data


def load_key(run: Run, folder: str, base: str) -> bytes:
    """A private key file's PEM (`TryLoadKeyFromDisk`)."""
    path = f"{folder}/{base}.key"
    try:
        data = run.read(path)
        x509.load_key(data)
    except OSError as error:
        raise Failure(f"couldn't load the private key file {path}: {go_error(error)}") from None
    except ValueError:
        raise Failure(
            f"couldn't load the private key file {path}: error reading private key file {path}: data does not contain a valid RSA or "
            "ECDSA private key"
        ) from None
    return data


def load_pair(run: Run, folder: str, base: str) -> KeyPair:
    """`TryLoadCertAndKeyFromDisk`."""
    try:
        cert = load_cert(run, folder, base)
    except Failure as failed:
        raise Failure(f"failed to load certificate: {failed}") from None
    try:
        return KeyPair(cert, load_key(run, folder, base))
    except Failure as failed:
        raise Failure(f"failed to load key: {failed}") from None


def load_authority(run: Run, folder: str, spec: CertSpec) -> KeyPair:
    """`LoadCertificateAuthority`."""
    if not (run.exists(f"{folder}/{spec.base}.crt") or run.exists(f"{folder}/{spec.base}.key")):
        raise Failure(f"couldn't load CA certificate {spec.name}: couldn't load {spec.base} certificate authority from {folder}")
    try:
        pair = load_pair(run, folder, spec.base)
    except Failure as failed:
        raise Failure(
            f"couldn't load CA certificate {spec.name}: failure loading {spec.base} certificate authority: {failed}"
        ) from None
    check_period(run, spec.base, pair.cert)
    if not is_authority(pair.cert):
        raise Failure(f"couldn't load CA certificate {spec.name}: {spec.base} certificate is not a certificate authority")
    return pair


def is_authority(cert: bytes) -> bool:
    """Whether a certificate may sign others."""
    try:
        return x509.load_cert(cert).extensions.get_extension_for_class(codec.BasicConstraints).value.ca
    except codec.ExtensionNotFound:
        return False


def go_time(when: Any) -> str:
    """`2026-11-23 04:07:12 +0000 UTC`."""
    return f"{when:%Y-%m-%d %H:%M:%S} +0000 UTC"


def check_period(run: Run, name: str, cert: bytes) -> None:
    """Warn once of a certificate that is not valid now (`CheckCertificatePeriodValidity`)."""
    if name in run.checked:
        return
    run.checked.add(name)
    found = x509.load_cert(cert)
    now = clock.to_datetime(run.now)
    period = f"NotBefore: {go_time(found.not_valid_before_utc)}, NotAfter: {go_time(found.not_valid_after_utc)}"
    text = (
        f"the certificate is not valid yet: {period}" if now < found.not_valid_before_utc
        else f"the certificate has expired: {period}" if now > found.not_valid_after_utc else ""
    )  # fmt: skip
    if text:
        run.warn("certs.go:475", f"WARNING: could not validate bounds for certificate {name}: {text}")


def external_authority(run: Run, folder: str, name: str = "ca") -> bool:
    """Whether the user gave the authority's certificate without its key (`UsingExternalCA`); raises Failure when what it should have
    signed is not there or not signed by it."""
    spec = BY_NAME[name]
    titles = {"ca": "CA", "front-proxy-ca": "front-proxy CA", "etcd-ca": "etcd CA"}
    try:
        ca = load_cert(run, folder, spec.base)
    except Failure:
        return False
    check_period(run, titles[name], ca)
    if not is_authority(ca) or run.exists(f"{folder}/{spec.base}.key"):
        return False
    wanted = {
        "ca": (("apiserver", "API server"), ("apiserver-kubelet-client", "API server kubelet client")),
        "front-proxy-ca": (("front-proxy-client", "front-proxy client"),),
        "etcd-ca": (("apiserver-etcd-client", "apiserver etcd client"), ("etcd/server", "etcd server"), ("etcd/peer", "etcd peer"),
                    ("etcd/healthcheck-client", "etcd health-check client")),
    }[name]  # fmt: skip
    for base, title in wanted:
        check_signed(run, folder, base, title, ca)
    return True


def check_signed(run: Run, folder: str, base: str, title: str, ca: bytes) -> None:
    """A certificate and its key are there and signed by `ca` (`validateSignedCertWithCA`)."""
    try:
        load_key(run, folder, base)
    except Failure as failed:
        raise Failure(f"failure loading key for {base}: {failed}") from None
    try:
        cert = load_cert(run, folder, base)
    except Failure as failed:
        raise Failure(f"failure loading certificate for {title}: {failed}") from None
    check_period(run, title, cert)
    problem = x509.verify(run.world, cert, ca)
    if problem:
        raise Failure(f"certificate {title} is not signed by corresponding CA: {problem}")


# -- making -------------------------------------------------------------------------------------------------------------------


def write_pair(run: Run, folder: str, base: str, pair: KeyPair) -> None:
    """A certificate and its key."""
    try:
        run.write(f"{folder}/{base}.key", pair.key, 0o600)
        run.write(f"{folder}/{base}.crt", pair.cert)
    except OSError as error:
        raise Failure(
            f"failure while saving {base} certificate and key: unable to write private key to file {folder}/{base}.key: {go_error(error)}"
        ) from None


def make(run: Run, config: InitConfig, spec: CertSpec, authority: KeyPair | None) -> KeyPair:
    """A new certificate for this node."""
    return pki.make(
        run.world,
        spec,
        config.cluster,
        config.node,
        config.ip,
        authority,
        seconds=config.validity(authority=not spec.authority),
        identifiers=True,
        skew=run.skew,
    )


def create_authority(run: Run, config: InitConfig, spec: CertSpec, folder: str) -> KeyPair:
    """A new authority, or the one whose half is there (`writeCertificateAuthorityFilesIfNotExist`)."""
    if run.exists(f"{folder}/{spec.base}.crt") or run.exists(f"{folder}/{spec.base}.key"):
        try:
            pair = load_pair(run, folder, spec.base)
        except Failure as failed:
            raise Failure(f"failure loading {spec.base} certificate: {failed}") from None
        check_period(run, spec.base, pair.cert)
        if not is_authority(pair.cert):
            raise Failure(f"certificate {spec.base} is not a CA")
        run.say(f'[certs] Using the existing "{spec.base}" certificate and key')
        return pair
    pair = make(run, config, spec, None)
    run.say(f'[certs] Generating "{spec.base}" certificate and key')
    write_pair(run, folder, spec.base, pair)
    return pair


def create_leaf(run: Run, config: InitConfig, spec: CertSpec, authority: KeyPair, folder: str) -> None:
    """A new certificate, or the one that is there when it is right (`writeCertificateFilesIfNotExist`)."""
    try:
        if run.exists(f"{folder}/{spec.base}.crt") or run.exists(f"{folder}/{spec.base}.key"):
            _check_leaf(run, config, spec, authority, folder)
            run.say(f'[certs] Using the existing "{spec.base}" certificate and key')
            return
        pair = make(run, config, spec, authority)
        run.say(f'[certs] Generating "{spec.base}" certificate and key')
        write_pair(run, folder, spec.base, pair)
    except Failure as failed:
        raise Failure(f'failed to write or validate certificate "{spec.name}": {failed}') from None
    if spec.server:
        dns, ips = pki.alternative_names(spec, config.cluster, config.node, config.ip)
        run.say(f"[certs] {spec.base} serving cert is signed for DNS names [{' '.join(dns)}] and IPs [{' '.join(ips)}]")


def _check_leaf(run: Run, config: InitConfig, spec: CertSpec, authority: KeyPair, folder: str) -> None:
    try:
        load_key(run, folder, spec.base)
    except Failure as failed:
        raise Failure(f"failure loading {spec.base} key: {failed}") from None
    try:
        cert = load_cert(run, folder, spec.base)
    except Failure as failed:
        raise Failure(f"failure loading {spec.base} certificate: {failed}") from None
    check_period(run, spec.base, cert)
    if x509.verify(run.world, cert, authority.cert):
        raise Failure(f"certificate {spec.base} is not signed by corresponding CA")
    dns, ips = pki.alternative_names(spec, config.cluster, config.node, config.ip)
    held_dns, held_ips = names_of(cert)
    for name in dns:
        if name not in held_dns:
            raise Failure(f"certificate {spec.base} is invalid: x509: certificate is valid for {', '.join(held_dns)}, not {name}")
    for address in ips:
        if address not in held_ips:
            raise Failure(
                f"certificate {spec.base} is invalid: x509: certificate is valid for {', '.join(held_ips)}, not {address}"
            )


def names_of(cert: bytes) -> tuple[list[str], list[str]]:
    """(DNS names, addresses) that a certificate carries."""
    try:
        names = x509.load_cert(cert).extensions.get_extension_for_class(codec.SubjectAlternativeName).value
    except codec.ExtensionNotFound:
        return [], []
    return list(names.get_values_for_type(codec.DNSName)), [str(ip) for ip in names.get_values_for_type(codec.IPAddress)]


def create_account_key(run: Run, config: InitConfig, folder: str) -> None:
    """sa.key and sa.pub."""
    path = f"{folder}/sa.key"
    try:
        x509.load_key(run.read(path))
        run.say('[certs] Using the existing "sa" key')
        return
    except FileNotFoundError:
        pass
    except OSError as error:
        if "No such file" not in str(error.strerror):
            raise Failure(f"file sa.key existed but it could not be loaded properly: {go_error(error)}") from None
    except ValueError:
        raise Failure(
            f"file sa.key existed but it could not be loaded properly: error reading private key file {path}: data does not contain a "
            "valid RSA or ECDSA private key"
        ) from None
    key = x509.new_key(run.world, algorithm=config.cluster["encryptionAlgorithm"])
    run.say('[certs] Generating "sa" key and public key')
    try:
        run.write(path, key, 0o600)
        run.write(f"{folder}/sa.pub", x509.public_pem(key), 0o600)
    except OSError as error:
        raise Failure(f"unable to write private key to file {path}: {go_error(error)}") from None


def create_all(run: Run, config: InitConfig, folder: str, shown: str) -> None:
    """What `join --control-plane` does (`CreatePKIAssets`): every tree of certificates."""
    for spec in CERTIFICATES:
        if spec.authority or (config.external_etcd and spec.name == "etcd-ca"):
            continue
        try:
            _create_tree(run, config, spec, folder)
        except Failure as failed:
            raise Failure(f"error creating PKI assets: {failed}") from None
    run.say(f'[certs] Valid certificates and keys now exist in "{shown}"')
    create_account_key(run, config, folder)


def _create_tree(run: Run, config: InitConfig, spec: CertSpec, folder: str) -> None:
    if run.exists(f"{folder}/{spec.base}.crt"):
        ca = load_cert(run, folder, spec.base)
        check_period(run, spec.base, ca)
        if not run.exists(f"{folder}/{spec.base}.key"):
            for leaf in leaves(spec.name):
                try:
                    check_signed(run, folder, leaf.base, leaf.name, ca)
                except Failure as failed:
                    raise Failure(
                        f'could not load expected certificate "{leaf.name}" or validate the existence of key "{spec.name}" for it: {failed}'
                    ) from None
            return
        pair = load_pair(run, folder, spec.base)
    else:
        pair = create_authority(run, config, spec, folder)
    for leaf in leaves(spec.name):
        create_leaf(run, config, leaf, pair, folder)


def shared_exist(run: Run, config: InitConfig) -> list[str]:
    """What a further control plane lacks of the shared certificates (`SharedCertificateExists`)."""
    folder, out = config.pki, []
    authorities: Iterable[tuple[str, str]] = (("ca", "CA"), ("front-proxy-ca", "front-proxy CA"), ("etcd/ca", "etcd CA"))

    def check(base: str, title: str) -> None:
        try:
            load_cert(run, folder, base)
        except Failure as failed:
            out.append(f"failure loading certificate for {title}: {failed}")
            return
        try:
            load_key(run, folder, base)
        except Failure as failed:
            run.warn("certs.go:405", f"assuming external key for {title}: {failed}")

    for base, title in authorities:
        if base == "etcd/ca" and config.external_etcd:
            continue
        check(base, title)
        if base == "ca":
            try:
                load_key(run, folder, "sa")
            except Failure as failed:
                out.append(f"failure loading key for service account: {failed}")
    return out


def pin(cert: bytes) -> str:
    """`sha256:…` of a certificate's public key (util/pubkeypin)."""
    import hashlib

    public = x509.load_cert(cert).public_key()
    data = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return f"sha256:{hashlib.sha256(data).hexdigest()}"
