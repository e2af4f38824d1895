"""How spans are drawn from what was measured."""

from observability.tracing.spans import Span
from streams.events import ImageEnded
from streams.runs import Run, Step, Stretch
from streams.tracing.spent import Spent, Taken
from streams.tracing.waterfall import SLIT, Facts, image_spans

MS = 1000
"""Of microseconds."""


def drawn(*phases: Stretch, outcome_sent: int = 100 * MS) -> dict[str, Span]:
    """The spans of an image whose event was sent at 0 and taken at once, by name."""
    return {span.name: span for span in all_drawn(*phases, outcome_sent=outcome_sent)}


def all_drawn(*phases: Stretch, finer: tuple[Stretch, ...] = (), outcome_sent: int = 100 * MS) -> list[Span]:
    run = Run(
        chain="tile+predict+postprocess",
        by="w",
        sent=0,
        begun=10 * MS,
        steps=(Step("tile", 0, 10 * MS, 20 * MS), Step("predict", 0, 30 * MS, 20 * MS)),
        phases=phases,
        finer=finer,
    )
    ended = ImageEnded(job="j", image=0, outcome="labelled", ran=(run,))
    return image_spans(ended, Facts(0.0, "nuclei"), Spent(Taken("collect", "w", outcome_sent / 1e6)))


def test_a_slit_between_two_phases_belongs_to_the_one_before() -> None:
    spans = drawn(Stretch("fetch", 10 * MS, 8 * MS), Stretch("decode", 20 * MS, 9 * MS), Stretch("model", 31 * MS, 9))
    assert spans["fetch"].ended == spans["decode"].begun == 20_000_000
    assert spans["decode"].ended == spans["tile"].ended == spans["predict"].begun == spans["model"].begun
    assert spans["image"].about["slits_us"] == 4 * MS  # 2 before decoding, 1 after it, 1 before the model
    assert spans["image"].about["widest_slit_us"] == 2 * MS


def test_what_lies_wider_apart_is_a_gap() -> None:
    wide = SLIT // 1000 + 1
    spans = drawn(Stretch("model", 31 * MS, MS), Stretch("post", 32 * MS + wide, MS))
    assert spans["model"].ended == 32_000_000
    assert spans["post"].begun == (32 * MS + wide) * 1000


def test_what_was_announced_in_the_same_millisecond_was_announced() -> None:
    spans = drawn(Stretch("store", 30 * MS, 10 * MS + 700), outcome_sent=40 * MS)
    assert spans["announce"].parent == spans["predict"].span


def test_tiles_that_overlap_have_each_their_own_time_at_the_model() -> None:
    long, short = Stretch("model", 30 * MS, 20 * MS), Stretch("model", 31 * MS, 4 * MS)
    finer = (  # told as they end: the short one first
        *(Stretch("slot", 31 * MS, MS), Stretch("queue", 32 * MS, MS), Stretch("compute", 33 * MS, 2 * MS)),
        *(Stretch("slot", 30 * MS, 2 * MS), Stretch("queue", 32 * MS, MS), Stretch("compute", 33 * MS, 17 * MS)),
    )
    spans = all_drawn(short, long, finer=finer)
    first, second = [span for span in spans if span.name == "model"]
    for model, compute in ((first, 17 * MS), (second, 2 * MS)):
        within = [span for span in spans if span.parent == model.span]
        assert [span.name for span in within] == ["slot", "queue", "compute"]
        assert within[0].begun == model.begun
        assert within[2].ended - within[2].begun == compute * 1000
