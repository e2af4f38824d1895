"""Triton and the GPUs: does the model answer, how long does it compute, and is the machine under it busy."""

from observability.dashboards.panels import Dashboard, Kind, Panel, Query, Row, Unit
from observability.dashboards.promql import GIGABYTE, highest, mean, quantile, rate, summed

_UNASKED = "while nobody asks the model"
_NO_GPU = "where there is no GPU"
_NO_EXPORTER = "where there is no DCGM exporter"
_MICROSECONDS = "1e6"
_MIB = "1048576"


def _seconds_of(part: str) -> str:
    return f"{mean(f'nv_inference_{part}_duration_us', 'nv_inference_request_success', 'model')} / {_MICROSECONDS}"


_ANSWERS = Row(
    "Does the model answer?",
    (
        Panel(
            "Requests",
            "How many requests does Triton answer, and how?",
            (Query(rate("monolayer_model_requests_total", "model", "answer"), "{{model}}: {{answer}}"),),
            Unit.PER_SECOND,
            Kind.STACKED,
            "`maps` is well. `refused`: that tile never. `stumbled`: an error of Triton's own. `away`: nobody there.",
        ),
        Panel(
            "Seconds of a request",
            "How long does a stage wait for its maps?",
            (
                Query(quantile(0.5, "monolayer_model_request_seconds", "model"), "{{model}}, half", _UNASKED),
                Query(quantile(0.95, "monolayer_model_request_seconds", "model"), "{{model}}, 95 of 100", _UNASKED),
            ),
            Unit.SECONDS,
        ),
    ),
)
_INSIDE = Row(
    "Is Triton the bottleneck?",
    (
        Panel(
            "Queue and computing",
            "Does a request wait in Triton for longer than it is computed?",
            (
                Query(_seconds_of("queue"), "{{model}}: queue", _UNASKED),
                Query(_seconds_of("compute_infer"), "{{model}}: computing", _UNASKED),
            ),
            Unit.SECONDS,
            reading="More queue than computing: more servers, or more instances of the model, would help.",
            width=4,
        ),
        Panel(
            "Waiting in Triton",
            "How many requests wait inside Triton?",
            (Query(summed("nv_inference_pending_request_count", "model"), "{{model}}"),),
            Unit.NUMBER,
            width=4,
        ),
        Panel(
            "Mean batch",
            "How many tiles are computed at once?",
            (Query(mean("nv_inference_count", "nv_inference_exec_count", "model"), "{{model}}", _UNASKED),),
            Unit.NUMBER,
            reading="1 on a CPU, where batches are of no use.",
            width=4,
        ),
    ),
)
_GPUS = Row(
    "Are the GPUs busy?",
    (
        Panel(
            "GPU busy",
            "Are the GPUs used for what they cost?",
            (
                Query("avg by (gpu_uuid) (nv_gpu_utilization)", "{{gpu_uuid}}", _NO_GPU),
                Query("avg by (Hostname, gpu) (DCGM_FI_DEV_GPU_UTIL) / 100", "{{Hostname}}, {{gpu}}", _NO_EXPORTER),
            ),
            Unit.SHARE,
            reading="Scaling aims at 0.7.",
        ),
        Panel(
            "GPU memory",
            "Does the model fit into the GPU's memory?",
            (
                Query(f"{highest('nv_gpu_memory_used_bytes', 'gpu_uuid')} / {GIGABYTE}", "{{gpu_uuid}}", _NO_GPU),
                Query(
                    f"{highest('DCGM_FI_DEV_FB_USED', 'Hostname', 'gpu')} * {_MIB} / {GIGABYTE}",
                    "{{Hostname}}, {{gpu}}",
                    _NO_EXPORTER,
                ),
            ),
            Unit.GIGABYTES,
        ),
    ),
)
MODELS = Dashboard("models", "Triton and GPU", (_ANSWERS, _INSIDE, _GPUS))
