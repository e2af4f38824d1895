"""The metrics as a page for people."""

from collections.abc import Mapping

from observability.instruments import Book, Entry, Label, Subject

HEAD = """# Metrics

Printed by `python -m observability.metrics`; a test compares. Each process serves its own at `/metrics` of the address
in `MONOLAYER_METRICS` (`host:port`; without it nowhere). The unit is in the name. A histogram `x` is stored as
`x_bucket`, `x_sum` and `x_count`.
"""
TRITON_HEAD = """
## Triton's own

What Triton serves itself, and we use.

| metric | meaning |
|---|---|
"""
DCGM_HEAD = """
## DCGM's own

What NVIDIA's exporter serves on each node with GPUs of a cluster, and we use.

| metric | meaning |
|---|---|
"""


def page(book: Book, triton: Mapping[str, str], dcgm: Mapping[str, str]) -> str:
    """All metrics in Markdown: a table for each subject, one for the labels, one for Triton's and one for DCGM's."""
    labels = {label.name: label for entry in book.entries.values() for label in entry.labels}
    return "".join(
        [
            HEAD,
            *map(_chapter, book.subjects),
            "\n## Labels\n\n| label | values |\n|---|---|\n",
            *map(_label, labels.values()),
            TRITON_HEAD,
            *map(_foreign, triton.items()),
            DCGM_HEAD,
            *map(_foreign, dcgm.items()),
        ]
    )


def _chapter(subject: Subject) -> str:
    head = f"\n## {subject.title}\n\n| metric | kind | labels | meaning |\n|---|---|---|---|\n"
    return head + "".join(map(_row, subject.entries))


def _row(entry: Entry) -> str:
    labels = ", ".join(f"`{label.name}`" for label in entry.labels)
    return f"| `{entry.name}` | {entry.kind} | {labels} | {entry.meaning} |\n"


def _label(label: Label) -> str:
    return f"| `{label.name}` | {', '.join(f'`{value}`' for value in label.values) or label.bound} |\n"


def _foreign(told: tuple[str, str]) -> str:
    name, meaning = told
    return f"| `{name}` | {meaning} |\n"
