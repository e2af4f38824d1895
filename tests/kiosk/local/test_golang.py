import os
import stat
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest

from kiosk.local import golang
from kiosk.local.cache import LocalError

PROGRAM = golang.Program("tool", "example.org/tool", "v1.2.3", "./cmd/tool", needs_bytes=1)
DOWNLOADS = 120
PACKAGES = [f"example.org/tool/package{number}" for number in range(120)]
GO = """
    #!/bin/sh
    mkdir -p "$GOPATH/module/cmd/tool"
    case "$1" in
      mod) ;;
      list) if [ "$2" = -m ]; then echo "$GOPATH/module"; exit; fi
            for number in $(seq {downloads}); do echo "go: downloading m$number" >&2; done
            for number in $(seq 0 119); do echo "example.org/tool/package$number"; done ;;
      build) {build} ;;
    esac
"""
WHOLE = 'for number in $(seq 0 119); do echo "example.org/tool/package$number" >&2; done; echo built > "$4"'
HALF = 'for number in $(seq 0 79); do echo "example.org/tool/package$number" >&2; done; echo "no route" >&2; exit 1'
REST = 'for number in $(seq 80 119); do echo "example.org/tool/package$number" >&2; done; echo built > "$4"'
Stand = Callable[[str], None]


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stand:
    """Puts a small script in the place of Go, which builds as it is told."""
    toolchain = tmp_path / "toolchain"
    (toolchain / "bin").mkdir(parents=True)
    monkeypatch.setattr(golang, "_toolchain", lambda: toolchain)

    def write(build: str) -> None:
        go = toolchain / "bin" / "go"
        go.write_text(dedent(GO).strip().format(downloads=DOWNLOADS, build=build))
        go.chmod(0o755)

    return write


def test_a_program_is_built_with_progress_and_gos_caches_are_gone(tmp_path: Path, stand_in: Stand) -> None:
    stand_in(WHOLE)
    told: list[str] = []
    binary = golang.install(PROGRAM, tmp_path / "cache", told.append)
    assert binary == tmp_path / "cache" / "tool-1.2.3" / "tool" == golang.installed(PROGRAM, tmp_path / "cache")
    assert binary.read_text() == "built\n"
    assert told == [
        "downloading",
        "downloading, 50 modules",
        "downloading, 100 modules",
        "compiling, 0 of 120 packages",
        "compiling, 50 of 120 packages",
        "compiling, 100 of 120 packages",
    ]
    assert sorted(path.name for path in binary.parent.parent.iterdir()) == [".tool-1.2.3.lock", "tool-1.2.3"]


def test_a_build_that_was_cut_off_says_why_and_goes_on_where_it_was(tmp_path: Path, stand_in: Stand) -> None:
    stand_in(HALF)
    with pytest.raises(LocalError, match=r"^tool v1\.2\.3 could not be built: no route\. .* start again"):
        golang.install(PROGRAM, tmp_path / "cache", lambda words: None)
    assert not golang.installed(PROGRAM, tmp_path / "cache").parent.exists()
    stand_in(REST)
    told: list[str] = []
    golang.install(PROGRAM, tmp_path / "cache", told.append)
    assert told[-2:] == ["compiling, 80 of 120 packages", "compiling, 100 of 120 packages"]
    assert not (tmp_path / "cache" / ".tool-1.2.3.go").exists()


def test_a_program_that_is_there_is_not_built_again(tmp_path: Path, stand_in: Stand) -> None:
    stand_in(WHOLE)
    golang.install(PROGRAM, tmp_path / "cache", lambda words: None)
    stand_in("exit 1")
    golang.install(PROGRAM, tmp_path / "cache", lambda words: None)


def test_the_toolchain_of_the_wheel_is_whole() -> None:
    go = golang._toolchain() / "bin" / "go"
    assert os.access(go, os.X_OK)
    assert stat.S_ISREG(go.stat().st_mode)
