"""What a query asks for: names of metrics, and the labels it names."""

import re

from observability.metrics import BOOK, DCGM, TRITON

FOREIGN = {
    "up",
    "ALERTS",
    "vm_free_disk_space_bytes",
    "kubelet_volume_stats_available_bytes",
    "kubelet_volume_stats_capacity_bytes",
    *TRITON,
    *DCGM,
}
"""Metrics of others that we use."""
TARGET = {"job", "process", "pod", "instance"}
"""Labels that a scrape adds."""
_NAME = re.compile(
    r"(?<![\w\"/:])(monolayer_\w+|nv_\w+|DCGM_\w+|up|vm_\w+|kubelet_\w+|process_\w+)\b(?!\s*\()(?:\{([^}]*)\})?"
)
_MATCHED = re.compile(r"(\w+)\s*(?:=~|!~|!=|=)")
_GROUPED = re.compile(r"\b(?:by|on|without|group_left|group_right)\s*\(([^)]*)\)")
_SERIES = ("_bucket", "_sum", "_count")
_GAUGES_OF_TRITON = {"nv_inference_pending_request_count", "nv_gpu_utilization", "nv_gpu_memory_used_bytes"}
_GROWTH = re.compile(r"\b(?:rate|increase)\(\s*(\w+)(?:\{[^}]*\})?\[")
_QUANTILE = re.compile(r"histogram_quantile\([\d.]+, sum by \(le\b[^)]*\) \(rate\((\w+)(?:\{[^}]*\})?\[[^]]+\]\)\)\)")


def names_in(query: str) -> dict[str, set[str]]:
    """The metrics that a query names, each with the labels that it is selected by."""
    found: dict[str, set[str]] = {}
    for name, matched in _NAME.findall(_GROUPED.sub("", query)):
        found.setdefault(name, set()).update(_MATCHED.findall(matched))
    return found


def unknown_in(query: str) -> set[str]:
    """What a query names and nobody tells: metrics, labels of a metric (`name{label}`), labels that it groups by."""
    entries = {series: entry for name, entry in BOOK.entries.items() for series in (name, *_series(name))}
    named, wrong = names_in(query), set()
    known = set(TARGET)
    for name, labels in named.items():
        if name in entries:
            own = {label.name for label in entries[name].labels} | ({"le"} if name.endswith("_bucket") else set())
            known |= own
            wrong |= {f"{name}{{{label}}}" for label in labels - own - TARGET}
        elif name not in FOREIGN:
            wrong.add(name)
    grouped = {label.strip() for labels in _GROUPED.findall(query) for label in labels.split(",") if label.strip()}
    foreign = named.keys() & FOREIGN
    return wrong | (set() if foreign else {f"by {label}" for label in grouped - known})


def misused_in(query: str) -> set[str]:
    """What a query asks for in a way that means nothing: bare counters, rates of gauges, buckets without a quantile."""
    growing, quantiles = set(_GROWTH.findall(query)), set(_QUANTILE.findall(query))
    named = set(names_in(query))
    buckets = {name for name in named if name.endswith("_bucket")}
    return {name for name in named if (name in growing) != _counts(name)} | (buckets ^ quantiles)


def _counts(name: str) -> bool:
    """Whether a series only grows."""
    if name in TRITON:
        return name not in _GAUGES_OF_TRITON
    return name.endswith(("_total", *_SERIES)) and name not in FOREIGN


def _series(name: str) -> list[str]:
    return [f"{name}{ending}" for ending in _SERIES] if BOOK.entries[name].kind == "histogram" else []
