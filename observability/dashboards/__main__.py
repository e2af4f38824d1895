"""Write the dashboards as files, for Grafana and for the page that VictoriaMetrics serves.

FOLDER/grafana/NAME.json are for Grafana 11.6 and later: import them one by one, or let Grafana read the folder
(provisioning). Each asks for its Prometheus at the top of the page; VictoriaMetrics answers as one.

FOLDER/viewer/N-NAME.json are for VictoriaMetrics' `-vmui.customDashboardsPath`. `monolayer up --observe` writes these
itself, and `monolayer open dashboards` shows them.

They are files to be used, not to be changed: what they say stands in observability/dashboards, and is written again.
"""

from argparse import ArgumentParser, RawDescriptionHelpFormatter
from pathlib import Path

from observability.dashboards import grafana, viewer
from observability.dashboards.collection import DASHBOARDS


def main() -> None:
    """Read the arguments, write, and name each file."""
    parser = ArgumentParser("python -m observability.dashboards", None, __doc__)
    parser.formatter_class = RawDescriptionHelpFormatter
    parser.add_argument("folder", metavar="FOLDER", type=Path, help="where to; made where it isn't there")
    folder: Path = parser.parse_args().folder
    for file in [*grafana.write(DASHBOARDS, folder / "grafana"), *viewer.write(DASHBOARDS, folder / "viewer")]:
        print(file)


if __name__ == "__main__":
    main()
