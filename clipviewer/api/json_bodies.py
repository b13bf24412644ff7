"""Routes that read their JSON themselves, once it is known who sends it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from anyio import to_thread
from fastapi import Request, Response
from pydantic import BaseModel, ValidationError

from clipviewer.api.problems import validation_problem


async def in_a_thread(work: Callable[..., Response], request: Request, *arguments: Any) -> Response:
    """``work(request, body, *arguments)`` off the event loop; where it finds that the body is not as described, 422 with the places."""
    body = await request.body()
    try:
        return await to_thread.run_sync(work, request, body, *arguments)
    except ValidationError as error:
        return validation_problem(error.errors(include_input=False, include_url=False, include_context=False))


def answer(model: BaseModel, status: int = 200) -> Response:
    """The model as it stands in the description, without being looked through once more."""
    return Response(model.model_dump_json(by_alias=True), status, media_type="application/json")
