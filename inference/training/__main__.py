"""`python -m inference.training train|evaluate|export [CONFIG]`."""

import argparse
import logging
from pathlib import Path

from inference.models import SHIPPED
from inference.training.config import read_config

CONFIG = Path(__file__).with_name("nuclei.toml")


def main() -> None:
    """Run one step of making the shipped model."""
    parser = argparse.ArgumentParser(prog="python -m inference.training")
    parser.add_argument("step", choices=["train", "evaluate", "export"])
    parser.add_argument("config", type=Path, nargs="?", default=CONFIG, help="a TOML file; the shipped model's if none")
    parser.add_argument("--data", type=Path, help="annotated sets beside an index.json; to evaluate, also one")
    parser.add_argument("--out", type=Path, default=Path("training-run"), help="where a run is kept, and goes on from")
    parser.add_argument("--model", type=Path, default=SHIPPED / "nuclei", help="what to export to, or to evaluate")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    if arguments.step != "export" and arguments.data is None:
        parser.error("--data is missing: where do the annotated images lie?")
    arguments.out.mkdir(parents=True, exist_ok=True)
    if arguments.step == "train":
        from inference.training.fit import train

        train(read_config(arguments.config), arguments.data, arguments.out)
    elif arguments.step == "evaluate":
        from inference.training.evaluation import evaluate

        evaluate(arguments.data, arguments.model, arguments.out)
    else:
        from inference.training.export import export

        export(read_config(arguments.config), arguments.out, arguments.model)


if __name__ == "__main__":
    main()
