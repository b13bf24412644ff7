"""What a team has settled once for everybody: defaults of exports, the length of found clips, how long failures are kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    field_validator,
)
from pydantic_core import PydanticCustomError

from clipviewer.domain.aspect_ratio import AspectRatio
from clipviewer.domain.caption_mode import CaptionMode
from clipviewer.domain.framing import FramingMode
from clipviewer.domain.language import ORIGINAL, parse_language

FRAMINGS = (FramingMode.CENTRE, FramingMode.AUTO, FramingMode.FIT)
"""Those that say something without a clip."""
SHORTEST_S, LONGEST_S, APART_S, MOST_DAYS, MOST_LANGUAGES = 3, 600, 5, 3650, 20
_CLASH = "clash"
_RELATED = {"captions": ("captions", "languages"), "longest_s": ("longest_s", "shortest_s")}


def _or_else(sentence: str) -> WrapValidator:
    """Return a validator that says ``sentence``, for people, of whatever is wrong with the value."""

    def check(value: Any, validate: ValidatorFunctionWrapHandler) -> Any:
        try:
            return validate(value)
        except ValidationError:
            raise PydanticCustomError("unfit", "{sentence}", {"sentence": sentence}) from None

    return WrapValidator(check)


def _in_order(ratios: tuple[AspectRatio, ...]) -> tuple[AspectRatio, ...]:
    return tuple(ratio for ratio in AspectRatio if ratio in ratios)


def _tags(given: tuple[str, ...]) -> tuple[str, ...]:
    """Return the language tags once each, the original first."""
    tags = list(dict.fromkeys(given))
    if len(tags) > MOST_LANGUAGES:
        raise PydanticCustomError("unfit", "These are more than {most} languages.", {"most": MOST_LANGUAGES})
    for tag in tags:
        try:
            parse_language(tag)
        except ValueError:
            sentence = "“{tag}” is not a valid language tag (for example de or pt-BR). Put commas between tags."
            raise PydanticCustomError("unfit", sentence, {"tag": tag[:40]}) from None
    return tuple(sorted(tags, key=lambda tag: tag != ORIGINAL))


def _without_a_clip(mode: FramingMode) -> FramingMode:
    if mode not in FRAMINGS:
        raise ValueError
    return mode


def _typed_in(value: Any) -> Any:
    """Return the number that a form's field holds; anything else as it is."""
    text = value.strip() if isinstance(value, str) else ""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else value


def _whole(least: int, most: int, unit: str) -> WrapValidator:
    return _or_else(f"Give a whole number of {unit} from {least} to {most}.")


_Number = Annotated[int, Field(strict=True), BeforeValidator(_typed_in)]


class Preferences(BaseModel):
    """``ratios``, ``languages``, ``captions`` and ``framing`` are chosen when somebody begins to export; ``languages`` where there are
    captions in them. Found clips last ``shortest_s`` to ``longest_s``; ``find_on_upload``: they are looked for in every upload. Failed
    and cancelled work is forgotten after ``keep_failed_days``; 0: never.
    """

    model_config = ConfigDict(frozen=True, validate_default=True)

    ratios: Annotated[
        tuple[AspectRatio, ...], Field(min_length=1), AfterValidator(_in_order), _or_else("Choose at least one aspect ratio.")
    ] = (AspectRatio.PORTRAIT,)
    languages: Annotated[tuple[str, ...], Field(min_length=1), _or_else("Choose at least one language."), AfterValidator(_tags)] = (
        ORIGINAL,
    )
    captions: Annotated[CaptionMode, _or_else("Choose off, soft or burned in.")] = CaptionMode.OFF
    framing: Annotated[FramingMode, AfterValidator(_without_a_clip), _or_else("Choose centre, auto or fit.")] = FramingMode.CENTRE
    shortest_s: Annotated[_Number, Field(ge=SHORTEST_S, le=LONGEST_S - APART_S), _whole(SHORTEST_S, LONGEST_S - APART_S, "seconds")] = 15
    longest_s: Annotated[_Number, Field(ge=SHORTEST_S + APART_S, le=LONGEST_S), _whole(SHORTEST_S + APART_S, LONGEST_S, "seconds")] = 60
    find_on_upload: Annotated[bool, Field(strict=True), _or_else("Choose yes or no.")] = True
    keep_failed_days: Annotated[_Number, Field(ge=0, le=MOST_DAYS), _whole(0, MOST_DAYS, "days")] = 30

    @field_validator("captions")
    @classmethod
    def _fit_the_languages(cls, captions: CaptionMode, info: ValidationInfo) -> CaptionMode:
        if captions is CaptionMode.OFF and any(tag != ORIGINAL for tag in info.data.get("languages", ())):
            raise PydanticCustomError(_CLASH, "Another language than the original comes as captions: choose soft or burned in.")
        return captions

    @field_validator("longest_s")
    @classmethod
    def _fits_the_shortest(cls, longest_s: int, info: ValidationInfo) -> int:
        if longest_s < info.data.get("shortest_s", SHORTEST_S) + APART_S:
            sentence = "The longest takes at least {apart} seconds more than the shortest."
            raise PydanticCustomError(_CLASH, sentence, {"apart": APART_S})
        return longest_s


class Unfit(ValueError):
    """``problems``: a sentence for each field that does not do."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__("; ".join(problems.values()))
        self.problems = dict(problems)


def preferences_of(given: Mapping[str, Any]) -> Preferences:
    """Return preferences of ``given`` values by field; a field that is not there has its default. Raises ``Unfit``."""
    try:
        return Preferences.model_validate(given)
    except ValidationError as error:
        raise Unfit({str(one["loc"][0]): one["msg"] for one in error.errors()}) from None


def usable_preferences(stored: Mapping[str, Any]) -> Preferences:
    """Return what can be used of ``stored``, whoever wrote it: the default stands for all else."""
    left = dict(stored)
    while True:
        try:
            return Preferences.model_validate(left)
        except ValidationError as error:
            for one in error.errors():
                name = str(one["loc"][0])
                for unusable in _RELATED[name] if one["type"] == _CLASH else (name,):
                    left.pop(unusable, None)


def plain_values(preferences: Preferences) -> dict[str, Any]:
    """Return the values by field, as JSON has them."""
    return preferences.model_dump(mode="json")
