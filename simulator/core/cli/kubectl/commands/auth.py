"""`kubectl auth …`, `certificate …` and `top` (`kubectl/pkg/cmd/auth`, `certificates`, `top`)."""

from __future__ import annotations

from typing import Any

from ....kernel import clock
from ....kube.api.errors import ApiError
from ...cobra import Command, Flag
from ..builder import Builder, Info
from ..describe.doc import list_text
from ..describe.policy import compact_rules, rule_name
from ..errors import CommandError, Silent, is_not_found, raise_all
from ..flagsets import (
    all_namespaces_flag,
    dry_run,
    dry_run_flag,
    dry_run_suffix,
    file_arguments,
    file_flags,
    print_flags,
    require_files,
)
from ..groups import group_run
from ..printers import Output
from ..session import Session
from ..table import columns

Obj = dict[str, Any]
AUTHZ = "/apis/authorization.k8s.io/v1"
VERBS = frozenset(
    "* get list watch create update patch delete deletecollection use bind impersonate escalate approve sign attest proxy put post head options".split()
)

#: What one may be allowed to do things with and no server lists (`nonStandardResourceNames`).
UNLISTED = ("users", "groups")


def run_can_i(s: Session) -> int:
    """`kubectl auth can-i`."""
    values = s.values
    quiet = values.on("quiet")
    if values.on("list"):
        if values.args:
            raise CommandError("list option must be specified with no arguments")
        return _list(s)
    if len(values.args) != 2:
        raise CommandError(
            "you must specify two arguments: verb resource or verb resource/resourceName.\nSee 'kubectl auth can-i -h' for help and examples."
        )
    verb, word = values.args[0], values.args[1]
    if word.startswith("/"):
        spec: Obj = {"nonResourceAttributes": {"path": word, "verb": verb}}
    else:
        spec = {"resourceAttributes": _attributes(s, verb, word)}
    review = {"kind": "SelfSubjectAccessReview", "apiVersion": "authorization.k8s.io/v1", "metadata": {}, "spec": spec}
    answer = s.call("POST", f"{AUTHZ}/selfsubjectaccessreviews", obj=review)
    status = answer.get("status") or {}
    allowed = bool(status.get("allowed"))
    if not quiet:
        text = "yes" if allowed else "no"
        text += f" - {status['reason']}" if status.get("reason") and not allowed else ""
        text += f" - {status['evaluationError']}" if status.get("evaluationError") else ""
        s.out(text + "\n")
    if not allowed:
        raise Silent(1)
    return 0


def _attributes(s: Session, verb: str, word: str) -> Obj:
    word, _, name = word.partition("/")
    sub = s.values.text("subresource")
    found = None
    if word != "*":
        try:
            s.discover()
        except Exception:
            s.warn_line(f"the server doesn't have a resource type '{word.split('.')[0]}'")
            raise
        found = s.mapper.find(word)
    if word == "*":
        plural, group = "*", "*"
    elif found is None:
        plural, _, group = word.partition(".")
        where = f" in group '{group}'" if group else ""
        if word not in UNLISTED:
            s.warn_line(f"the server doesn't have a resource type '{plural}'{where}")
    else:
        plural, group = found.kind.plural, found.kind.group
        if not found.kind.namespaced and not s.values.on("all-namespaces"):
            s.warn_line(f"resource '{plural}' is not namespace scoped" + (f" in group '{group}'" if group else ""))
    if verb not in VERBS:
        s.warn_line(f"verb '{verb}' is not a known verb")
    out: Obj = {"verb": verb, "group": group, "resource": plural}
    if found is None or found.kind.namespaced:
        out["namespace"] = "" if s.values.on("all-namespaces") else s.namespace
    if found is not None and not found.kind.namespaced:
        out.pop("namespace", None)
    if sub:
        out["subresource"] = sub
    if name:
        out["name"] = name
    return out


