"""The training loop: it can be stopped at any time and goes on from its last checkpoint."""

import json
import logging
import math
import queue
import threading
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import keras  # type: ignore[import-not-found,import-untyped,unused-ignore]

from inference.training.chart import draw_losses
from inference.training.config import Config
from inference.training.dataset import batches, made_up, read_sets, split
from inference.training.network import build
from inference.training.warm import start_from

log = logging.getLogger(__name__)

AVERAGE, CHECKPOINT, PROGRESS = "average.weights.h5", "checkpoint.weights.h5", "progress.json"
EVERY = 10  # steps between updates of the average, and 1/20 of those between checkpoints
DISTANCE, FOREGROUND = 2.0, 1.0  # weights of the maps' losses: the distance decides the splits


@dataclass(slots=True)
class Progress:
    """How far a run has come."""

    step: int = 0
    seconds: float = 0.0
    loss: float = 0.0
    losses: list[tuple[int, float, float]] = field(default_factory=list)


def train(config: Config, data: Path, out: Path) -> None:
    """Train a network on the images under `data`; go on where the run in the folder `out` stopped, if one did.

    Writes the averaged weights, a checkpoint, the progress and a chart of the losses into `out`.
    """
    keras.utils.set_random_seed(config.seed)
    keras.mixed_precision.set_global_policy(config.precision)
    training, _ = split(read_sets(data, config.sets, config), config.hold_out_every)
    network, average, progress = _begin(config, out)
    log.info("training on %d images from step %d", len(training), progress.step)
    feed = _ahead(training + made_up(config), config, seed=config.seed + progress.step)
    _loop(network, average, config, feed, progress, out)
    _keep(network, average, progress, out)


def _begin(config: Config, out: Path) -> tuple[Any, Any, Progress]:
    network, average = build(config), build(config)
    optimizer = keras.optimizers.AdamW(config.learning_rate, weight_decay=config.weight_decay, clipnorm=1.0)
    network.compile(optimizer, loss=_loss)
    optimizer.build(network.trainable_variables)
    if (out / PROGRESS).exists():
        network.load_weights(out / CHECKPOINT)
        average.load_weights(out / AVERAGE)
        return network, average, Progress(**json.loads((out / PROGRESS).read_text()))
    if config.begin:
        start_from(network, Path(config.begin))
    average.set_weights(network.get_weights())
    return network, average, Progress()


def _loop(network: Any, average: Any, config: Config, feed: "queue.Queue[Any]", progress: Progress, out: Path) -> None:
    began = time.monotonic() - progress.seconds
    while (share := max(progress.step / config.steps, progress.seconds / 60 / config.minutes)) < 1:
        network.optimizer.learning_rate.assign(config.learning_rate * _schedule(share))
        loss = float(network.train_on_batch(*feed.get(), return_dict=False))
        progress.loss = loss if progress.step == 0 else 0.98 * progress.loss + 0.02 * loss
        progress.step += 1
        progress.seconds = time.monotonic() - began
        if progress.step % EVERY == 0:
            _follow(average, network, min(config.average**EVERY, progress.step / (progress.step + 100)))
        if progress.step % (20 * EVERY) == 0:
            _keep(network, average, progress, out)


def _schedule(progress: float) -> float:
    """Return the learning rate's share of its peak: a warm-up over 4 %, then half a cosine down to 1 %."""
    if progress < 0.04:
        return 0.05 + 0.95 * progress / 0.04
    return 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * (progress - 0.04) / 0.96))


def _loss(truth: Any, logits: Any) -> Any:
    """Cross-entropy with soft targets for both maps, where they are known."""
    known = keras.ops.cast(truth >= 0, logits.dtype)
    entropy = keras.ops.binary_crossentropy(keras.ops.maximum(truth, 0), logits, from_logits=True)
    return keras.ops.mean(known * entropy * keras.ops.convert_to_tensor([DISTANCE, FOREGROUND]))


def _follow(average: Any, network: Any, kept: float) -> None:
    """Move the averaged weights towards the network's; `kept` is the share of the old ones."""
    for mean, value in zip(average.weights, network.weights, strict=True):
        mean.assign(kept * mean + (1 - kept) * value)


def _keep(network: Any, average: Any, progress: Progress, out: Path) -> None:
    progress.losses.append((progress.step, progress.seconds / 60, progress.loss))
    log.info("step %d, %.1f min, loss %.4f", progress.step, progress.seconds / 60, progress.loss)
    network.save_weights(out / CHECKPOINT)
    average.save_weights(out / AVERAGE)
    (out / PROGRESS).write_text(json.dumps(asdict(progress)))
    draw_losses(progress.losses, out / "losses.png")


def _ahead(samples: Any, config: Config, *, seed: int) -> "queue.Queue[Any]":
    """Draw batches in a thread; the queue bounds how far ahead it runs."""
    feed: queue.Queue[Any] = queue.Queue(8)

    def fill() -> None:
        for batch in batches(samples, config, seed):
            feed.put(batch)

    threading.Thread(target=fill, daemon=True).start()
    return feed
