"""Logs: one JSON line for each thing that happens, whoever says it; on a terminal, the same for human eyes."""

import json
import logging
import sys
from collections import Counter
from contextlib import AbstractContextManager

import structlog

LINES_A_SECOND = 5
"""What the Kafka client libraries may say while a broker is away; the first outage wrote a hundred lines a second."""
_OURS = "monolayer"


class _Quieter(logging.Filter):
    def __init__(self) -> None:
        super().__init__()
        self._said: Counter[tuple[str, int]] = Counter()

    def filter(self, record: logging.LogRecord) -> bool:
        if record.name == _OURS:
            return True
        moment = (record.name, int(record.created))
        if moment not in self._said and len(self._said) > 100:
            self._said.clear()
        self._said[moment] += 1
        return self._said[moment] <= LINES_A_SECOND


def configure(process: str) -> None:
    """Set up logging for this process; every line carries its name.

    All lines leave through one handler, so that threads can't write into one another's.
    """

    def named(_: object, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
        return {**event, "process": process}

    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        named,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderer: list[structlog.typing.Processor] = (
        [structlog.dev.ConsoleRenderer()]
        if sys.stderr.isatty()
        else [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(_Quieter())
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderer],
        )
    )
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger(_OURS).setLevel(logging.INFO)


def log() -> structlog.stdlib.BoundLogger:
    """The logger everybody uses: `log().info("image_rejected", reason=...)`."""
    logger: structlog.stdlib.BoundLogger = structlog.get_logger(_OURS)
    return logger


def about(**what: object) -> AbstractContextManager[None]:
    """Have all lines within a block, and of tasks begun in it, say what they are about: job, image, stage."""
    return structlog.contextvars.bound_contextvars(**{name: value for name, value in what.items() if value is not None})


def readable(line: str) -> str:
    """A JSON line for human eyes; any other line as it is."""
    try:
        event = json.loads(line)
    except ValueError:
        return line
    if not isinstance(event, dict) or "event" not in event:
        return line
    event.pop("process", None)  # whose log it is, a reader knows
    return structlog.dev.ConsoleRenderer(colors=False, pad_event_to=0)(None, "", event)


def is_about(line: str, job: str) -> bool:
    """Whether a JSON line is about a job."""
    try:
        event = json.loads(line)
    except ValueError:
        return False
    return isinstance(event, dict) and event.get("job") == job
