"""Small pieces of Markdown that generated pages are put together from."""

import textwrap
from collections.abc import Iterable, Sequence


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; nothing where there are no rows."""
    told = [_line(row) for row in rows]
    if not told:
        return ""
    return "\n".join([_line(columns), _line(["---"] * len(columns)), *told]) + "\n"


def code(text: object) -> str:
    """Something as it is typed; nothing where it is empty."""
    told = str(text)
    return f"`{told}`" if told else ""


def block(text: str, language: str = "text") -> str:
    """Lines as they are typed."""
    return f"```{language}\n{textwrap.dedent(text).strip()}\n```\n"


def chapters(*parts: str) -> str:
    """Parts of a page with room between them; empty ones are left out."""
    return "\n\n".join(part.strip("\n") for part in parts if part.strip()) + "\n"


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(" ".join(cell.replace("|", "\\|").split()) for cell in cells) + " |"
