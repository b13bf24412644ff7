"""Principals: who acts, from a verified session or API token."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from clipviewer.domain.permissions import Action, Role, allows
from clipviewer.errors import Forbidden


@dataclass(frozen=True, slots=True)
class Principal:
    """A signed-in person. Looked up for every request and event, never kept in page state."""

    user_id: str
    email: str
    name: str
    role: Role
    session_id: str
    expires_at: datetime

    def require(self, action: Action) -> None:
        """Raise ``Forbidden`` unless the role allows the action."""
        if not allows(self.role, action):
            raise Forbidden


@dataclass(frozen=True, slots=True)
class Pipeline:
    """A program with an API token; it may upload and register what it made, and nothing else."""

    token_id: str
    name: str
