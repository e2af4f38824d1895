"""All generated pages and files, by their place among the pages."""

import json

from docs.reference import alerts, commands, events, http_api, layout, metrics, python_client, variables


def generated() -> dict[str, str]:
    """What is made from the code: Markdown, and the two descriptions for programs."""
    openapi, asyncapi = http_api.schema(), events.asyncapi()
    return {
        "reference/commands.md": commands.page(),
        "reference/http-api.md": http_api.page(openapi),
        "reference/openapi.json": json.dumps(openapi, indent=1),
        "reference/python-client.md": python_client.page(),
        "reference/events.md": events.page(asyncapi),
        "reference/asyncapi.json": json.dumps(asyncapi, indent=1),
        "reference/objects.md": layout.page(),
        "reference/alerts.md": alerts.page(),
        "reference/metrics.md": metrics.page(),
        "reference/variables.md": variables.page(),
    }
