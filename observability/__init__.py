"""Watches: logs, metrics and trace context now; spans, dashboards and policies as they come."""
