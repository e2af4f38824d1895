"""What the API can be asked, as a page that needs no network: a list of its routes, made from `openapi.json`."""

from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>{title}</title>
<style>
body {{ font: 1rem/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }}
dt {{ font-family: monospace; font-weight: bold; margin-top: 1rem }}
</style>
<h1>{title}</h1>
<p>{summary} The whole of it, for programs: <a href="{openapi}">openapi.json</a>.</p>
{groups}
</html>
"""


def router() -> APIRouter:
    """The page's endpoint."""
    routes = APIRouter()
    routes.add_api_route("/docs", docs, methods=["GET"], response_class=HTMLResponse, include_in_schema=False)
    return routes


def docs(request: Request) -> HTMLResponse:
    """All routes, by what they are about."""
    app = request.app
    return HTMLResponse(page(app.openapi(), app.openapi_url))


def page(schema: Mapping[str, Any], openapi: str) -> str:
    """The page for an OpenAPI schema that lies at an address."""
    groups: dict[str, list[str]] = {}
    for path, method, route in _routes(schema):
        groups.setdefault(route.get("tags", [""])[0], []).append(_entry(path, method, route))
    told = "".join(f"<h2>{escape(name)}</h2>\n<dl>\n{''.join(entries)}</dl>\n" for name, entries in groups.items())
    info = {name: escape(str(schema["info"].get(name, ""))) for name in ("title", "summary")}
    return _PAGE.format(**info, openapi=escape(openapi), groups=told)


def _routes(schema: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    for path, methods in schema["paths"].items():
        for method, route in methods.items():
            yield path, method.upper(), route


def _entry(path: str, method: str, route: Mapping[str, Any]) -> str:
    query = "&".join(each["name"] for each in route.get("parameters", []) if each["in"] == "query")
    asked = f"{method} {path}{f'?{query}' if query else ''}"
    return f"<dt>{escape(asked)}</dt><dd>{escape(route.get('description', ''))}</dd>\n"
