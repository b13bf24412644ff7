"""The API's description as one page of plain HTML, made from its OpenAPI.

FastAPI's own page loads Swagger from a CDN, which neither the content security policy nor a machine without internet allows.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from html import escape
from typing import Any

_STYLE = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
body { max-width: 56rem; margin: 2rem auto; padding: 0 1rem }
nav ul { list-style: none; padding: 0 } code, pre { font: 0.875rem/1.5 ui-monospace, monospace }
section { border-top: 1px solid GrayText; padding: 0.5rem 0 1rem } pre { overflow-x: auto; padding: 0.75rem; border: 1px solid GrayText; border-radius: 6px }
h2 b { display: inline-block; min-width: 4rem } h2 { font-size: 1.125rem; overflow-wrap: anywhere } table { border-collapse: collapse }
th, td { text-align: left; vertical-align: top; padding: 0.125rem 1rem 0.125rem 0 }
"""  # noqa: E501


_CALLERS = {"session": "signed-in people", "secureSession": "signed-in people", "token": "API tokens"}


def render_docs(openapi: dict[str, Any]) -> str:
    """Return an HTML document: every operation with its parameters, body and responses."""
    operations = list(_operations(openapi))
    links = "".join(f'<li><a href="#{name}"><code>{method} {escape(path)}</code></a></li>' for name, method, path, _ in operations)
    sections = "".join(_section(openapi, *operation) for operation in operations)
    info = openapi["info"]
    return (
        f'<!doctype html><html lang="en-GB"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f'<link rel="icon" href="/icon.svg" type="image/svg+xml"><title>{escape(info["title"])} API</title><style>{_STYLE}</style></head>'
        f"<body><main><h1>{escape(info['title'])} API</h1>"
        f'{_paragraphs(info.get("description", ""))}<p>The same for programs: <a href="/api/openapi.json">openapi.json</a></p>'
        f'<nav aria-label="Operations"><ul>{links}</ul></nav>{sections}</main></body></html>'
    )


def _operations(openapi: dict[str, Any]) -> Iterator[tuple[str, str, str, dict[str, Any]]]:
    for path, methods in openapi["paths"].items():
        for method, operation in methods.items():
            yield escape(operation["operationId"]), method.upper(), path, operation


def _section(openapi: dict[str, Any], name: str, method: str, path: str, operation: dict[str, Any]) -> str:
    parts = [f'<section id="{name}"><h2><b>{method}</b> <code>{escape(path)}</code></h2>', _paragraphs(operation.get("description", ""))]
    names = ", ".join(dict.fromkeys(_CALLERS[name] for needed in operation.get("security", ()) for name in needed))
    parts.append(f"<p>For {names or 'everybody'}.</p>")
    if parameters := operation.get("parameters"):
        parts.append(f"<h3>Parameters</h3><table>{''.join(map(_parameter, parameters))}</table>")
    if body := operation.get("requestBody"):
        parts.append("<h3>Body</h3>" + _contents(openapi, body))
    parts.append("<h3>Responses</h3>")
    for status, answer in operation.get("responses", {}).items():
        parts.append(f"<p><b>{escape(status)}</b> {escape(answer.get('description', ''))}</p>{_contents(openapi, answer)}")
    return "".join([*parts, "</section>"])


def _parameter(parameter: dict[str, Any]) -> str:
    kind = parameter.get("schema", {}).get("type", "")
    needed = "required" if parameter.get("required") else "optional"
    description = escape(parameter.get("description", ""))
    return f"<tr><td><code>{escape(parameter['name'])}</code></td><td>{parameter['in']}, {kind} {needed}</td><td>{description}</td></tr>"


def _contents(openapi: dict[str, Any], holder: dict[str, Any]) -> str:
    shown = []
    for kind, content in holder.get("content", {}).items():
        if content.get("schema"):
            schema = json.dumps(_resolve(openapi, content["schema"], ()), indent=2, ensure_ascii=False)
            shown.append(f"<details><summary>{escape(kind)}</summary><pre>{escape(schema)}</pre></details>")
    return "".join(shown)


def _resolve(openapi: dict[str, Any], value: Any, seen: tuple[str, ...]) -> Any:
    """Return the schema with its references resolved; a recursive one is named instead."""
    if isinstance(value, list):
        return [_resolve(openapi, item, seen) for item in value]
    if not isinstance(value, dict):
        return value
    reference = value.get("$ref")
    if not isinstance(reference, str):
        return {name: _resolve(openapi, item, seen) for name, item in value.items()}
    name = reference.rpartition("/")[2]
    target = openapi.get("components", {}).get("schemas", {}).get(name)
    return name if target is None or name in seen else _resolve(openapi, target, (*seen, name))


def _paragraphs(text: str) -> str:
    return "".join(f"<p>{escape(part)}</p>" for part in text.split("\n\n") if part.strip())
