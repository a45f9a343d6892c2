"""Programs beside kubectl: `kustomize` alone, `kubectx` and `kubens` (ahmetb/kubectx's scripts).

kustomize: `build`, `create`, `edit add|set|remove`, `version` (`kustomize/commands`); what is built is `kubectl kustomize`'s.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable
from typing import Any

from ..host.invocation import Call
from ..kernel.clock import to_datetime
from ..kernel.errors import NotSimulated
from ..kernel.versions import KUSTOMIZE
from ..shell.coreutils.common import Code
from . import goyaml
from .flags import FlagSet, Values
from .kubectl.commands import kustomize as kubectl_kustomize
from .kubectl.errors import CommandError
from .kubectl.kustomize.target import FILES
from .kubectl.session import Session

Obj = dict[str, Any]

#: The order of fields that kustomize writes (`kustfile.determineFieldOrder`).
ORDER = (
    "apiVersion", "kind", "metadata", "resources", "bases", "namePrefix", "nameSuffix", "namespace", "crds", "commonLabels", "labels",
    "commonAnnotations", "patchesStrategicMerge", "patchesJson6902", "patches", "configMapGenerator", "secretGenerator", "helmCharts",
    "helmGlobals", "generatorOptions", "vars", "images", "replacements", "replicas", "configurations", "generators", "transformers",
    "validators", "components", "openapi", "buildMetadata", "sortOptions",
)  # fmt: skip
USAGE = """
Manages declarative configuration of Kubernetes.
See https://sigs.k8s.io/kustomize

Usage:
  kustomize [command]

Available Commands:
  build       Build a kustomization target from a directory or URL
  completion  Generate shell completion script
  create      Create a new kustomization in the current directory
  edit        Edits a kustomization file
  help        Help about any command
  version     Prints the kustomize version

Use "kustomize [command] --help" for more information about a command.
"""


class Refused(Exception):
    """A command line that kustomize refuses."""


def kustomize(call: Call) -> int:
    """`kustomize build|create|edit|version`."""
    words = call.argv[1:]
    verbs: dict[str, Callable[[Call, list[str]], None]] = {"build": _build, "create": _create, "edit": _edit}
    if not words or words[0] in ("help", "-h", "--help"):
        call.out(USAGE)
        return 0
    if words[0] == "version":
        call.out(f"{KUSTOMIZE}\n")
        return 0
    if words[0] not in verbs:
        if words[0] in ("cfg", "fn", "localize", "completion"):
            raise NotSimulated(f"kustomize {words[0]}")
        call.err(f'Error: unknown command "{words[0]}" for "kustomize"\nRun \'kustomize --help\' for usage.\n')
        return 1
    try:
        verbs[words[0]](call, words[1:])
    except (Refused, CommandError) as error:
        call.err(f"Error: {str(error).removeprefix('error: ')}\n")
        return 1
    return 0


def _options(words: list[str], known: str) -> tuple[dict[str, str], list[str]]:
    """Options (long names; those with `=` take a value) and operands; raises Refused."""
    takes = {word.rstrip("="): word.endswith("=") for word in known.split()}
    options: dict[str, str] = {}
    rest: list[str] = []
    left = list(words)
    while left:
        word = left.pop(0)
        name, equals, value = word.lstrip("-").partition("=")
        name = {"o": "output", "f": "force", "h": "help", "a": "add"}.get(name, name)
        if not word.startswith("-") or word == "-":
            rest.append(word)
        elif name not in takes:
            raise Refused(f"unknown flag: {word.partition('=')[0]}")
        elif takes[name] and not equals and not left:
            raise Refused(f"flag needs an argument: --{name}")
        else:
            value = value if equals else left.pop(0) if takes[name] else "true"
            options[name] = f"{options[name]},{value}" if takes[name] and name in options else value
    return options, rest


def _build(call: Call, words: list[str]) -> None:
    options, rest = _options(
        words,
        "output= load-restrictor= enable-helm enable-alpha-plugins enable-exec reorder= network mount= env= helm-command= as-current-user",
    )
    for name in ("enable-helm", "enable-alpha-plugins", "enable-exec", "network", "mount"):
        if name in options:
            raise NotSimulated(f"kustomize build --{name}")
    values = Values(FlagSet(kubectl_kustomize.COMMAND.flags))
    values.args = rest
    for name in ("output", "load-restrictor"):
        if name in options:
            values.put(kubectl_kustomize.COMMAND.flags.by_name[name], options[name])
    kubectl_kustomize.run(Session(call, kubectl_kustomize.COMMAND, values))


# -- the file -------------------------------------------------------------------------------------------------------------
def _path(call: Call) -> str:
    """The kustomization file of the working directory; raises Refused."""
    found = [name for name in FILES if call.exists(call.path(name))]
    if not found:
        raise Refused("Missing kustomization file 'kustomization.yaml'.\n")
    if len(found) > 1:
        raise Refused(f"Found multiple kustomization files: {', '.join(found)}\n")
    return call.path(found[0])


def _load(call: Call) -> tuple[str, Obj]:
    path = _path(call)
    found = goyaml.load(call.read_file(path).decode("utf-8", "replace"))
    return path, found if isinstance(found, dict) else {}


def _save(call: Call, path: str, content: Obj) -> None:
    content = {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization"} | content
    kept = {key: content[key] for key in ORDER if content.get(key) not in (None, [], {}, "")}
    kept |= {key: value for key, value in content.items() if key not in kept and value not in (None, [], {}, "")}
    call.write_file(path, "".join(goyaml.dump({key: value}) for key, value in kept.items()).encode())


def _create(call: Call, words: list[str]) -> None:
    options, _ = _options(words, "resources= namespace= nameprefix= namesuffix= autodetect recursive labels= annotations=")
    if any(call.exists(call.path(name)) for name in FILES):
        raise Refused("kustomization file already exists")
    resources = [part for part in options.get("resources", "").split(",") if part]
    if "autodetect" in options:
        if "recursive" in options:
            raise NotSimulated("kustomize create --recursive")
        for name in sorted(call.tree.listdir(call.cwd)):
            path = call.path(name)
            manifest = name.endswith((".yaml", ".yml")) and not call.isdir(path) and b"apiVersion:" in call.read_file(path)
            if manifest or (call.isdir(path) and any(call.exists(f"{path}/{one}") for one in FILES)):
                resources.append(name)
    for name in resources:
        if not call.exists(call.path(name)) and "://" not in name:
            raise Refused(f"{name} has no match")
    content: Obj = {"resources": list(dict.fromkeys(resources))}
    for flag, field in (("namespace", "namespace"), ("nameprefix", "namePrefix"), ("namesuffix", "nameSuffix")):
        content[field] = options.get(flag, "")
    content["commonLabels"] = _pairs(options.get("labels", ""))
    content["commonAnnotations"] = _pairs(options.get("annotations", ""))
    _save(call, call.path(FILES[0]), content)


def _pairs(text: str) -> dict[str, str]:
    """`a:b,c:d` as a mapping."""
    out: dict[str, str] = {}
    for part in filter(None, text.split(",")):
        key, colon, value = part.partition(":")
        if not colon or not key:
            raise Refused(f"invalid label: {part}, valid format is key:value" if not colon else f"missing key for pair '{part}'")
        out[key] = value
    return out


def _log(call: Call, text: str) -> None:
    """A line of Go's log package."""
    call.err(f"{to_datetime(call.world.wall):%Y/%m/%d %H:%M:%S} {text}\n")


