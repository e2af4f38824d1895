{{- /* (dict root name pace min max reads queries): one deployment's scaling. The lag alone takes it from zero to one, and keeps it
       there; the numbers that are wanted are computed by recording rules. What is missing freezes: `ignoreNullValues`. */ -}}
{{- define "monolayer.scaledobject" -}}
{{- $root := .root }}
{{- $facts := include "monolayer.facts" $root | fromYaml -}}
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata: {{- include "monolayer.metadata" (list $root .name) | nindent 2 }}
spec:
  scaleTargetRef: { name: {{ $root.Release.Name }}-{{ .name }} }
  minReplicaCount: {{ .min }}
  maxReplicaCount: {{ .max }}
  pollingInterval: {{ $facts.scaling.looksSeconds }}
  cooldownPeriod: {{ .pace.waits }}
  advanced:
    horizontalPodAutoscalerConfig:
      behavior:
        scaleUp:
          stabilizationWindowSeconds: 0
          policies: [{ type: Percent, value: 900, periodSeconds: {{ $facts.scaling.looksSeconds }} }]
        scaleDown:
          stabilizationWindowSeconds: {{ .pace.waits }}
          policies: [{ type: Percent, value: {{ .pace.most_down }}, periodSeconds: {{ .pace.every }} }]
  triggers:
    {{- range .reads }}
    - type: kafka
      metadata:
        bootstrapServers: {{ include "monolayer.kafka" $root | quote }}
        consumerGroup: {{ .group }}
        topic: {{ .topic }}
        lagThreshold: "1000000000" # wakes one; how many there shall be is said below
        activationLagThreshold: "0"
        offsetResetPolicy: earliest
      {{- if $root.Values.kafka.enabled }}
      authenticationRef: { name: {{ $root.Release.Name }}-watch }
      {{- end }}
    {{- end }}
    {{- range .queries }}
    - type: prometheus
      metadata:
        serverAddress: {{ $root.Values.scaling.prometheus }}
        query: {{ . | quote }}
        threshold: "1"
        activationThreshold: "0"
        ignoreNullValues: "false" # or nothing known would mean nothing wanted
    {{- end }}
{{- end }}