def _list(s: Session) -> int:
    review = {
        "kind": "SelfSubjectRulesReview",
        "apiVersion": "authorization.k8s.io/v1",
        "metadata": {},
        "spec": {"namespace": s.namespace},
    }
    status = s.call("POST", f"{AUTHZ}/selfsubjectrulesreviews", obj=review).get("status") or {}
    if status.get("incomplete"):
        s.err(f"warning: the list may be incomplete: {status.get('evaluationError', '')}\n")
    rows = [] if s.values.on("no-headers") else [["Resources", "Non-Resource URLs", "Resource Names", "Verbs"]]
    rules = [*(status.get("resourceRules") or ()), *(status.get("nonResourceRules") or ())]
    listed = [[rule_name(rule), *(list_text(rule[key]) for key in ("urls", "names", "verbs"))] for rule in compact_rules(rules)]
    s.out(columns(rows + listed))
    return 0


def run_whoami(s: Session) -> int:
    """`kubectl auth whoami`."""
    output = Output(s, typed=True)
    review = {"kind": "SelfSubjectReview", "apiVersion": "authentication.k8s.io/v1", "metadata": {}}
    answer = s.call("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", obj=review)
    if output.given:
        output.print(answer)
        return 0
    user = (answer.get("status") or {}).get("userInfo") or {}
    rows = [["ATTRIBUTE", "VALUE"], ["Username", user.get("username", "")]]
    if user.get("uid"):
        rows.append(["UID", user["uid"]])
    if user.get("groups"):
        rows.append(["Groups", list_text(user["groups"])])
    rows += [[f"Extra: {key}", list_text(value)] for key, value in sorted((user.get("extra") or {}).items())]
    s.out(columns(rows))
    return 0


def run_reconcile(s: Session) -> int:
    """`kubectl auth reconcile` (`component-helpers/auth/rbac/reconciliation`)."""
    require_files(s)
    if s.values.args:
        raise CommandError("no arguments are allowed")
    strategy, output = dry_run(s), Output(s)
    if strategy == "server":
        raise CommandError("--dry-run=server for command reconcile is not supported yet")
    builder = Builder(s, **file_arguments(s), fetch=False, local=True)
    infos, errors = builder.infos(), list(builder.errors)
    for info in infos:
        if info.mapping.kind.group != "rbac.authorization.k8s.io":
            continue
        try:
            _reconcile(s, info, strategy, output)
        except (ApiError, CommandError) as error:
            errors.append(error)
    raise_all(errors)
    return 0


def _reconcile(s: Session, info: Info, strategy: str, output: Output) -> None:
    """Bring one object to what the file has; say what was missing or too much."""
    wanted, bindings = info.obj or {}, info.mapping.kind.kind.endswith("Binding")
    section = "subjects" if bindings else "rules"
    remove = s.values.on("remove-extra-subjects" if bindings else "remove-extra-permissions")
    suffix, confirmed = "reconciled" + dry_run_suffix(strategy), strategy == "none"
    asked = list(wanted.get(section) or ())
    try:
        live = s.call("GET", info.path())
    except ApiError as error:
        if not is_not_found(error):
            raise
        if confirmed:
            if info.mapping.kind.namespaced and not (wanted.get("metadata") or {}).get("namespace"):
                raise CommandError(
                    "resource name may not be empty"
                ) from None  # of the namespace, which is looked for by the manifest's
            s.call("POST", info.mapping.path(info.namespace), obj=wanted)
        output.done(wanted, suffix)
        s.err("\treconciliation required create\n")
        _told(s, section, asked, [], remove)
        return
    held = list(live.get(section) or ())
    missing = [item for item in _parts(asked, section) if not _covers(held, item, section)]
    extra = [item for item in _parts(held, section) if not _covers(asked, item, section)]
    if wanted.get("aggregationRule") and live.get("aggregationRule"):
        extra = []  # the controller writes the rules of both
    metadata = _merged(live["metadata"], wanted.get("metadata") or {})
    recreate = bindings and live.get("roleRef") != wanted.get("roleRef")
    result = {**live, "metadata": metadata}
    if missing or (remove and extra):
        if section == "rules" and remove:
            result[section] = asked
        else:
            result[section] = [item for item in held if not remove or item not in extra] + missing
    protected = (live["metadata"].get("annotations") or {}).get(AUTOUPDATE) == "false"
    operation = "recreate" if recreate else "update" if result != live else ""
    caveat = f", but object opted out ({AUTOUPDATE}: false)" if protected and operation else ""
    if operation and confirmed and not protected:
        if recreate:
            s.call(
                "DELETE",
                info.path(),
                obj={"kind": "DeleteOptions", "apiVersion": "v1", "preconditions": {"uid": live["metadata"]["uid"]}},
            )
            fresh = {key: value for key, value in metadata.items() if key in ("name", "namespace", "labels", "annotations")}
            result = s.call(
                "POST", info.mapping.path(info.namespace), obj={**result, "roleRef": wanted["roleRef"], "metadata": fresh}
            )
        else:
            result = s.call("PUT", info.path(), obj=result)
    output.done(result, suffix)
    if operation:
        s.err(f"\treconciliation required {operation}{caveat}\n")
        _told(s, section, missing, extra, remove)


