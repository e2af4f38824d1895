"""The page that says what the API can be asked."""

import re

from kiosk.api.docs import page
from storage.memory import MemoryStore
from tests.kiosk.front import InProcess, app_of


def test_the_page_lists_every_route_and_wants_nothing_from_elsewhere() -> None:
    http = InProcess(app_of(MemoryStore()))
    answer = http.get("/api/v1/docs")
    assert answer.headers["Content-Type"].startswith("text/html")
    assert [path for path in http.get("/api/v1/openapi.json").json()["paths"] if path not in answer.text] == []
    assert re.findall(r"https?://|//[a-z]", answer.text) == []
    assert 'href="/api/v1/openapi.json"' in answer.text


def test_what_the_routes_say_is_text_and_no_markup() -> None:
    routes = {"/a": {"get": {"description": "<b>x</b> & y", "parameters": [{"in": "query", "name": "n"}]}}}
    told = page({"info": {"title": "T"}, "paths": routes}, "o.json")
    assert "<dt>GET /a?n</dt><dd>&lt;b&gt;x&lt;/b&gt; &amp; y</dd>" in told
