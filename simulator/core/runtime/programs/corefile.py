"""The Corefile: server blocks, plugins and their lines (coredns/caddy `caddyfile`, coredns `core/dnsserver/zdirectives.go`)."""

from __future__ import annotations

import re

import msgspec

#: Plugins of a CoreDNS 1.14 build, in their order.
PLUGINS = """root metadata geoip cancel tls timeouts multisocket reload nsid bufsize bind debug trace ready health pprof prometheus
errors log dnstap local dns64 any acl chaos loadbalance tsig cache rewrite header dnssec autopath minimal template transfer hosts route53
azure clouddns k8s_external kubernetes file auto secondary etcd loop forward erratic whoami on sign view nomad quic grpc_server""".split()


class CorefileError(Exception):
    """A Corefile that CoreDNS refuses; the text is its error."""


class Plugin(msgspec.Struct):
    """One plugin of a server block: its name, the words after it, and the lines of its own block."""

    name: str
    words: list[str] = []
    lines: list[list[str]] = []


class Server(msgspec.Struct):
    """One server block: its zones (`.:53`) and plugins."""

    zones: list[str]
    plugins: list[Plugin] = []

    def plugin(self, name: str) -> Plugin | None:
        """The plugin of that name."""
        return next((item for item in self.plugins if item.name == name), None)


def parse(text: str, path: str = "Corefile") -> list[Server]:
    """The server blocks; raises CorefileError."""
    servers: list[Server] = []
    current: Server | None = None
    inner: Plugin | None = None
    number = 0
    for number, raw in enumerate(text.splitlines(), 1):
        words = re.sub(r"(^|\s)#.*", "", raw).split()
        if not words:
            continue
        opens = words[-1] == "{"
        words = words[:-1] if opens else words
        if words == ["}"]:
            if inner is not None:
                inner = None
            elif current is not None:
                current = None
            else:
                raise CorefileError(f"{path}:{number} - Error during parsing: Unexpected '}}' because no matching opening brace")
            continue
        if inner is not None:
            inner.lines.append(words)
            continue
        if current is None:
            current = Server([word.rstrip(",") for word in words])
            servers.append(current)
            if not opens:
                raise CorefileError(f"{path}:{number} - Error during parsing: Unexpected token '{words[-1]}', expecting '{{'")
            continue
        if words[0] not in PLUGINS:
            raise CorefileError(f"{path}:{number} - Error during parsing: Unknown directive '{words[0]}'")
        plugin = Plugin(words[0], words[1:])
        current.plugins.append(plugin)
        inner = plugin if opens else None
    if current is not None:
        raise CorefileError(f"{path}:{number} - Error during parsing: Unexpected EOF")
    return servers


def root(servers: list[Server]) -> Server | None:
    """The block that answers on port 53 for everything, or the first one."""
    found = next((s for s in servers if any(zone.split(":")[0] in (".", "") for zone in s.zones)), None)
    return found or (servers[0] if servers else None)
