"""The OpenAPI description of who may call what, from the policies that the routes state."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from fastapi.routing import APIRoute
from starlette.routing import BaseRoute

from clipviewer.api.access import Policy, policies_of
from clipviewer.services.people.sessions import COOKIE, SECURE_COOKIE

SCHEMES: dict[str, dict[str, str]] = {
    "session": {"type": "apiKey", "in": "cookie", "name": COOKIE, "description": "A signed-in person, over HTTP"},
    "secureSession": {"type": "apiKey", "in": "cookie", "name": SECURE_COOKIE, "description": "A signed-in person, over HTTPS"},
    "token": {"type": "http", "scheme": "bearer", "bearerFormat": "cv_…", "description": "A pipeline's API token"},
}


def describe_security(description: dict[str, Any], routes: Iterable[BaseRoute]) -> None:
    """Add the schemes, and to each operation those of which one is needed; none for an operation that is open to everybody."""
    description.setdefault("components", {})["securitySchemes"] = SCHEMES
    for route in api_routes(routes):
        for method in route.methods or ():
            operation = description["paths"].get(route.path, {}).get(method.lower())
            if operation is not None:
                operation["security"] = [{name: []} for policy in policies_of(route) for name in _schemes_for(policy)]


def api_routes(routes: Iterable[BaseRoute]) -> list[APIRoute]:
    """Return every route of the API, of included routers too. Raises ``TypeError`` for one that is something else."""
    found: list[APIRoute] = []
    for route in routes:
        inner = getattr(route, "original_router", None) or getattr(route, "router", None)
        if isinstance(route, APIRoute):
            found.append(route)
        elif inner is not None:
            found += api_routes(inner.routes)
        else:
            raise TypeError(f"{route} is no route of the API and states no policy")
    return found


def _schemes_for(policy: Policy) -> list[str]:
    if policy.action is None:
        return []
    return list(SCHEMES) if policy.pipelines else ["session", "secureSession"]
