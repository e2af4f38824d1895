"""The API against the real S3 server and the real Kafka."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from kiosk.client import Monolayer, NotRunning, Refused
from kiosk.contract import PART_SIZE
from storage.s3 import S3Store
from tests.kiosk.front import InProcess, app_of, serving, stages, tiff
from tests.kiosk.test_uploads import NEW, V1
from tests.servers import S3Server

pytestmark = pytest.mark.integration


@pytest.fixture
def store(s3_server: S3Server) -> S3Store:
    return S3Store(s3_server.endpoint, s3_server.access_key, s3_server.secret_key, "monolayer")


@pytest.fixture
def monolayer(store: S3Store) -> Iterator[Monolayer]:
    with serving(app_of(store, stages(store))) as address, Monolayer(address) as client:
        yield client


def test_a_folder_goes_through_presigned_parts_and_comes_back_as_results(monolayer: Monolayer, tmp_path: Path) -> None:
    (tmp_path / "plate").mkdir()
    for number in range(3):
        (tmp_path / "plate" / f"Größe {number}.tif").write_bytes(tiff(seed=number))
    [job] = monolayer.submit([tmp_path / "plate"])
    assert monolayer.wait(job, every=0.05).labelled == 3
    monolayer.results(job, tmp_path / "out")
    assert (tmp_path / "out" / "overlays" / "Größe 2.png").exists()


def test_a_file_of_several_parts_arrives_whole(monolayer: Monolayer, store: S3Store, tmp_path: Path) -> None:
    data = os.urandom(2 * PART_SIZE + 12345)
    (tmp_path / "large.bin").write_bytes(data)
    monolayer.submit([tmp_path / "large.bin"])
    [stat] = [stat for stat in store.list("uploads/") if stat.key.endswith("large.bin")]
    assert store.get(stat.key) == data


def test_an_upload_completes_twice_with_one_job_and_a_cancelled_one_is_gone(
    store: S3Store, monolayer: Monolayer
) -> None:
    http = InProcess(app_of(store, stages(store)))
    upload = http.post(f"{V1}/uploads", json=NEW | {"name": "a.tif"}).json()["upload"]
    [address] = http.post(f"{V1}/uploads/{upload}/parts?count=1").json()
    monolayer._calls._http.put(address["url"], content=tiff())
    parts = http.get(f"{V1}/uploads/{upload}/parts").json()
    jobs = {http.post(f"{V1}/uploads/{upload}/complete", json={"parts": parts}).json()["job"] for _ in range(2)}
    assert len(jobs) == 1
    other = http.post(f"{V1}/uploads", json=NEW).json()["upload"]
    assert http.request("DELETE", f"{V1}/uploads/{other}").status_code == 204
    assert http.post(f"{V1}/uploads/{other}/complete", json={"parts": parts}).status_code == 404


def test_a_page_on_another_address_may_put_parts_to_the_store_and_read_their_etags(store: S3Store) -> None:
    address = store.part_url("uploads/x/a.tif", store.start_upload("uploads/x/a.tif"), 1)
    page = {"Origin": "http://127.0.0.1:8080"}
    asked = httpx.options(address, headers=page | {"Access-Control-Request-Method": "PUT"})
    assert asked.status_code == 204
    assert (asked.headers["access-control-allow-origin"], asked.headers["access-control-allow-methods"]) == ("*", "PUT")
    put = httpx.put(address, content=b"pixels", headers=page)
    assert put.headers["access-control-allow-origin"] == "*"
    assert "ETag" in put.headers["access-control-expose-headers"]


def test_the_api_is_a_process_that_takes_uploads_and_leaves_when_asked(
    s3_server: S3Server,
    kafka_address: str,
    tmp_path: Path,
) -> None:
    (tmp_path / "a.tif").write_bytes(tiff())
    address = f"http://127.0.0.1:{_free_port()}"
    environment = os.environ | s3_server.variables(kafka_address) | {"MONOLAYER_API": address}
    process = subprocess.Popen([sys.executable, "-m", "kiosk.api"], env=environment)
    try:
        with Monolayer(address) as client:
            _wait_for(client, process)
            if not client.models():
                pytest.skip("no model is shipped yet")
            [job] = client.submit([tmp_path / "a.tif"])
            assert client.job(job).state == "listing"
    finally:
        process.send_signal(signal.SIGTERM)
        code = process.wait(10)
    assert code in (0, -signal.SIGTERM)


def _wait_for(client: Monolayer, process: "subprocess.Popen[bytes]") -> None:
    until = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < until:
        try:
            client.health()
        except (NotRunning, Refused):
            time.sleep(0.05)
        else:
            return
    pytest.fail("the API did not start")


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
