"""What `helm create` writes (helm `pkg/chartutil/create.go`), in our own words, and charts of well-known projects made of it."""

from __future__ import annotations

CHART = """apiVersion: v2
name: <CHART>
description: <DESCRIPTION>

# "application" is rendered and installed; "library" only lends its named templates to others.
type: application

# The version of the chart itself: change it with every change of the chart (semantic versioning).
version: <VERSION>

# The version of what is installed. It need not follow semantic versioning; keep it in quotes.
appVersion: "<APP>"
"""

VALUES = """# Default values for <CHART>.

# How many pods the Deployment keeps.
replicaCount: <REPLICAS>

image:
  repository: <IMAGE>
  pullPolicy: IfNotPresent
  # An empty tag means the chart's appVersion.
  tag: "<TAG>"

imagePullSecrets: []
nameOverride: ""
fullnameOverride: ""

serviceAccount:
  # Whether a service account is made.
  create: true
  # Whether its token is mounted.
  automount: true
  annotations: {}
  # Without a name the full name of the release is taken.
  name: ""

podAnnotations: {}
podLabels: {}

podSecurityContext: {}

securityContext: {}

service:
  type: <TYPE>
  port: <SERVICE_PORT>

ingress:
  enabled: false
  className: ""
  annotations: {}
  hosts:
    - host: chart-example.local
      paths:
        - path: /
          pathType: ImplementationSpecific
  tls: []

resources: {}

livenessProbe:
  httpGet:
    path: <PROBE>
    port: http
readinessProbe:
  httpGet:
    path: <PROBE>
    port: http

autoscaling:
  enabled: false
  minReplicas: 1
  maxReplicas: 100
  targetCPUUtilizationPercentage: 80

volumes: []

volumeMounts: []

nodeSelector: {}

tolerations: []

affinity: {}
"""

HELPERS = """{{/*
The name of the chart.
*/}}
{{- define "<CHART>.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/*
The full name of a release's objects: at most 63 characters, as DNS labels allow; the release's name alone where it holds the chart's.
*/}}
{{- define "<CHART>.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" }}
{{- else }}
{{- $name := default .Chart.Name .Values.nameOverride }}
{{- if contains $name .Release.Name }}
{{- .Release.Name | trunc 63 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name $name | trunc 63 | trimSuffix "-" }}
{{- end }}
{{- end }}
{{- end }}

{{/*
Name and version of the chart, as the chart label has them.
*/}}
{{- define "<CHART>.chart" -}}
{{- printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/*
Labels of every object.
*/}}
{{- define "<CHART>.labels" -}}
helm.sh/chart: {{ include "<CHART>.chart" . }}
{{ include "<CHART>.selectorLabels" . }}
{{- if .Chart.AppVersion }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
{{- end }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{/*
Labels that selectors use.
*/}}
{{- define "<CHART>.selectorLabels" -}}
app.kubernetes.io/name: {{ include "<CHART>.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{/*
The service account's name.
*/}}
{{- define "<CHART>.serviceAccountName" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "<CHART>.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- default "default" .Values.serviceAccount.name }}
{{- end }}
{{- end }}
"""

DEPLOYMENT = """apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ include "<CHART>.fullname" . }}
  labels:
    {{- include "<CHART>.labels" . | nindent 4 }}
spec:
  {{- if not .Values.autoscaling.enabled }}
  replicas: {{ .Values.replicaCount }}
  {{- end }}
  selector:
    matchLabels:
      {{- include "<CHART>.selectorLabels" . | nindent 6 }}
  template:
    metadata:
      {{- with .Values.podAnnotations }}
      annotations:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      labels:
        {{- include "<CHART>.labels" . | nindent 8 }}
        {{- with .Values.podLabels }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
    spec:
      {{- with .Values.imagePullSecrets }}
      imagePullSecrets:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      serviceAccountName: {{ include "<CHART>.serviceAccountName" . }}
      {{- with .Values.podSecurityContext }}
      securityContext:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      containers:
        - name: {{ .Chart.Name }}
          {{- with .Values.securityContext }}
          securityContext:
            {{- toYaml . | nindent 12 }}
          {{- end }}
          image: "{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}"
          imagePullPolicy: {{ .Values.image.pullPolicy }}
          {{- with .Values.args }}
          args:
            {{- toYaml . | nindent 12 }}
          {{- end }}
          {{- with .Values.env }}
          env:
            {{- toYaml . | nindent 12 }}
          {{- end }}
          ports:
            - name: http
              containerPort: <PORT>
              protocol: TCP
          {{- with .Values.livenessProbe }}
          livenessProbe:
            {{- toYaml . | nindent 12 }}
          {{- end }}
          {{- with .Values.readinessProbe }}
          readinessProbe:
            {{- toYaml . | nindent 12 }}
          {{- end }}
          {{- with .Values.resources }}
          resources:
            {{- toYaml . | nindent 12 }}
          {{- end }}
          {{- with .Values.volumeMounts }}
          volumeMounts:
            {{- toYaml . | nindent 12 }}
          {{- end }}
      {{- with .Values.volumes }}
      volumes:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with .Values.nodeSelector }}
      nodeSelector:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with .Values.affinity }}
      affinity:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with .Values.tolerations }}
      tolerations:
        {{- toYaml . | nindent 8 }}
      {{- end }}
"""

SERVICE = """apiVersion: v1
kind: Service
metadata:
  name: {{ include "<CHART>.fullname" . }}
  labels:
    {{- include "<CHART>.labels" . | nindent 4 }}
spec:
  type: {{ .Values.service.type }}
  ports:
    - port: {{ .Values.service.port }}
      targetPort: http
      protocol: TCP
      name: http
  selector:
    {{- include "<CHART>.selectorLabels" . | nindent 4 }}
"""