AUTOUPDATE = "rbac.authorization.kubernetes.io/autoupdate"


def _merged(live: Obj, wanted: Obj) -> Obj:
    """The live metadata with the labels and annotations of the file added."""
    out = dict(live)
    for key in ("labels", "annotations"):
        both = {**(live.get(key) or {}), **(wanted.get(key) or {})}
        if both:
            out[key] = both
    return out


def _told(s: Session, section: str, missing: list[Obj], extra: list[Obj], remove: bool) -> None:
    if missing:
        s.err(f"\tmissing {section} added:\n" + "".join(f"\t\t{_go(item, section)}\n" for item in missing))
    if remove and extra:
        s.err(f"\textra {section} removed:\n" + "".join(f"\t\t{_go(item, section)}\n" for item in extra))


def _parts(items: list[Obj], section: str) -> list[Obj]:
    """Rules of one verb on one thing each (`validation.BreakdownRule`); subjects as they are."""
    if section == "subjects":
        return items
    out: list[Obj] = []
    for rule in items:
        for group in rule.get("apiGroups") or ():
            for resource in rule.get("resources") or ():
                for verb in rule.get("verbs") or ():
                    one = {"verbs": [verb], "apiGroups": [group], "resources": [resource]}
                    out += [{**one, "resourceNames": [name]} for name in rule.get("resourceNames") or ()] or [one]
        urls = rule.get("nonResourceURLs") or ()
        out += [{"verbs": [verb], "nonResourceURLs": [url]} for url in urls for verb in rule.get("verbs") or ()]
    return out


def _covers(rules: list[Obj], rule: Obj, section: str) -> bool:
    """Whether every part of `rule` is in `rules`; of a subject, whether it is among the subjects."""
    if section == "subjects":
        keys = ("kind", "apiGroup", "name", "namespace")
        return any(all(rule.get(key, "") == held.get(key, "") for key in keys) for held in rules)
    return all(any(part["group"] in (held["group"], "*") and part["resource"] == held["resource"] and part["names"] == held["names"]
                   and part["urls"] == held["urls"] and set(part["verbs"]) <= set(held["verbs"]) for held in compact_rules(rules))
               for part in compact_rules([rule]))  # fmt: skip


def _go(item: Obj, section: str) -> str:
    keys = (("Verbs", "verbs"), ("APIGroups", "apiGroups"), ("Resources", "resources"), ("ResourceNames", "resourceNames"),
            ("NonResourceURLs", "nonResourceURLs")) if section == "rules" else (("Kind", "kind"), ("APIGroup", "apiGroup"), ("Name", "name"),
                                                                               ("Namespace", "namespace"))  # fmt: skip
    return (
        "{"
        + " ".join(f"{title}:{list_text(item.get(key)) if section == 'rules' else item.get(key, '')}" for title, key in keys)
        + "}"
    )


