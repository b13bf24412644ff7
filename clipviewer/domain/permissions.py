"""Roles and the actions that each allows. Deny by default."""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    ADMIN = "admin"
    REVIEWER = "reviewer"
    VIEWER = "viewer"


class Action(StrEnum):
    """An action that needs permission. Every route and event handler names exactly one."""

    VIEW = "view"
    EXPORT = "export"
    UPLOAD = "upload"
    REGISTER = "register"
    MANAGE_USERS = "manage_users"
    CONFIGURE = "configure"


_ALLOWED: dict[Role, frozenset[Action]] = {
    Role.VIEWER: frozenset({Action.VIEW}),
    Role.REVIEWER: frozenset({Action.VIEW, Action.EXPORT, Action.UPLOAD}),
    Role.ADMIN: frozenset(Action),
}


def allows(role: Role, action: Action) -> bool:
    """Return whether a person with ``role`` may perform ``action``."""
    return action in _ALLOWED[role]
