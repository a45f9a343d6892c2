"""Programs that belong neither to Kubernetes nor to the shell: other projects' command-line tools, languages and databases.

A that calls one is no kubectl-and-shell step, whether the program runs here or not: the report counts both kinds.  What is not
named here counts as kubectl and shell, so a Linux tool that a machine lacks is a fault of ours.  What a reader types at the prompt of
such a program (SQL, Ruby …) is for that program alone.
"""

from __future__ import annotations

import re

#: Programs by what they are for.  Those that machines here have in part (kind, minikube, k3s, microk8s, python3, perl, make, docker,
#: podman, cosign) are left out: their steps count.
FAMILIES: dict[str, str] = {
    "clouds": "aws az gcloud gsutil bq doctl hcloud ibmcloud oci linode-cli eksctl kops heroku cf bosh flyctl oc odo crc rosa openstack",
    "infrastructure": "terraform tofu terragrunt tflint packer vagrant pulumi ansible ansible-playbook ansible-galaxy ansible-vault ansible-lint chef"
    " knife puppet salt nomad consul vault boundary waypoint crossplane multipass",
    "meshes": "istioctl linkerd osm kumactl meshctl hubble cilium calicoctl submariner subctl",
    "delivery": "argocd argo kubectl-argo-rollouts flux fluxctl tkn kn skaffold tilt devspace helmfile jx werf draft okteto faas-cli"
    " keptn vela kubeless gitlab-runner gh glab dagger jib score-compose",
    "clusters": "vcluster k3d rke rke2 talosctl clusterctl kubespray kubebuilder operator-sdk opm porter kcp karmadactl kubefedctl eksctl",
    "clients": "k9s octant kubecolor kubeshark popeye pluto kube-capacity ksniff velero restic stern kubetail kompose ktail",
    "security": "trivy grype syft snyk kube-bench kube-hunter kubeaudit kubescape kubesec kubeseal falco falcoctl opa conftest regal kyverno gator checkov"
    " tfsec semgrep gitleaks notation sops vals conjur summon sysdig ejson zap nuclei metasploit msfconsole sqlmap hydra john",
    "languages": "pip pip3 pipx pipenv poetry uv conda virtualenv jupyter ipython gunicorn uvicorn pytest django-admin streamlit dvc"
    " node nodejs npm npx yarn pnpm nvm tsc webpack ng vue serverless ruby irb gem bundle bundler rails rake go cargo rustc rustup"
    " java javac jshell mvn mvnw gradle gradlew sbt scala kotlin groovy ant quarkus spring dotnet nuget php composer artisan R Rscript julia"
    " swift lua erl elixir iex mix ghc ghci clojure lein spark-shell spark-submit pyspark hadoop hdfs beeline flink",
    "databases": "psql createdb dropdb createuser pg_dump pg_restore pgbench pg_ctl mysql mysqladmin mysqldump mysqlsh mariadb mongo mongosh mongodump"
    " mongoimport sqlite3 sqlcmd cqlsh nodetool influx influxd cockroach ysqlsh clickhouse clickhouse-client dse neo4j cypher-shell duckdb"
    " kafka-topics kafka-console-producer kafka-console-consumer kafka-topics.sh kafka-console-producer.sh kafka-console-consumer.sh rabbitmqctl nats ",
    "observability": "promtool amtool logcli otelcol jaeger grafana-cli grafana-server prometheus datadog-agent telegraf vector fluent-bit newrelic",
}
NAMES = frozenset(" ".join(FAMILIES.values()).split())
#: Programs that read what is typed when they are given nothing to run.
PROMPTS = frozenset(
    "irb ipython python python3 node jshell psql mysql mariadb mongo mongosh sqlite3 sqlcmd cqlsh influx clickhouse-client duckdb cypher-shell"
    " redis-cli php R julia iex ghci lua spark-shell pyspark scala".split()
)
#: Options with which such a program ends by itself, and those that take a value.
_RUNS = frozenset(
    {"-c", "-e", "-m", "--eval", "--execute", "--command", "-f", "--file", "--version", "-V", "--help", "-l", "--list", "-Q"}
)
_PREFIXES = frozenset(
    {"sudo", "time", "nohup", "exec", "env", "command", "then", "do", "else", "if", "while", "until", "!", "{", "xargs", "winpty"}
)
#: Beginnings of such options with their value, and programs whose first operand is a script.
_EVALUATES = ("--eval", "--execute", "--command", "-e")
_SCRIPTS = frozenset("python python3 node php irb lua R julia scala jshell pyspark redis-cli".split())
#: What leaves a prompt.
_LEAVES = re.compile(r"\s*(?:exit|quit|\\q|\.exit|\.quit|quit\(\)|exit\(\)|exit;|quit;|:q|Bye)\s*;?\s*$")
_HEREDOC = re.compile(r"(?ms)<<-?\s*(['\"]?)(\w+)\1([^\n]*)\n.*?^\s*\2\s*$")


