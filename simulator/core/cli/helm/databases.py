"""Charts of databases under bitnami's names, as far as scenarios use them: a StatefulSet, its services, its Secret and its claim.

The layout of names, labels and the common values (`auth`, `primary` or `master`, `persistence`, `architecture`, `replica.replicaCount`)
is the project's; the templates are our own, and the image is the database's official one.
"""

from __future__ import annotations

import msgspec


class Database(msgspec.Struct, frozen=True):
    """What one of the charts is made of; `main` is the key of its first server's values, `node` the StatefulSet's suffix for it."""

    chart: str
    image: str
    tag: str
    port: int
    path: str  # of the data
    main: str
    node: str = ""
    port_name: str = "tcp"
    root: str = ""  # key of the administrator's password in the values and, with dashes, in the Secret
    root_env: str = ""
    user_env: str = ""
    password_env: str = ""
    database_env: str = ""
    username: str = ""


MYSQL = Database(
    "mysql", "mysql", "8.4", 3306, "/var/lib/mysql", "primary", port_name="mysql", root="rootPassword", root_env="MYSQL_ROOT_PASSWORD",
    user_env="MYSQL_USER", password_env="MYSQL_PASSWORD", database_env="MYSQL_DATABASE",
)  # fmt: skip
MARIADB = Database(
    "mariadb", "mariadb", "11", 3306, "/var/lib/mysql", "primary", port_name="mysql", root="rootPassword", root_env="MARIADB_ROOT_PASSWORD",
    user_env="MARIADB_USER", password_env="MARIADB_PASSWORD", database_env="MARIADB_DATABASE",
)  # fmt: skip
POSTGRESQL = Database(
    "postgresql", "postgres", "17", 5432, "/var/lib/postgresql/data", "primary", port_name="tcp-postgresql", root="postgresPassword",
    root_env="POSTGRES_PASSWORD", user_env="POSTGRES_USER", database_env="POSTGRES_DB",
)  # fmt: skip
MONGODB = Database(
    "mongodb", "mongo", "8", 27017, "/data/db", "", port_name="mongodb", root="rootPassword", root_env="MONGO_INITDB_ROOT_PASSWORD",
    username="root",
)  # fmt: skip
REDIS = Database("redis", "redis", "8", 6379, "/data", "master", "-master", "tcp-redis", root="password")

HELPERS = """{{- define "db.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}
{{- define "db.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" }}
{{- else if contains (include "db.name" .) .Release.Name }}
{{- .Release.Name | trunc 63 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name (include "db.name" .) | trunc 63 | trimSuffix "-" }}
{{- end }}
{{- end }}
{{- define "db.selector" -}}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/name: {{ include "db.name" . }}
{{- end }}
{{- define "db.labels" -}}
{{ include "db.selector" . }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}
{{- define "db.secret" -}}
{{- default (include "db.fullname" .) .Values.auth.existingSecret }}
{{- end }}
"""

SECRET = """{{- if ne .Values.architecture "standalone" }}
{{- fail (printf "architecture %s: not simulated in Slipway yet" .Values.architecture) }}
{{- end }}
{{- if not .Values.auth.existingSecret }}
apiVersion: v1
kind: Secret
metadata:
  name: {{ include "db.fullname" . }}
  labels:
    {{- include "db.labels" . | nindent 4 }}
type: Opaque
data:
  {{- $held := (lookup "v1" "Secret" .Release.Namespace (include "db.fullname" .)).data }}
  <ROOT-KEY>: {{ if .Values.auth.<ROOT> }}{{ .Values.auth.<ROOT> | b64enc | quote }}{{ else if $held }}{{ index $held "<ROOT-KEY>" | quote }}{{ else }}{{ randAlphaNum 10 | b64enc | quote }}{{ end }}
  {{- if and .Values.auth.username (ne "<ROOT>" "password") }}
  <USER-KEY>: {{ .Values.auth.password | default "changeme" | b64enc | quote }}
  {{- end }}
{{- end }}
"""

