import asyncio
import hashlib
import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import psutil  # type: ignore[import-untyped,unused-ignore]
import pytest
from confluent_kafka import Consumer, Producer

from inference.models import shipped_models
from inference.triton import Triton
from kiosk.local.settings import BUCKET
from kiosk.local.stack import Local
from observability.dashboards.collection import DASHBOARDS
from observability.dashboards.viewer import asked
from storage.objects import Part, Unfinished
from storage.s3 import S3Store
from tests.servers import running

pytestmark = pytest.mark.integration
TOPIC = "uploads"


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Local]:
    with running(tmp_path_factory.mktemp("local"), "kafka", "s3", "triton", "victoriametrics") as started:
        yield started


def process(local: Local, name: str) -> dict[str, Any]:
    return next(process for process in local.status()["processes"] if process["name"] == name)


def wait_for_the_next_life(local: Local, name: str, act: Callable[[], None]) -> float:
    """Do something deadly to a process; return the seconds until it works again."""
    restarts, begun = process(local, name)["restarts"], time.monotonic()
    act()
    while not (process(local, name)["restarts"] > restarts and local.status()["ready"]):
        assert time.monotonic() < begun + 60
        time.sleep(0.05)
    return time.monotonic() - begun


def kill(local: Local, name: str) -> Callable[[], None]:
    return lambda: os.kill(process(local, name)["pid"], signal.SIGKILL)


def write(local: Local, message: bytes) -> None:
    producer = Producer({"bootstrap.servers": local.status()["addresses"]["kafka"], "acks": "all"})
    producer.produce(TOPIC, message)
    assert producer.flush(20) == 0


def messages(local: Local) -> list[bytes]:
    settings = {"group.id": "reader", "auto.offset.reset": "earliest", "enable.partition.eof": True}
    consumer = Consumer({"bootstrap.servers": local.status()["addresses"]["kafka"], **settings})
    consumer.subscribe([TOPIC])
    found, partitions, ended = [], len(consumer.list_topics(TOPIC, timeout=10).topics[TOPIC].partitions), 0
    while ended < partitions:
        message = consumer.poll(20)
        assert message is not None
        if message.error():
            ended += 1
        else:
            found.append(message.value())
    consumer.close()
    return found


def store(local: Local) -> S3Store:
    keys = local.keys()
    return S3Store(local.status()["addresses"]["s3"], keys.access, keys.secret, BUCKET)


def test_kafka_comes_back_from_a_kill_with_its_messages(local: Local) -> None:
    write(local, b"before")
    assert wait_for_the_next_life(local, "kafka", kill(local, "kafka")) < 30
    assert b"before" in messages(local)


def test_the_s3_server_comes_back_from_a_kill_with_its_objects(local: Local) -> None:
    store(local).put("a/before", b"\0\1")
    wait_for_the_next_life(local, "s3", kill(local, "s3"))
    assert store(local).get("a/before") == b"\0\1"


def test_an_upload_that_the_s3_server_died_over_is_not_taken_for_finished_and_can_be_completed_again(
    local: Local,
) -> None:
    upload = store(local).start_upload("a/plate.zip")
    parts = [Part(1, store(local).store_part("a/plate.zip", upload, 1, b"pixels"))]
    [folder] = (local.state.folder / "s3" / "data").glob(f"{BUCKET}/.sgwtmp/multipart/*/{upload}")
    etag = hashlib.md5(bytes.fromhex(parts[0].etag), usedforsecurity=False).hexdigest()
    folder.rename(folder.with_name(f"{upload}.{etag}-1.inprogress"))  # as it does itself for that time
    with pytest.raises(Unfinished):
        store(local).finish_upload("a/plate.zip", upload, parts)
    wait_for_the_next_life(local, "s3", kill(local, "s3"))
    store(local).finish_upload("a/plate.zip", upload, parts)
    assert store(local).get("a/plate.zip") == b"pixels"


def test_triton_answers_a_real_inference(local: Local) -> None:
    async def infer() -> Any:
        triton, model = Triton(local.status()["addresses"]["triton"]), shipped_models()["nuclei"]
        try:
            return await triton.infer(model, np.zeros((64, 96), np.uint8), 0.0, 1.0)
        finally:
            await triton.close()

    assert asyncio.run(infer()).shape == (2, 64, 96)


def test_one_dead_model_process_of_several_is_noticed_and_replaced(local: Local) -> None:
    first, second, *_ = psutil.Process(process(local, "triton")["pid"]).children()
    wait_for_the_next_life(local, "triton", second.kill)
    assert not first.is_running() or first.status() == psutil.STATUS_ZOMBIE


def values(local: Local, query: str) -> list[float]:
    address = local.status()["addresses"]["victoriametrics"]
    answer = httpx.get(f"{address}/api/v1/query", params={"query": query}).raise_for_status().json()
    return [float(each["value"][1]) for each in answer["data"]["result"]]


def wait_for_values(local: Local, query: str) -> list[float]:
    end = time.monotonic() + 60
    while not (found := values(local, query)):
        assert time.monotonic() < end
        time.sleep(0.1)
    return found


def test_victoriametrics_scrapes_triton_also_after_a_kill_and_on_the_same_port(local: Local) -> None:
    assert wait_for_values(local, 'nv_inference_count{process="triton", model="nuclei"}')[0] > 0
    address, before = local.status()["addresses"]["victoriametrics"], time.time()
    wait_for_the_next_life(local, "victoriametrics", kill(local, "victoriametrics"))
    assert local.status()["addresses"]["victoriametrics"] == address
    assert wait_for_values(local, f'up{{process="triton"}} == 1 and timestamp(up) > {before}') == [1.0]


def test_victoriametrics_shows_our_dashboards_and_what_lies_beside_them(local: Local) -> None:
    address, folder = local.status()["addresses"]["victoriametrics"], local.state.folder / "victoriametrics"
    dashboard = {"title": "Nuclei", "rows": [{"panels": [{"title": "Running", "expr": ["up"]}]}]}
    (folder / "dashboards" / "nuclei.json").write_text(json.dumps(dashboard))
    shown = httpx.get(f"{address}/vmui/custom-dashboards").raise_for_status().json()["dashboardsSettings"]
    assert [each["title"] for each in shown] == [*(each.title for each in DASHBOARDS), "Nuclei"]
    assert shown[0]["rows"][0]["panels"][0]["alias"] == ["{{outcome}}"]
    assert httpx.get(f"{address}/vmui/").raise_for_status().text.startswith("<!DOCTYPE html>")


def test_victoriametrics_understands_every_query_of_every_dashboard(local: Local) -> None:
    with httpx.Client(base_url=local.status()["addresses"]["victoriametrics"]) as http:
        for panel in (panel for dashboard in DASHBOARDS for panel in dashboard.panels):
            for query in panel.queries:
                assert http.get("/api/v1/query", params={"query": asked(query)}).is_success, query.promql


def test_after_a_power_cut_everything_is_there_again(local: Local, tmp_path: Path) -> None:
    write(local, b"yesterday")
    store(local).put("a/yesterday", b"y")
    addresses = local.status()["addresses"]
    assert local._started
    for pid in [local._started.pid, *(process["pid"] for process in local.status()["processes"])]:
        with suppress(psutil.NoSuchProcess):  # bound to the first: dies with it
            psutil.Process(pid).kill()
    local._started.wait()
    local.start(bound=True)
    local.wait()
    assert local.status()["addresses"] == addresses
    assert b"yesterday" in messages(local)
    assert store(local).get("a/yesterday") == b"y"
