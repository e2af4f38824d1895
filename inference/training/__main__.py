"""`python -m inference.training train|evaluate|export CONFIG`."""

import argparse
import logging
from pathlib import Path

from inference.training.config import read_config


def main() -> None:
    """Run one step of making the shipped model."""
    parser = argparse.ArgumentParser(prog="python -m inference.training")
    parser.add_argument("step", choices=["train", "evaluate", "export"])
    parser.add_argument("config", type=Path, help="a TOML file, e.g. inference/training/nuclei.toml")
    parser.add_argument("--data", type=Path, help="folder with index.json and the annotated sets")
    parser.add_argument("--out", type=Path, default=Path("training-run"), help="where the trained network is kept")
    parser.add_argument("--model", type=Path, help="the model folder to export to, or to evaluate")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    config = read_config(arguments.config)
    if arguments.step == "train":
        from inference.training.fit import train

        arguments.out.mkdir(parents=True, exist_ok=True)
        train(config, arguments.data, arguments.out)
    elif arguments.step == "evaluate":
        from inference.training.evaluation import evaluate

        evaluate(config, arguments.data, arguments.model)
    else:
        from inference.training.export import export

        export(config, arguments.out / "weights.keras", arguments.model)


if __name__ == "__main__":
    main()
