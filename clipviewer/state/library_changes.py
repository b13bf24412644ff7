"""State of changes in the library: the dialogs, and the last change with Undo."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import TypeVar

import reflex as rx
from reflex.event import EventSpec
from sqlmodel import Session

from clipviewer.domain.byte_size import format_bytes
from clipviewer.domain.ids import is_id
from clipviewer.domain.job_state import JobState
from clipviewer.domain.permissions import Action, allows
from clipviewer.domain.removal import RemovalScope
from clipviewer.errors import ClipviewerError, Invalid, VideoNotFound
from clipviewer.services import work
from clipviewer.services.library import changes, removal
from clipviewer.services.library.changes import Actor, Changed, DeletionStakes
from clipviewer.services.library.tags import known_tags, tags_by_video
from clipviewer.services.library.videos import video_details
from clipviewer.state.access import allow, principal
from clipviewer.state.library import LibraryState, reload_library
from clipviewer.state.room_opening import open_room_of, reload_room_of
from clipviewer.state.rows import counted
from clipviewer.state.transactions import read, write
from clipviewer.state.vars import assign
from clipviewer.state.video_detail import VideoDetailState

T = TypeVar("T")
RENAME, TAGS, DELETE, REMOVE = "rename", "tags", "delete", "remove"


@dataclasses.dataclass(frozen=True)
class ChangeDialog:
    """``kind`` is "" while no dialog is open. ``title`` names what is changed, ``text`` is the field's initial text.

    For a deletion ``exports`` and ``everything`` say what is deleted with it, and ``objects`` is the choice, "" at first.
    """

    kind: str = ""
    videos: tuple[str, ...] = ()
    title: str = ""
    text: str = ""
    known: tuple[str, ...] = ()
    exports: str = ""
    everything: str = ""
    objects: str = ""
    problem: str = ""


class LibraryChangesState(rx.State):
    """``done`` describes the last change, ``number`` counts changes; ``undoable``: Undo is offered."""

    dialog: ChangeDialog = ChangeDialog()
    done: str = ""
    number: int = 0
    undoable: bool = False
    may_change: bool = False
    may_delete: bool = False
    _changed: Changed | None = None

    @rx.event
    @allow(Action.EXPORT)
    async def ask_title(self, video_id: str) -> None:
        """Open the dialog that renames a video."""
        video = await read(lambda db: video_details(db, video_id))
        self.dialog = ChangeDialog(RENAME, (video_id,), video.title, video.title)

    @rx.event
    @allow(Action.EXPORT)
    async def ask_tags(self, video_ids: list[str]) -> None:
        """Open the dialog with the tags of one video, or to add tags to several."""

        def look(db: Session) -> ChangeDialog:
            _check_ids(video_ids)
            own = tags_by_video(db, video_ids).get(video_ids[0], []) if len(video_ids) == 1 else []
            return ChangeDialog(TAGS, tuple(video_ids), _title_of(db, video_ids), ", ".join(own), tuple(known_tags(db)))

        self.dialog = await read(look)

    @rx.event
    @allow(Action.REGISTER)
    async def ask_objects(self, video_ids: list[str]) -> None:
        """Open the dialog that deletes videos and asks what should happen to their files."""

        def look(db: Session) -> ChangeDialog:
            _check_ids(video_ids)
            found = changes.deletion_stakes(db, video_ids)
            return ChangeDialog(
                DELETE, tuple(video_ids), _title_of(db, video_ids), exports=_export_words(found), everything=_all_words(found)
            )

        self.dialog = await read(look)

    @rx.event
    @allow(Action.REGISTER)
    async def ask_removal(self, video_ids: list[str]) -> None:
        """Open the dialog that confirms the permanent removal of deleted videos."""

        def look(db: Session) -> ChangeDialog:
            _check_ids(video_ids)
            chosen = {gone.objects for video_id in video_ids if (gone := removal.pending_removal(db, video_id)) is not None}
            found = changes.deletion_stakes(db, video_ids)
            words = {
                RemovalScope.KEEP: "All files stay in the bucket.",
                RemovalScope.EXPORTS: f"Deleted from the bucket: {_export_words(found)}.",
                RemovalScope.ALL: f"Deleted from the bucket: {_all_words(found)}.",
            }
            text = words[chosen.pop()] if len(chosen) == 1 else "Files are kept or deleted as chosen for each video."
            tried = work.latest_work(db, video_ids, removal.KIND)
            problem = f"The last attempt failed: {tried[0].note}" if tried and tried[0].state == JobState.FAILED else ""
            return ChangeDialog(REMOVE, tuple(video_ids), _title_of(db, video_ids), text, problem=problem)

        self.dialog = await read(look)

    @rx.event
    @allow(Action.VIEW)
    async def close_dialog(self) -> None:
        """Close the dialog without a change."""
        self.dialog = ChangeDialog()

    @rx.event
    @allow(Action.REGISTER)
    async def choose_objects(self, objects: str) -> None:
        """Choose what should happen to the files."""
        if objects in list(RemovalScope):
            self.dialog = dataclasses.replace(self.dialog, objects=objects)

    @rx.event
    @allow(Action.EXPORT)
    async def save_title(self, form: dict[str, str]) -> list[EventSpec]:
        """Rename the dialog's video."""
        title = form.get("title", "")
        return await self._from_dialog(RENAME, lambda db, by, ids: changes.rename(db, ids[0], title, by=by))

    @rx.event
    @allow(Action.EXPORT)
    async def save_tags(self, form: dict[str, str]) -> list[EventSpec]:
        """Save the tags of the dialog's videos, separated by commas."""
        tags = [tag for tag in form.get("tags", "").split(",") if tag.strip()]

        def save(db: Session, by: Actor, ids: list[str]) -> Changed:
            return changes.set_tags(db, ids[0], tags, by=by) if len(ids) == 1 else changes.change_tags(db, ids, add=tags, by=by)

        return await self._from_dialog(TAGS, save)

    @rx.event
    @allow(Action.REGISTER)
    async def delete(self) -> list[EventSpec]:
        """Delete the dialog's videos. Requires a choice for their files."""
        chosen = self.dialog.objects

        def ask(db: Session, by: Actor, ids: list[str]) -> Changed:
            if not chosen:
                raise Invalid("Choose what should happen to the files.")
            return changes.delete(db, ids, RemovalScope(chosen), by=by)

        return await self._from_dialog(DELETE, ask)

    @rx.event
    @allow(Action.REGISTER)
    async def remove(self) -> list[EventSpec]:
        """Enqueue the permanent removal of the dialog's videos."""

        def ask(db: Session, by: Actor, ids: list[str]) -> Changed:
            for video_id in ids:
                removal.enqueue_removal(db, video_id, actor=by.id)
            return Changed()

        return await self._from_dialog(REMOVE, ask)

    @rx.event
    @allow(Action.EXPORT)
    async def archive(self, video_ids: list[str], archived: bool) -> list[EventSpec]:
        """Archive videos, or restore them from the archive."""
        done = await self._write(lambda db, by: changes.archive(db, video_ids, archived, by=by))
        return await self._show(done, f"{'Archived' if archived else 'Restored'}: {counted(len(video_ids), 'video')}")

    @rx.event
    @allow(Action.REGISTER)
    async def restore(self, video_ids: list[str]) -> list[EventSpec]:
        """Restore deleted videos."""
        await self._write(lambda db, by: changes.restore(db, video_ids, by=by))
        return await self._show(Changed(), f"Restored: {counted(len(video_ids), 'video')}")

    @rx.event
    @allow(Action.EXPORT)
    async def undo(self) -> list[EventSpec]:
        """Undo the last change."""
        done, self._changed, self.undoable = self._changed, None, False
        if done is None:
            return []
        if done.deleted:
            principal().require(Action.REGISTER)
        await self._write(lambda db, by: changes.undo(db, done, by=by))
        return await self._show(Changed(), "Undone")

    @rx.event
    @allow(Action.VIEW)
    async def dismiss(self) -> None:
        """Hide the message about the last change."""
        self.done, self.undoable, self._changed = "", False, None

    async def _from_dialog(self, kind: str, change: Callable[[Session, Actor, list[str]], Changed]) -> list[EventSpec]:
        """Apply the change of the open dialog; if the input is invalid, the dialog stays open and shows why."""
        dialog = self.dialog
        if dialog.kind != kind:
            self.dialog = ChangeDialog()
            return []
        try:
            done = await self._write(lambda db, by: change(db, by, list(dialog.videos)))
        except Invalid as error:
            self.dialog = dataclasses.replace(dialog, problem=error.detail)
            return []
        except ClipviewerError:
            self.dialog = ChangeDialog()
            raise
        self.dialog = ChangeDialog()
        cancelled = f"; {counted(done.cancelled, 'job')} cancelled" if done.cancelled else ""
        words = {RENAME: "Renamed", TAGS: "Tagged", DELETE: "Deleted", REMOVE: "Removing"}
        changed = kind == REMOVE or done != Changed()
        return await self._show(done, f"{words[kind]}: {dialog.title}{cancelled}" if changed else "")

    async def _show(self, done: Changed, words: str) -> list[EventSpec]:
        """Show a message about the change, and reload what the page shows."""
        self._changed = done if done != Changed() else None
        self.done, self.number, self.undoable = words, self.number + 1, self._changed is not None
        if self.router.url.path.startswith("/videos/"):
            room = await self.get_state(VideoDetailState)
            return await (reload_room_of(self) if room.phase == "ready" else open_room_of(self))
        await reload_library(await self.get_state(LibraryState))
        return []

    async def _write(self, change: Callable[[Session, Actor], T]) -> T:
        by = Actor(principal().user_id, self.router.session.client_ip)
        return await write(lambda db: change(db, by))


