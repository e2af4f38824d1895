"""Packages from locks, by whichever installer is there."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from kiosk.local import wheels
from kiosk.local.cache import LocalError

Ran = list[list[str]]
Installer = Callable[[bool], Ran]


@pytest.fixture
def installer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Installer:
    """Makes it look as if uv were there, or not; returns what is run then."""

    def pretend(uv: bool) -> Ran:
        ran: Ran = []
        monkeypatch.setattr(wheels, "_UV", tmp_path / "uv")
        if uv:
            (tmp_path / "uv").touch()

        def run(argv: list[str], **_: object) -> "subprocess.CompletedProcess[str]":
            ran.append(argv)
            return subprocess.CompletedProcess(argv, 0, "", "")

        monkeypatch.setattr(subprocess, "run", run)
        return ran

    return pretend


@pytest.mark.parametrize("uv", [True, False])
def test_nothing_is_installed_that_the_lock_does_not_name_by_its_hash(
    installer: Installer, tmp_path: Path, uv: bool
) -> None:
    ran = installer(uv)
    wheels.unpack("samples.lock", tmp_path / "files", "{}")
    wheels.environment("triton.lock", tmp_path / "apart", "{}")
    unpacked, made, filled = ran
    for argv in (unpacked, filled):
        assert {"--no-deps", "--require-hashes"} < set(argv)
        assert ("uv" in Path(argv[0]).name) is uv
    assert sys.executable in unpacked and str(tmp_path / "files") in unpacked
    assert made[-1] == str(tmp_path / "apart")
    assert str(tmp_path / "apart" / "bin" / "python3") in filled and "--target" not in filled


def test_what_could_not_be_had_is_told_with_the_last_word_of_the_installer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    uv = tmp_path / "uv"
    uv.write_text("#!/bin/sh\necho 'error: no wheel' >&2\necho '  cause: no {network}' >&2\nexit 2\n")
    uv.chmod(0o755)
    monkeypatch.setattr(wheels, "_UV", uv)
    with pytest.raises(LocalError, match=r"^The image is away: cause: no \{network\}$"):
        wheels.unpack("samples.lock", tmp_path / "files", "The image is away: {}")
