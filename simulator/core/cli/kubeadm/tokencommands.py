"""`kubeadm token` (cmd/token.go)."""

from __future__ import annotations

import re
from typing import Any

from ...kernel import clock
from ...kernel.errors import ConnectError
from ...kube.api.errors import ApiError
from ...kube.client import KubeClient
from ..cobra import Command, no_args
from ..flag_kinds import format_duration
from ..tabwriter import align
from . import config, kubeconfigs, options, tokens, validation
from .documents import TOKEN, TOKEN_PATTERN
from .dryclient import DryClient
from .printing import Printer
from .run import ADMIN_CONF, Failure, Run, Steps, reason
from .workflow import NEEDS_SUBCOMMAND

Json = dict[str, Any]
ID_PATTERN = "\\\\A([a-z0-9]{6})\\\\z"


def kubeconfig_path(run: Run) -> str:
    """The kubeconfig to use: the flag, $KUBECONFIG, ~/.kube/config, then admin.conf (`GetKubeConfigPath`)."""
    if "kubeconfig" in run.values.changed and run.values.text("kubeconfig"):
        return run.values.text("kubeconfig")
    given = [path for path in run.inv.env.get("KUBECONFIG", "").split(":") if path]
    for path in given:
        if run.exists(path):
            return path
    if given:
        return given[-1]
    home = f"{run.inv.env.get('HOME', '/root')}/.kube/config"
    for path in (home, ADMIN_CONF):
        if run.exists(path):
            return path
    return home if not run.exists(ADMIN_CONF) else ADMIN_CONF


def _client(run: Run, path: str) -> KubeClient:
    if not run.values.on("dry-run"):
        return run.admin_client(path)
    try:
        return DryClient(run, run.admin_client(path).server)
    except Failure as failed:
        raise Failure(str(failed).replace("failed to load admin kubeconfig", "failed to load kubeconfig", 1)) from None


def _create(run: Run) -> Steps:
    values = run.values
    validation.mixed_arguments(run)
    token: Json = {
        "description": values.text("description"),
        "ttl": format_duration(values.number("ttl")),
        "usages": values.items("usages"),
        "groups": values.items("groups"),
    }
    if run.args:
        if TOKEN.fullmatch(run.args[0]) is None:
            raise Failure(f'the bootstrap token "{run.args[0]}" was not of the form "{TOKEN_PATTERN}"')
        token["token"] = run.args[0]
    path = kubeconfig_path(run)
    client = _client(run, path)
    if values.text("config"):
        cfg = config.load_init(run, values.text("config"), detect=False)
    else:
        cfg = config.from_flags(run, {"bootstrapTokens": [token]}, {"kubernetesVersion": run.version}, detect=False)
    made = cfg.init["bootstrapTokens"]
    yield from tokens.create(run, client, made, fail_if_exists=True)
    key, text = values.text("certificate-key"), str(made[0]["token"])
    if not values.on("print-join-command"):
        if key:
            raise Failure("cannot use --certificate-key without --print-join-command")
        run.say(text)
        return
    try:
        command = kubeconfigs.join_command(run, path, text, key, control_plane=bool(key))
    except Failure as failed:
        raise Failure(f"failed to get join command: {failed}") from None
    run.say(command.replace("\\\n", "").replace("\t", ""))


def _generate(run: Run) -> None:
    run.say(config.new_token(run))


def short_duration(nanoseconds: int) -> str:
    """`duration.ShortHumanDuration`."""
    seconds = nanoseconds // clock.SECOND
    if seconds < -1:
        return "<invalid>"
    if seconds < 0:
        return "0s"
    if seconds < 60:
        return f"{seconds}s"
    if seconds < 3600:
        return f"{seconds // 60}m"
    if seconds < 24 * 3600:
        return f"{seconds // 3600}h"
    days = seconds // 86400
    return f"{days}d" if days < 365 else f"{days // 365}y"


def _row(run: Run, token: Json) -> str:
    ttl, expires = "<forever>", "<never>"
    if token["expires"]:
        ttl = short_duration(clock.parse_rfc3339(token["expires"]) - run.world.wall)
        expires = token["expires"]
    usages = ",".join(token["usages"]) or "<none>"
    description, groups = token["description"] or "<none>", ",".join(token["groups"]) or "<none>"
    return f"{token['token']}\t{ttl:<9}\t{expires}\t{usages:<22}\t{description:<56}\t{groups}\n"


