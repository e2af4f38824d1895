"""What the API's metrics say of its requests."""

from storage.memory import MemoryStore
from tests.kiosk.front import InProcess, app_of, made_job
from tests.scraped import number

V1 = "/api/v1"


def requests(route: str, status: int, method: str = "GET") -> float:
    return number("monolayer_api_requests_total", method=method, route=route, status=str(status))


def test_requests_are_counted_by_the_templates_of_their_routes() -> None:
    store = MemoryStore()
    http, route = InProcess(app_of(store)), "/jobs/{job}"
    made_job(store, {"a.tif": b"a"})
    found, missing = requests(route, 200), requests(route, 404)
    seconds = number("monolayer_api_request_seconds_count", method="GET", route=route)
    http.get(f"{V1}/jobs/j1")
    http.get(f"{V1}/jobs/j2")
    http.get(f"{V1}/jobs/j3")
    assert (requests(route, 200) - found, requests(route, 404) - missing) == (1, 2)
    assert number("monolayer_api_request_seconds_count", method="GET", route=route) - seconds == 3


def test_paths_that_lead_nowhere_are_all_one() -> None:
    http, before = InProcess(app_of(MemoryStore())), requests("none", 404)
    for path in ("/wp-login.php", "/.env"):
        http.get(path)
    assert requests("none", 404) - before == 2


def test_methods_that_nobody_knows_are_all_one() -> None:
    before = requests("none", 404, "other")
    InProcess(app_of(MemoryStore())).request("BREW", "/coffee")
    assert requests("none", 404, "other") - before == 1


def test_an_error_that_nobody_foresaw_is_counted_as_one() -> None:
    class Broken(MemoryStore):
        def stat(self, key: str) -> None:  # type: ignore[override]
            raise RuntimeError("a defect")

    before = requests("/health", 500)
    assert InProcess(app_of(Broken())).get(f"{V1}/health").status_code == 500
    assert requests("/health", 500) - before == 1
