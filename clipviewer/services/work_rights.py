"""What a person must be allowed to do to call off, or to ask again for, work of each kind."""

from __future__ import annotations

from collections.abc import Mapping

from clipviewer.domain.permissions import Action
from clipviewer.services.adoption import adopting
from clipviewer.services.library import removal

_NEEDED: Mapping[str, Action] = {adopting.KIND: Action.REGISTER, removal.KIND: Action.REGISTER}


def needed_for(kind: str) -> Action:
    """``EXPORT`` for every kind that does not say otherwise."""
    return _NEEDED.get(kind, Action.EXPORT)
