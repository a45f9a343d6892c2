"""Flags that many commands share (`genericclioptions/*_flags.go`, `kubectl/pkg/cmd/util/helpers.go`) and the global ones."""

from __future__ import annotations

from ..flags import Flag, quote
from .errors import CommandError
from .printers import OF_GET, PLAIN
from .session import Session

#: The flags that every command has.
GLOBAL: tuple[Flag, ...] = (
    Flag(name="as", usage="Act as this user or service account."),
    Flag(name="as-group", kind="array", usage="Act as a member of this group; may be repeated."),
    Flag(name="as-uid", usage="Act with this UID."),
    Flag(name="as-user-extra", kind="array", usage="Act with this extra value, key=value; may be repeated."),
    Flag(name="cache-dir", default="/root/.kube/cache", usage="Directory of the discovery cache"),
    Flag(name="certificate-authority", usage="File with the certificate of the authority that signed the server's"),
    Flag(name="client-certificate", usage="File with the client certificate"),
    Flag(name="client-key", usage="File with the client key"),
    Flag(name="cluster", usage="Name of the kubeconfig cluster"),
    Flag(name="context", usage="Name of the kubeconfig context"),
    Flag(name="disable-compression", support="inert", kind="bool", usage="Ask for responses that are not compressed"),
    Flag(
        name="insecure-skip-tls-verify", kind="bool", usage="Do not verify the server's certificate; the connection is insecure"
    ),
    Flag(name="kubeconfig", usage="The kubeconfig file"),
    Flag(name="kuberc", usage="The kuberc file with preferences"),
    Flag(
        name="log-flush-frequency",
        support="inert",
        kind="duration",
        default=5 * 10**9,
        usage="Longest time between two flushes of the log",
    ),
    Flag(name="match-server-version", support="inert", kind="bool", usage="Refuse a server of another version"),
    Flag(name="namespace", short="n", usage="Namespace of this request"),
    Flag(name="password", usage="Password of basic authentication"),
    Flag(
        name="profile",
        support="no",
        default="none",
        usage="Profile to record: none|cpu|heap|goroutine|threadcreate|block|mutex|trace",
    ),
    Flag(name="profile-output", support="no", default="profile.pprof", usage="File of the recorded profile"),
    Flag(name="request-timeout", default="0", usage="Longest wait for one request (1s, 2m, 3h); zero waits for ever."),
    Flag(name="server", short="s", usage="Address and port of the API server"),
    Flag(name="tls-server-name", usage="Name that the server's certificate is verified for, instead of its host name"),
    Flag(name="token", usage="Bearer token"),
    Flag(name="user", usage="Name of the kubeconfig user"),
    Flag(name="username", usage="User name of basic authentication"),
    Flag(name="v", short="v", kind="level", usage="Verbosity of the log"),
    Flag(name="vmodule", support="no", type_name="moduleSpec", usage="Verbosity by source file: pattern=N,..."),
    Flag(name="warnings-as-errors", kind="bool", usage="Fail when the server sent a warning"),
)


def own(*names: str) -> tuple[Flag, ...]:
    """Global flags that a command declares itself, so that its help has them (`config set-context --user`)."""
    return tuple(
        Flag(name=flag.name, kind=flag.kind, usage=flag.usage, short=flag.short if flag.name == "namespace" else "")
        for flag in GLOBAL
        if flag.name in names
    )


def unsupported(kind: str, **usages: str) -> tuple[Flag, ...]:
    """Flags of the real tool that are refused here; `_` in a name stands for `-`."""
    return tuple(Flag(name=name.replace("_", "-"), kind=kind, usage=usage, support="no") for name, usage in usages.items())


def print_flags(*, of_get: bool = False, default: str = "") -> tuple[Flag, ...]:
    """`-o`, `--template`, `--show-managed-fields`, `--allow-missing-template-keys`."""
    formats = PLAIN + (OF_GET if of_get else ())
    return (
        Flag(name="output", short="o", default=default, usage=f"Output format. One of: ({', '.join(formats)})."),
        Flag(name="template", usage="The template, or its file, of -o=go-template and -o=go-template-file."),
        Flag(name="show-managed-fields", kind="bool", usage="Keep managedFields in JSON and YAML output."),
        Flag(
            name="allow-missing-template-keys",
            kind="bool",
            default=True,
            usage="Templates give nothing for a missing key, instead of an error.",
        ),
    )


def filename_flag(usage: str) -> Flag:
    """`-f` alone."""
    return Flag(name="filename", short="f", kind="strings", usage=usage)


