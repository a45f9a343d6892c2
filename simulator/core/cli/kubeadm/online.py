"""What kubeadm asks of the internet: the version that a label means (util/version.go)."""

from __future__ import annotations

from ...kernel import network
from ...shell.coreutils import internet
from .run import Failure, Run

URL = "https://dl.k8s.io/release/{}.txt"


def resolve_label(run: Run, label: str) -> str:
    """The version of a label; without an answer that of this kubeadm, with its warnings."""
    label = label.rpartition("/")[2]
    body, problem = _fetch(run, label)
    if problem:
        run.warn("version.go:108", f"could not fetch a Kubernetes version from the internet: {problem}")
        run.warn("version.go:109", f"falling back to the local client version: {run.version}")
        return run.version
    own, remote = (tuple(int(part) for part in text.lstrip("v").split("-")[0].split(".")[:2]) for text in (run.version, body))
    if own < remote:
        fallback = f"stable-{own[0]}.{own[1]}"
        run.klog("I", "version.go:261", f"remote version is much newer: {body}; falling back to: {fallback}")
        if fallback == label:
            return run.version
        return resolve_label(run, fallback)
    return body


def _fetch(run: Run, label: str) -> tuple[str, str]:
    """(content, what is wrong)."""
    url = URL.format(label)
    if network.network(run.world).down.get(run.host.name):
        return "", f'unable to get URL "{url}": Get "{url}": dial tcp: lookup dl.k8s.io on 127.0.0.53:53: server misbehaving'
    page = internet.get(url)
    if page is None:
        return "", f'unable to get URL "{url}": Get "{url}": dial tcp: lookup dl.k8s.io on 127.0.0.53:53: no such host'
    if page.status != 200:
        return "", f'unable to fetch file. URL: "{url}", status: {page.status} Not Found'
    return page.body.decode().strip(), ""


def label_version(run: Run, label: str, description: str) -> str:
    """The version of a label for `upgrade plan`; raises Failure (VersionFromCILabel)."""
    body, problem = _fetch(run, label)
    if problem:
        raise Failure(f"Couldn't fetch latest {description} from the internet: {problem}")
    return body
