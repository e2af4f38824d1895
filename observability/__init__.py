"""Watches: logs and trace context now; metrics, spans, dashboards and policies as they come."""