def recursive_flag(*, default: bool = False) -> Flag:
    """`-R`."""
    return Flag(name="recursive", short="R", kind="bool", default=default, usage="Look into the subdirectories of -f too.")


def file_flags(usage: str) -> tuple[Flag, ...]:
    """`-f`, `-k`, `-R`."""
    kustomize = Flag(name="kustomize", short="k", usage="A kustomization directory; not together with -f or -R.")
    return filename_flag(usage), kustomize, recursive_flag()


def detach_flag() -> Flag:
    """`--detach-keys`."""
    return Flag(name="detach-keys", support="inert", default="ctrl-p,ctrl-q", usage="Keys that detach from the container")


def selector_flag() -> Flag:
    """`-l`."""
    return Flag(
        name="selector",
        short="l",
        usage="Label query: '=', '==', '!=', 'in', 'notin' (e.g. -l key1=value1,key2=value2,key3 in (value3)).",
    )


def field_selector_flag() -> Flag:
    """`--field-selector`."""
    return Flag(
        name="field-selector",
        usage="Field query: '=', '==', '!=' (e.g. status.phase=Running). The server knows few fields of each kind.",
    )


def all_namespaces_flag() -> Flag:
    """`-A`."""
    return Flag(
        name="all-namespaces", short="A", kind="bool", usage="In all namespaces, whatever --namespace and the context say."
    )


def dry_run_flag() -> Flag:
    """`--dry-run`."""
    usage = 'Must be "none", "server", or "client": print what would be sent, or send it without storing it.'
    return Flag(name="dry-run", default="none", no_opt="unchanged", usage=usage)


def field_manager_flag(default: str) -> Flag:
    """`--field-manager`."""
    return Flag(
        name="field-manager", default=default, usage="Name under which the server tracks the fields that this command sets."
    )


def validate_flag() -> Flag:
    """`--validate`."""
    usage = "One of strict (or true), warn, ignore (or false): what the server does about unknown and duplicate fields."
    return Flag(name="validate", default="strict", no_opt="strict", usage=usage)


def save_config_flag() -> Flag:
    """`--save-config`."""
    return Flag(
        name="save-config",
        kind="bool",
        usage="Store the object in its own annotation, so that kubectl apply can be used on it later.",
    )


def chunk_flag() -> Flag:
    """`--chunk-size`."""
    return Flag(name="chunk-size", kind="int64", default=500, usage="Objects in one response of a long list; 0 for all at once.")


def record_flag() -> Flag:
    """`--record`, deprecated."""
    usage = "Write this command into the annotation kubernetes.io/change-cause."
    return Flag(name="record", kind="bool", deprecated="--record will be removed in the future", usage=usage)


# -- reading them ---------------------------------------------------------------------------------------------------------------


def dry_run(session: Session) -> str:
    """`none`, `client` or `server`."""
    text = session.values.text("dry-run")
    if text == "unchanged":
        session.klog("W", "helpers.go:720", "--dry-run is deprecated and can be replaced with --dry-run=client.")
        return "client"
    if text in ("true", "false"):
        session.klog("W", "helpers.go:733", f"--dry-run={text} is deprecated (boolean value) and can be replaced with --dry-run="
                     + ("client." if text == "true" else "none."))  # fmt: skip
        return "client" if text == "true" else "none"
    if text not in ("none", "client", "server"):
        raise CommandError(f'Invalid dry-run value ({text}). Must be "none", "server", or "client".')
    return text


def dry_run_suffix(strategy: str) -> str:
    """What success messages add."""
    return {"client": " (dry run)", "server": " (server dry run)"}.get(strategy, "")


def validation(session: Session) -> str:
    """`Strict`, `Warn` or `Ignore` for `fieldValidation`."""
    text = session.values.text("validate")
    found = {"true": "Strict", "strict": "Strict", "warn": "Warn", "false": "Ignore", "ignore": "Ignore"}.get(text)
    if found is None:
        raise CommandError(f"invalid - validate option {quote(text)}; must be one of: strict (or true), warn, ignore (or false)")
    return found


def file_arguments(session: Session) -> dict[str, object]:
    """The builder's arguments from `-f`, `-k`, `-R`."""
    values = session.values
    return {
        "filenames": values.items("filename"),
        "kustomize": values.text("kustomize") if values.has("kustomize") else "",
        "recursive": values.has("recursive") and values.on("recursive"),
    }


def require_files(session: Session) -> None:
    """`must specify one of -f and -k`."""
    if not session.values.items("filename") and not session.values.text("kustomize"):
        raise CommandError("must specify one of -f and -k")
