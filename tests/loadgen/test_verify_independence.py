"""Whoever checks books with the program that wrote them finds nothing."""

import subprocess
import sys

PUBLISHED = {"streams", "streams.events", "streams.runs", "storage", "storage.keys"}
PROGRAM = """
import sys
import loadgen.verify.audit, loadgen.verify.command, loadgen.verify.screen, loadgen.bucket, loadgen.topics
print("\\n".join(name for name in sys.modules if name.split(".")[0] in ("streams", "storage", "inference", "kiosk")))
"""


def test_the_audit_knows_only_the_published_names_of_keys_and_events() -> None:
    loaded = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True).stdout
    assert set(loaded.split()) == PUBLISHED


def test_help_loads_neither_servers_nor_images() -> None:
    program = "import sys, loadgen.cli; print([name for name in ('minio', 'tifffile', 'numpy') if name in sys.modules])"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert loaded.strip() == "[]"
