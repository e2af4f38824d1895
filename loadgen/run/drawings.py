"""Drawings as SVG that takes its colours from the page around it: matplotlib's only home.

Colours are drawn as placeholders, and each becomes a variable of the page's style, so that one drawing serves light and
dark. Text stays text.
"""

import re
from collections.abc import Mapping, Sequence
from io import StringIO
from itertools import pairwise
from typing import Any

WIDTH, HEIGHT = 9.0, 2.6
"""Inches of 72 px."""
INK, LINE = "#010101", "#020202"
SERIES = ("#030301", "#030302", "#030303")
_VARIABLES = {INK: "var(--text)", LINE: "var(--line)"} | {
    colour: f"var(--series-{number})" for number, colour in enumerate(SERIES, 1)
}
_STYLE: Mapping[str, Any] = {
    "svg.fonttype": "none",
    "font.size": 10,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": LINE,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 10,
    "grid.color": LINE,
    "grid.linewidth": 0.6,
    "xtick.color": LINE,
    "xtick.labelcolor": INK,
    "ytick.color": LINE,
    "ytick.labelcolor": INK,
    "legend.frameon": False,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "figure.constrained_layout.use": True,
}
LEAST = 1e-6
"""Seconds; a logarithmic axis has no zero."""
Histogram = Mapping[str, Sequence[float]]
"""`edges` and `counts`."""


def over_time(name: str, seconds: Sequence[float], lines: Mapping[str, Sequence[float]], unit: str) -> str:
    """Lines over the seconds of a run, each with its name."""

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        for (label, values), colour in zip(lines.items(), SERIES, strict=False):
            axes.plot(seconds, values, color=colour, linewidth=1.8, label=label)
        axes.set(xlabel="seconds", ylabel=unit, xlim=(0, max(seconds, default=1.0)), ylim=(0, None))
        if len(lines) > 1:
            axes.legend(loc="upper right", ncols=len(lines))

    return _drawn(name, draw)


def histogram(name: str, found: Histogram, marks: Mapping[str, float]) -> str:
    """One histogram over a logarithmic axis of seconds, with lines at percentiles."""

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        _bars(axes, found)
        for label, value in marks.items():
            axes.axvline(value, color=SERIES[1], linewidth=1.4)
            axes.text(value, 1.0, label, transform=axes.get_xaxis_transform(), ha="center", va="bottom", color=INK)
        axes.set(xlabel="logarithmic", ylabel="images")

    return _drawn(name, draw)


def small_histograms(name: str, found: Mapping[str, Histogram], columns: int = 4) -> str:
    """Many histograms side by side, each over an axis of its own."""
    lines = -(-len(found) // columns)

    def draw(figure: Any) -> None:
        grid = figure.subplots(lines, columns, squeeze=False).ravel()
        for axes, (label, each) in zip(grid, found.items(), strict=False):
            _bars(axes, each)
            axes.set_title(label, loc="left")
            axes.tick_params(labelsize=8)
        for axes in grid[len(found) :]:
            axes.set_axis_off()

    return _drawn(name, draw, height=1.5 * lines)


def points(name: str, means: Mapping[str, float], tails: Mapping[str, float]) -> str:
    """For each name a point at its mean, and a mark where its tail reaches, over a logarithmic axis of seconds."""

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        labels = list(means)[::-1]
        for values, shape, colour, label in ((means, "o", SERIES[0], "mean"), (tails, "|", SERIES[1], "p99")):
            axes.plot([max(values[each], LEAST) for each in labels], labels, shape, color=colour, label=label, ms=9)
        axes.set(xlabel="seconds, logarithmic", xscale="log")
        axes.legend(loc="upper left", bbox_to_anchor=(1, 1))

    return _drawn(name, draw, height=0.8 + 0.27 * len(means))


def _bars(axes: Any, found: Histogram) -> None:
    edges, counts = found["edges"], found["counts"]
    if counts:
        widths = [high - low for low, high in pairwise(edges)]
        axes.bar(edges[:-1], counts, widths, align="edge", color=SERIES[0])
        axes.set_xscale("log")
        few = [edges[0], (edges[0] * edges[-1]) ** 0.5, edges[-1]]
        axes.set_xticks(few, list(map(short, few)))
        axes.minorticks_off()


def short(seconds: float) -> str:
    """A duration in a few letters.

    >>> short(627.6), short(0.0123), short(0.00002)
    ('628 s', '12 ms', '20 µs')
    """
    for unit, factor in (("s", 1.0), ("ms", 1e3), ("µs", 1e6)):
        if (value := seconds * factor) >= 1 or unit == "µs":
            break
    return f"{value:.0f} {unit}" if value >= 10 else f"{value:.1f} {unit}"


def _drawn(name: str, draw: Any, height: float = HEIGHT) -> str:
    import matplotlib
    from matplotlib.figure import Figure

    style: Any = {**_STYLE, "svg.hashsalt": name}
    with matplotlib.rc_context(style):  # ids of drawings on one page must differ
        figure = Figure(figsize=(WIDTH, height))
        draw(figure)
        file = StringIO()
        figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    return _with_variables(file.getvalue(), name)


def _with_variables(svg: str, name: str) -> str:
    svg = svg[svg.index("<svg") :]  # without a prologue, which HTML doesn't know
    for colour, variable in _VARIABLES.items():
        svg = svg.replace(colour, variable)
    svg = re.sub(r"(font: [\d.]+px) [^;\"]*", r"\1 system-ui, sans-serif", svg)
    return svg.replace("<svg", f'<svg role="img" aria-label="{name}"', 1)
