"""What the charts' templates need to know of the code: chains, topics, groups, ports, times."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from kiosk.api.__main__ import GOODBYE_SECONDS
from kiosk.local.probes import HEARTBEAT_SECONDS
from kiosk.local.processes import FRUGAL
from observability import scaling, scaling_rules
from streams.settings import Settings
from streams.stages import CHAINS, STAGES, Stage, group, lanes, topic
from streams.topics import GROUPS, RETENTION_MS, TOPICS
from streams.work.watchdog import STOP_SECONDS

SPOT_SECONDS = 15
"""What a Spot node leaves its pods after SIGTERM."""
PORTS: Mapping[str, int] = {
    "api": 8080,
    "metrics": 9100,
    "tritonHttp": 8000,
    "triton": 8001,
    "tritonMetrics": 8002,
    "kafka": 9092,
    "otlp": 4317,
    "collectorHealth": 13133,
    "collectorMetrics": 8888,
    "seaweedfs": 8333,
}
"""The last four are what `observability/collector.yaml` and SeaweedFS listen on."""

USERS: Mapping[str, Mapping[str, list[str]]] = {
    "stages": {"topic": ["Read", "Write", "Describe"], "group": ["Read", "Describe"]},
    "door": {"topic": ["Write", "Describe"]},
    "watch": {"topic": ["Read", "Describe"], "group": ["Describe"]},
}
"""Who asks Kafka, and what for: those that work, those that only announce, those that only look."""
LOGINS: Mapping[str, str] = {"api": "door", "inbox": "door", "prepare": "door", "backlog": "watch"}
"""As whom each process comes; the stages as `stages`."""


def facts() -> dict[str, Any]:
    """All of them, as `files/facts.yaml` holds them."""
    return {
        "chains": [_chain(name) for name in CHAINS],
        "topics": [{"name": each.name, "partitions": each.partitions, "group": _reader(each.name)} for each in TOPICS],
        "users": {user: dict(may) for user, may in USERS.items()},
        "logins": dict(LOGINS),
        "retentionMs": RETENTION_MS,
        "ports": dict(PORTS),
        "frugal": dict(FRUGAL),
        "heartbeatSeconds": round(HEARTBEAT_SECONDS),
        "seconds": {
            "spot": SPOT_SECONDS,
            "stages": round(STOP_SECONDS) + 5,
            "api": GOODBYE_SECONDS + 10,
            "triton": SPOT_SECONDS,
        },
        "scaling": _scaling(),
    }


def rules() -> dict[str, Any]:
    """The recording rules, as a template that the chart's values complete."""
    chains = [scaling_rules.Chain(*_for_rules(name)) for name in CHAINS]
    found = [scaling_rules.rules(chains, _servers(gpus), _value("scaling.drainSeconds")) for gpus in (True, False)]
    with_gpus, without = ([rule.yaml() for rule in each] for each in found)
    return {"gpu": with_gpus, "cpu": without}


def _chain(name: str) -> dict[str, Any]:
    first = STAGES[name.split("+", maxsplit=1)[0]]
    return {
        "chain": name,
        "name": first.name,
        "reads": [{"topic": topic(first, lane), "group": group(first, lane)} for lane in lanes(first)],
        "model": "predict" in name.split("+"),
        "ownsJobs": first.owns_jobs,
    }


def _reader(name: str) -> str:
    return next((group for group, read in GROUPS.items() if read == name), "")


def _slots(stage: Stage) -> int:
    return stage.slots or int(Settings.model_fields["slots"].default)


def _for_rules(name: str) -> tuple[str, int, str, str]:
    chain = _chain(name)
    each = _value("triton.workersEach") if chain["model"] else ""
    return chain["name"], _slots(STAGES[chain["name"]]), _value(f"chains.{chain['name']}.seconds"), each


def _servers(gpus: bool) -> scaling_rules.Servers:
    return scaling_rules.Servers(
        _value("triton.seconds"), _value("triton.instances"), _value("scaling.utilisation"), gpus
    )


def _value(path: str) -> str:
    return f"{{{{ .Values.{path} }}}}"


def _scaling() -> dict[str, Any]:
    return {
        "looksSeconds": round(scaling.LOOKS_SECONDS),
        "workers": asdict(scaling.WORKERS),
        "servers": asdict(scaling.SERVERS),
        "queries": {
            "backlog": {
                "workers": scaling_rules.WANTED_WORKERS,
                "servers": [scaling_rules.WANTED_SERVERS, scaling_rules.PRESSED_SERVERS],
            },
            "published": {
                "workers": scaling_rules.PUBLISHED_WORKERS,
                "servers": [scaling_rules.PUBLISHED_SERVERS],
            },
        },
        "tritonJob": scaling_rules.TRITON_JOB,
    }
