"""What `monolayer` runs, and `python -m kiosk`: the command line, whose imports Ctrl-C ends as quietly as its work."""

import sys

INTERRUPTED = 130
"""The exit code."""


def main() -> None:
    """Run the command line."""
    try:
        from kiosk.cli import app

        app(prog_name="monolayer")
    except KeyboardInterrupt:
        sys.stderr.write("\nStopped.\n")
        sys.exit(INTERRUPTED)


if __name__ == "__main__":
    main()
