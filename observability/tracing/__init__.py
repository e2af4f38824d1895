"""Traces: ids that anyone can derive, spans as plain values, and the way to a collector of OpenTelemetry's protocol."""
