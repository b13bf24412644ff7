"""Signing in and out, and the first admin. Accepts JSON from programs and forms from pages; a form is answered with a redirect (303)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, TypeVar
from urllib.parse import parse_qsl, quote, urlencode

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel
from sqlmodel import Session

from clipviewer.api.access import allow, is_secure, peer_address, public, services_of
from clipviewer.api.blocking import run_blocking
from clipviewer.api.json_bodies import refuse_unknown_fields
from clipviewer.api.next_path import safe_next
from clipviewer.db.models import utc_now
from clipviewer.domain.permissions import Action, Role
from clipviewer.errors import ClipviewerError, Invalid, TooManyAttempts
from clipviewer.services import audit
from clipviewer.services.people import sign_in
from clipviewer.services.people.devices import Device
from clipviewer.services.people.principal import Principal
from clipviewer.services.people.sessions import NewSession, build_cookie
from clipviewer.services.people.sign_in import SignedIn

router = APIRouter(prefix="/api/auth", tags=["accounts"])
_FORM = "application/x-www-form-urlencoded"
_JSON = "application/json"
_MAX_FIELDS = 20
_STRANGERS, _KNOWN = CapacityLimiter(4), CapacityLimiter(4)
"""Threads of sign-ins, which wait for slow hashes: other requests need the common ones."""
_MAX_WAITING = 64
_Model = TypeVar("_Model", bound=BaseModel)


class WrongCredentials(ClipviewerError):
    """The same for an unknown account, a wrong password and a disabled account."""

    status, code, title = 401, "invalid_credentials", "Incorrect email or password"


class _Json(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, hide_input_in_errors=True)


class _JsonIn(_Json):
    model_config = ConfigDict(extra="forbid")


class Credentials(_JsonIn):
    email: str
    password: str = Field(repr=False)
    next: str = Field(default="", description="Only for a form: the local path to go to")


class FirstAdmin(_JsonIn):
    token: str = Field(repr=False)
    name: str
    email: str
    password: str = Field(repr=False)


class Person(_Json):
    id: str
    email: str
    name: str
    role: Role


class SessionInfo(_Json):
    user: Person
    expires_at: str


def _body(model: type[BaseModel]) -> dict[str, Any]:
    """Return the OpenAPI description of a body that is JSON or a form."""
    schema = model.model_json_schema()
    return {"requestBody": {"required": True, "content": {kind: {"schema": schema} for kind in (_JSON, _FORM)}}}


@router.post(
    "/sign-in",
    dependencies=[Depends(public())],
    summary="Sign in",
    response_model=SessionInfo,
    responses={303: {"description": "A form: redirect to `next`, or back to the sign-in page"}, 401: {}, 415: {}, 422: {}, 429: {}},
    openapi_extra=_body(Credentials),
)
async def post_sign_in(request: Request) -> Response:
    """Sets the session cookie."""
    fields = await _fields(request)
    asked = fields.get("next")
    target = safe_next(asked if isinstance(asked, str) else None)
    try:
        credentials = _validate(Credentials, fields)
        signed_in = await _sign_in_in_turn(request, credentials)
    except (WrongCredentials, TooManyAttempts, Invalid) as error:
        if not _is_form(request):
            raise
        code = "throttled" if isinstance(error, TooManyAttempts) else "invalid"
        return _redirect(f"/sign-in?{urlencode({'error': code, 'next': target})}")
    return _signed_in_response(request, signed_in, status=200, target=target)


@router.post(
    "/set-up",
    status_code=201,
    dependencies=[Depends(public())],
    summary="Create the first admin",
    response_model=SessionInfo,
    responses={303: {"description": "A form: redirect to the library, or back to the set-up page"}, 404: {}, 415: {}, 422: {}},
    openapi_extra=_body(FirstAdmin),
)
async def post_set_up(request: Request) -> Response:
    """Creates the first admin with the one-time token printed at the start while there is no user, and signs them in."""
    fields = await _fields(request)
    try:
        signed_in = await run_blocking(_set_up, request, _validate(FirstAdmin, fields))
    except ClipviewerError as error:
        if not _is_form(request):
            raise
        return _redirect(f"/set-up/{quote(str(fields.get('token', '')), safe='')}?{urlencode({'error': error.code})}")
    return _signed_in_response(request, signed_in, status=201, target="/")


@router.post("/sign-out", dependencies=[Depends(public())], summary="Sign out", status_code=204, responses={303: {}})
async def post_sign_out(request: Request) -> Response:
    """Ends the session and removes the cookie. Does nothing without a session."""
    await services_of(request).database.run_write(lambda db: _sign_out(db, request))
    response = _redirect("/sign-in") if _is_form(request) else Response(status_code=204)
    for secure in {False, is_secure(request)}:
        response.headers.append("Set-Cookie", build_cookie("", secure=secure, max_age=timedelta(0)))
    return response


@router.get("/session", summary="Show the signed-in person", responses={401: {}})
async def get_session(principal: Annotated[Principal, Depends(allow(Action.VIEW))]) -> SessionInfo:
    """Returns the signed-in person; 401 if nobody is signed in."""
    person = Person(id=principal.user_id, email=principal.email, name=principal.name, role=principal.role)
    return SessionInfo(user=person, expires_at=_moment(principal.expires_at))


async def _sign_in_in_turn(request: Request, credentials: Credentials) -> SignedIn:
    """Run ``_sign_in`` when it is its turn; known devices do not wait for strangers. Raises ``TooManyAttempts`` if too many wait."""
    device = services_of(request).sessions.recognize(request.headers.get("cookie"), secure=is_secure(request))
    limiter = _STRANGERS if device is None else _KNOWN
    if limiter.statistics().tasks_waiting >= _MAX_WAITING:
        raise TooManyAttempts(1)
    return await to_thread.run_sync(_sign_in, request, credentials, device, limiter=limiter)


def _sign_in(request: Request, credentials: Credentials, device: Device | None) -> SignedIn:
    services, now = services_of(request), utc_now()
    accounts = services.accounts
    with services.database.write() as db:
        candidate = sign_in.begin(db, accounts.throttle, credentials.email, peer_address(request), now, device)
    checked = sign_in.check(candidate, credentials.password, accounts.passwords)
    with services.database.write() as db:
        signed_in = sign_in.finish(db, checked, services.sessions, accounts.throttle, now, user_agent=_user_agent(request))
        if signed_in is not None:
            services.sessions.sign_out(db, request.headers.get("cookie"), secure=is_secure(request))
    if signed_in is None:
        raise WrongCredentials
    return signed_in


def _set_up(request: Request, admin: FirstAdmin) -> SignedIn:
    services = services_of(request)
    with services.database.write() as db:
        account = services.accounts.set_up(db, admin.token, admin.name, admin.email, admin.password)
        session = services.sessions.start(db, account.id, address=peer_address(request), user_agent=_user_agent(request))
        audit.record(db, "sign_in", actor=account.id, subject=session.id, address=peer_address(request))
    return SignedIn(account, session)


def _sign_out(db: Session, request: Request) -> None:
    principal = services_of(request).sessions.sign_out(db, request.headers.get("cookie"), secure=is_secure(request))
    if principal is not None:
        audit.record(db, "sign_out", actor=principal.user_id, subject=principal.session_id, address=peer_address(request))


def _signed_in_response(request: Request, signed_in: SignedIn, *, status: int, target: str) -> Response:
    if _is_form(request):
        response = _redirect(target)
    else:
        account = signed_in.account
        person = Person(id=account.id, email=account.email, name=account.name, role=account.role)
        info = SessionInfo(user=person, expires_at=_moment(signed_in.session.expires_at))
        response = JSONResponse(info.model_dump(mode="json", by_alias=True), status)
    response.headers.append("Set-Cookie", _cookie(request, signed_in.session))
    sessions, secure = services_of(request).sessions, is_secure(request)
    response.headers.append("Set-Cookie", sessions.device_cookie(signed_in.account.id, secure=secure))
    return response


def _cookie(request: Request, session: NewSession) -> str:
    return build_cookie(session.token, secure=is_secure(request), max_age=session.expires_at - utc_now())


def _redirect(location: str) -> Response:
    return RedirectResponse(location, status_code=303)


async def _fields(request: Request) -> dict[str, Any]:
    """Return the body's fields, from JSON or a form. Raises ``Invalid``, or ``UnsupportedBody`` for another type."""
    body = await request.body()
    try:
        if _is_form(request):
            return dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=_MAX_FIELDS, errors="strict"))
        if _content_type(request) != _JSON:
            raise UnsupportedBody
        fields = _AnyObject.model_validate_json(body).model_dump()
    except ValueError as error:
        raise Invalid("Send the fields as a JSON object or as a form.") from error
    return fields


class UnsupportedBody(ClipviewerError):
    status, code, title = 415, "unsupported_media_type", "Send application/json or application/x-www-form-urlencoded"


class _AnyObject(BaseModel):
    model_config = ConfigDict(extra="allow", hide_input_in_errors=True)


def _validate(model: type[_Model], fields: dict[str, Any]) -> _Model:
    try:
        return model.model_validate(fields)
    except ValidationError as error:
        refuse_unknown_fields(error)
        missing = ", ".join(sorted({str(item["loc"][0]) for item in error.errors(include_input=False, include_url=False)}))
        raise Invalid(f"Send these fields as text: {missing}.") from None


def _is_form(request: Request) -> bool:
    return _content_type(request) == _FORM


def _content_type(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def _user_agent(request: Request) -> str:
    return request.headers.get("user-agent", "")


def _moment(value: datetime) -> str:
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{value.microsecond // 1000:03d}Z"
