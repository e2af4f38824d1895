"""The HTTP API: uploads, jobs, results and models, without any state of its own."""
