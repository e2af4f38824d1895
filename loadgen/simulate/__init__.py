"""Autoscaling played in numbers: load curves, replicas that take time to start, and what each policy makes of them."""
