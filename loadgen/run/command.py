"""The commands `loadgen run`, `loadgen report` and `loadgen compare`."""

import json
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

if TYPE_CHECKING:
    from loadgen.run.plan import Plan
    from observability.cost import Prices

CLEAN, FOUND, NOT_MADE, STOPPED = 0, 1, 2, 130
"""Exit codes."""
LONG = ("histograms", "over_time", "machine_over_time")
"""Parts of a report that are not printed."""
Folder = Annotated[Path, typer.Argument(metavar="DIR", help="A run's folder.")]
PricesOption = Annotated[
    str, typer.Option(metavar="NAME", help="A price file, or the name of a shipped one; else that of MONOLAYER_PRICES.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object last.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(run)
    app.command()(report)
    app.command()(compare)


def run(
    report: Annotated[Path, typer.Option(metavar="DIR", help="A new folder for the report, and all it is made of.")],
    images: Annotated[int, typer.Option(min=1, help="Images of each repeat.")] = 1000,
    zip_size: Annotated[int, typer.Option(min=1, help="Images in a zip.")] = 100,
    rate: Annotated[float | None, typer.Option(help="Zips a second; instead of --delay.")] = None,
    delay: Annotated[float | None, typer.Option(min=0, help="Seconds from one zip to the next; without, 5.")] = None,
    image_size: Annotated[int, typer.Option(help="Height and width of made-up images in px.")] = 1024,
    folder: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Send these images, in turn, instead of made-up ones.")
    ] = None,
    model: Annotated[str, typer.Option(help="The model of all jobs.")] = "nuclei",
    diameter: Annotated[float | None, typer.Option(help="Of a typical nucleus in px; made-up ones have 24.")] = None,
    tenants: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Tokens, one a line; zips are sent with them in turn.")
    ] = None,
    warmup: Annotated[int, typer.Option(min=0, help="Zips that end before anything is measured.")] = 1,
    repeats: Annotated[int, typer.Option(min=1, help="The same again, so that its noise is known.")] = 1,
    seed: Annotated[int, typer.Option(help="Decides every pixel of made-up images.")] = 1,
    patience: Annotated[
        float, typer.Option(min=1, help="Seconds without any image ending after which nothing is waited for.")
    ] = 600.0,
    api: Annotated[str | None, typer.Option(help="The API; else MONOLAYER_API, else that on this machine.")] = None,
    prices: PricesOption = "",
    as_json: JsonOption = False,
) -> None:
    """Send zips of images at a set pace, whatever becomes of them, and report what each image took.

    The loop is open: a zip is sent when it is due, also where those before it have not ended, and an image's latency
    counts from that moment. Uploads are real and no two images the same; what fails is kept and told. With
    `--repeats 5` the report has intervals, and two reports can be compared. The first Ctrl-C ends it, and what there
    is is reported.

    Afterwards the folder holds report.html to look at, report.json with the same figures, images.parquet with a row for
    each image, and the journal, from which `loadgen report` makes and verifies it again. In a system that is observed
    (`monolayer up --observe`) each phase of each image is told; otherwise only upload and end.

    Exit codes: 0 all was accepted and nothing is wrong, 1 something is, 2 it could not be made or verified, 130 Ctrl-C.
    """
    from loadgen.run.plan import Plan

    said = Console(stderr=True)
    with _complaints(said):
        plan = Plan.checked(
            images=images,
            zip_size=zip_size,
            delay=_delay(rate, delay),
            image_size=image_size,
            folder=str(folder.resolve()) if folder else "",
            model=model,
            diameter=diameter,
            tenants=len(_tokens(tenants)),
            warmup=warmup,
            repeats=repeats,
            seed=seed,
        )
        priced, stop = _prices(prices), threading.Event()
        with _stopped_by_signals(stop), _telling(said) as tell:
            settled = _conducted(plan, report, _tokens(tenants), api, stop, tell, patience)
            told = _reported(report, settled, priced, tell)
    _show(told, report, said, as_json)
    raise typer.Exit(STOPPED if stop.is_set() else _code(told))


def report(folder: Folder, prices: PricesOption = "", as_json: JsonOption = False) -> None:
    """Make a run's report again: ask once more what became of its images, and verify that none was lost.

    Where a run was stopped or its servers were away, this completes it, as long as its jobs are kept.
    """
    said = Console(stderr=True)
    with _complaints(said), _telling(said) as tell:
        told = _reported(folder, False, _prices(prices), tell)
    _show(told, folder, said, as_json)
    raise typer.Exit(_code(told))


