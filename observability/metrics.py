"""Every metric of Monolayer, once: its name, kind, unit (in the name), labels and meaning.

`python -m observability.metrics` prints them as the page `metrics.md` beside this file.
"""

from importlib.metadata import version
from wsgiref.simple_server import WSGIServer

from observability import instruments
from observability.instruments import Book, Label
from observability.logs import log

ALL = "all"
"""The lane of topics that have no lanes."""
NO_REASON = "none"
"""The reason of an image that was not rejected."""
MOST_JOBS = 20
"""Jobs told of one by one: the newest that have not ended."""

STAGE = Label("stage", ("unzip", "announce", "tile", "predict", "postprocess", "collect"))
"""The stage that reads the topic, and gives the consumer group and the chain its name."""
LANE = Label("lane", ("interactive", "bulk", ALL))
PHASE = Label(
    "phase", ("wait", "look", "fetch", "decode", "plan", "take", "model", "post", "store", "pause", "announce")
)
CAUSE = Label("cause", ("outage", "error"))
OUTCOME = Label("outcome", ("labelled", "rejected"))
REASON = Label(
    "reason",
    (NO_REASON, "bad_input", "too_large", "unsupported", "model_error", "timeout", "infrastructure", "killed"),
)
MODEL = Label("model", bound="the models of the repository")
ANSWER = Label("answer", ("maps", "refused", "stumbled", "away", "abandoned"))
JOB = Label("job", bound=f"the newest {MOST_JOBS} jobs that have not ended")
STATE = Label("state", ("labelled", "rejected", "cancelled", "in_flight"))
METHOD = Label("method", ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "other"))
ROUTE = Label("route", bound="the templates of the API's routes, below `/api/v1`, and `none`")
STATUS = Label("status", bound="HTTP's status codes")
VERSION = Label("version", bound="one in each process")
CLASS = Label("class", ("A", "B", "free"))
DIRECTION = Label("direction", ("sent", "received"))
PART = Label("part", ("nodes", "operations", "traffic", "storage"))

MOMENTS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60)
"""Of parts of an image's way: fetching takes milliseconds, waiting may take a minute."""
LONG = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 60, 120, 300)
"""Of the whole way: 20 ms for the smallest image, some 10 s for the largest; `streams.work.policy` ends it at 300 s."""

BOOK = Book()

_stages = BOOK.subject("Stages")
TAKEN = _stages.counter(
    "monolayer_events_taken_total", "Events taken on from Kafka; again where one is delivered again.", STAGE, LANE
)
ANNOUNCED = _stages.counter(
    "monolayer_events_announced_total", "Events that the broker confirmed, copies for people not counted.", STAGE, LANE
)
EVENT_SECONDS = _stages.histogram(
    "monolayer_event_seconds",
    "From an event's slot until it is finished: its results durable and announced.",
    STAGE,
    LANE,
    buckets=LONG,
)
PHASE_SECONDS = _stages.histogram(
    "monolayer_phase_seconds",
    "What one finished event spent in one phase, all its attempts and tiles together.",
    STAGE,
    LANE,
    PHASE,
    buckets=MOMENTS,
)
IN_FLIGHT = _stages.live("monolayer_in_flight_events", "Events that are being worked on.", STAGE, LANE)
WAITING = _stages.live("monolayer_waiting_events", "Events taken on that wait for a slot.", STAGE, LANE)
OLDEST_IN_FLIGHT = _stages.live(
    "monolayer_oldest_in_flight_seconds",
    "For how long the oldest event in flight has been worked on; 0 where there is none.",
    STAGE,
    LANE,
)
RETRIES = _stages.counter(
    "monolayer_retries_total",
    "Attempts that failed: because a part of the system is away (outage), or for any other reason (error).",
    STAGE,
    LANE,
    CAUSE,
)
QUARANTINED = _stages.counter(
    "monolayer_messages_quarantined_total", "Messages set aside because they can't be answered."
)

_images = BOOK.subject("Images")
ENDED = _images.counter(
    "monolayer_images_ended_total",
    "Images that ended here; again where an end was not durable at first. The bucket holds the exact number.",
    LANE,
    OUTCOME,
    REASON,
)
ATTEMPTS = _images.histogram(
    "monolayer_image_attempts",
    "Attempts that an ended image took.",
    OUTCOME,
    buckets=(1, 2, 3, 4, 6, 12),
)
DECODER_DEATHS = _images.counter("monolayer_decoder_deaths_total", "Decoders that died while they read an image.", LANE)

_models = BOOK.subject("Models")
REQUESTS = _models.counter(
    "monolayer_model_requests_total",
    "Requests to Triton that came to an end: with maps; refused for ever; stumbled, an error of the server's own; "
    "away, nobody there or no answer in time; abandoned by whoever asked.",
    MODEL,
    ANSWER,
)
REQUEST_SECONDS = _models.histogram(
    "monolayer_model_request_seconds",
    "From sending a request to Triton to its maps, as the client sees it; its turn at the gate not counted.",
    MODEL,
    buckets=MOMENTS,
)
BREAKER_OPEN = _models.live("monolayer_breaker_open", "1 while this process takes Triton for away, else 0.")
MODEL_HELD = _models.gauge(
    "monolayer_model_held",
    "1 while the model's images wait until somebody releases it, else 0; looked at with every sweep.",
    MODEL,
)

