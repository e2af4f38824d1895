"""The training loop."""

import logging
import math
import queue
import threading
import time
from pathlib import Path
from typing import Any

import keras  # type: ignore[import-not-found,import-untyped,unused-ignore]
import tensorflow as tf  # type: ignore[import-not-found,import-untyped,unused-ignore]

from inference.training.config import Config
from inference.training.dataset import batches, read_sets, split
from inference.training.network import build

log = logging.getLogger(__name__)


def train(config: Config, data: Path, out: Path) -> None:
    """Train a network on the images under `data` and write `weights.keras` into `out`."""
    keras.utils.set_random_seed(config.seed)
    training, _ = split(read_sets(data, config.sets, config), config.hold_out_every)
    network = build(config)
    network.summary(print_fn=log.info)
    network.compile(keras.optimizers.AdamW(config.learning_rate, weight_decay=config.weight_decay), loss=_loss)
    log.info("training on %d images", len(training))
    _loop(network, config, _ahead(training, config), out)
    network.save(out / "weights.keras")


def _loop(network: Any, config: Config, feed: "queue.Queue[Any]", out: Path) -> None:
    began, average = time.monotonic(), 0.0
    for step in range(config.steps):
        minutes = (time.monotonic() - began) / 60
        progress = max(step / config.steps, minutes / config.minutes)
        if progress >= 1:
            return
        network.optimizer.learning_rate.assign(config.learning_rate * _schedule(progress))
        loss = float(network.train_on_batch(*feed.get()))
        average = loss if step == 0 else 0.98 * average + 0.02 * loss
        if step % 50 == 0:
            log.info("step %d, %.1f min, loss %.4f", step, minutes, average)
        if step % 500 == 499:
            network.save(out / "weights.keras")


def _schedule(progress: float) -> float:
    """Return the learning rate's share of its peak: a warm-up over 4 %, then half a cosine down to 1 %."""
    if progress < 0.04:
        return 0.05 + 0.95 * progress / 0.04
    return 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * (progress - 0.04) / 0.96))


def _loss(truth: Any, logits: Any) -> Any:
    """Cross-entropy with soft targets for both maps; the distance, which decides the splits, counts double."""
    entropy = tf.nn.sigmoid_cross_entropy_with_logits(truth, logits)
    return tf.reduce_mean(entropy * tf.constant([2.0, 1.0]))


def _ahead(samples: Any, config: Config) -> "queue.Queue[Any]":
    """Draw batches in a thread; the queue bounds how far ahead it runs."""
    feed: queue.Queue[Any] = queue.Queue(8)

    def fill() -> None:
        for batch in batches(samples, config, config.seed):
            feed.put(batch)

    threading.Thread(target=fill, daemon=True).start()
    return feed
