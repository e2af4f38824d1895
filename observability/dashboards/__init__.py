"""Dashboards as code: described once, drawn by Grafana and by the viewer that VictoriaMetrics brings."""