def _edit(call: Call, words: list[str]) -> None:
    verb, what = [*words, "", ""][:2]
    rest = words[2:]
    table = {
        ("add", "resource"): _add_files("resources", "resource"), ("add", "component"): _add_files("components", "component"),
        ("add", "base"): _add_files("resources", "base"), ("add", "transformer"): _add_files("transformers", "transformer"),
        ("add", "configmap"): _add_generator("configMapGenerator"), ("add", "secret"): _add_generator("secretGenerator"),
        ("add", "label"): _add_pairs("commonLabels"), ("add", "annotation"): _add_pairs("commonAnnotations"), ("add", "patch"): _add_patch,
        ("set", "image"): _set_image, ("set", "namespace"): _set_text("namespace"), ("set", "nameprefix"): _set_text("namePrefix"),
        ("set", "namesuffix"): _set_text("nameSuffix"), ("set", "replicas"): _set_replicas, ("set", "label"): _add_pairs("commonLabels", True),
        ("set", "annotation"): _add_pairs("commonAnnotations", True), ("remove", "resource"): _remove_files,
    }  # fmt: skip
    action = table.get((verb, what))
    if action is None:
        raise NotSimulated(" ".join(["kustomize edit", verb, what]).strip())
    path, content = _load(call)
    action(call, content, rest)
    _save(call, path, content)


def _add_files(field: str, word: str) -> Callable[[Call, Obj, list[str]], None]:
    def add(call: Call, content: Obj, words: list[str]) -> None:
        if not words:
            raise Refused(f"must specify a {word} file")
        held = content.setdefault(field, [])
        names = [part for one in words for part in (one.split(",") if word == "base" else [one])]
        for name in names:
            if not call.exists(call.path(name)) and "://" not in name and "github.com" not in name:
                raise Refused(f"{call.path(name)} has no match")
            if name in held:
                _log(call, f"{word} {name} already in kustomization file")
            else:
                held.append(name)

    return add


