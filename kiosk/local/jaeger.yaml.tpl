# Spans come in by OTLP and are kept in Badger's files. Written anew at every start by kiosk/local/jaeger.py.
service:
  extensions: [jaeger_storage, jaeger_query]
  pipelines:
    traces:
      receivers: [otlp]
      processors: [memory_limiter, batch]
      exporters: [jaeger_storage_exporter]
  telemetry:
    logs:
      level: warn
    metrics:
      level: normal
      readers:
        - pull:
            exporter:
              prometheus: {host: 127.0.0.1, port: ${jaeger_metrics}}

extensions:
  jaeger_query:
    storage: {traces: spans}
    enable_tracing: false  # of itself, which it would send to port 4317, whoever listens there
    http: {endpoint: "127.0.0.1:${jaeger}"}
    grpc: {endpoint: "127.0.0.1:${jaeger_grpc}"}
  jaeger_storage:
    backends:
      spans:
        badger:
          directories: {keys: "${keys}", values: "${values}"}
          ephemeral: false
          ttl: {spans: 72h}

receivers:
  otlp:
    protocols:
      grpc: {endpoint: "127.0.0.1:${otlp}"}
      http: {endpoint: "127.0.0.1:${otlp_http}"}

processors:
  # Above the limit it refuses spans, and whoever sends them tries again, instead of growing.
  memory_limiter: {check_interval: 1s, limit_mib: 640, spike_limit_mib: 128}
  batch: {timeout: 200ms}

exporters:
  jaeger_storage_exporter:
    trace_storage: spans