def _list(run: Run) -> Steps:
    client = run.admin_client(kubeconfig_path(run))
    head = "TOKEN\tTTL\tEXPIRES\tUSAGES\tDESCRIPTION\tEXTRA GROUPS\n"
    shown = False

    def text(token: Json) -> str:
        nonlocal shown
        rows = ("" if shown else head) + _row(run, token)
        shown = True
        return align(rows, minwidth=10, padding=3)

    printer = Printer(run, text)
    yield from run.pause(5, 30)
    try:
        found = client.list("secrets", tokens.NAMESPACE, field_selector=f"type={tokens.TYPE}").items
    except (ApiError, ConnectError) as error:
        raise Failure(f"failed to list bootstrap tokens: {reason(error, client)}") from None
    for secret in found:
        try:
            token = tokens.from_secret(secret)
        except Failure as failed:
            run.inv.err(str(failed))
            continue
        printer.show("BootstrapToken", token if printer.plain else {key: value for key, value in token.items() if value})


def _delete(run: Run) -> Steps:
    if not run.args:
        raise Failure(f'missing argument; \'token delete\' is missing token of form "{TOKEN_PATTERN}" or "{ID_PATTERN}"')
    client = _client(run, kubeconfig_path(run))
    for text in run.args:
        token_id = text
        if not re.fullmatch("[a-z0-9]{6}", text):
            match = TOKEN.fullmatch(text)
            if match is None:
                raise Failure(f'given token didn\'t match pattern "{TOKEN_PATTERN}" or "{ID_PATTERN}"')
            token_id = match[1]
        yield from run.pause(5, 30)
        try:
            client.delete("secrets", tokens.NAMESPACE, tokens.secret_name(token_id))
        except (ApiError, ConnectError) as error:
            raise Failure(f'failed to delete bootstrap token "{token_id}": {reason(error, client)}') from None
        run.say(f'bootstrap token "{token_id}" deleted')


COMMAND = Command(
    "token",
    short="Manage bootstrap tokens",
    long="""
This command manages bootstrap tokens. It is optional and needed only for advanced use cases.

In short, bootstrap tokens are used for establishing bidirectional trust between a client and a server.
A bootstrap token can be used when a client (for example a node that is about to join the cluster) needs
to trust the server it is talking to. Then a bootstrap token with the "signing" usage can be used.
bootstrap tokens can also function as a way to allow short-lived authentication to the API Server
(the token serves as a way for the API Server to trust the client), for example for doing the TLS Bootstrap.

What is a bootstrap token more exactly?
 - It is a Secret in the kube-system namespace of type "bootstrap.kubernetes.io/token".
 - A bootstrap token must be of the form "[a-z0-9]{6}.[a-z0-9]{16}". The former part is the public token ID,
   while the latter is the Token Secret and it must be kept private at all circumstances!
 - The name of the Secret must be named "bootstrap-token-(token-id)".

You can read more about bootstrap tokens here:
  https://kubernetes.io/docs/admin/bootstrap-tokens/
""",
    persistent=(options.KUBECONFIG, options.like(options.DRY_RUN, usage="Whether to enable dry-run mode or not")),
    args=no_args,
    run=NEEDS_SUBCOMMAND,
    commands=(
        Command(
            "create [token]",
            short="Create bootstrap tokens on the server",
            long="""
This command will create a bootstrap token for you.
You can specify the usages for this token, the "time to live" and an optional human friendly description.

The [token] is the actual token to write.
This should be a securely generated random token of the form "[a-z0-9]{6}.[a-z0-9]{16}".
If no [token] is given, kubeadm will generate a random token instead.
""",
            flags=options.TOKEN_CREATE,
            flags_in_use_line=False,
            run=_create,
        ),
        Command(
            "delete [token-value] ...",
            short="Delete bootstrap tokens on the server",
            long="""
This command will delete a list of bootstrap tokens for you.

The [token-value] is the full Token of the form "[a-z0-9]{6}.[a-z0-9]{16}" or the
Token ID of the form "[a-z0-9]{6}" to delete.
""",
            flags_in_use_line=False,
            run=_delete,
        ),
        Command(
            "generate",
            short="Generate and print a bootstrap token, but do not create it on the server",
            long="""
This command will print out a randomly-generated bootstrap token that can be used with
the "init" and "join" commands.

You don't have to use this command in order to generate a token. You can do so
yourself as long as it is in the format "[a-z0-9]{6}.[a-z0-9]{16}". This
command is provided for convenience to generate tokens in the given format.

You can also use "kubeadm init" without specifying a token and it will
generate and print one for you.
""",
            args=no_args,
            run=_generate,
        ),
        Command(
            "list",
            short="List bootstrap tokens on the server",
            long="\nThis command will list all bootstrap tokens for you.\n",
            flags=options.OUTPUT,
            args=no_args,
            run=_list,
        ),
    ),
)
