"""The table of the programs of images, to be merged into `tables['programs']`."""

from __future__ import annotations

from ...host.program import Program
from .basics import Agnhost, Hello, Pause, Silent, Sleep, Unsimulated
from .coredns import CoreDns
from .databases import Mysql, Postgres, Redis
from .flannel import FlannelCni, Flanneld
from .script import Script
from .stress import Consumer, Stress
from .web import Httpd, Nginx

PROGRAMS: dict[str, Program] = {
    "pause": Pause(),
    "container-sleep": Sleep(),
    "container-script": Script(),
    "unsimulated": Unsimulated(),
    "hello": Hello(),
    "nginx": Nginx(),
    "httpd": Httpd(),
    "redis-server": Redis(),
    "mysqld": Mysql("MySQL", "MYSQL"),
    "mariadbd": Mysql("MariaDB", "MARIADB"),
    "postgres": Postgres(),
    "mongod": Silent(27017),
    "memcached": Silent(11211),
    "coredns": CoreDns(),
    "flanneld": Flanneld(),
    "flannel-cni": FlannelCni(),
    "agnhost": Agnhost(),
    "stress": Stress(),
    "stress-consumer": Consumer(),
}
