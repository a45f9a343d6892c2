"""The command tree of helm v3: names, flags, and how many arguments each takes (helm `cmd/helm`)."""

from __future__ import annotations

from ...kernel.clock import MINUTE
from ..cobra import ArgsCheck, Command
from ..flags import Flag, quote


def use_line(command: Command) -> str:
    """`helm install [NAME] [CHART] [flags]`."""
    above = command.parent.path + " " if command.parent is not None else ""
    return f"{above}{command.use} [flags]"


def _at_least(count: int) -> ArgsCheck:
    def check(command: Command, args: list[str]) -> str:
        if len(args) >= count:
            return ""
        return (
            f"{quote(command.path)} requires at least {count} argument{'s' if count != 1 else ''}\n\nUsage:  {use_line(command)}"
        )

    return check


def _exactly(count: int) -> ArgsCheck:
    def check(command: Command, args: list[str]) -> str:
        if len(args) == count:
            return ""
        return f"{quote(command.path)} requires {count} argument{'s' if count != 1 else ''}\n\nUsage:  {use_line(command)}"

    return check


def _none(command: Command, args: list[str]) -> str:
    return f"{quote(command.path)} accepts no arguments\n\nUsage:  {use_line(command)}" if args else ""


def _at_most(count: int) -> ArgsCheck:
    def check(command: Command, args: list[str]) -> str:
        return (
            f"{quote(command.path)} accepts at most {count} argument{'s' if count != 1 else ''}\n\nUsage:  {use_line(command)}"
            if len(args) > count
            else ""
        )

    return check


OUTPUT = Flag(
    name="output",
    short="o",
    default="table",
    usage="prints the output in the specified format. Allowed values: table, json, yaml",
    type_name="format",
)
VALUES = (
    Flag(name="values", short="f", kind="strings", usage="specify values in a YAML file or a URL (can specify multiple)"),
    Flag(name="set", kind="array", usage="set values on the command line (can specify multiple or separate values with commas: key1=val1,key2=val2)"),
    Flag(name="set-string", kind="array", usage="set STRING values on the command line (can specify multiple or separate values with commas: key1=val1,key2=val2)"),
    Flag(name="set-json", kind="array", usage="set JSON values on the command line"),
    Flag(name="set-file", kind="array", usage="set values from respective files specified via the command line"),
    Flag(name="set-literal", kind="array", usage="set a literal STRING value on the command line"),
)  # fmt: skip
CHART = (
    Flag(name="version", usage="specify a version constraint for the chart version to use. If not specified, the latest version is used"),
    Flag(name="repo", usage="chart repository url where to locate the requested chart"),
    Flag(name="devel", kind="bool", usage="use development versions, too", no_opt="true"),
    Flag(name="verify", kind="bool", usage="verify the package before using it", no_opt="true", support="no"),
    Flag(name="username", usage="chart repository username where to locate the requested chart", support="inert"),
    Flag(name="password", usage="chart repository password where to locate the requested chart", support="inert"),
    Flag(name="insecure-skip-tls-verify", kind="bool", no_opt="true", usage="skip tls certificate checks for the chart download", support="inert"),
    Flag(name="dependency-update", kind="bool", no_opt="true", usage="update dependencies if they are missing before installing the chart"),
)  # fmt: skip


def _bool(name: str, usage: str, short: str = "", support: str = "") -> Flag:
    return Flag(name=name, kind="bool", usage=usage, short=short, no_opt="true", support=support)


