"""The front door: the HTTP API, the command line, the Python client, and the system on one machine."""
