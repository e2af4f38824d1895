"""What it costs. Its rows come with the metrics that tell dollars; until then it is not drawn."""

from observability.dashboards.panels import Dashboard

COST = Dashboard("cost", "Cost", ())
