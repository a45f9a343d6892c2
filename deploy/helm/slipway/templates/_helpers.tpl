{{- define "slipway.labels" -}}
app.kubernetes.io/name: slipway
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}
{{- define "slipway.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}
{{- define "slipway.env" -}}
- name: QUEUES
  value: {{ .Values.worker.queues | quote }}
- name: SLIPWAY_WARM_WORLDS
  value: {{ .Values.worker.warmWorlds | quote }}
- name: ALLOWED_HOSTS
  value: {{ join "," .Values.hosts | quote }}
- name: HTTPS
  value: {{ .Values.https | ternary "1" "0" | quote }}
- name: FORWARDED_ALLOW_IPS
  value: "*"
- name: LOG_FORMAT
  value: json
- name: DEMO_ACCOUNTS
  value: "0"
{{- range $name, $value := .Values.env }}
- name: {{ $name }}
  value: {{ $value | quote }}
{{- end }}
{{- end }}
{{- define "slipway.pod" -}}
runAsNonRoot: true
runAsUser: 10001
fsGroup: 10001
seccompProfile:
  type: RuntimeDefault
{{- end }}
{{- define "slipway.container" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}
