"""All dashboards there are, in the order in which they are looked at."""

from observability.dashboards.api import API
from observability.dashboards.backlog import BACKLOG
from observability.dashboards.cost import COST
from observability.dashboards.image import IMAGE
from observability.dashboards.jobs import JOBS
from observability.dashboards.models import MODELS
from observability.dashboards.panels import Dashboard
from observability.dashboards.pipeline import PIPELINE

DASHBOARDS: tuple[Dashboard, ...] = (PIPELINE, JOBS, IMAGE, MODELS, BACKLOG, API, COST)
