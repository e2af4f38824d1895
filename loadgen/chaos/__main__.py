"""``python -m loadgen.chaos``: the command alone."""

import typer

from loadgen.chaos.command import chaos

if __name__ == "__main__":
    typer.run(chaos)
