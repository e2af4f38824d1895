"""The recording rules compute what the formulas do, by Prometheus' own evaluator; and nothing where those say none."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from observability import scaling, scaling_rules
from observability.scaling import SERVERS, UTILISATION, WORKERS, Serving, Work
from observability.scaling_rules import Chain, Rule, Servers, rules
from tests.observability.promql import unknown_in

DRAIN = scaling.drain_seconds(WORKERS, SERVERS)
SLOTS, SECONDS, MODEL_SECONDS, EACH = 6, 0.12, 0.05, 4
TILE = Chain("tile", SLOTS, f"{SECONDS}", each=f"{EACH}")
RULES = rules([TILE, Chain("unzip", 64, "2")], Servers(f"{MODEL_SECONDS}", "1", f"{UTILISATION}"), f"{DRAIN:g}")
LANES = ("interactive", "bulk")


def series(waiting: float, arriving: float, in_flight: float, servers: int, gpu: float, ratio: float) -> dict[str, Any]:
    """What two lanes, two workers and some servers tell, always the same; nothing is served, so nothing is learnt."""
    told: dict[str, Any] = {}
    for stage in ("tile", "predict"):
        share = 0.5 if stage == "tile" else 0.0
        for lane in LANES:
            labels = f'{{stage="{stage}", lane="{lane}"}}'
            told[f"monolayer_lag_events{labels}"] = waiting * share
            told[f"monolayer_arrival_events_per_second{labels}"] = arriving * share
            told[f"monolayer_service_events_per_second{labels}"] = 0
            told[f"monolayer_backlog_known{labels}"] = 1
    for pod in ("a", "b"):
        told[f'monolayer_in_flight_events{{stage="tile", lane="bulk", pod="{pod}"}}'] = in_flight / 2
    for server in range(servers):
        told[f'up{{job="monolayer-triton", pod="{server}"}}'] = 1
        told[f'nv_gpu_utilization{{pod="{server}"}}'] = gpu
        told[f'nv_inference_queue_duration_us{{pod="{server}"}}'] = f"0+{round(15e6 * gpu * ratio)}x80"
        told[f'nv_inference_compute_infer_duration_us{{pod="{server}"}}'] = f"0+{round(15e6 * gpu)}x80"
    return {name: value if isinstance(value, str) else f"{value}x80" for name, value in told.items()}


def judged(folder: Path, told: dict[str, Any], expected: dict[str, float | None]) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool computes the rules: install prometheus (Debian, Ubuntu)")
    groups = {"groups": [{"name": "scaling", "interval": "15s", "rules": [rule.yaml() for rule in RULES]}]}
    (folder / "rules.yaml").write_text(yaml.safe_dump(groups))
    queries = [
        {
            "expr": f"round(max({record}), 0.0001)",
            "eval_time": "15m",
            "exp_samples": [] if value is None else [{"labels": "{}", "value": round(value, 4)}],
        }
        for record, value in expected.items()
    ]
    inputs = [{"series": name, "values": values} for name, values in told.items()]
    test = {"interval": "15s", "input_series": inputs, "promql_expr_test": queries}
    (folder / "test.yaml").write_text(yaml.safe_dump({"rule_files": ["rules.yaml"], "tests": [test]}))
    ran = subprocess.run(
        [promtool, "test", "rules", folder / "test.yaml"], capture_output=True, text=True, timeout=60, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr


@pytest.mark.parametrize(
    ("waiting", "arriving", "in_flight", "servers", "gpu", "ratio"),
    [
        (0, 0, 0, 1, 0.0, 0),
        (1200, 40, 12, 3, 0.9, 1),
        (90_000, 10, 12, 2, 1.0, 9),
        (50, 3, 6, 5, 0.35, 0.4),
        (9, 3, 6, 5, 0.2, 2.5),
    ],
)
def test_the_rules_want_what_the_formulas_want(
    tmp_path: Path, waiting: float, arriving: float, in_flight: float, servers: int, gpu: float, ratio: float
) -> None:
    work = Work(waiting, arriving, SECONDS)
    workers = scaling.kept(scaling.demand(work, drain=DRAIN), in_flight, SLOTS)
    serving = Serving(servers, gpu, gpu * ratio, gpu)
    pressed = max(scaling.by_utilisation(serving) or 0, scaling.by_queue(serving) or 0)
    expected = {
        f'{scaling_rules.WANTED_WORKERS}{{stage="tile"}}': scaling.capped(workers, servers, EACH),
        scaling_rules.WANTED_SERVERS: scaling.demand(Work(waiting, arriving, MODEL_SECONDS), UTILISATION, DRAIN),
        scaling_rules.PRESSED_SERVERS: pressed,
        scaling_rules.PUBLISHED_WORKERS: scaling.published_consumers(2, 100 * gpu, waiting, servers),
        scaling_rules.PUBLISHED_SERVERS: servers * gpu / UTILISATION,
    }
    judged(tmp_path, series(waiting, arriving, in_flight, servers, gpu, ratio), expected)


def test_nothing_is_recorded_while_the_backlog_of_one_lane_is_not_known(tmp_path: Path) -> None:
    told = series(1200, 40, 12, 3, 0.9, 1)
    del told['monolayer_lag_events{stage="tile", lane="bulk"}']
    told['monolayer_backlog_known{stage="tile", lane="bulk"}'] = "0x80"
    wanted = (scaling_rules.WANTED_WORKERS, scaling_rules.WANTED_SERVERS, scaling_rules.PUBLISHED_WORKERS)
    judged(tmp_path, told, dict.fromkeys(wanted))


def test_without_any_server_one_worker_is_wanted_to_see_them_come(tmp_path: Path) -> None:
    expected = {f'{scaling_rules.WANTED_WORKERS}{{stage="tile"}}': 1.0, scaling_rules.PRESSED_SERVERS: None}
    judged(tmp_path, series(90_000, 10, 6, 0, 0, 0), expected)


def test_what_an_event_takes_is_learnt_while_all_slots_are_at_work(tmp_path: Path) -> None:
    told = series(1200, 40, 12, 3, 0.9, 0.1) | {
        f'monolayer_service_events_per_second{{stage="tile", lane="{lane}"}}': "4x80" for lane in LANES
    }
    expected = {
        f'{scaling_rules.WORKER_SECONDS}{{stage="tile"}}': 2 / 8,  # two workers, eight events a second
        scaling_rules.MODEL_SECONDS: 3 * 0.9 / 8,
    }
    judged(tmp_path, told, expected)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: f"{rule.record} {rule.stage}")
def test_a_rule_asks_for_what_is_told(rule: Rule) -> None:
    assert not unknown_in(rule.expr)