RENDER = (
    Flag(name="dry-run", usage="simulate an install. If --dry-run is set with no option being specified or as '--dry-run=client', it will not attempt cluster connections", no_opt="client"),
    _bool("no-hooks", "prevent hooks from running during install"),
    Flag(name="timeout", kind="duration", default=5 * MINUTE, usage="time to wait for any individual Kubernetes operation (like Jobs for hooks)"),
    _bool("wait", "if set, will wait until all Pods, PVCs, Services, and minimum number of Pods of a Deployment, StatefulSet, or ReplicaSet are in a ready state before marking the release as successful"),
    _bool("wait-for-jobs", "if set and --wait enabled, will wait until all Jobs have been completed before marking the release as successful"),
    _bool("atomic", "if set, the installation process deletes the installation on failure. The --wait flag will be set automatically if --atomic is used"),
    _bool("create-namespace", "create the release namespace if not present"),
    _bool("skip-crds", "if set, no CRDs will be installed. By default, CRDs are installed if not already present"),
    Flag(name="description", usage="add a custom description"),
    Flag(name="labels", short="l", kind="map", usage="Labels that would be added to release metadata. Should be divided by comma.", support="no"),
    _bool("disable-openapi-validation", "if set, the installation process will not validate rendered templates against the Kubernetes OpenAPI Schema", support="inert"),
    _bool("force", "force resource updates through a replacement strategy", support="no"),
    Flag(name="post-renderer", usage="the path to an executable to be used for post rendering", support="no"),
    _bool("hide-notes", "if set, do not show notes in install output. Does not affect presence in chart metadata"),
    _bool("render-subchart-notes", "if set, render subchart notes along with the parent", support="inert"),
    _bool("take-ownership", "if set, install will ignore the check for helm annotations and take ownership of the existing resources"),
)  # fmt: skip
NAMES = (
    _bool("generate-name", "generate the name (and omit the NAME parameter)", short="g"),
    Flag(name="name-template", usage="specify template used to name the release", support="no"),
    _bool("replace", "reuse the given name, only if that name is a deleted release which remains in the history"),
)
PERSISTENT = (
    Flag(name="namespace", short="n", usage="namespace scope for this request"),
    Flag(name="kubeconfig", usage="path to the kubeconfig file"),
    Flag(name="kube-context", usage="name of the kubeconfig context to use"),
    _bool("debug", "enable verbose output"),
    Flag(name="registry-config", usage="path to the registry config file", support="inert"),
    Flag(name="repository-cache", usage="path to the directory containing cached repository indexes", support="inert"),
    Flag(name="repository-config", usage="path to the file containing repository names and URLs", support="inert"),
    Flag(name="burst-limit", kind="int", default=100, usage="client-side default throttling limit", support="inert"),
    Flag(name="qps", kind="float", usage="queries per second used when communicating with the Kubernetes API, not including bursting", support="inert"),
    Flag(name="kube-apiserver", usage="the address and the port for the Kubernetes API server"),
    Flag(name="kube-token", usage="bearer token used for authentication"),
    Flag(name="kube-as-user", usage="username to impersonate for the operation"),
)  # fmt: skip
LIST = (
    _bool("all", "show all releases without any filter applied", short="a"), _bool("all-namespaces", "list releases across all namespaces", short="A"), _bool("short", "output short (quiet) listing format", short="q"),
    _bool("deployed", "show deployed releases. If no other is specified, this will be automatically enabled"), _bool("failed", "show failed releases"), _bool("pending", "show pending releases"),
    _bool("superseded", "show superseded releases"), _bool("uninstalled", "show uninstalled releases (if 'helm uninstall --keep-history' was used)"), _bool("uninstalling", "show releases that are currently being uninstalled"),
    _bool("reverse", "reverse the sort order", short="r"), _bool("date", "sort by release date", short="d"), Flag(name="filter", short="f", usage="a regular expression (Perl compatible). Any releases that match the expression will be included in the results"),
    Flag(name="max", short="m", kind="int", default=256, usage="maximum number of releases to fetch"), Flag(name="offset", kind="int", usage="next release index in the list, used to offset from start value"),
    Flag(name="selector", short="l", usage="Selector (label query) to filter on", support="no"), Flag(name="time-format", usage="format time using golang time formatter", support="no"), OUTPUT, _bool("no-headers", "don't print headers when using the default output format"),
)  # fmt: skip
REVISION = Flag(name="revision", kind="int", usage="get the named release with revision")
ABSENT = "not simulated in Slipway yet"


def _absent(use: str, short: str) -> Command:
    """A command that exists and is refused."""
    return Command(use, short=short, run="absent", simulated=False)