AUTH = Command(
    "auth [flags]",
    short="Inspect authorization",
    long="Inspect authorization.",
    commands=(
        Command("can-i VERB [TYPE | TYPE/NAME | NONRESOURCEURL]", short="Check whether an action is allowed", long="Check whether an action is allowed.\n\n "
                "VERB is a verb of the API such as get or delete; NONRESOURCEURL begins with '/'.",
                example="# May I create pods anywhere?\nkubectl auth can-i create pods --all-namespaces\n\n# What may I do here?\nkubectl auth can-i --list",
                flags=(all_namespaces_flag(), Flag(name="quiet", short="q", kind="bool", usage="Print nothing, only set the exit status."),
                       Flag(name="subresource", usage="A subresource such as log or scale"), Flag(name="list", kind="bool", usage="Print all that is allowed."),
                       Flag(name="no-headers", kind="bool", usage="With --list: print no headings.")), run=run_can_i),
        Command("reconcile -f FILENAME", short="Reconciles rules for RBAC role, role binding, cluster role, and cluster role binding objects",
                long="Create what is missing of the rules and subjects that the files have.", example="# From a file\nkubectl auth reconcile -f my-rbac-rules.yaml",
                flags=(*print_flags(), *file_flags("Files, directories or URLs with RBAC objects."), dry_run_flag(),
                       Flag(name="remove-extra-permissions", kind="bool", usage="Remove other rules."),
                       Flag(name="remove-extra-subjects", kind="bool", usage="Remove other subjects.")), run=run_reconcile),
        Command("whoami", short="Experimental: Check self subject attributes", long="Print who the server says that you are.",
                example="# User and groups\nkubectl auth whoami", flags=print_flags(), run=run_whoami),
    ),
    run=group_run("stderr", 1),
)  # fmt: skip


# -- certificate --------------------------------------------------------------------------------------------------------------


def run_certificate(s: Session) -> int:
    """`kubectl certificate approve` and `deny`."""
    values = s.values
    approve = s.command.name == "approve"
    if not values.args and not values.items("filename"):
        raise CommandError("one or more CSRs must be specified as <name> or -f <filename>")
    output = Output(s)
    words = ["certificatesigningrequests", *values.args] if values.args else []
    builder = Builder(s, args=words, **file_arguments(s), latest=True)
    infos, errors = builder.infos(), builder.errors
    kind, other = ("Approved", "Denied") if approve else ("Denied", "Approved")
    for info in infos:
        obj = info.obj or {}
        conditions = list((obj.get("status") or {}).get("conditions") or ())
        if any(item["type"] == other for item in conditions):
            errors.append(CommandError(f'certificate signing request "{info.name}" is already {other}'))
            continue
        if not any(item["type"] == kind for item in conditions) or values.on("force"):
            told = "approved" if approve else "denied"
            stamp = clock.rfc3339(s.world.wall)
            conditions.append({"type": kind, "status": "True", "reason": f"Kubectl{'Approve' if approve else 'Deny'}",
                               "message": f"This CSR was {told} by kubectl certificate {s.command.name}.", "lastUpdateTime": stamp})  # fmt: skip
            try:
                obj = s.call(
                    "PUT", info.path("approval"), obj={**obj, "status": {**(obj.get("status") or {}), "conditions": conditions}}
                )
            except ApiError as error:
                errors.append(error)
                continue
        output.done(obj, "approved" if approve else "denied")
    raise_all(errors)
    return 0


def _certificate(word: str) -> Command:
    return Command(f"{word} (-f FILENAME | NAME)", short=f"{word.capitalize()} a certificate signing request",
                   long=f"{word.capitalize()} a certificate signing request.", example=f"# One request\nkubectl certificate {word} csr-sqgzp",
                   flags=(*print_flags(), *file_flags("Files, directories or URLs that name the requests."),
                          Flag(name="force", kind="bool", usage="Set the condition even when it is there.")), run=run_certificate)  # fmt: skip


CERTIFICATE = Command("certificate SUBCOMMAND", short="Modify certificate resources", long="Modify certificate resources.",
                      commands=(_certificate("approve"), _certificate("deny")), run=group_run("stdout", 0, words=True))  # fmt: skip