def compare(
    before: Annotated[Path, typer.Argument(metavar="A", help="A run's folder, or one with several runs in it.")],
    after: Annotated[Path, typer.Argument(metavar="B", help="Another, of the same work.")],
    as_json: JsonOption = False,
) -> None:
    """Say of each figure whether B is better, worse, or can't be told from A.

    Believed is what chance alone does in fewer than 5 of 100 cases, by a permutation test over repeats: it takes four
    repeats of each at least. Exit codes: 0 not worse, 1 worse, 2 they could not be compared.
    """
    from dataclasses import asdict

    from loadgen.run.compare import compare as compared
    from loadgen.run.screen import show_comparison

    said = Console(stderr=True)
    with _complaints(said):
        found = compared(before, after)
    if as_json:
        print(json.dumps(asdict(found) | {"judgement": found.judgement}))
    else:
        show_comparison(found)
    raise typer.Exit(FOUND if found.judgement == "worse" else CLEAN)


def _conducted(
    plan: "Plan",
    folder: Path,
    tokens: list[str],
    api: str | None,
    stop: threading.Event,
    tell: Callable[[str], None],
    patience: float,
) -> bool:
    from kiosk.client import Monolayer
    from kiosk.client.calls import find_api
    from loadgen import settings
    from loadgen.run.conduct import conduct

    address = find_api(api or settings.Settings().api or None)
    with ExitStack() as stack:
        clients = [stack.enter_context(Monolayer(address, token=token or None)) for token in tokens]
        system = {"api": address, "version": clients[0].health().version, "model": plan.model}
        return conduct(plan, folder, clients, system, stop, tell, patience)


def _reported(folder: Path, settled: bool, prices: "Prices | None", tell: Callable[[str], None]) -> dict[str, Any]:
    from loadgen.run import judged
    from loadgen.run.journal import read_about, read_sent
    from loadgen.run.plan import BadPlan
    from loadgen.run.report import REPORT, Found, write

    read_about(folder)
    jobs = {each.job for each in read_sent(folder) if each.job}
    ends, verdict = judged.ask(jobs, settled, tell)
    if jobs and not verdict["checked"] and (folder / REPORT).exists():
        raise BadPlan(f"{judged.sentence(verdict)} The report in {folder} stays as it is.")
    tell("drawing the report")
    return write(folder, Found(ends, verdict, prices))


def _delay(rate: float | None, delay: float | None) -> float:
    from loadgen.run.plan import BadPlan

    if rate is not None and delay is not None:
        raise BadPlan("Give --rate or --delay, not both.")
    if rate is not None and rate <= 0:
        raise BadPlan(f"--rate is {rate:g}, and has to be more than 0 zips a second.")
    return 1 / rate if rate else 5.0 if delay is None else delay


def _tokens(file: Path | None) -> list[str]:
    """The tokens of a file; without one, whatever the client finds."""
    from loadgen.run.plan import BadPlan

    if file is None:
        return [""]
    try:
        found = file.read_text().split()
    except (OSError, UnicodeDecodeError) as why:
        raise BadPlan(f"{file} can't be read: {why}.") from None
    if not found:
        raise BadPlan(f"There is no token in {file}: `monolayer tokens create NAME --tenant TENANT` prints one.")
    return found


def _prices(named: str) -> "Prices | None":
    from loadgen import settings
    from observability import cost

    said = named or settings.Settings().prices
    return cost.read(said) if said else None


@contextmanager
def _complaints(said: Console) -> Iterator[None]:
    """What can't be done is one sentence and exit code 2."""
    from kiosk.errors import MonolayerError
    from loadgen.run.plan import BadPlan
    from observability.cost import BadPrices
    from streams.wording import sentence

    try:
        yield
    except (BadPlan, BadPrices, MonolayerError, OSError) as why:
        told = str(why) if isinstance(why, BadPlan) else sentence(str(why))  # which may begin with a path
        said.print(told, markup=False, highlight=False, soft_wrap=True, style="red")
        raise typer.Exit(NOT_MADE) from None


@contextmanager
def _stopped_by_signals(stop: threading.Event) -> Iterator[None]:
    """The first Ctrl-C or SIGTERM sets the event; a second one ends the process as always."""
    usual = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def end(*_: object) -> None:
        stop.set()
        for number, handler in usual.items():
            signal.signal(number, handler)

    for number in usual:
        signal.signal(number, end)
    try:
        yield
    finally:
        for number, handler in usual.items():
            signal.signal(number, handler)


def _telling(said: Console) -> Any:
    from loadgen.run.screen import telling

    return telling(said)


def _show(told: dict[str, Any], folder: Path, said: Console, as_json: bool) -> None:
    from loadgen.run.screen import show

    show(told, folder, said)
    if as_json:
        print(json.dumps({name: part for name, part in told.items() if name not in LONG}))


def _code(told: dict[str, Any]) -> int:
    if not told["verdict"]["checked"]:
        return NOT_MADE
    return FOUND if told["verdict"]["anomalies"] or told["zips"]["problems"] else CLEAN