def _remove_files(call: Call, content: Obj, words: list[str]) -> None:
    if not words:
        raise Refused("must specify a resource file")
    held = content.get("resources") or []
    for name in words:
        if name not in held:
            _log(call, f"pattern {name} doesn't match any files")
    content["resources"] = [one for one in held if one not in words]


def _add_generator(field: str) -> Callable[[Call, Obj, list[str]], None]:
    def add(call: Call, content: Obj, words: list[str]) -> None:
        options, rest = _options(
            words, "from-literal= from-file= from-env-file= type= namespace= behavior= disableNameSuffixHash"
        )
        if len(rest) != 1:
            raise Refused("name must be specified once")
        held = content.setdefault(field, [])
        one = next((item for item in held if item.get("name") == rest[0]), None)
        if one is None:
            one = {"name": rest[0]}
            held.append(one)
        for flag, key in (("from-literal", "literals"), ("from-file", "files")):
            if flag in options:
                one.setdefault(key, []).extend(options[flag].split(","))
        if "from-env-file" in options:
            one.setdefault("envs", []).append(options["from-env-file"])
        for flag in ("type", "namespace", "behavior"):
            if flag in options:
                one[flag] = options[flag]
        if "disableNameSuffixHash" in options:
            one["options"] = {"disableNameSuffixHash": True}

    return add


def _add_pairs(field: str, instead: bool = False) -> Callable[[Call, Obj, list[str]], None]:
    def add(call: Call, content: Obj, words: list[str]) -> None:
        options, rest = _options(words, "force without-selector include-templates")
        if not rest:
            raise Refused(f"must specify {'label' if 'abel' in field else 'annotation'}")
        given = _pairs(",".join(rest))
        if "without-selector" in options:
            entry: Obj = {"pairs": given}
            if "include-templates" in options:
                entry = {"includeTemplates": True, "pairs": given}
            content.setdefault("labels", []).append(entry)
            return
        held = content.setdefault(field, {})
        for key, value in given.items():
            if key in held and not instead and "force" not in options:
                raise Refused(f"{'label' if 'abel' in field else 'annotation'} {key} already in kustomization file")
            held[key] = value

    return add


def _add_patch(call: Call, content: Obj, words: list[str]) -> None:
    options, rest = _options(words, "path= patch= group= version= kind= name= namespace= annotation-selector= label-selector=")
    if rest:
        options.setdefault("path", rest[0])
    if "path" not in options and "patch" not in options:
        raise Refused("must provide either patch or path")
    if "path" in options and not call.exists(call.path(options["path"])):
        raise Refused(f"{call.path(options['path'])} has no match")
    one: Obj = {key: options[key] for key in ("path", "patch") if key in options}
    names = {"annotation-selector": "annotationSelector", "label-selector": "labelSelector"}
    target = {
        names.get(key, key): options[key] for key in ("group", "version", "kind", "name", "namespace", *names) if key in options
    }
    if target:
        one["target"] = target
    content.setdefault("patches", []).append(one)


def _set_text(field: str) -> Callable[[Call, Obj, list[str]], None]:
    def put(call: Call, content: Obj, words: list[str]) -> None:
        if words[:1] == ["--"]:
            words = words[1:]
        if len(words) != 1:
            raise Refused(f"must specify exactly one {field} value")
        content[field] = words[0]

    return put


def _set_image(call: Call, content: Obj, words: list[str]) -> None:
    if not words:
        raise Refused("no image specified")
    held = content.setdefault("images", [])
    for word in words:
        name, equals, new = word.partition("=")
        if not equals:
            name, new = _reference(word)[0], word
        base, tag, digest = _reference(new)
        if equals and not tag and not digest and base == "*":
            raise Refused("invalid format of image")
        one = next((item for item in held if item.get("name") == name), None)
        if one is None:
            one = {"name": name}
            held.append(one)
        if equals and base not in ("*", name):
            one["newName"] = base
        for key in ("newTag", "digest"):
            one.pop(key, None)
        if tag:
            one["newTag"] = tag
        if digest:
            one["digest"] = digest
        ordered = {key: one[key] for key in ("digest", "name", "newName", "newTag", "tagSuffix") if key in one}
        one.clear()
        one.update(ordered)
    held.sort(key=lambda item: str(item.get("name")))


def _reference(text: str) -> tuple[str, str, str]:
    """Name, tag and digest of an image."""
    name, _, digest = text.partition("@")
    head, slash, last = name.rpartition("/")
    last, _, tag = last.partition(":")
    return f"{head}{slash}{last}", tag, digest


