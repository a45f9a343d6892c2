"""`kubeadm kubeconfig user` (cmd/kubeconfig.go)."""

from __future__ import annotations

from ...kernel.clock import SECOND
from ..cobra import Command, no_args
from ..flag_kinds import format_duration
from . import config, kubeconfigs, options
from .run import Run, Steps


def _user(run: Run) -> Steps:
    values = run.values
    if values.text("config"):
        cfg = config.load_init(run, values.text("config"), detect=False)
    else:
        cfg = config.from_flags(run, {}, {}, detect=False)
    period, most = values.number("validity-period"), options.KUBECONFIG_USER[-1].default
    if period > most:
        run.warn(
            "kubeconfig.go:88",
            f"WARNING: the specified certificate validity period {format_duration(period)} is longer than the default duration "
            f"{format_duration(most)}, this may increase security risks.",
        )
    ca, name, cluster = kubeconfigs.authority_pair(run, cfg.pki), values.text("client-name"), cfg.cluster["clusterName"]
    yield from run.pause(20, 90)
    if values.text("token"):
        found = kubeconfigs.with_token(cfg.server, cluster, name, ca.cert, values.text("token"))
    else:
        pair = kubeconfigs.client_pair(run, cfg, name, tuple(values.items("org")), ca, max(period // SECOND, 1))
        found = kubeconfigs.with_certificate(cfg.server, cluster, name, ca.cert, pair)
    run.say(kubeconfigs.dump(found))


COMMAND = Command(
    "kubeconfig",
    short="Kubeconfig file utilities",
    long="Kubeconfig file utilities.",
    commands=(
        Command(
            "user",
            short="Output a kubeconfig file for an additional user",
            long="Output a kubeconfig file for an additional user.",
            example="  # Output a kubeconfig file for an additional user named foo\n  kubeadm kubeconfig user --client-name=foo\n  \n"
            "  # Output a kubeconfig file for an additional user named foo using a kubeadm config file bar\n"
            "  kubeadm kubeconfig user --client-name=foo --config=bar",
            flags=options.KUBECONFIG_USER,
            args=no_args,
            run=_user,
        ),
    ),
)
