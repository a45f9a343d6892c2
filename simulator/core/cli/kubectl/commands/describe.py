"""`kubectl describe` (`kubectl/pkg/cmd/describe/describe.go`)."""

from __future__ import annotations

from ....kube.api.errors import ApiError
from ...cobra import Command, Flag
from ..builder import Builder
from ..describe import describe
from ..errors import CommandError, is_not_found, raise_all, raise_listed
from ..flagsets import all_namespaces_flag, chunk_flag, file_arguments, file_flags, selector_flag
from ..session import Session


def run(s: Session) -> int:
    """Describe each object, a blank line between two."""
    values = s.values
    if not values.args and not values.items("filename") and not values.text("kustomize"):
        raise CommandError(
            'You must specify the type of resource to describe. Use "kubectl api-resources" for a complete list of supported resources.\n'
        )
    builder = Builder(
        s,
        args=values.args,
        **file_arguments(s),
        selector=values.text("selector"),
        all_namespaces=values.on("all-namespaces"),
        allow_empty=True,
        latest=True,
    )
    infos = builder.infos()
    events = values.on("show-events")
    if "show-events" not in values.changed and (builder.errors or len(infos) > 1):
        events = False  # several objects are described without their events, unless these are asked for
    if len(builder.errors) == 1 and len(builder.args) == 2 and is_not_found(builder.errors[0]):
        return _by_prefix(s, builder, events)
    errors, first = list(builder.errors), True
    for info in infos:
        try:
            text = describe(s, info.mapping, info.obj or {}, events=events)
        except ApiError as error:
            errors.append(error)
            continue
        s.out(text if first else f"\n\n{text}")
        first = False
    raise_listed(errors, files=bool(builder.filenames or builder.kustomize))
    if not infos:
        s.err(f"No resources found in {s.namespace} namespace.\n" if not values.on("all-namespaces") else "No resources found\n")
    return 0


def _by_prefix(s: Session, builder: Builder, events: bool) -> int:
    """Objects whose name begins with the one that was not found."""
    if "/" in builder.args[0]:
        raise_all(builder.errors)  # TYPE/NAME taken for a type: the same object is looked for again, in vain
    mapping, prefix = s.mapper.mapping(builder.args[0]), builder.args[1]
    namespace = s.namespace if mapping.kind.namespaced else ""
    listed = s.list(mapping.kind, namespace)
    found = [item for item in listed if item["metadata"]["name"].startswith(prefix)]
    if not found:
        raise_all(builder.errors)
    for item in found:
        s.out(describe(s, mapping, item, events=events) + "\n")
    return 0


COMMAND = Command(
    "describe (-f FILENAME | TYPE [NAME_PREFIX | -l label] | TYPE/NAME)",
    short="Show details of a specific resource or group of resources",
    long="""Show details of a specific resource or group of resources.

 Prints what is known of each object, with related objects and events. A NAME_PREFIX describes every object whose name begins with it.

Use "kubectl api-resources" for a complete list of supported resources.""",
    example="""# A node
kubectl describe nodes kubernetes-node-emt8.c.myproject.internal

# A pod
kubectl describe pods/nginx

# What a file names
kubectl describe -f pod.json

# All pods
kubectl describe pods

# Pods by label
kubectl describe pods -l name=myLabel""",
    flags=(
        *file_flags("Files, directories or URLs that name what to describe."),
        selector_flag(),
        all_namespaces_flag(),
        chunk_flag(),
        Flag(name="show-events", kind="bool", default=True, usage="Show events too."),
    ),
    run=run,
)
