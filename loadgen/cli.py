"""`loadgen`: the command line. What a command needs is imported when it runs, so that `--help` is instant."""

import typer

from loadgen.chaos.command import chaos
from loadgen.drill.command import drill
from loadgen.run import command as run
from loadgen.simulate.command import simulate
from loadgen.verify import command as verify

HELP = """Make load, break things, and check from outside that nothing was lost.

\b
  loadgen run --report DIR       send images at a set pace, and report what each took
  loadgen compare A B            is one run better than another?
  loadgen verify                 audit every job in the bucket
  loadgen verify JOB --json      one job, as one JSON object
  loadgen chaos --minutes 5      a Monolayer of its own under faults, then the audit
  loadgen drill                  a Monolayer of its own, broken until each alert has fired
  loadgen simulate               the autoscaling policies on load curves, in numbers

The servers are those of MONOLAYER_... variables (`monolayer env` prints them), else those running on this machine."""

app = typer.Typer(
    help=HELP,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


@app.callback()
def _every() -> None:
    pass


run.register(app)
verify.register(app)
app.command()(chaos)
app.command()(drill)
app.command()(simulate)
