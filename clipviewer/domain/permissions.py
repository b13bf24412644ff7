"""Who may do what: roles, and the actions that each of them allows. Deny by default."""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    ADMIN = "admin"
    REVIEWER = "reviewer"
    VIEWER = "viewer"


class Action(StrEnum):
    """What a route or an event handler does; every one of them names exactly one."""

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
    """Whether a person with that role may do that."""
    return action in _ALLOWED[role]
