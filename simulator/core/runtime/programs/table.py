"""The table of the programs of images, to be merged into `tables['programs']`."""

from __future__ import annotations

from ...host.program import Program
from .apache import Apache
from .basics import Agnhost, Hello, Pause, Silent, Sleep, Unsimulated
from .calico import CalicoNode, Install, KubeControllers, Operator
from .certgen import Certgen
from .certmanager import CertManager
from .coredns import CoreDns
from .databases import Mysql, Postgres, Redis
from .flannel import CniPlugin, Flanneld
from .generic import Listen, Page
from .helpers import Buildkitd, Ipfs, Stargz
from .ingress_nginx import IngressNginx
from .local_path import LocalPath
from .metallb import MetalLB
from .metrics_server import MetricsServer
from .nginx import Nginx, NginxWorker
from .script import Script
from .servers import EchoServer, HttpEcho, Mongo, PythonServer, Rabbit, Registry, Whoami
from .stress import Consumer, Stress
from .web import Httpd

PROGRAMS: dict[str, Program] = {
    "pause": Pause(),
    "container-sleep": Sleep(),
    "container-script": Script(),
    "unsimulated": Unsimulated(),
    "hello": Hello(),
    "apache2": Apache(),
    "nginx": Nginx(),
    "nginx-worker": NginxWorker(),
    "httpd": Httpd(),
    "redis-server": Redis(),
    "mysqld": Mysql("MySQL", "MYSQL"),
    "mariadbd": Mysql("MariaDB", "MARIADB"),
    "postgres": Postgres(),
    "mongod": Mongo(),
    "rabbitmq-server": Rabbit(),
    "registry": Registry(),
    "buildkitd": Buildkitd(),
    "containerd-stargz-grpc": Stargz(),
    "ipfs": Ipfs(),
    "whoami": Whoami(),
    "http-echo": HttpEcho(),
    "echoserver": EchoServer(),
    "python-http-server": PythonServer(),
    "memcached": Silent(11211),
    "listen": Listen(),
    "page": Page(),
    "coredns": CoreDns(),
    "flanneld": Flanneld(),
    "metrics-server": MetricsServer(),
    "local-path-provisioner": LocalPath(),
    "metallb": MetalLB(),
    "cert-manager": CertManager(),
    "calico-install": Install(),
    "calico-node": CalicoNode(),
    "calico-kube-controllers": KubeControllers(),
    "tigera-operator": Operator(),
    "cni-plugin": CniPlugin(),
    "nginx-ingress-controller": IngressNginx(),
    "kube-webhook-certgen": Certgen(),
    "agnhost": Agnhost(),
    "stress": Stress(),
    "stress-consumer": Consumer(),
}
