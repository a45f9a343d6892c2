"""The serving certificate of a gateway: signed by the simulated cluster's own CA, so a kubeconfig needs nothing else."""

from __future__ import annotations

import os
import ssl
import tempfile

from simulator.core.host import files, x509
from simulator.core.host.x509 import KeyPair
from simulator.core.kernel.world import World
from simulator.core.kube.kubeadm import pki

#: Validity of what is issued for real clients.
DAYS = 3650


class Material:
    """The CA of a world and what is signed by it for real clients.  Uses a random stream of its own, never the world's."""

    def __init__(self, world: World, host: str) -> None:
        self.ca = KeyPair(
            files.read_file(world, host, "/etc/kubernetes/pki/ca.crt"), files.read_file(world, host, "/etc/kubernetes/pki/ca.key")
        )
        # certificates for real clients must be valid on their clocks and on the world's
        self._scratch = World(seed=int.from_bytes(os.urandom(6), "big"), epoch=min(_now(), world.wall))

    def server_context(self, names: tuple[str, ...], ips: tuple[str, ...]) -> ssl.SSLContext:
        """A TLS context that serves these names and asks clients for certificates of the world's CA."""
        pair = x509.issue(self._scratch, "kube-apiserver", issuer=self.ca, dns=names, ips=ips, server=True, days=DAYS)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.set_alpn_protocols(["http/1.1"])
        context.verify_mode = ssl.CERT_OPTIONAL
        context.load_verify_locations(cadata=self.ca.cert.decode())
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        with tempfile.TemporaryDirectory() as folder:
            cert, key = os.path.join(folder, "tls.crt"), os.path.join(folder, "tls.key")
            for path, data in ((cert, pair.cert), (key, pair.key)):
                with open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as out:
                    out.write(data)
            context.load_cert_chain(cert, key)
        return context

    def kubeconfig(self, server: str, group: str = "kubeadm:cluster-admins") -> bytes:
        """An administrator's kubeconfig for the gateway's address; `group` is what makes it one."""
        pair = x509.issue(self._scratch, "kubernetes-admin", issuer=self.ca, organizations=(group,), client=True, days=DAYS)
        return pki.kubeconfig(self.ca.cert, server, "kubernetes-admin", pair)


def _now() -> int:
    import time

    return time.time_ns()
