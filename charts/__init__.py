"""Helm charts, completed from the code before they are used: names and numbers stand there and nowhere else."""
