{{/* What every object's name begins with. Short enough for a suffix and the pods' own. */}}
{{- define "cyanotype.name" -}}
{{- if contains "cyanotype" .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-cyanotype" (.Release.Name | trunc 30 | trimSuffix "-") -}}
{{- end -}}
{{- end -}}

{{/* What tells this release's pods from others. Never changes: a Deployment's selector cannot. */}}
{{- define "cyanotype.selector" -}}
app.kubernetes.io/name: cyanotype
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end -}}

{{- define "cyanotype.labels" -}}
{{ include "cyanotype.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service | quote }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | quote }}
{{- end -}}
