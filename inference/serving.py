"""`python -m inference.serving FOLDER` writes the shipped models as a repository for Triton's official image."""

from argparse import ArgumentParser
from pathlib import Path

from inference.models import shipped_models, write_triton_onnx_entry


def main(arguments: list[str] | None = None) -> None:
    """Write the repository, and name each entry."""
    parser = ArgumentParser("python -m inference.serving", description=__doc__)
    parser.add_argument("folder", metavar="FOLDER", type=Path, help="where to")
    parser.add_argument("--on", choices=("gpu", "cpu"), default="gpu", help="what the server computes on")
    parser.add_argument("--instances", type=int, default=1, help="of each model")
    given = parser.parse_args(arguments)
    for model in shipped_models().values():
        write_triton_onnx_entry(model, given.folder, on=given.on, instances=given.instances)
        print(f"{given.folder / model.name}: version {model.version}, {given.instances} on the {given.on}")


if __name__ == "__main__":
    main()
