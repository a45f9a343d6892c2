"""`nft`: lists kube-proxy's table on a node that runs it in nftables mode."""

from __future__ import annotations

import re

from ..host.invocation import Call
from ..kernel.errors import NotSimulated
from ..kernel.network import network
from ..kube.proxy.nft import render

SERVICE_CIDR = "10.96.0.0/12"


def nft(call: Call) -> int:
    """`nft list ruleset|tables|table ip kube-proxy|chain ip kube-proxy NAME`."""
    words = [word for word in call.argv[1:] if not word.startswith("-")]
    if call.argv[1:2] in (["-v"], ["--version"]):
        call.out("nftables v1.0.9 (Old Doc Yak #3)\n")
        return 0
    if call.uid:
        call.err("Operation not permitted (you must be root)\n")
        return 1
    if words[:1] != ["list"] or len(words) < 2:
        raise NotSimulated(" ".join(["nft", *words[:2]]))
    net, host = network(call.world), call.host.name
    if call.proc.netns == host and net.modes.get(host) != "nftables":
        raise NotSimulated("nft on a node whose rules are iptables' (see iptables-save)")
    text = ""
    if call.proc.netns == host:
        ns = net.namespaces[host]
        text = render(net.rules.get(host, {}), net.proxied.get(host, ""), SERVICE_CIDR, ns.ips[0] if ns.ips else "")
    if words[1] == "tables":
        call.out("table ip kube-proxy\n" if text else "")
        return 0
    if words[1] == "ruleset" or words[1:4] == ["table", "ip", "kube-proxy"]:
        call.out(text)
        return 0
    if words[1] in ("chain", "map", "set") and len(words) == 5 and words[2:4] == ["ip", "kube-proxy"]:
        found = re.search(rf"^\t{words[1]} {re.escape(words[4])} \{{\n.*?^\t\}}\n", text, re.MULTILINE | re.DOTALL)
        if found is not None:
            call.out("table ip kube-proxy {\n" + found.group() + "}\n")
            return 0
    call.err(f"Error: No such file or directory\n{' '.join(call.argv)}\n")
    return 1
