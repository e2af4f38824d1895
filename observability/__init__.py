"""Watches: logs, metrics and traces now; dashboards and policies as they come."""