def _set_replicas(call: Call, content: Obj, words: list[str]) -> None:
    held = content.setdefault("replicas", [])
    for word in words:
        name, equals, count = word.partition("=")
        if not equals or not count.isdigit():
            raise Refused('expected format <name>=<replicas>\nError: invalid format of replicas: "' + word + '"')
        one = next((item for item in held if item.get("name") == name), None)
        if one is None:
            held.append({"count": int(count), "name": name})
        else:
            one["count"] = int(count)


# -- kubectx, kubens ------------------------------------------------------------------------------------------------------
def _marked(call: Call, names: list[str], current: str) -> None:
    """Names, the current one in colours on a terminal."""
    for name in names:
        call.out(f"\x1b[40m\x1b[33m{name}\x1b(B\x1b[m\n" if name == current and call.stdout_tty else f"{name}\n")


def _state(call: Call, name: str, text: str | None = None) -> str:
    """The name that was left before; `text` is kept as the new one."""
    path = posixpath.join(call.env.get("HOME", "/root"), ".kube", name)
    held = call.read_file(path).decode().strip() if call.exists(path) else ""
    if text is not None:
        call.tree.mkdir(posixpath.dirname(path), True, now=call.world.wall)
        call.write_file(path, text.encode())
    return held


def kubectx(call: Call) -> Code:
    """`kubectx [NAME|-|-c|-u|NEW=OLD|-d NAME…]`: contexts of the kubeconfig."""
    words = call.argv[1:]
    _, out, _ = yield from call.capture(["kubectl", "config", "current-context"])
    current = out.decode().strip()
    if not words:
        code, out, err = yield from call.capture(["kubectl", "config", "get-contexts", "-o=name"])
        call.err(err)
        _marked(call, sorted(out.decode().split()), current)
        return code
    if words[0] in ("-h", "--help"):
        call.out(
            "USAGE:\n  kubectx                       : list the contexts\n  kubectx <NAME>                : switch to context <NAME>\n  kubectx -                     : switch to the previous context\n  kubectx -c, --current         : show the current context name\n  kubectx <NEW_NAME>=<NAME>     : rename context <NAME> to <NEW_NAME>\n  kubectx -u, --unset           : unset the current context\n  kubectx -d <NAME>             : delete context <NAME>\n"
        )
        return 0
    if words[0] in ("-c", "--current"):
        if not current:
            call.err("error: current-context is not set\n")
            return 1
        call.out(f"{current}\n")
        return 0
    if words[0] in ("-u", "--unset"):
        return (yield from call.run(["kubectl", "config", "unset", "current-context"]))
    if words[0] == "-d":
        for name in words[1:]:
            code = yield from call.run(["kubectl", "config", "delete-context", current if name == "." else name])
            if code:
                return code
        return 0
    if "=" in words[0]:
        new, _, old = words[0].partition("=")
        return (yield from call.run(["kubectl", "config", "rename-context", current if old == "." else old, new]))
    name = words[0]
    if name == "-":
        name = _state(call, "kubectx")
        if not name:
            call.err("error: No previous context found.\n")
            return 1
    code = yield from call.run(["kubectl", "config", "use-context", name])
    if code == 0 and name != current:
        _state(call, "kubectx", current)
    return code


def kubens(call: Call) -> Code:
    """`kubens [NAME|-|-c]`: the namespace of the current context."""
    words = call.argv[1:]
    _, out, _ = yield from call.capture(["kubectl", "config", "view", "--minify", "-o", "jsonpath={..namespace}"])
    current = out.decode().strip() or "default"
    if words[:1] in (["-h"], ["--help"]):
        call.out(
            "USAGE:\n  kubens                    : list the namespaces in the current context\n  kubens <NAME>             : change the active namespace of current context\n  kubens -                  : switch to the previous namespace in this context\n  kubens -c, --current      : show the current namespace\n"
        )
        return 0
    if words[:1] in (["-c"], ["--current"]):
        call.out(f"{current}\n")
        return 0
    code, out, err = yield from call.capture(
        ["kubectl", "get", "namespaces", '-o=jsonpath={range .items[*].metadata.name}{@}{"\\n"}{end}']
    )
    if code:
        call.err(err)
        return code
    names = out.decode().split()
    if not words:
        _marked(call, names, current)
        return 0
    _, out, _ = yield from call.capture(["kubectl", "config", "current-context"])
    place = "kubens/" + out.decode().strip().replace("/", "-")
    name = words[0]
    if name == "-":
        name = _state(call, place)
        if not name:
            call.err("error: No previous namespace found for current context.\n")
            return 1
    if name not in names:
        call.err(f'error: no namespace exists with name "{name}".\n')
        return 1
    code = yield from call.run(["kubectl", "config", "set-context", "--current", f"--namespace={name}"])
    if code:
        return code
    if name != current:
        _state(call, place, current)
    call.out(f'Active namespace is "{name}".\n')
    return 0
