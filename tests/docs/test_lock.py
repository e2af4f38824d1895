"""What `make docs` installs beside everything else."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def pins(lock: str) -> dict[str, str]:
    return dict(re.findall(r"^([\w.-]+)==(\S+)", (ROOT / lock).read_text(), re.MULTILINE))


def test_it_changes_nothing_that_is_installed_already() -> None:
    everything, documentation = pins("requirements.lock"), pins("docs/requirements.lock")
    assert "zensical" in documentation.keys() - everything.keys()
    shared = everything.keys() & documentation.keys()
    assert {name: documentation[name] for name in shared} == {name: everything[name] for name in shared}
