"""What a team has settled once for everybody: defaults of exports, the length of found clips, how long failures are kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any

from clipviewer.domain.aspect_ratio import AspectRatio
from clipviewer.domain.caption_mode import CaptionMode
from clipviewer.domain.framing import FramingMode
from clipviewer.domain.language import ORIGINAL, parse_language

FRAMINGS = (FramingMode.CENTRE, FramingMode.AUTO, FramingMode.FIT)
"""Those that say something without a clip."""
SHORTEST_S, LONGEST_S, APART_S, MOST_DAYS, MOST_LANGUAGES = 3, 600, 5, 3650, 20


@dataclass(frozen=True, slots=True)
class Preferences:
    """``ratios``, ``languages``, ``captions`` and ``framing`` are chosen when somebody begins to export; ``languages`` where there are
    captions in them. Found clips last ``shortest_s`` to ``longest_s``; ``find_on_upload``: they are looked for in every upload. Failed
    and cancelled work is forgotten after ``keep_failed_days``; 0: never.
    """

    ratios: tuple[AspectRatio, ...] = (AspectRatio.PORTRAIT,)
    languages: tuple[str, ...] = (ORIGINAL,)
    captions: CaptionMode = CaptionMode.OFF
    framing: FramingMode = FramingMode.CENTRE
    shortest_s: int = 15
    longest_s: int = 60
    find_on_upload: bool = True
    keep_failed_days: int = 30


class Unfit(ValueError):
    """``problems``: a sentence for each field that does not do."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__("; ".join(problems.values()))
        self.problems = dict(problems)


def preferences_of(given: Mapping[str, Any]) -> Preferences:
    """Preferences of ``given`` values by field; a field that is not there has its default. Raises ``Unfit``."""
    read, problems = _read(given)
    problems |= {name: text for name, text in _clashes(Preferences(**read)).items() if name not in problems}
    if problems:
        raise Unfit(problems)
    return Preferences(**read)


def usable_preferences(stored: Mapping[str, Any]) -> Preferences:
    """What can be used of ``stored``, whoever wrote it: the default stands for all else."""
    read, _ = _read(stored)
    for name in _clashes(Preferences(**read)):
        for related in _RELATED[name]:
            read.pop(related, None)
    return Preferences(**read)


def plain_values(preferences: Preferences) -> dict[str, Any]:
    """By field, as JSON has it."""
    values = {field.name: getattr(preferences, field.name) for field in fields(Preferences)}
    return {name: list(map(str, value)) if isinstance(value, tuple) else value for name, value in values.items()}


def _read(given: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """→ the values of the fields that do, and what is wrong with the others."""
    read: dict[str, Any] = {}
    problems: dict[str, str] = {}
    for name, reader in _READERS.items():
        if name in given:
            try:
                read[name] = reader(given[name])
            except ValueError as error:
                problems[name] = str(error)
    return read, problems


def _clashes(preferences: Preferences) -> dict[str, str]:
    """What does not go together, at the field where it is mended."""
    clashes = {}
    if preferences.captions is CaptionMode.OFF and any(tag != ORIGINAL for tag in preferences.languages):
        clashes["captions"] = "Another language than the original comes as captions: choose soft or burned in."
    if preferences.longest_s < preferences.shortest_s + APART_S:
        clashes["longest_s"] = f"The longest takes at least {APART_S} seconds more than the shortest."
    return clashes


_RELATED = {"captions": ("captions", "languages"), "longest_s": ("longest_s", "shortest_s")}


def _ratios(value: Any) -> tuple[AspectRatio, ...]:
    chosen = set(_texts(value))
    if not chosen or not chosen <= set(AspectRatio):
        raise ValueError("Choose at least one aspect ratio.")
    return tuple(ratio for ratio in AspectRatio if ratio.value in chosen)


def _languages(value: Any) -> tuple[str, ...]:
    tags = list(dict.fromkeys(_texts(value)))
    if not tags:
        raise ValueError("Choose at least one language.")
    if len(tags) > MOST_LANGUAGES:
        raise ValueError(f"These are more than {MOST_LANGUAGES} languages.")
    for tag in tags:
        try:
            parse_language(tag)
        except ValueError:
            raise ValueError(f"“{tag[:40]}” is no language tag. Write tags such as de or pt-BR, with commas between them.") from None
    return tuple(sorted(tags, key=lambda tag: tag != ORIGINAL))


def _captions(value: Any) -> CaptionMode:
    if value not in list(CaptionMode):
        raise ValueError("Choose off, soft or burned in.")
    return CaptionMode(value)


def _framing(value: Any) -> FramingMode:
    if value not in FRAMINGS:
        raise ValueError("Choose centre, auto or fit.")
    return FramingMode(value)


def _whole(least: int, most: int, unit: str) -> Callable[[Any], int]:
    def read(value: Any) -> int:
        text = value.strip() if isinstance(value, str) else ""
        number = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else value
        if isinstance(number, bool) or not isinstance(number, int) or not least <= number <= most:
            raise ValueError(f"Give a whole number of {unit} from {least} to {most}.")
        return number

    return read


def _switch(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("Choose yes or no.")
    return value


def _texts(value: Any) -> Iterable[str]:
    if not isinstance(value, list | tuple) or not all(isinstance(item, str) for item in value):
        raise ValueError("Give a list.")
    return value


_READERS: dict[str, Callable[[Any], Any]] = {
    "ratios": _ratios,
    "languages": _languages,
    "captions": _captions,
    "framing": _framing,
    "shortest_s": _whole(SHORTEST_S, LONGEST_S - APART_S, "seconds"),
    "longest_s": _whole(SHORTEST_S + APART_S, LONGEST_S, "seconds"),
    "find_on_upload": _switch,
    "keep_failed_days": _whole(0, MOST_DAYS, "days"),
}