_jobs = BOOK.subject("Jobs")
JOB_IMAGES = _jobs.live(
    "monolayer_job_images", "Images by state, from the tally of the process that owns the job.", JOB, STATE
)

_backlog = BOOK.subject("Backlog")
LAG = _backlog.live(
    "monolayer_lag_events",
    "Events of the stage's topic that are not committed; absent while nobody can tell.",
    STAGE,
    LANE,
)
ARRIVAL = _backlog.live(
    "monolayer_arrival_events_per_second", "Events that came, over the last 30 s; absent as the lag is.", STAGE, LANE
)
SERVICE = _backlog.live(
    "monolayer_service_events_per_second",
    "Events that were committed, over the last 30 s; absent as the lag is.",
    STAGE,
    LANE,
)
BACKLOG_SECONDS = _backlog.live(
    "monolayer_backlog_seconds",
    "The lag times the seconds that an event took while events were waiting, as last seen; absent as the lag is, and "
    "before anything was seen to be served.",
    STAGE,
    LANE,
)
OLDEST = _backlog.live(
    "monolayer_oldest_event_seconds",
    "Age of the oldest event that is not committed, by its Kafka timestamp; 0 without lag, absent as the lag is.",
    STAGE,
    LANE,
)
KNOWN = _backlog.live(
    "monolayer_backlog_known", "1 while the backlog is known, 0 while nobody can tell: then freeze.", STAGE, LANE
)

_store = BOOK.subject("Store and cost")
STORE_OPERATIONS = _store.counter(
    "monolayer_store_operations_total",
    "Requests that the object store answered, by the class that clouds bill them in: puts and lists (A), gets and "
    "heads (B), deletes (free). Parts that clients put themselves count when they are put together.",
    CLASS,
)
STORE_BYTES = _store.counter(
    "monolayer_store_bytes_total", "Bytes of bodies, to and from the object store; clients' own not counted.", DIRECTION
)
COST = _store.counter(
    "monolayer_cost_dollars_total",
    "What the images that ended here have cost, by the price file in MONOLAYER_PRICES; without one nothing is told.",
    PART,
)
JOB_COST = _store.live(
    "monolayer_job_cost_dollars", "What a job has cost so far, as the process that owns it counts.", JOB
)
BUDGETS_SPENT = _store.counter(
    "monolayer_budgets_spent_total", "Jobs that were held because they have cost what they may."
)

_api = BOOK.subject("API")
API_REQUESTS = _api.counter(
    "monolayer_api_requests_total", "Requests that were answered, or broken off.", METHOD, ROUTE, STATUS
)
API_SECONDS = _api.histogram(
    "monolayer_api_request_seconds", "From a request to the end of its answer.", METHOD, ROUTE, buckets=LONG
)

_traces = BOOK.subject("Traces")
SPANS_DROPPED = _traces.counter(
    "monolayer_spans_dropped_total", "Spans that did not reach their collector: traces hold nobody up."
)

_about = BOOK.subject("About")
BUILD_INFO = _about.gauge("monolayer_build_info", "Always 1; the label tells which version runs.", VERSION)

TRITON = {
    "nv_inference_request_success": "requests answered, by model and version",
    "nv_inference_request_failure": "requests that failed",
    "nv_inference_count": "inferences, each image of a batch counted",
    "nv_inference_exec_count": "executions of the model; inferences over executions is the mean batch",
    "nv_inference_queue_duration_us": "microseconds in Triton's queue, all requests together",
    "nv_inference_compute_infer_duration_us": "microseconds of computing, all requests together",
    "nv_inference_pending_request_count": "requests waiting in Triton now",
    "nv_gpu_utilization": "how busy each GPU is, 0 to 1",
    "nv_gpu_memory_used_bytes": "memory in use on each GPU",
}
"""What we use of Triton's own metrics, which it serves itself."""
DCGM = {
    "DCGM_FI_DEV_GPU_UTIL": "how busy each GPU is, in per cent",
    "DCGM_FI_DEV_FB_USED": "memory in use on each GPU, in MiB",
}
"""What we use of the metrics of NVIDIA's exporter, which a cluster with GPUs runs on each node."""


def serve(address: str) -> WSGIServer | None:
    """Answer `GET /metrics` at `host:port`, in a thread that ends with the process; nothing where there is no address.

    An address that is taken is logged, and none is served then: no image shall wait for that. Raises `ValueError` where
    it is no address.
    """
    BUILD_INFO.labels(version("monolayer")).set(1)
    try:
        return instruments.serve(address, BOOK) if address else None
    except OSError as error:
        log().error("metrics_not_served", address=address, error=str(error))
        return None


if __name__ == "__main__":
    from observability.page import page

    print(page(BOOK, TRITON, DCGM), end="")