async def show_rights(page: rx.State) -> None:
    """Show or hide the actions that this person may take; the handlers enforce the permissions."""
    role = principal().role
    rights = {"may_change": allows(role, Action.EXPORT), "may_delete": allows(role, Action.REGISTER)}
    assign(await page.get_state(LibraryChangesState), **rights)


def _check_ids(video_ids: list[str]) -> None:
    """Validate the ids of videos. Raises ``VideoNotFound`` for an invalid list."""
    if not 0 < len(video_ids) <= changes.MAX_VIDEOS or not all(is_id(video_id, "video") for video_id in video_ids):
        raise VideoNotFound


def _title_of(db: Session, video_ids: list[str]) -> str:
    return video_details(db, video_ids[0], deleted=True).title if len(video_ids) == 1 else counted(len(video_ids), "video")


def _size_note(size: int) -> str:
    return f" ({format_bytes(size)})" if size else ""


def _export_words(found: DeletionStakes) -> str:
    if not found.exports:
        return "no exports"
    return f"{counted(found.exports, 'export')}{_size_note(found.export_bytes)}"


def _all_words(found: DeletionStakes) -> str:
    masters = "the master" if found.videos == 1 else f"{found.videos} masters"
    exports = f"{_export_words(found)} and " if found.exports else ""
    return f"{exports}{masters}{_size_note(found.master_bytes)} with previews"
