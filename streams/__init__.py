"""Kafka in, Kafka out: events, the stages that answer them, and the worker that runs stages."""
