"""What of training needs no TensorFlow: images with their targets, what is done to them, and the evaluation."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tifffile

from inference.models import SHIPPED
from inference.synthetic import field
from inference.training.chart import draw_losses
from inference.training.clutter import clutter
from inference.training.config import read_config
from inference.training.dataset import UNKNOWN, batches, draw, made_up, read_sets, split
from inference.training.evaluation import evaluate

CONFIG = read_config(Path(__file__).parents[2] / "inference/training/nuclei.toml")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two sets of made-up images, one image each."""
    root = tmp_path_factory.mktemp("data")
    entries = []
    for number, (name, side) in enumerate((("one", 160), ("two", 240))):
        image, truth = field((side, side), number, 25, np.uint8)
        for kind, plane in (("images", image), ("labels", truth.astype(np.uint16))):
            (root / name / kind).mkdir(parents=True)
            tifffile.imwrite(root / name / kind / "a.tif", plane)
        entries.append({"set": name, "file": "a", "n": int(truth.max())})
    (root / "index.json").write_text(json.dumps(entries))
    return root


def test_evaluation_prints_a_row_per_set_and_source_and_draws_the_worst(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scored = evaluate(data, SHIPPED / "nuclei", tmp_path)
    rows = capsys.readouterr().out.splitlines()[2:]
    assert [row.split("  ")[0] or row.split()[0] for row in rows] == ["one", "160", "two", "240"]
    assert rows[0].split()[2] == f"{scored[0].given[0]:.3f}"
    assert min(each.given[0] for each in scored) > 0.8
    assert (tmp_path / "worst.png").read_bytes().startswith(b"\x89PNG")


def test_one_set_can_be_evaluated_alone(data: Path, tmp_path: Path) -> None:
    assert [each.set for each in evaluate(data / "one", SHIPPED / "nuclei", tmp_path)] == ["one"]


def test_a_folder_without_sets_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="holds no set"):
        evaluate(tmp_path, SHIPPED / "nuclei", tmp_path)


def test_batches_are_the_same_for_the_same_seed(data: Path) -> None:
    samples = read_sets(data, ("one", "two"), CONFIG)
    (images, targets), (again, _), (other, _) = (next(batches(samples, CONFIG, seed)) for seed in (1, 1, 2))
    assert images.shape == (CONFIG.batch, CONFIG.crop, CONFIG.crop, 1)
    assert targets.shape == (CONFIG.batch, CONFIG.crop, CONFIG.crop, 2)
    assert (images == again).all()
    assert (images != other).any()


def test_beyond_an_images_edge_nothing_is_to_be_learned(data: Path) -> None:
    (small,) = read_sets(data, ("one",), CONFIG)
    image, target = draw(small, CONFIG, np.random.default_rng(0))
    unknown = target == UNKNOWN
    assert 0.1 < unknown.mean() < 0.9
    assert (unknown[..., 0] == unknown[..., 1]).all()
    assert target[~unknown].min() >= 0 and target.max() <= 1
    assert image.min() >= 0 and image.max() <= CONFIG.clip


def test_what_is_held_out_is_not_trained_on(data: Path) -> None:
    samples = read_sets(data, ("one", "two"), CONFIG)
    training, held_out = split(samples, 2)
    assert [each.image.shape for each in (*held_out, *training)] == [(160, 160), (240, 240)]


def test_clutter_keeps_off_nuclei() -> None:
    foreground = np.zeros((256, 256), np.float32)
    foreground[100:140, 100:140] = 1
    empty, rng = np.zeros((256, 256), np.float32), np.random.default_rng(0)
    cluttered = [clutter(empty, foreground, rng) for _ in range(60)]
    assert any(each.max() > 0.2 for each in cluttered)
    assert max(each[115:125, 115:125].max() for each in cluttered) < 0.2


def test_made_up_images_have_nuclei_of_several_sizes() -> None:
    sizes = [each.diameter for each in made_up(replace(CONFIG, synthetic=4))]
    assert max(sizes) > 1.3 * min(sizes)


def test_losses_are_drawn(tmp_path: Path) -> None:
    draw_losses([(10, 0.1, 0.5), (20, 0.2, 0.3)], tmp_path / "losses.png")
    assert (tmp_path / "losses.png").read_bytes().startswith(b"\x89PNG")
