"""What charts are checked with may fail itself, and that is no clean bill."""

from pathlib import Path

import pytest

from charts import tools
from kiosk.local import golang
from kiosk.local.cache import LocalError


def test_a_checker_that_could_not_look_has_found_nothing_right(tmp_path: Path) -> None:
    program = golang.installed(tools.KUBECONFORM, tmp_path)
    program.parent.mkdir()
    program.write_text("#!/bin/sh\necho no such file >&2\nexit 1\n")
    program.chmod(0o700)
    with pytest.raises(LocalError, match="no such file"):
        tools.kubeconform(tmp_path, tmp_path / "absent.yaml")
