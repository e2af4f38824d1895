"""`monolayer`: the command line. What a command needs is imported when it runs, so that `--help` is instant."""

from importlib import metadata
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from kiosk.commands import browser, control, jobs, local, screen, submit, tokens, traces
from kiosk.commands.door import Named
from kiosk.errors import MonolayerError

HELP = """Cell images in, label masks and tables of cells out.

Send microscope images (TIFF, OME-TIFF, PNG, JPEG, or a zip of them) and get back, for each, a label image, an overlay
to check it by eye, and a row for every cell.

\b
  monolayer up                                     start everything on this machine
  monolayer submit plate1/ --out plate1-labels     send a folder, wait, fetch what was found
  monolayer jobs                                   what is going on
  monolayer rejected JOB                           which images have no labels, and why
  monolayer replay JOB                             send those through again
  monolayer trace JOB IMAGE                        where an image's time went

Exit codes: 0 all images are labelled, 2 some were rejected or cancelled, 1 something went wrong, 130 Ctrl-C."""


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
        except KeyboardInterrupt:
            screen.warn(screen.STOPPED)
            raise typer.Exit(screen.INTERRUPTED) from None
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
    token: Annotated[
        str | None,
        typer.Option(
            envvar="MONOLAYER_TOKEN",
            metavar="TOKEN",
            help="What lets you in, where Monolayer asks for it. Safer in the variable: arguments can be seen.",
        ),
    ] = None,
) -> None:
    ctx.obj = Named(api, token)


@app.command()
def version() -> None:
    """Say which version this is."""
    screen.say(metadata.version("monolayer"))


submit.register(app)
jobs.register(app)
control.register(app)
traces.register(app)
local.register(app)
tokens.register(app)
browser.register(app)