def _commands(text: str) -> list[list[str]]:
    """The simple commands of a text as words, roughly: quotes and here-documents hold no commands."""
    bare = _HEREDOC.sub(lambda match: match[3], text)
    bare = re.sub(r"\\\n", " ", bare)
    bare = re.sub(r"'[^'\n]*'|\"(?:[^\"\\\n]|\\.)*\"", "''", bare)
    bare = re.sub(r"(?m)(^|\s)#.*$", "", bare)
    return [part.split() for part in re.split(r"[\n;&|()`]+", bare) if part.strip()]


def _program(words: list[str]) -> list[str]:
    """A command without what stands before the program: assignments, `sudo` and the like."""
    at = 0
    while at < len(words) and (
        words[at] in _PREFIXES or re.match(r"\w+=", words[at]) or (at and words[at - 1] == "sudo" and words[at][0] == "-")
    ):
        at += 1
    return words[at:]


def _inner(words: list[str]) -> list[str]:
    """What `kubectl exec`, `docker exec|run` and the like run in a container; [] for other commands."""
    if len(words) < 3 or words[0] not in ("kubectl", "k", "docker", "podman", "nerdctl", "crictl"):
        return []
    if words[1] not in ("exec", "run", "debug") and words[1:3] not in (["compose", "exec"], ["container", "exec"]):
        return []
    if "--" in words:
        return words[words.index("--") + 1 :]
    known = [at for at, word in enumerate(words) if at > 2 and word.rpartition("/")[2] in NAMES | PROMPTS]
    return words[known[-1] :] if known and words[0] != "kubectl" else []


def called(text: str) -> list[str]:
    """The programs of other projects that a text of commands calls, in order."""
    found: dict[str, None] = {}
    for words in _commands(text):
        outer = _program(words)
        for own in (outer, _program(_inner(outer))):
            name = own[0].rpartition("/")[2] if own else ""
            if name in NAMES:
                found[name] = None
    return list(found)


def prompt(line: str) -> str:
    """The program whose prompt a command line ends in, or ""."""
    commands = _commands(line)
    if not commands or re.search(r"<|\|\s*\S+\s*$", _HEREDOC.sub("<", line)):
        return ""
    outer = _program(commands[-1])
    own = _program(_inner(outer)) or outer
    name = own[0].rpartition("/")[2] if own else ""
    if name not in PROMPTS or any(word in _RUNS or word.startswith(_EVALUATES) for word in own[1:]):
        return ""
    options = [word for word in own[1:] if not word.startswith("-")]
    if name == "redis-cli":  # -h HOST, -p PORT, -a PASSWORD; anything more is a command
        options = [
            word for at, word in enumerate(own[1:], 1) if word[0] != "-" and own[at - 1] not in ("-h", "-p", "-a", "-n", "-u")
        ]
    return "" if name in _SCRIPTS and options else name


def split(text: str) -> tuple[str, str, str]:
    """A block at the line that ends in a program's prompt: (up to it, the program, what is typed there); (text, "", "") without one."""
    lines = text.split("\n")
    for number, line in enumerate(lines):
        program = prompt(line)
        if program and "<<" not in "\n".join(lines[: number + 1]):
            return "\n".join(lines[: number + 1]), program, "\n".join(lines[number + 1 :])
    return text, "", ""


def leaves(text: str) -> bool:
    """Whether a line ends a program's prompt."""
    return _LEAVES.match(text) is not None
