import json
from pathlib import Path

import pytest
import yaml

from kiosk.local import install, jaeger, ports, victoriametrics, vmalert
from kiosk.local.ports import OBSERVERS, USUAL, wanted
from kiosk.local.process import Process
from kiosk.local.processes import EVERYTHING, OBSERVED, PROGRAMS, Place, chosen, table
from kiosk.local.settings import addresses
from kiosk.local.stack import Local
from kiosk.local.state import State

WATCHING = ("victoriametrics", "vmalert", "jaeger")
WITHOUT_SERVERS = [*PROGRAMS, *WATCHING]


def place(folder: Path, parts: tuple[str, ...] = OBSERVED, workers: int = 1) -> Place:
    state = State(folder)
    state.make()
    return Place(state, folder, ports.choose({}, dict.fromkeys(wanted(parts, chosen(parts, workers)), 0)))


def by_name(processes: list[Process]) -> dict[str, Process]:
    return {process.name: process for process in processes}


def test_unobserved_nothing_is_built_started_or_reported_that_was_not_before(tmp_path: Path) -> None:
    assert set(EVERYTHING).isdisjoint(OBSERVERS)
    assert wanted(EVERYTHING, chosen(EVERYTHING, 2)) == USUAL
    assert install.missing(tmp_path, EVERYTHING) == ["kafka", "s3", "triton"]
    here = place(tmp_path, EVERYTHING)
    for process in table(here, [name for name in EVERYTHING if name in PROGRAMS]):
        assert not {"MONOLAYER_METRICS", "MONOLAYER_TRACES", "MONOLAYER_JAEGER"} & set(process.environment)


def test_observed_every_program_has_a_port_for_its_metrics_and_knows_where_traces_go(tmp_path: Path) -> None:
    here = place(tmp_path, workers=3)
    running = by_name(table(here, WITHOUT_SERVERS, workers=3))
    assert {"stage-segment", "stage-segment-3", "api", "backlog"} < set(running)
    reporting = {name: each for name, each in running.items() if name not in WATCHING}
    told = {name: process.environment["MONOLAYER_METRICS"] for name, process in reporting.items()}
    assert len(set(told.values())) == len(reporting)
    assert told.items() <= here.metrics.items()
    for process in reporting.values():
        assert process.environment["MONOLAYER_TRACES"] == f"127.0.0.1:{here.ports['otlp']}"
        assert process.environment["MONOLAYER_JAEGER"] == here.addresses["jaeger"]
        assert process.environment["MONOLAYER_PROMETHEUS"] == here.addresses["victoriametrics"]


def test_all_that_has_metrics_is_scraped_under_the_name_of_its_process(tmp_path: Path) -> None:
    here = place(tmp_path)
    table(here, WITHOUT_SERVERS)
    [config] = json.loads((tmp_path / "victoriametrics" / "scraped.json").read_text())["scrape_configs"]
    scraped = {each["labels"]["process"]: each["targets"] for each in config["static_configs"]}
    assert set(scraped) == {*PROGRAMS, "triton", "jaeger", "victoriametrics"}
    assert scraped["api"] == [here.metrics["api"]]
    assert scraped["triton"] == [f"127.0.0.1:{here.ports['triton-metrics']}"]
    assert scraped["victoriametrics"] == [f"127.0.0.1:{here.ports['victoriametrics']}"]


def test_who_watches_keeps_nobody_waiting_and_stops_after_those_that_report(tmp_path: Path) -> None:
    running = by_name(table(place(tmp_path), WITHOUT_SERVERS))
    for name in WATCHING:
        assert running[name].start == running["stage-segment"].start
    for name in ("victoriametrics", "jaeger"):
        assert running[name].stop > running["stage-segment"].stop
    assert running["vmalert"].stop < running["victoriametrics"].stop


def test_the_ports_of_metrics_are_the_same_the_next_time_also_after_a_start_without_them() -> None:
    observed = dict.fromkeys(wanted(OBSERVED, chosen(OBSERVED, 1)), 0)
    first = ports.choose({}, observed)
    between = ports.choose(first, dict.fromkeys(USUAL, 0))
    assert ports.choose({**first, **between}, observed) == first


def test_those_who_watch_listen_on_this_machine_alone(tmp_path: Path) -> None:
    here = place(tmp_path)
    listens, *_ = victoriametrics.command(Path("v"), tmp_path, 8428, {})[1:]
    assert listens == "-httpListenAddr=127.0.0.1:8428"
    assert vmalert.command(Path("a"), 8880, "http://127.0.0.1:8428")[1] == "-httpListenAddr=127.0.0.1:8880"
    jaeger.command(Path("j"), tmp_path, here.ports)
    config = yaml.safe_load((tmp_path / "jaeger.yaml").read_text())
    query, otlp = config["extensions"]["jaeger_query"], config["receivers"]["otlp"]["protocols"]
    [reader] = config["service"]["telemetry"]["metrics"]["readers"]
    found = [query["http"], query["grpc"], otlp["grpc"], otlp["http"]]
    own = reader["pull"]["exporter"]["prometheus"]
    listening = [each["endpoint"] for each in found] + [f"{own['host']}:{own['port']}"]
    assert listening == [
        f"127.0.0.1:{here.ports[name]}" for name in ("jaeger", "jaeger-grpc", "otlp", "otlp-http", "jaeger-metrics")
    ]


def test_the_pages_of_whoever_judges_the_rules_are_shown_beside_the_dashboards(tmp_path: Path) -> None:
    here = place(tmp_path)
    running = by_name(table(here, WITHOUT_SERVERS))
    assert f"-vmalert.proxyURL={here.addresses['vmalert']}" in running["victoriametrics"].argv
    assert f"-datasource.url={here.addresses['victoriametrics']}" in running["vmalert"].argv
    assert not [word for word in victoriametrics.command(Path("v"), tmp_path, 8428, {}) if "vmalert" in word]


def test_jaeger_sends_no_traces_of_its_own_to_whoever_has_the_usual_port(tmp_path: Path) -> None:
    jaeger.command(Path("j"), tmp_path, place(tmp_path).ports)
    config = yaml.safe_load((tmp_path / "jaeger.yaml").read_text())
    assert config["extensions"]["jaeger_query"]["enable_tracing"] is False


def test_what_jaeger_keeps_and_writes_lies_in_its_part_of_the_state_folder(tmp_path: Path) -> None:
    jaeger.command(Path("j"), tmp_path / "with space: and #", place(tmp_path).ports)
    config = yaml.safe_load((tmp_path / "with space: and #" / "jaeger.yaml").read_text())
    kept = config["extensions"]["jaeger_storage"]["backends"]["spans"]["badger"]["directories"]
    assert kept == {name: str(tmp_path / "with space: and #" / name) for name in ("keys", "values")}


def test_addresses_of_those_who_watch_are_there_only_where_they_are(tmp_path: Path) -> None:
    new = {"victoriametrics", "vmalert", "jaeger", "traces"}
    assert new & set(addresses(USUAL)) == set()
    assert new < set(place(tmp_path).addresses)


@pytest.mark.parametrize(("observe", "parts"), [(False, EVERYTHING), (True, OBSERVED)])
def test_observe_adds_what_watches_to_everything(observe: bool, parts: tuple[str, ...]) -> None:
    assert Local.usual(observe).parts == parts
    assert set(parts) == {*EVERYTHING, *(OBSERVERS if observe else ())}
