"""`monolayer`: the command line. What a command needs is imported when it runs, so that `--help` is instant."""

from importlib import metadata
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from kiosk import commands_jobs, commands_local, commands_submit, screen
from kiosk.errors import MonolayerError

HELP = """Cell images in, label masks and tables of cells out.

Send microscope images (TIFF, OME-TIFF, PNG, or a zip of them) and get back, for each, a label image, an overlay to
check it by eye, and a row for every cell.

\b
  monolayer up                                     start everything on this machine
  monolayer submit plate1/ --out plate1-labels     send a folder, wait, fetch what was found
  monolayer jobs                                   what is going on

Exit codes: 0 all images are labelled, 2 some were rejected, 1 something went wrong."""


class Commands(TyperGroup):
    """The group of all commands: the one place where errors become a sentence and an exit code."""

    def make_context(self, *args: Any, **extra: Any) -> Any:
        """Read the command line; a mistake in it is an error like others (exit code 1)."""
        try:
            return super().make_context(*args, **extra)
        except typer.TyperException as error:
            error.exit_code = screen.FAILED
            raise

    def invoke(self, ctx: Any) -> Any:
        """Run a command."""
        try:
            return super().invoke(ctx)
        except typer.TyperException as error:
            error.exit_code = screen.FAILED
            raise
        except BrokenPipeError:  # `| head` has seen enough; Typer ends quietly
            raise
        except (MonolayerError, OSError) as error:
            screen.warn(str(error))
            raise typer.Exit(screen.FAILED) from error


app = typer.Typer(
    cls=Commands,
    help=HELP,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


@app.callback()
def _every(
    ctx: typer.Context,
    api: Annotated[
        str | None,
        typer.Option(
            envvar="MONOLAYER_API",
            metavar="ADDRESS",
            help="Where Monolayer is; otherwise the one on this machine.",
        ),
    ] = None,
) -> None:
    ctx.obj = api


@app.command()
def version() -> None:
    """Say which version this is."""
    screen.say(metadata.version("monolayer"))


commands_submit.register(app)
commands_jobs.register(app)
commands_local.register(app)
