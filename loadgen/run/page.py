"""The report as one page: no script, nothing fetched, light or dark as the reader's screen is."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from html import escape
from typing import Any

from loadgen.run import drawings
from loadgen.run.judged import is_clean, sentence
from observability.cost import words

STYLE = """
:root { color-scheme: light dark; --ground: light-dark(#f6f7f7, #14181a); --card: light-dark(#fff, #1c2225);
  --line: light-dark(#d5dadc, #353e43); --text: light-dark(#1d2427, #e6eaec); --quiet: light-dark(#566167, #9eabb1);
  --good: light-dark(#2f7d5b, #5db98d); --bad: light-dark(#b3372f, #f0877e); --series-1: light-dark(#1c6479, #7cc4da);
  --series-2: light-dark(#b3541e, #f2a36b); --series-3: light-dark(#6b4fa0, #b9a2ea); }
* { box-sizing: border-box }
body { margin: 0 auto; padding: 1.5rem 1rem 4rem; max-width: 62rem; background: var(--ground); color: var(--text);
  font: 1rem/1.5 system-ui, sans-serif }
h1 { font-size: 1.5rem; margin: 0 0 .25rem } h2 { font-size: 1.1rem; margin: 0 0 .5rem }
p { margin: .25rem 0 .75rem } .quiet { color: var(--quiet) } .good { color: var(--good) } .bad { color: var(--bad) }
section { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: 1rem; margin: 1rem 0;
  overflow-x: auto }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(8.5rem, 1fr)); gap: 1rem; margin: 1rem 0 }
.tiles div { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: .75rem 1rem }
.tiles b { display: block; font-size: 1.4rem } .tiles span { color: var(--quiet); font-size: .875rem }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; font-size: .875rem }
th, td { text-align: right; padding: .25rem .6rem; border-bottom: 1px solid var(--line); white-space: nowrap }
th:first-child, td:first-child { text-align: left } svg { width: 100%; height: auto; display: block }
"""
PERCENTILES = ("mean", "p50", "p90", "p95", "p99", "max")
Told = Mapping[str, Any]


def page(told: Told) -> str:
    """A report as HTML."""
    parts = [
        _head(told),
        _tiles(told),
        _section("Over time", _over_time(told), "Images due and ended, each second; those due and not ended."),
        _section(
            "Latency",
            _latency(told),
            "From when an image was due to its end; a late sender makes nothing faster.",
        ),
        _section("Where the time goes", _phases(told), _accounted(told)),
        _section(
            "The machine",
            _machine(told),
            "All cores of the machine that sent; of Monolayer where it runs there.",
        ),
        _section("Repeats", _repeats(told), "The interval holds the mean of further repeats, 95 times of 100."),
        _section("Cost", _cost(told), ""),
        _section("What was run", _run(told), ""),
    ]
    return (
        '<!doctype html>\n<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>Monolayer under load</title><style>{STYLE}</style>\n{''.join(parts)}</html>\n"
    )


def _head(told: Told) -> str:
    plan, begun = told["plan"], datetime.fromtimestamp(told["begun"], UTC)
    size = "real" if plan["folder"] else f"{plan['image_size']} × {plan['image_size']} px"
    what = f"{plan['images']:,} images ({size}) in zips of {plan['zip_size']}, one every {plan['delay']:g} s"
    verdict = told["verdict"]
    kind = "good" if is_clean(verdict) and not told["zips"]["problems"] else "bad"
    failed = told["zips"]["problems"].items()
    problems = "".join(f"<p class=bad>{escape(why)} ({count} zips)</p>" for why, count in failed)
    notes = "".join(f"<p class=quiet>{escape(note)}</p>" for note in told["notes"])
    return (
        f"<h1>Monolayer under load</h1><p class=quiet>{escape(what)}; {begun:%Y-%m-%d %H:%M} UTC.</p>"
        f"<p class={kind}>{escape(sentence(verdict))}</p>{problems}{notes}"
    )


def _tiles(told: Told) -> str:
    latency, repeats = told["latency_s"], told["repeats"]
    pace = sum(each["images_per_second"] for each in repeats) / len(repeats) if repeats else 0.0
    tiles = {
        "images a second": f"{pace:.2f}",
        "images labelled": f"{told['images']['fates'].get('labelled', 0):,} of {told['images']['due']:,}",
        "lost": str(told["verdict"].get("lost", "not checked")),
        "latency, p50": _seconds(latency.get("p50")),
        "latency, p99": _seconds(latency.get("p99")),
        "CPU per image": _seconds(_cpu_per_image(told)),
    }
    drawn = "".join(f"<div><b>{value}</b><span>{name}</span></div>" for name, value in tiles.items())
    return f"<div class=tiles>{drawn}</div>"


def _over_time(told: Told) -> str:
    over = told["over_time"]
    if not over["seconds"]:
        return "<p>No image has ended.</p>"
    pace = {"due": over["due_per_second"], "ended": over["ended_per_second"]}
    return drawings.over_time("throughput over time", over["seconds"], pace, "images/s") + drawings.over_time(
        "backlog over time", over["seconds"], {"backlog": over["backlog"]}, "backlog, images"
    )


def _latency(told: Told) -> str:
    marks = {name: told["latency_s"][name] for name in ("p50", "p99") if told["latency_s"]}
    drawn = drawings.histogram("latency", told["histograms"]["latency"], marks)
    return drawn + _percentiles({"latency": told["latency_s"], "upload of a zip": told["zips"]["upload_s"]})


def _phases(told: Told) -> str:
    found: dict[str, Told] = {**told["phases_s"]}
    if not found:
        return "<p>No image has ended.</p>"
    means, tails = ({name: each[what] for name, each in found.items()} for what in ("mean", "p99"))
    whole = {"all together": told["latency_s"]}
    of_model = {f"— {name}": each for name, each in told["model_s"].items()}
    histograms = {name: each for name, each in told["histograms"].items() if name != "latency"}
    return (
        drawings.points("seconds by phase", means, tails)
        + _percentiles(found | of_model | whole)
        + drawings.small_histograms("histograms of phases, seconds", histograms)
    )


def _accounted(told: Told) -> str:
    if not told["observed"]:
        return "Stages told nothing: start it with `monolayer up --observe`, and each phase of each image is here."
    return (
        f"{told['accounted']:.2%} of all latencies was measured, phase by phase; the rest is called unmeasured. What a "
        "zip's images share counts for each of them. Rows with a dash lie within predict.model, tiles added up."
    )


def _machine(told: Told) -> str:
    over = told["machine_over_time"]
    if not over["seconds"]:
        return "<p>It was not looked at.</p>"
    percent = {"busy": [100 * each for each in over["cpu"]]}
    busy = drawings.over_time("cores busy", over["seconds"], percent, "% of all cores")
    memory = drawings.over_time("memory", over["seconds"], {"memory": over["memory_gb"]}, "Monolayer, GB")
    ended = max(1, sum(count for fate, count in told["images"]["fates"].items() if fate in ("labelled", "rejected")))
    cells = [(name, f"{each:.1f}", f"{1000 * each / ended:.1f}") for name, each in told["cpu_s"].items()]
    return busy + (memory if any(over["memory_gb"]) else "") + _table(("process", "CPU, s", "CPU, ms per image"), cells)


def _repeats(told: Told) -> str:
    names = list(told["intervals"])
    heads = ("figure", *(f"repeat {number}" for number in range(1, len(told["repeats"]) + 1)), "interval of the mean")
    cells = [
        (
            name.replace("_", " "),
            *(f"{each.get(name, 0.0):.4g}" for each in told["repeats"]),
            _interval(told["intervals"][name]),
        )
        for name in names
    ]
    return _table(heads, cells)


def _cost(told: Told) -> str:
    cost, used = told["cost"], told["cost"]["used"]
    cells = [("images that jobs counted", f"{used['images']:,}")]
    cells += [(f"seconds of node {kind}", f"{each:,.1f}") for kind, each in used["node_s"].items()]
    cells += [(f"store operations, class {kind}", f"{each:,.0f}") for kind, each in used["operations"].items()]
    cells += [(f"bytes, {way}", f"{each:,.0f}") for way, each in used["traffic_bytes"].items()]
    if "dollars" not in cost:
        return _table(("used", ""), cells) + "<p class=quiet>No prices were named (--prices): no dollars are told.</p>"
    cells += [(f"dollars, {part}", words(each)) for part, each in cost["parts"].items()]
    cells.append(("dollars in all", words(cost["dollars"])))
    if cost["dollars_per_million"] is not None:
        cells.append(("dollars for a million such images", words(cost["dollars_per_million"])))
    without = f" Without {', '.join(cost['without'])}." if cost["without"] else ""
    return _table(("used", ""), cells) + f"<p class=quiet>Prices: {escape(cost['prices'])}.{escape(without)}</p>"


def _run(told: Told) -> str:
    facts = {**told["machine"], **told["system"], **told["plan"]}
    zips = {name: told["zips"][name] for name in ("planned", "sent", "accepted")}
    cells = [(name.replace("_", " "), str(value)) for name, value in facts.items()]
    cells += [(f"zips {name}", f"{value:,}") for name, value in zips.items()]
    cells.append(("latest begin of a zip after it was due", _seconds(told["zips"]["latest_s"])))
    return _table(("", ""), cells)


def _section(title: str, body: str, about: str) -> str:
    return f"<section><h2>{title}</h2>{f'<p class=quiet>{escape(about)}</p>' if about else ''}{body}</section>\n"


def _percentiles(found: Mapping[str, Told]) -> str:
    cells = [(name, *(_seconds(each.get(of)) for of in PERCENTILES)) for name, each in found.items() if each]
    return _table(("", *PERCENTILES), cells)


def _table(heads: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    head = "".join(f"<th>{escape(each)}</th>" for each in heads)
    body = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in line)}</tr>" for line in lines)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _cpu_per_image(told: Told) -> float | None:
    values = [each["cpu_s_per_image"] for each in told["repeats"]]
    return sum(values) / len(values) if any(values) else None


def _interval(found: Sequence[float] | None) -> str:
    return f"{found[0]:.4g} to {found[1]:.4g}" if found else "of one repeat none"


def _seconds(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{1000 * value:.1f} ms" if value < 1 else f"{value:.2f} s"
