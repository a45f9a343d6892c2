"""The ports: on each member's client port gRPC (HTTP/2) and the JSON gateway (HTTP/1.1) side by side, as etcd has them.

A connection's first bytes tell which it is; it is then passed on to the gRPC server or to the HTTP server behind.  While a member is stopped its
port is closed.
"""

from __future__ import annotations

import argparse
import contextlib
import signal
import socket
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from simulator.core.kernel import network
from simulator.core.kernel.errors import BadInput, ConnectError
from simulator.core.kernel.http import Request

from . import grpcside
from .world import HOST, Cluster

TICK = 0.02
PREFACE = b"PRI * HTTP/2.0"
#: The largest body of a request (etcd: --max-request-bytes, and its envelope).
MAX_BODY = 2 * 1024 * 1024


class Http(ThreadingHTTPServer):
    """The JSON gateway of one member."""

    daemon_threads = True

    def __init__(self, cluster: Cluster, name: str) -> None:
        self.cluster, self.name = cluster, name
        super().__init__(("127.0.0.1", 0), Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no event."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


class Handler(BaseHTTPRequestHandler):
    """One HTTP request, handed to the simulated member."""

    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing is logged."""

    def _answer(self) -> None:
        server = self.server
        assert isinstance(server, Http)
        size = int(self.headers.get("content-length") or 0)
        if size > MAX_BODY:
            self.send_error(413)
            return
        parts = urlsplit(self.path)
        request = Request(
            method=self.command, path=unquote(parts.path), query=parse_qs(parts.query, keep_blank_values=True),
            headers={name.lower(): value for name, value in self.headers.items()}, body=self.rfile.read(size), scheme="http",
        )  # fmt: skip
        cluster = server.cluster
        try:
            with cluster.changed:
                cluster.move()
                answer = network.http(cluster.world, HOST, "127.0.0.1", cluster.ports[server.name], request)
        except ConnectError:
            self.close_connection = True
            return
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if answer.stream is None:
            self.send_header("content-length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(b"" if self.command == "HEAD" else answer.body)
            return
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        self._stream(cluster, answer.stream)

    def _stream(self, cluster: Cluster, stream: Any) -> None:
        try:
            while True:
                with cluster.changed:
                    lines, closed = stream.poll(), stream.closed
                    if not lines and not closed:
                        cluster.changed.wait(0.05)
                for line in lines:
                    self.wfile.write(f"{len(line):x}\r\n".encode() + line + b"\r\n")
                self.wfile.flush()
                if closed:
                    self.wfile.write(b"0\r\n\r\n")
                    return
        finally:
            with cluster.lock:
                stream.close()

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = do_OPTIONS = _answer


class Port:
    """A member's client port, open while the member serves."""

    def __init__(self, cluster: Cluster, name: str, address: str, port: int) -> None:
        self.cluster, self.name, self.where = cluster, name, (address, port)
        self.grpc, self.grpc_port = grpcside.start(cluster, name, "127.0.0.1:0")
        self.http = Http(cluster, name)
        threading.Thread(target=self.http.serve_forever, daemon=True).start()
        self.listener: socket.socket | None = None
        self.open: set[socket.socket] = set()

    def match(self) -> None:
        """Open or close the port as the member runs or not; raises BadInput when the port is taken."""
        runs = self.cluster.runs(self.name)
        if runs and self.listener is None:
            try:
                self.listener = socket.create_server(self.where, reuse_port=False)
            except OSError as error:
                raise BadInput(f"cannot listen on {self.where[0]}:{self.where[1]}: {error.strerror}") from None
            threading.Thread(target=self._accept, args=(self.listener,), daemon=True).start()
        elif not runs and self.listener is not None:
            with contextlib.suppress(OSError):
                self.listener.shutdown(socket.SHUT_RDWR)  # closing alone leaves the thread in accept() with it
            self.listener.close()
            self.listener = None
            for held in list(self.open):
                with contextlib.suppress(OSError):
                    held.shutdown(socket.SHUT_RDWR)

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._splice, args=(client,), daemon=True).start()

    def _splice(self, client: socket.socket) -> None:
        self.open.add(client)
        try:
            first = client.recv(3, socket.MSG_PEEK)
            if not first:
                return
            port = self.grpc_port if PREFACE.startswith(first) else self.http.server_address[1]
            with socket.create_connection(("127.0.0.1", port)) as behind:
                self.open.add(behind)
                back = threading.Thread(target=_copy, args=(behind, client), daemon=True)
                back.start()
                _copy(client, behind)
                back.join()
                self.open.discard(behind)
        except OSError:
            pass
        finally:
            self.open.discard(client)
            client.close()


def _copy(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)


def main(args: argparse.Namespace) -> int:
    """Serve until interrupted; lines on standard input stop and start members."""
    if not 1 <= args.members <= 9:
        raise BadInput("--members takes 1 to 9")
    address, first = args.listen
    ports = {f"m{at + 1}": first + at for at in range(args.members)}
    if max(ports.values()) > 65535:
        raise BadInput(f"--listen {address}:{first}: no {args.members} ports from there")
    cluster = Cluster(ports, address, args.version, args.seed)
    doors = [Port(cluster, name, address, port) for name, port in ports.items()]
    for door in doors:
        door.match()
    print(f"etcd {args.version}: {','.join(f'{address}:{port}' for port in ports.values())}", flush=True)
    threading.Thread(target=_commands, args=(cluster,), daemon=True).start()
    # not by KeyboardInterrupt: raised in whatever runs just then, it may be taken for an error of that and be lost
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda _number, _frame: stop.set())
    try:
        while not stop.wait(TICK):
            cluster.move()
            for door in doors:
                door.match()
    finally:
        for door in doors:
            door.grpc.stop(0)
    return 130


def _commands(cluster: Cluster) -> None:
    for line in sys.stdin:
        if line.split():
            print(cluster.control(line.split()), flush=True)
