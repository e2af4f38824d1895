"""Looks for files and messages that our readers fail on in a way they don't promise."""
