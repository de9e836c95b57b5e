{{- define "exporter.name" -}}
{{- $name := contains "exporter" .Release.Name | ternary .Release.Name (printf "%s-exporter" .Release.Name) }}
{{- $name | trunc 45 | trimSuffix "-" }}
{{- end }}

{{- define "exporter.account" -}}
{{- .Values.serviceAccount.name | default (include "exporter.name" .) }}
{{- end }}

{{- define "exporter.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "exporter.labels" -}}
{{ include "exporter.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: kubemend
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{- define "exporter.image" -}}
{{- with .Values.image }}{{ .repository }}{{ if .digest }}@{{ .digest }}{{ else }}:{{ .tag | default $.Chart.AppVersion }}{{ end }}{{ end }}
{{- end }}

{{- define "exporter.metadata" -}}
metadata:
  name: {{ include "exporter.name" . }}
  namespace: {{ .Release.Namespace }}
  labels: {{- include "exporter.labels" . | nindent 4 }}
{{- end }}
