"""What the first line of a block of code promises."""

import subprocess

import pytest

from docs.fences import Fence, UnknownPromise, fences, shown
from tests.docs.written import script

PAGE = """# Page

```sh
monolayer jobs
```

```sh exit=2
monolayer submit x
```

```python not-run
import napari
```

```text
not looked at
```
"""


def test_a_block_without_a_word_is_run_and_others_say_what_they_are() -> None:
    assert list(fences(PAGE)) == [
        Fence(3, "sh", "monolayer jobs\n", runs=True),
        Fence(7, "sh", "monolayer submit x\n", runs=True, exits=2),
        Fence(11, "python", "import napari\n", runs=False),
    ]


def test_a_promise_that_nobody_knows_is_no_block_that_is_passed_over() -> None:
    with pytest.raises(UnknownPromise, match="line 1: 'notrun'"):
        list(fences("```sh notrun\nls\n```\n"))


def test_a_reader_sees_what_is_not_run() -> None:
    assert '```python title="Not run by the tests"\nimport napari\n```' in shown(PAGE)
    assert '```sh title="Ends with exit code 2"' in shown(PAGE)
    assert "```sh\nmonolayer jobs\n```" in shown(PAGE)


def run(page: str) -> int:
    return subprocess.run(["bash", "-c", script(page)], capture_output=True, check=False).returncode


def test_a_page_fails_with_its_first_command_that_does() -> None:
    assert run("```sh\ntrue\n```\n```sh not-run\nfalse\n```\n") == 0
    assert run("```sh\nfalse\ntrue\n```\n") == 1
    assert run("```sh exit=3\nsh -c 'exit 3'\n```\n") == 0
    assert run("```sh exit=3\ntrue\n```\n") == 1
    assert run("```python\nassert 1 + 1 == 3\n```\n") == 1
