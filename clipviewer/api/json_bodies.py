"""JSON bodies that are parsed after the caller is authorized, and responses that are not validated again."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import TypeVar

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError

_UNKNOWN = "extra_forbidden"
_SAFE = ("GET", "HEAD", "OPTIONS")
_Model = TypeVar("_Model", bound=BaseModel)


def json_body(model: type[_Model]) -> Callable[[Request], Awaitable[_Model]]:
    """Return a dependency: the body as ``model``; 422 with the locations of its errors.

    Name it after the dependency that authorizes: they are resolved in order, while FastAPI parses a body of its own before all.
    """

    async def read(request: Request) -> _Model:
        return parse_json(model, await request.body())

    return read


def parse_json(model: type[_Model], body: bytes) -> _Model:
    """Return the body as ``model``. Raises ``RequestValidationError``, which becomes the 422."""
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        raise RequestValidationError(error.errors(include_input=False, include_url=False, include_context=False)) from None


async def refuse_unread_fields(request: Request) -> None:
    """Refuse fields sent to a route that takes none. Raises ``RequestValidationError``."""
    if request.method in _SAFE:
        return
    route = request.scope["route"]
    if route.body_field is not None or "requestBody" in (route.openapi_extra or {}):
        return
    try:
        fields = json.loads(await request.body())
    except ValueError:
        return
    if isinstance(fields, dict) and fields:
        raise RequestValidationError([{"type": _UNKNOWN, "loc": (name,), "msg": "Extra inputs are not permitted"} for name in fields])


def refuse_unknown_fields(error: ValidationError, *place: str | int) -> None:
    """Raise ``RequestValidationError`` if ``error``, of a part of the body at ``place``, names unknown fields."""
    unknown = [item for item in error.errors(include_input=False, include_url=False, include_context=False) if item["type"] == _UNKNOWN]
    if unknown:
        raise RequestValidationError([{**item, "loc": (*place, *item["loc"])} for item in unknown]) from None


def answer(model: BaseModel, status: int = 200) -> Response:
    """Return the model as JSON, without validating it again."""
    return Response(model.model_dump_json(by_alias=True), status, media_type="application/json")
