"""Three S3 clients that know nothing of Monolayer: each puts a plate into the inbox and takes what was found."""

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

import pytest
import tifffile
from minio import Minio

from tests.e2e.system import System
from tests.e2e.test_main_job import finished, write_fields, zipped
from tests.servers import s3_client

pytestmark = pytest.mark.e2e
Variables = Mapping[str, str]
"""As `monolayer env` tells them."""


class Client(Protocol):
    """What a person does with such a client."""

    def put(self, file: Path, key: str) -> None: ...

    def fetch(self, prefix: str, folder: Path) -> None: ...


@dataclass
class Boto3:
    """The AWS SDK."""

    env: Variables

    def put(self, file: Path, key: str) -> None:
        s3_client(self.env).upload_file(str(file), self.env["MONOLAYER_BUCKET"], key)

    def fetch(self, prefix: str, folder: Path) -> None:
        client, bucket = s3_client(self.env), self.env["MONOLAYER_BUCKET"]
        for entry in client.list_objects_v2(Bucket=bucket, Prefix=prefix)["Contents"]:
            path = folder / entry["Key"].removeprefix(prefix)
            path.parent.mkdir(parents=True, exist_ok=True)
            client.download_file(bucket, entry["Key"], str(path))


@dataclass
class MinioClient:
    """MinIO's client for Python."""

    env: Variables

    def put(self, file: Path, key: str) -> None:
        self._client().fput_object(self.env["MONOLAYER_BUCKET"], key, str(file))

    def fetch(self, prefix: str, folder: Path) -> None:
        client, bucket = self._client(), self.env["MONOLAYER_BUCKET"]
        for entry in client.list_objects(bucket, prefix, recursive=True):
            name = str(entry.object_name)
            client.fget_object(bucket, name, str(folder / name.removeprefix(prefix)))

    def _client(self) -> Minio:
        address = urlsplit(self.env["AWS_ENDPOINT_URL"]).netloc
        return Minio(address, self.env["AWS_ACCESS_KEY_ID"], self.env["AWS_SECRET_ACCESS_KEY"], secure=False)


@dataclass
class Rclone:
    """The program, set up as the documentation says."""

    env: Variables

    def put(self, file: Path, key: str) -> None:
        self._run("copyto", str(file), self._remote(key))

    def fetch(self, prefix: str, folder: Path) -> None:
        self._run("copy", self._remote(prefix), str(folder))

    def _remote(self, key: str) -> str:
        return f"mono:{self.env['MONOLAYER_BUCKET']}/{key}"

    def _run(self, *arguments: str) -> None:
        program = shutil.which("rclone")
        if program is None:
            pytest.skip("rclone is not there: install rclone (Debian, Ubuntu)")
        config = {"TYPE": "s3", "PROVIDER": "Other", "ENV_AUTH": "true", "ENDPOINT": self.env["AWS_ENDPOINT_URL"]}
        named = {f"RCLONE_CONFIG_MONO_{name}": value for name, value in config.items()}
        done = subprocess.run(
            [program, "--config", os.devnull, *arguments],
            env={**self.env, **named, "PATH": os.environ["PATH"]},  # and no other AWS_... of whoever runs this
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("client", [Boto3, MinioClient, Rclone])
def test_an_object_put_into_the_inbox_by_any_s3_client_becomes_a_job_once_whose_labels_it_can_fetch(
    system: System, tmp_path: Path, client: type[Boto3] | type[MinioClient] | type[Rclone]
) -> None:
    name = f"inbox plate by {client.__name__}.zip"
    archive = zipped(write_fields(tmp_path / "p", 2), tmp_path / name)
    options = tmp_path / "options.json"
    options.write_text('{"diameter": 24}')
    theirs: Client = client(system.environment())
    theirs.put(options, f"inbox/nuclei/{name}.json")
    theirs.put(archive, f"inbox/nuclei/{name}")
    job = finished(system, name)
    theirs.fetch(f"jobs/{job['job']}/", tmp_path / "fetched")
    labels = sorted((tmp_path / "fetched" / "labels").rglob("*.tif"))
    assert [tifffile.imread(each).max() > 5 for each in labels] == [True, True]
    assert json.loads((tmp_path / "fetched" / "job.json").read_text())["options"]["diameter"] == 24
    jobs = json.loads(system.run("jobs", "--json"))["jobs"]
    assert [each["name"] for each in jobs].count(name) == 1
