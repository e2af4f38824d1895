"""`make demo`: the main job once, with the real parts, on a real image and on synthetic fields of known truth."""

import json
import shutil
import statistics
import sys
import tempfile
import time
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from inference.scoring import f1
from inference.synthetic import field
from kiosk.client import Monolayer
from kiosk.contract import JobView
from kiosk.errors import MonolayerError
from kiosk.local.cache import LocalError, cache_folder
from kiosk.local.samples import real_nuclei
from kiosk.local.stack import Local
from kiosk.local.state import State

OUT = Path("demo-out")
SYNTHETIC = 11
SIDE = 1024
console = Console()


@dataclass(frozen=True, slots=True)
class Picture:
    """One image of the demo, with the labels that are right (height, width)."""

    name: str
    image: NDArray[Any]
    truth: NDArray[Any]


def pictures() -> list[Picture]:
    """The real image first, then the synthetic fields, each with another density of cells."""
    sample = real_nuclei(cache_folder())
    real = Picture("real/nuclei.tif", tifffile.imread(sample.image), tifffile.imread(sample.truth))
    made = [(number, *field((SIDE, SIDE), seed=number, n_cells=150 + 40 * number)) for number in range(SYNTHETIC)]
    return [real, *(Picture(f"synthetic/field_{number:02d}.tif", image, truth) for number, image, truth in made)]


def packed(shown: list[Picture], folder: Path) -> Path:
    """The zip that a lab would drop."""
    archive = folder / "demo.zip"
    with zipfile.ZipFile(archive, "w") as opened:
        for picture in shown:
            file = folder / "image.tif"
            tifffile.imwrite(file, picture.image)
            opened.write(file, picture.name)
    return archive


def started(state: Path) -> Local:
    """Everything, on free ports, in a folder of its own; it stops with this process."""
    local = Local(State(state), cache_folder(), any_ports=True)
    console.print("[bold]1[/] servers: Kafka, S3 and Triton are downloaded and built once, then kept in the cache")
    said: dict[str, str] = {}

    def tell(part: str, words: str) -> None:
        if said.get(part) != words:
            said[part] = words
            console.print(f"    {part:8} {words}", style="dim", highlight=False)

    local.install(tell)
    local.start(bound=True)
    try:
        local.wait()
    except BaseException:
        local.stop()
        raise
    return local


def waited(client: Monolayer, job: str, images: int) -> JobView:
    """Until the job is done, with a bar."""
    columns = (TextColumn("    {task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        bar = progress.add_task("labels", total=images)
        return client.wait(job, lambda state: progress.update(bar, completed=state.labelled + state.rejected), 0.2)


def scores(shown: list[Picture], out: Path) -> list[tuple[str, int, float]]:
    """Name, cells found, F1 at IoU 0.5 of each image."""
    found = []
    for picture in shown:
        labels = tifffile.imread(out / "labels" / Path(picture.name).with_suffix(".tif"))
        labels = labels.reshape(picture.truth.shape)
        found.append((picture.name, int(np.count_nonzero(np.unique(labels))), f1(picture.truth, labels)))
    return found


def spent(local: Local) -> dict[str, float]:
    """Mean milliseconds per image by phase, as the stages log them."""
    lines = (local.state.folder / "logs" / "stage-segment.log").read_text().splitlines()
    seconds = [json.loads(line)["seconds"] for line in lines if '"image_labelled"' in line]
    names = sorted({name for each in seconds for name in each})
    return {name: 1000 * statistics.mean(each.get(name, 0.0) for each in seconds) for name in names}


def report(
    scored: list[tuple[str, int, float]], state: JobView, phases: dict[str, float], took: dict[str, float]
) -> None:
    """The table of what came out."""
    table = Table("image", "cells", "F1 at IoU 0.5", title="What was found", title_justify="left")
    for name, cells, score in scored:
        table.add_row(name, str(cells), f"{score:.3f}")
    console.print(table)
    made = [score for name, _, score in scored if name.startswith("synthetic")]
    console.print(f"real image: F1 {scored[0][2]:.3f}; synthetic fields: mean F1 {statistics.mean(made):.3f}")
    rate = state.labelled / took["processing"]
    console.print(f"{state.labelled} of {state.images} images labelled, {rate:.1f} images per second, upload included")
    console.print("where the time went: " + ", ".join(f"{name} {seconds:.1f} s" for name, seconds in took.items()))
    console.print("within an image, in ms: " + ", ".join(f"{name} {ms:.0f}" for name, ms in phases.items()))


def demo(folder: Path) -> int:
    """Run it in a temporary folder; returns the exit code."""
    took: dict[str, float] = {}
    begun = time.perf_counter()

    def lap(name: str) -> None:
        nonlocal begun
        now = time.perf_counter()
        took[name], begun = now - begun, now

    local = started(folder / "state")
    lap("servers")
    try:
        console.print(f"[bold]2[/] images: a real one, and {SYNTHETIC} synthetic fields of known truth")
        shown = pictures()
        archive = packed(shown, folder)
        lap("images")
        console.print("[bold]3[/] submitted as one zip: Kafka carries the events, Triton predicts, S3 keeps the labels")
        with Monolayer(local.status()["addresses"]["api"]) as client:
            (job,) = client.submit([archive])
            state = waited(client, job, len(shown))
            lap("processing")
            shutil.rmtree(OUT, ignore_errors=True)
            client.results(job, OUT)
            lap("results")
        scored = scores(shown, OUT)
        report(scored, state, spent(local), took)
        console.print(f"look at [bold]{OUT / 'overlays'}[/]; the numbers per cell are in [bold]{OUT / 'cells.csv'}[/]")
        return 0 if state.labelled == state.images and scored[0][2] >= 0.8 else 1
    finally:
        local.stop()


def main() -> int:
    """Run the demo; errors are one sentence."""
    try:
        with tempfile.TemporaryDirectory(prefix="monolayer-demo-") as folder:
            return demo(Path(folder))
    except (LocalError, MonolayerError) as error:
        console.print(f"[red]{error}[/]")
        return 1
    except KeyboardInterrupt:
        console.print("Stopped. Nothing is left running.")
        return 130


if __name__ == "__main__":
    sys.exit(main())