SERVICE = """apiVersion: v1
kind: Service
metadata:
  name: {{ include "db.fullname" . }}<NODE>
  labels:
    {{- include "db.labels" . | nindent 4 }}
spec:
  type: {{ .Values<MAIN>.service.type }}
  ports:
    - name: <PORT-NAME>
      port: {{ .Values<MAIN>.service.ports.<CHART> }}
      targetPort: <PORT-NAME>
      {{- with .Values<MAIN>.service.nodePorts.<CHART> }}
      nodePort: {{ . }}
      {{- end }}
  selector:
    {{- include "db.selector" . | nindent 4 }}
    app.kubernetes.io/component: <COMPONENT>
---
apiVersion: v1
kind: Service
metadata:
  name: {{ include "db.fullname" . }}-<HEADLESS>
  labels:
    {{- include "db.labels" . | nindent 4 }}
spec:
  clusterIP: None
  publishNotReadyAddresses: true
  ports:
    - name: <PORT-NAME>
      port: <PORT>
      targetPort: <PORT-NAME>
  selector:
    {{- include "db.selector" . | nindent 4 }}
"""

SET = """apiVersion: apps/v1
kind: StatefulSet
metadata:
  name: {{ include "db.fullname" . }}<NODE>
  labels:
    {{- include "db.labels" . | nindent 4 }}
    app.kubernetes.io/component: <COMPONENT>
spec:
  replicas: <REPLICAS>
  serviceName: {{ include "db.fullname" . }}-<HEADLESS>
  selector:
    matchLabels:
      {{- include "db.selector" . | nindent 6 }}
      app.kubernetes.io/component: <COMPONENT>
  template:
    metadata:
      labels:
        {{- include "db.labels" . | nindent 8 }}
        app.kubernetes.io/component: <COMPONENT>
    spec:
      containers:
        - name: <CHART>
          image: "{{ .Values.image.repository }}:{{ .Values.image.tag }}"
          imagePullPolicy: {{ .Values.image.pullPolicy }}
          {{- with .Values<MAIN>.args }}
          args:
            {{- toYaml . | nindent 12 }}
          {{- end }}
          <ARGS>
          env:
            <ENV>
            {{- with .Values<MAIN>.extraEnvVars }}
            {{- toYaml . | nindent 12 }}
            {{- end }}
          ports:
            - name: <PORT-NAME>
              containerPort: <PORT>
          readinessProbe:
            tcpSocket:
              port: <PORT-NAME>
            initialDelaySeconds: 5
            periodSeconds: 10
          resources:
            {{- toYaml .Values<MAIN>.resources | nindent 12 }}
          volumeMounts:
            - name: data
              mountPath: <PATH>
      {{- if not .Values<MAIN>.persistence.enabled }}
      volumes:
        - name: data
          emptyDir: {}
      {{- end }}
  {{- if .Values<MAIN>.persistence.enabled }}
  volumeClaimTemplates:
    - metadata:
        name: data
      spec:
        accessModes:
          - ReadWriteOnce
        {{- with .Values<MAIN>.persistence.storageClass }}
        storageClassName: {{ . }}
        {{- end }}
        resources:
          requests:
            storage: {{ .Values<MAIN>.persistence.size | quote }}
  {{- end }}
"""

NOTES = """CHART NAME: {{ .Chart.Name }}
CHART VERSION: {{ .Chart.Version }}
APP VERSION: {{ .Chart.AppVersion }}

** Please be patient while the chart is being deployed **

<CHART> can be reached inside the cluster under this name, at port <PORT>:

  {{ include "db.fullname" . }}<NODE>.{{ .Release.Namespace }}.svc.cluster.local

Its password:

  kubectl get secret --namespace {{ .Release.Namespace }} {{ include "db.secret" . }} -o jsonpath="{.data.<ROOT-KEY>}" | base64 -d
"""

VALUES = """image:
  repository: <IMAGE>
  tag: "<TAG>"
  pullPolicy: IfNotPresent
nameOverride: ""
fullnameOverride: ""
# Replication is not simulated in Slipway yet: the only one is standalone.
architecture: standalone
auth:
  enabled: true
  # Made when empty, and kept afterwards.
  <ROOT>: ""
  username: "<USER>"
  password: ""
  database: ""
  existingSecret: ""
"""

SERVER_VALUES = """args: []
extraEnvVars: []
service:
  type: ClusterIP
  ports:
    <CHART>: <PORT>
  nodePorts:
    <CHART>: ""
persistence:
  enabled: true
  storageClass: ""
  size: 8Gi
resources: {}
replicaCount: 1
"""


