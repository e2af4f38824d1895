{{- /* Names, labels and what all pods have in common. */ -}}

{{- define "monolayer.facts" -}}{{ .Files.Get "files/facts.yaml" }}{{- end }}

{{- /* (list $ component): labels by which a component is selected */ -}}
{{- define "monolayer.selector" -}}
app.kubernetes.io/name: monolayer
app.kubernetes.io/instance: {{ (index . 0).Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end }}

{{- define "monolayer.labels" -}}
{{ include "monolayer.selector" . }}
app.kubernetes.io/version: {{ (index . 0).Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ (index . 0).Release.Service }}
helm.sh/chart: {{ (index . 0).Chart.Name }}-{{ (index . 0).Chart.Version }}
{{- end }}

{{- /* (list $ component) */ -}}
{{- define "monolayer.metadata" -}}
name: {{ (index . 0).Release.Name }}-{{ index . 1 }}
labels: {{- include "monolayer.labels" . | nindent 2 }}
{{- end }}

{{- define "monolayer.image" -}}{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}{{- end }}

{{- define "monolayer.secret" -}}{{ .Values.storage.existingSecret | default (printf "%s-storage" .Release.Name) }}{{- end }}

{{- define "monolayer.kafka" -}}
{{- if .Values.kafka.enabled -}}
{{ .Release.Name }}-kafka-bootstrap.{{ .Release.Namespace }}:{{ (include "monolayer.facts" . | fromYaml).ports.kafka }}
{{- else -}}
{{ required "kafka.bootstrap: which Kafka, host:port? Or set kafka.enabled." .Values.kafka.bootstrap }}
{{- end -}}
{{- end }}

{{- define "monolayer.endpoint" -}}
{{- if .Values.storage.endpoint -}}{{ .Values.storage.endpoint }}
{{- else if .Values.storage.seaweedfs.enabled -}}
http://{{ .Release.Name }}-seaweedfs.{{ .Release.Namespace }}:{{ (include "monolayer.facts" . | fromYaml).ports.seaweedfs }}
{{- else -}}{{ fail "storage.endpoint: where is the bucket? Name an S3 endpoint, or set storage.seaweedfs.enabled." }}
{{- end -}}
{{- end }}

{{- /* (list $ component): variables of a process of ours */ -}}
{{- define "monolayer.env" -}}
{{- $root := index . 0 }}
{{- $facts := include "monolayer.facts" $root | fromYaml -}}
{{- if $root.Values.kafka.enabled }}
{{- $user := printf "%s-%s" $root.Release.Name (get $facts.logins (index . 1) | default "stages") }}
- { name: KAFKA_PASSWORD, valueFrom: { secretKeyRef: { name: {{ $user }}, key: password } } }
- { name: MONOLAYER_KAFKA, value: {{ printf "%s:$(KAFKA_PASSWORD)@%s" $user (include "monolayer.kafka" $root) | quote }} }
{{- else }}
- { name: MONOLAYER_KAFKA, value: {{ include "monolayer.kafka" $root | quote }} }
{{- end }}
- { name: MONOLAYER_S3_ENDPOINT, value: {{ include "monolayer.endpoint" $root | quote }} }
- { name: MONOLAYER_S3_ACCESS_KEY, valueFrom: { secretKeyRef: { name: {{ include "monolayer.secret" $root }}, key: access-key } } }
- { name: MONOLAYER_S3_SECRET_KEY, valueFrom: { secretKeyRef: { name: {{ include "monolayer.secret" $root }}, key: secret-key } } }
- { name: MONOLAYER_BUCKET, value: {{ $root.Values.storage.bucket | quote }} }
- { name: MONOLAYER_TRITON, value: {{ printf "%s-triton.%s:%v" $root.Release.Name $root.Release.Namespace $facts.ports.triton | quote }} }
- { name: MONOLAYER_METRICS, value: {{ printf "0.0.0.0:%v" $facts.ports.metrics | quote }} }
- { name: MONOLAYER_HEARTBEAT, value: /run/monolayer/{{ index . 1 }}.ready }
{{- if $root.Values.traces.jaeger }}
- { name: MONOLAYER_TRACES, value: {{ printf "%s-collector.%s:%v" $root.Release.Name $root.Release.Namespace $facts.ports.otlp | quote }} }
{{- end }}
{{- range $name, $value := merge (dict "HOME" "/tmp" "NUMBA_CACHE_DIR" "/tmp/numba" "PYTHONUNBUFFERED" "1") $facts.frugal $root.Values.settings }}
- { name: {{ $name }}, value: {{ $value | quote }} }
{{- end }}
{{- end }}

{{- /* What every pod of ours has: no root, no service account, a place in the cluster. (list $ placement) */ -}}
{{- define "monolayer.pod" -}}
{{- $root := index . 0 }}
{{- $placement := index $root.Values.placement (index . 1) -}}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  seccompProfile: { type: RuntimeDefault }
{{- with $root.Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - { name: {{ . }} }
  {{- end }}
{{- end }}
{{- with $placement.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $placement.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "monolayer.confined" -}}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: { drop: [ALL] }
{{- end }}

{{- /* What a container of ours may write to. */ -}}
{{- define "monolayer.mounts" -}}
volumeMounts:
  - { name: scratch, mountPath: /tmp }
  - { name: run, mountPath: /run/monolayer }
{{- end }}
{{- define "monolayer.volumes" -}}
volumes:
  - { name: scratch, emptyDir: { sizeLimit: 4Gi } }
  - { name: run, emptyDir: { sizeLimit: 1Mi } }
{{- end }}

{{- /* (list $ component): alive while the process touches its file, which it does only while its work goes on */ -}}
{{- define "monolayer.heartbeat" -}}
{{- $seconds := (include "monolayer.facts" (index . 0) | fromYaml).heartbeatSeconds -}}
{{- $probe := dict "exec" (dict "command" (list "sh" "-c" (printf "test -n \"$(find /run/monolayer/%s.ready -newermt '%v seconds ago')\"" (index . 1) $seconds))) -}}
startupProbe: {{- toYaml (merge (dict "periodSeconds" 5 "failureThreshold" 60 "timeoutSeconds" 5) $probe) | nindent 2 }}
livenessProbe: {{- toYaml (merge (dict "periodSeconds" 10 "failureThreshold" 3 "timeoutSeconds" 5) $probe) | nindent 2 }}
{{- end }}

{{- /* (list $ component): a disruption takes one pod at a time */ -}}
{{- define "monolayer.budget" -}}
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {{- include "monolayer.metadata" . | nindent 2 }}
spec:
  maxUnavailable: 1
  selector:
    matchLabels: {{- include "monolayer.selector" . | nindent 6 }}
{{- end }}
