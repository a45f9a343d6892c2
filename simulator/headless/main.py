"""The command line of `python -m simulator`."""

from __future__ import annotations

import argparse
import sys

from simulator.core.kernel.errors import BadInput
from simulator.core.lab.checks import duration


def _duration(text: str) -> int:
    try:
        return duration(text)
    except BadInput as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not port.isdigit() or int(port) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r}: write ADDRESS:PORT")
    return host or "127.0.0.1", int(port)


def parser() -> argparse.ArgumentParser:
    """The argument parser; its texts are checked against docs/simulator.md."""
    top = argparse.ArgumentParser(prog="python -m simulator", description="A simulated Kubernetes cluster, without the site.")
    sub = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    sub.add_parser("scenarios", help="list the worlds that can be started")
    world = argparse.ArgumentParser(add_help=False)
    world.add_argument("--scenario", default="three-nodes", help="which world (default: three-nodes)")
    world.add_argument("--seed", type=int, default=1, help="its randomness (default: 1)")
    run = sub.add_parser("run", parents=[world], help="type commands into a terminal of a fresh world")
    run.add_argument("--host", default="", help="whose terminal (default: the scenario's first)")
    run.add_argument("--json", action="store_true", help="read a JSON array of commands, print one JSON record a line")
    run.add_argument(
        "--settle", type=_duration, default="30s", help="most virtual time to wait for quiet after a command (default: 30s)"
    )
    run.add_argument(
        "--limit", type=_duration, default="10m", help="virtual time after which a command gets Ctrl-C (default: 10m)"
    )
    run.add_argument("file", nargs="?", default="-", metavar="FILE", help="one command a line; - is standard input")
    serve = sub.add_parser("serve", parents=[world], help="one world behind HTTPS for the real kubectl")
    serve.add_argument("--listen", type=_address, default="127.0.0.1:6443", metavar="ADDRESS:PORT")
    serve.add_argument("--kubeconfig", default="kubeconfig", metavar="FILE", help="where to write the kubeconfig")
    serve.add_argument("--speed", type=float, default=1.0, help="virtual seconds per second (default: 1)")
    serve.add_argument(
        "--token-auth-file", metavar="FILE", help="scenario bare: token,user,uid,groups a line (default: admin-token)"
    )
    serve.add_argument(
        "--apiserver",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="scenario bare: a flag of the API server, repeatable",
    )
    etcd = sub.add_parser("etcd", help="etcd members behind real ports for the real etcdctl")
    etcd.add_argument("--members", type=int, default=1, metavar="N", help="how many members, 1 to 9 (default: 1)")
    etcd.add_argument(
        "--listen",
        type=_address,
        default="127.0.0.1:2379",
        metavar="ADDRESS:PORT",
        help="first client port; the others follow it",
    )
    etcd.add_argument("--seed", type=int, default=1, help="randomness of elections (default: 1)")
    etcd.add_argument("--version", default="3.6.13", help="which etcd: 3.6.13, or 3.4.23 with API v2 (default: 3.6.13)")
    sub.add_parser("transcript", help="play one recorded scenario: JSON on standard input, JSON on standard output")
    katacoda = sub.add_parser("katacoda", help="play scenarios written for Killercoda or Katacoda")
    katacoda.add_argument("directory", metavar="DIR", help="a scenario's folder, or one with scenarios in it")
    katacoda.add_argument("--answers", action="store_true", help="type the steps' solutions too, not only what can be clicked")
    katacoda.add_argument("--json", action="store_true", help="print one JSON document")
    katacoda.add_argument("--seed", type=int, default=1, help="the worlds' randomness (default: 1)")
    fidelity = sub.add_parser("fidelity", help="which commands and flags of kubectl are simulated")
    fidelity.add_argument("--write", action="store_true", help="put the table into docs/fidelity.md")
    bench = sub.add_parser("bench", help="boot, snapshot, restore, fork, latency, speed, memory")
    bench.add_argument("--json", action="store_true", help="print one JSON object")
    bench.add_argument("--large", action="store_true", help="the control loop on many nodes with many pods instead")
    bench.add_argument("--nodes", type=int, default=100, metavar="N", help="with --large: how many workers (default: 100)")
    bench.add_argument("--pods", type=int, default=1000, metavar="N", help="with --large: how many pods (default: 1000)")
    soak = sub.add_parser("soak", help="random work and faults, and what must hold all the same")
    soak.add_argument("--seeds", type=int, default=100, help="how many runs (default: 100)")
    soak.add_argument("--start", type=int, default=1, metavar="SEED", help="the first seed (default: 1)")
    soak.add_argument("--repeat", type=int, default=10, metavar="N", help="play every Nth seed twice; 0 for none (default: 10)")
    return top


def main(argv: list[str]) -> int:
    """Run one subcommand; returns the exit status."""
    args = parser().parse_args(argv)
    try:
        if args.command == "scenarios":
            from simulator.core.lab.scenarios import SCENARIOS

            for scenario in SCENARIOS:
                print(f"{scenario.name:14} {scenario.title}")
            return 0
        if args.command == "run":
            from . import run

            return run.main(args)
        if args.command == "serve":
            from . import serve

            return serve.main(args)
        if args.command == "etcd":
            from .etcd import serve as etcd_serve

            return etcd_serve.main(args)
        if args.command == "transcript":
            from . import transcript

            return transcript.main()
        if args.command == "katacoda":
            from . import katacoda

            return katacoda.main(args)
        if args.command == "fidelity":
            from . import fidelity

            return fidelity.main(args.write)
        if args.command == "soak":
            from . import soak

            return soak.main(args)
        from . import bench

        return bench.main(args)
    except BadInput as error:
        print(f"python -m simulator: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


def command() -> None:
    """`slipway-simulator`, where the package is installed."""
    sys.exit(main(sys.argv[1:]))