ROOT = Command(
    "helm",
    short="The Helm package manager for Kubernetes.",
    long="The Kubernetes package manager\n\nCommon actions for Helm:\n\n- helm search:    search for charts\n- helm pull:      download a chart to your local directory to view\n- helm install:   upload the chart to Kubernetes\n- helm list:      list releases of charts",
    persistent=PERSISTENT,
    commands=(
        Command("repo", short="add, list, remove, update, and index chart repositories", commands=(
            Command("add [NAME] [URL]", short="add a chart repository", args=_exactly(2), run="repo_add", flags=(_bool("force-update", "replace (overwrite) the repo if it already exists"), _bool("no-update", "Ignored. Formerly, it would disabled forced updates. It is deprecated by force-update.", support="inert"),
                    Flag(name="username", usage="chart repository username", support="inert"), Flag(name="password", usage="chart repository password", support="inert"), _bool("pass-credentials", "pass credentials to all domains", support="inert"))),
            Command("list", aliases=("ls",), short="list chart repositories", args=_none, run="repo_list", flags=(OUTPUT,)),
            Command("remove [REPO1 [REPO2 ...]]", aliases=("rm",), short="remove one or more chart repositories", args=_at_least(1), run="repo_remove"),
            Command("update [REPO1 [REPO2 ...]]", aliases=("up",), short="update information of available charts locally from chart repositories", run="repo_update", flags=(_bool("fail-on-repo-update-fail", "update fails if any of the repository updates fail"),)),
            _absent("index [DIR]", "generate an index file given a directory containing packaged charts"),
        )),
        Command("search [command]", short="search for a keyword in charts", commands=(
            Command("repo [keyword]", short="search repositories for a keyword in charts", run="search_repo", flags=(_bool("versions", "show the long listing, with each version of each chart on its own line, for repositories you have added", short="l"), _bool("devel", "use development versions (alpha, beta, and release candidate releases), too"),
                    Flag(name="version", usage="search using semantic versioning constraints on repositories you have added"), Flag(name="max-col-width", kind="uint", default=50, usage="maximum column width for output table"), _bool("regexp", "use regular expressions for searching repositories you have added", short="r"), _bool("fail-on-no-result", "search fails if no results are found"), OUTPUT)),
            _absent("hub [KEYWORD]", "search for charts in the Artifact Hub or your own hub instance"),
        )),
        Command("install [NAME] [CHART]", short="install a chart", args=_at_least(1), run="install", flags=(*RENDER, *NAMES, *VALUES, *CHART, OUTPUT)),
        Command("upgrade [RELEASE] [CHART]", short="upgrade a release", args=_exactly(2), run="upgrade", flags=(*RENDER, *VALUES, *CHART, OUTPUT, _bool("install", "if a release by this name doesn't already exist, run an install", short="i"),
                _bool("reuse-values", "when upgrading, reuse the last release's values and merge in any overrides from the command line via --set and -f"), _bool("reset-values", "when upgrading, reset the values to the ones built into the chart"),
                _bool("reset-then-reuse-values", "when upgrading, reset the values to the ones built into the chart, apply the last release's values and merge in any overrides"), Flag(name="history-max", kind="int", default=10, usage="limit the maximum number of revisions saved per release. Use 0 for no limit"),
                _bool("cleanup-on-fail", "allow deletion of new resources created in this upgrade when upgrade fails", support="inert"))),
        Command("uninstall RELEASE_NAME [...]", aliases=("del", "delete", "un"), short="uninstall a release", args=_at_least(1), run="uninstall", flags=(_bool("keep-history", "remove all associated resources and mark the release as deleted, but retain the release history"), _bool("dry-run", "simulate a uninstall"), _bool("no-hooks", "prevent hooks from running during uninstallation"),
                _bool("wait", "if set, will wait until all the resources are deleted before returning"), _bool("ignore-not-found", 'Treat "release not found" as a successful uninstall'), Flag(name="timeout", kind="duration", default=5 * MINUTE), Flag(name="cascade", default="background"), Flag(name="description"))),
        Command("list", aliases=("ls",), short="list releases", args=_none, run="list_", flags=LIST),
        Command("status RELEASE_NAME", short="display the status of the named release", args=_exactly(1), run="status", flags=(REVISION, OUTPUT, _bool("show-resources", "if set, display the resources of the named release", support="inert"), _bool("show-desc", "if set, display the description message of the named release"))),
        Command("history RELEASE_NAME", aliases=("hist",), short="fetch release history", args=_exactly(1), run="history", flags=(Flag(name="max", kind="int", default=256), OUTPUT)),
        Command("rollback <RELEASE> [REVISION]", short="roll back a release to a previous revision", args=_at_least(1), run="rollback", flags=(_bool("dry-run", "simulate a rollback"), _bool("wait", "wait until everything is ready"), _bool("no-hooks", "prevent hooks from running during rollback"), _bool("force", "force resource update through delete/recreate if needed", support="no"),
                Flag(name="timeout", kind="duration", default=5 * MINUTE), Flag(name="history-max", kind="int", default=10), _bool("recreate-pods", "performs pods restart for the resource if applicable", support="no"), _bool("cleanup-on-fail", "allow deletion of new resources", support="inert"), _bool("wait-for-jobs", "wait for jobs"))),
        Command("get", short="download extended information of a named release", commands=tuple(
            Command(f"{name} RELEASE_NAME", short=short, args=_exactly(1), run=f"get_{name}", flags=(REVISION, *more))
            for name, short, more in (("all", "download all information for a named release", ()), ("values", "download the values file for a named release", (_bool("all", "dump all (computed) values", short="a"), OUTPUT)), ("manifest", "download the manifest for a named release", ()),
                                      ("notes", "download the notes for a named release", ()), ("hooks", "download all hooks for a named release", ()), ("metadata", "This command fetches metadata for a given release", (OUTPUT,)))
        )),
        Command("template [NAME] [CHART]", short="locally render templates", args=_at_least(1), run="template", flags=(*RENDER, *NAMES, *VALUES, *CHART, Flag(name="show-only", short="s", kind="array", usage="only show manifests rendered from the given templates"), _bool("include-crds", "include CRDs in the templated output"),
                _bool("validate", "validate your manifests against the Kubernetes cluster you are currently pointing at", support="no"), _bool("is-upgrade", "set .Release.IsUpgrade instead of .Release.IsInstall"), Flag(name="kube-version"), Flag(name="api-versions", short="a", kind="strings"), _bool("skip-tests", "skip tests from templated output"), Flag(name="output-dir", support="no"))),
        Command("create NAME", short="create a new chart with the given name", args=_exactly(1), run="create", flags=(Flag(name="starter", short="p", support="no"),)),
        Command("lint PATH", short="examine a chart for possible issues", run="lint", flags=(*VALUES, _bool("strict", "fail on lint warnings"), _bool("quiet", "print only warnings and errors"), _bool("with-subcharts", "lint dependent charts", support="inert"))),
        Command("package [CHART_PATH] [...]", short="package a chart directory into a chart archive", args=_at_least(1), run="package", flags=(Flag(name="destination", short="d", default="."), Flag(name="version"), Flag(name="app-version"), _bool("sign", "use a PGP private key to sign this package", support="no"), _bool("dependency-update", "update dependencies", short="u"))),
        Command("show", aliases=("inspect",), short="show information of a chart", commands=tuple(Command(f"{name} [CHART]", short=f"show {name} of a chart", args=_exactly(1), run=f"show_{name}", flags=CHART) for name in ("all", "chart", "values", "readme", "crds"))),
        Command("pull [chart URL | repo/chartname] [...]", aliases=("fetch",), short="download a chart from a repository and (optionally) unpack it in local directory", args=_at_least(1), run="pull", flags=(*CHART, _bool("untar", "if set to true, will untar the chart after downloading it"), Flag(name="untardir", default="."), Flag(name="destination", short="d", default="."))),
        Command("dependency", aliases=("dep", "dependencies"), short="manage a chart's dependencies", commands=(Command("list CHART", aliases=("ls",), short="list the dependencies for the given chart", run="dependency_list"), Command("update CHART", aliases=("up",), short="update charts/ based on the contents of Chart.yaml", run="dependency_update", flags=(_bool("skip-refresh", "do not refresh the local repository cache"),)),
                Command("build CHART", short="rebuild the charts/ directory based on the Chart.lock file", run="dependency_update"))),
        Command("test [RELEASE]", short="run tests for a release", args=_exactly(1), run="test", flags=(_bool("logs", "dump the logs from test pods", support="no"), Flag(name="timeout", kind="duration", default=5 * MINUTE), Flag(name="filter", kind="strings", support="no"))),
        Command("version", short="print the client version information", args=_none, run="version", flags=(_bool("short", "print the version number"), Flag(name="template", support="no"), _bool("client", "unused", short="c"))),
        Command("env", short="helm client environment information", run="env"),
        _absent("plugin", "install, list, or uninstall Helm plugins"),
        _absent("push [chart] [remote]", "push a chart to remote"),
        _absent("registry", "login to or logout from a registry"),
        _absent("verify PATH", "verify that a chart at the given path has been signed and is valid"),
    ),
)  # fmt: skip
