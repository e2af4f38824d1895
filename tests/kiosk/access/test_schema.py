"""Whatever the API's description allows, and what it doesn't, is answered as the description says."""

import re

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis import Case
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from kiosk.access import tokens
from kiosk.access.caller import Scope
from kiosk.api.guard import Access
from kiosk.api.jaeger import Told
from tests.kiosk.front import Bucket, app_of, finish, labels_of, made_job


class Kept:
    """Traces are kept, and there are none."""

    def trace(self, trace: int) -> list[Told]:
        return []

    def images(self, since: float, until: float, most: int) -> list[Told]:
        return []


STORE = Bucket()
TOKEN, _ = tokens.create(STORE, "fuzz", {Scope.ADMIN})
APP = app_of(STORE, access=Access(login=True), kept=Kept())
SCHEMA = schemathesis.openapi.from_asgi("/api/v1/openapi.json", APP).include(path_regex="^/api/v1")
OURS = [positive_data_acceptance, negative_data_rejection]
"""Not judged: what no schema says may be refused, such as a pixel size together with a diameter, and a query that no
route knows is passed over."""
FEW = settings(
    max_examples=15,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
    derandomize=True,
)


@pytest.fixture(autouse=True, scope="module")
def ended() -> None:
    """A job that is there and over: the progress of another would never end."""
    made_job(STORE, {"a.tif": b"a", "b.tif": b"b"}, "known")
    finish(STORE, "known", lambda entry: labels_of(1, 40, 50) if entry.image else None)


def ask(case: Case) -> None:
    case.call_and_validate(headers={"Authorization": f"Bearer {TOKEN}"}, excluded_checks=OURS)


@SCHEMA.parametrize()
@FEW
def test_no_answer_is_a_defect_or_undocumented(case: Case) -> None:
    ask(case)


@SCHEMA.include(path_regex=re.escape("{job}")).parametrize()
@FEW
def test_no_answer_about_a_job_that_is_there_is_a_defect_or_undocumented(case: Case) -> None:
    case.path_parameters = {**(case.path_parameters or {}), "job": "known"}
    ask(case)