ACCOUNT = """{{- if .Values.serviceAccount.create -}}
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ include "<CHART>.serviceAccountName" . }}
  labels:
    {{- include "<CHART>.labels" . | nindent 4 }}
  {{- with .Values.serviceAccount.annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
automountServiceAccountToken: {{ .Values.serviceAccount.automount }}
{{- end }}
"""

INGRESS = """{{- if .Values.ingress.enabled -}}
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: {{ include "<CHART>.fullname" . }}
  labels:
    {{- include "<CHART>.labels" . | nindent 4 }}
  {{- with .Values.ingress.annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  {{- with .Values.ingress.className }}
  ingressClassName: {{ . }}
  {{- end }}
  {{- if .Values.ingress.tls }}
  tls:
    {{- range .Values.ingress.tls }}
    - hosts:
        {{- range .hosts }}
        - {{ . | quote }}
        {{- end }}
      secretName: {{ .secretName }}
    {{- end }}
  {{- end }}
  rules:
    {{- range .Values.ingress.hosts }}
    - host: {{ .host | quote }}
      http:
        paths:
          {{- range .paths }}
          - path: {{ .path }}
            {{- with .pathType }}
            pathType: {{ . }}
            {{- end }}
            backend:
              service:
                name: {{ include "<CHART>.fullname" $ }}
                port:
                  number: {{ $.Values.service.port }}
          {{- end }}
    {{- end }}
{{- end }}
"""

HPA = """{{- if .Values.autoscaling.enabled }}
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  name: {{ include "<CHART>.fullname" . }}
  labels:
    {{- include "<CHART>.labels" . | nindent 4 }}
spec:
  scaleTargetRef:
    apiVersion: apps/v1
    kind: Deployment
    name: {{ include "<CHART>.fullname" . }}
  minReplicas: {{ .Values.autoscaling.minReplicas }}
  maxReplicas: {{ .Values.autoscaling.maxReplicas }}
  metrics:
    {{- if .Values.autoscaling.targetCPUUtilizationPercentage }}
    - type: Resource
      resource:
        name: cpu
        target:
          type: Utilization
          averageUtilization: {{ .Values.autoscaling.targetCPUUtilizationPercentage }}
    {{- end }}
{{- end }}
"""

NOTES = """1. Find the application's address with these commands:
{{- if .Values.ingress.enabled }}
{{- range $host := .Values.ingress.hosts }}
  {{- range .paths }}
  http{{ if $.Values.ingress.tls }}s{{ end }}://{{ $host.host }}{{ .path }}
  {{- end }}
{{- end }}
{{- else if contains "NodePort" .Values.service.type }}
  export NODE_PORT=$(kubectl get --namespace {{ .Release.Namespace }} -o jsonpath="{.spec.ports[0].nodePort}" services {{ include "<CHART>.fullname" . }})
  export NODE_IP=$(kubectl get nodes --namespace {{ .Release.Namespace }} -o jsonpath="{.items[0].status.addresses[0].address}")
  echo http://$NODE_IP:$NODE_PORT
{{- else }}
  kubectl --namespace {{ .Release.Namespace }} port-forward service/{{ include "<CHART>.fullname" . }} 8080:{{ .Values.service.port }}
  curl http://127.0.0.1:8080
{{- end }}
"""

TEST = """apiVersion: v1
kind: Pod
metadata:
  name: "{{ include "<CHART>.fullname" . }}-test-connection"
  labels:
    {{- include "<CHART>.labels" . | nindent 4 }}
  annotations:
    "helm.sh/hook": test
spec:
  containers:
    - name: wget
      image: busybox
      command: ['wget']
      args: ['{{ include "<CHART>.fullname" . }}:{{ .Values.service.port }}']
  restartPolicy: Never
"""

IGNORE = """# What is not packaged: one pattern a line.
.DS_Store
.git/
.gitignore
*.swp
*.bak
*.tmp
*.orig
*~
.idea/
.vscode/
"""


def files(
    name: str, *, version: str = "0.1.0", app: str = "1.16.0", image: str = "nginx", tag: str = "", port: int = 80, service_port: int = 80, kind: str = "ClusterIP",
    probe: str = "/", replicas: int = 1, description: str = "A Helm chart for Kubernetes", more: str = "",
) -> dict[str, bytes]:  # fmt: skip
    """The files of a chart for one web application; `more` is added to its values."""
    words = {
        "CHART": name, "VERSION": version, "APP": app, "IMAGE": image, "TAG": tag, "PORT": str(port), "SERVICE_PORT": str(service_port), "TYPE": kind, "PROBE": probe, "REPLICAS": str(replicas),
        "DESCRIPTION": description,
    }  # fmt: skip
    found = {
        "Chart.yaml": CHART, "values.yaml": VALUES + more, ".helmignore": IGNORE, "templates/_helpers.tpl": HELPERS, "templates/deployment.yaml": DEPLOYMENT, "templates/service.yaml": SERVICE,
        "templates/serviceaccount.yaml": ACCOUNT, "templates/ingress.yaml": INGRESS, "templates/hpa.yaml": HPA, "templates/NOTES.txt": NOTES, "templates/tests/test-connection.yaml": TEST,
    }  # fmt: skip
    out: dict[str, bytes] = {}
    for path, text in found.items():
        for word, value in words.items():
            text = text.replace(f"<{word}>", value)
        out[path] = text.encode()
    return out
