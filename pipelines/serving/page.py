"""The OpenAPI document as an HTML page without scripts or external files."""

import json
from typing import Any

from jinja2 import Environment, select_autoescape

_TEMPLATE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{{ info.title }}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1b1f24;background:#fff}
h2{margin-top:2rem;border-top:1px solid #d0d7de;padding-top:1rem} code,pre{font:14px/1.45 ui-monospace,monospace}
pre{background:#f6f8fa;padding:1rem;overflow:auto;max-height:24rem} table{border-collapse:collapse;width:100%}
td,th{text-align:left;vertical-align:top;padding:.25rem .75rem .25rem 0;border-bottom:1px solid #eaeef2}
</style></head><body>
<h1>{{ info.title }} {{ info.version }}</h1>
<p>{{ info.description }} The same as data: <a href="openapi.json">openapi.json</a>.
A key is sent as <code>authorization: Bearer KEY</code>.</p>
{% for path, methods in paths.items() %}{% for verb, method in methods.items() %}
<h2><code>{{ verb|upper }} {{ path }}</code></h2><p>{{ method.summary }}. {{ method.description or "" }}</p>
{% for example in (method.requestBody.content["application/json"].examples.values() if method.requestBody else []) %}
<p>{{ example.summary }}:</p><pre>{{ pretty(example.value) }}</pre>{% endfor %}
<table><tr><th>status</th><th>meaning</th></tr>
{% for code, response in method.responses.items() %}<tr><td>{{ code }}</td><td>{{ response.description }}</td></tr>
{% endfor %}</table>{% endfor %}{% endfor %}
{% for name, schema in components.schemas.items() %}<h2>{{ name }}</h2>
{{ table(schema) }}
{% endfor %}</body></html>
"""

_TABLE = """<table><tr><th>field</th><th>type</th><th>meaning</th></tr>
{% for name, field in properties.items() %}<tr><td><code>{{ name }}</code>
{{ "" if name in required else "(optional)" }}</td><td>{{ kind(field) }}</td>
<td>{{ field.description or "" }}</td></tr>{% endfor %}</table>"""


def page(document: dict[str, Any]) -> str:
    """Return the page of a document."""
    from markupsafe import Markup

    environment = Environment(autoescape=select_autoescape(default_for_string=True, default=True))
    rows = environment.from_string(_TABLE)

    def table(schema: dict[str, Any]) -> Markup:
        return Markup(rows.render(properties=schema["properties"], required=schema.get("required", []), kind=_kind))

    def pretty(value: Any) -> str:
        return json.dumps(value, indent=1, ensure_ascii=False)

    return environment.from_string(_TEMPLATE).render(**document, table=table, pretty=pretty)


def _kind(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "anyOf" in schema:
        return " or ".join(_kind(one) for one in schema["anyOf"])
    if "enum" in schema:
        return "one of " + ", ".join(map(str, schema["enum"]))
    kind = schema.get("type", "any")
    return " or ".join(kind) if isinstance(kind, list) else str(kind)
