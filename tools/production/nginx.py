"""nginx in front of the web processes: its configuration, from a folder of its own.

The same file, with other addresses, is what `compose.yaml` and the chart use (`deploy/nginx.conf`): static files from disk, pages to
whichever web process has the fewest connections, WebSockets for as long as they live, limits on bodies, log-ins and connections.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

TEMPLATE = Path(__file__).resolve().parents[2] / "deploy" / "nginx.conf"

#: What stands in the template for the addresses of compose.yaml.
_HEAD = """daemon off;
{user}worker_processes 2;
worker_rlimit_nofile 20000;
pid {folder}/nginx.pid;
error_log {folder}/../log/nginx.log warn;
events {{ worker_connections 8192; }}
http {{
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/site.conf;
}}
"""


def site(listen: str, upstreams: Sequence[str], static: str) -> str:
    """The site's part: `listen` address, web processes, and the folder of collected static files."""
    servers = "\n".join(f"    server {address} max_fails=1 fail_timeout=2s;" for address in upstreams)
    text = TEMPLATE.read_text()
    for mark, value in {"@LISTEN@": listen, "@UPSTREAMS@": servers, "@STATIC@": static}.items():
        text = text.replace(mark, value)
    return text


def write(folder: Path, listen: str, upstreams: Sequence[str], static: Path) -> Path:
    """The whole configuration in `folder`; returns its path."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "site.conf").write_text(site(listen, upstreams, str(static)))
    config = folder / "nginx.conf"
    config.write_text(_HEAD.format(folder=folder, user="user nobody nogroup;\n" if os.geteuid() == 0 else ""))
    return config


def argv(program: str, config: Path) -> list[str]:
    """The command line."""
    return [program, "-c", str(config), "-e", str(config.parent.parent / "log" / "nginx.log")]