def _environment(db: Database) -> str:
    """The variables of the container, from the values and the Secret."""
    rows: list[str] = []
    if db.root_env:
        rows += [
            f"- name: {db.root_env}",
            "  valueFrom:",
            "    secretKeyRef:",
            '      name: {{ include "db.secret" . }}',
            "      key: <ROOT-KEY>",
        ]
    if db.username:
        rows += ["- name: MONGO_INITDB_ROOT_USERNAME", f"  value: {db.username}"]
    for name, value in ((db.user_env, "username"), (db.database_env, "database")):
        if name:
            rows += [f"{{{{- with .Values.auth.{value} }}}}", f"- name: {name}", "  value: {{ . | quote }}", "{{- end }}"]
    if db.password_env:
        rows += [
            "{{- if .Values.auth.username }}",
            f"- name: {db.password_env}",
            "  valueFrom:",
            "    secretKeyRef:",
            '      name: {{ include "db.secret" . }}',
            "      key: <USER-KEY>",
            "{{- end }}",
        ]
    if not rows:
        rows = ["- name: REDIS_PORT", '  value: "6379"']
    return "\n            ".join(rows)


def _indented(text: str, by: int) -> str:
    return "".join(" " * by + line + "\n" for line in text.splitlines())


def files(db: Database, version: str, app: str, description: str) -> dict[str, bytes]:
    """The files of the chart."""
    root_key = {
        "rootPassword": f"{db.chart}-root-password",
        "postgresPassword": "postgres-password",
        "password": f"{db.chart}-password",
    }[db.root]
    user_key = "password" if db.chart == "postgresql" else f"{db.chart}-password"
    main = f".{db.main}" if db.main else ""

    def fill(text: str, node: str, component: str, replicas: str, args: str = "") -> bytes:
        words = {
            "<ENV>": _environment(db), "<ARGS>": args, "<CHART>": db.chart, "<IMAGE>": db.image, "<TAG>": db.tag, "<PORT>": str(db.port),
            "<PORT-NAME>": db.port_name, "<PATH>": db.path, "<MAIN>": main, "<NODE>": node, "<COMPONENT>": component, "<REPLICAS>": replicas,
            "<HEADLESS>": "headless" if db.chart in ("redis", "mongodb", "mysql") else "hl" if db.chart == "postgresql" else "headless",
            "<ROOT>": db.root, "<ROOT-KEY>": root_key, "<USER-KEY>": user_key, "<USER>": "",
        }  # fmt: skip
        for _ in range(2):
            for word, value in words.items():
                text = text.replace(word, value)
        return "\n".join(line for line in text.split("\n") if line.strip() or not line).encode()

    component = db.main or db.chart
    values = VALUES if db.root != "password" else VALUES.replace('  username: "<USER>"\n  password: ""\n  database: ""\n', "")
    parts = [SERVER_VALUES] if not db.main else [f"{db.main}:\n{_indented(SERVER_VALUES, 2)}"]
    first = f"{{{{ .Values{main}.replicaCount }}}}"
    password = '{{- if .Values.auth.enabled }}\n          command: ["sh", "-c", "exec redis-server --requirepass \\"$REDIS_PASSWORD\\""]\n          {{- end }}'
    made = {
        "Chart.yaml": f'apiVersion: v2\nname: {db.chart}\ndescription: {description}\ntype: application\nversion: {version}\nappVersion: "{app}"\n'.encode(),
        "values.yaml": fill(values + "".join(parts), "", "", ""),
        "templates/_helpers.tpl": HELPERS.encode(),
        "templates/secrets.yaml": fill(SECRET, "", "", ""),
        f"templates/{component}/svc.yaml": fill(SERVICE, db.node, component, first),
        f"templates/{component}/statefulset.yaml": fill(SET, db.node, component, first, password if db.chart == "redis" else ""),
        "templates/NOTES.txt": fill(NOTES, db.node, component, first),
    }
    if db.chart == "redis":
        own = '- name: REDIS_PASSWORD\n              valueFrom:\n                secretKeyRef:\n                  name: {{ include "db.secret" . }}\n                  key: redis-password\n            - name: REDIS_PORT'
        made["templates/master/statefulset.yaml"] = made["templates/master/statefulset.yaml"].replace(
            b"- name: REDIS_PORT", own.encode()
        )
    return made
