"""The alerts, from their rules, with the runbook below them."""

import re
from collections.abc import Iterator

import yaml  # type: ignore[import-untyped,unused-ignore]

from docs.markdown import chapters, table
from docs.reference.docstrings import ROOT

HEAD = """# Alerts

Made from `observability/alerts/monolayer.yaml`, which Prometheus reads as it is, and from the runbook beside it.
"""
FOLDER = ROOT / "observability"


def page() -> str:
    """All alerts in a table, then what to do about each."""
    runbook = (FOLDER / "runbook.md").read_text().replace("[alerts/monolayer.yaml](alerts/monolayer.yaml)", "the table")
    return chapters(HEAD, table(("alert", "severity", "after", "what you see"), _rows()), runbook.split("\n", 1)[1])


def _rows() -> Iterator[tuple[str, str, str, str]]:
    rules = yaml.safe_load((FOLDER / "alerts" / "monolayer.yaml").read_text())
    for rule in (rule for group in rules["groups"] for rule in group["rules"] if "alert" in rule):
        name, told = rule["alert"], rule.get("annotations", {})
        link = f"[{name}](#{name.lower()})"
        yield (
            link,
            rule.get("labels", {}).get("severity", ""),
            str(rule.get("for", "")),
            _plain(told.get("summary", "")),
        )


def _plain(summary: str) -> str:
    """What a rule says, with the names of labels where Prometheus puts their values."""
    return re.sub(r"\{\{[^}$]*\$(?:labels\.)?(\w+)[^}]*\}\}", r"*\1*", summary)
