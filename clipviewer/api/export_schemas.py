"""The JSON of exports: what is requested, and how far each job is."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from clipviewer.api.schemas import Json, JsonIn, Language, Shape, moment
from clipviewer.domain.caption_mode import CaptionMode, parse_mode
from clipviewer.domain.export_choices import ExportChoices
from clipviewer.domain.framing import Framing, FramingMode
from clipviewer.domain.job_state import JobState
from clipviewer.domain.timecode import ms_to_seconds
from clipviewer.services.cells.board import CellView
from clipviewer.services.exporting.choices import MAX_CELLS

Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
ClipId = Annotated[str, Field(pattern=r"^clip_[A-Za-z0-9]{1,64}$")]


class FramingIn(JsonIn):
    """Which part of the picture an export shows. Only `manual` uses `x` and `y`; without both it uses the crop saved for the clip."""

    mode: FramingMode = FramingMode.CENTRE
    x: Share | None = Field(default=None, description="Centre of the crop from the left, 0 to 1")
    y: Share | None = Field(default=None, description="Centre of the crop from the top, 0 to 1")

    def to_framing(self) -> Framing | None:
        """Return the framing around ``x`` and ``y``, or the centre; None means as saved for each clip."""
        if self.mode is FramingMode.MANUAL and self.x is None and self.y is None:
            return None
        return Framing(self.mode, *(0.5 if share is None else share for share in (self.x, self.y)))


class ExportRequest(JsonIn):
    clip_ids: list[ClipId] = Field(min_length=1, max_length=MAX_CELLS, description="Identified clips of this video")
    aspect_ratios: list[Shape] = Field(min_length=1, max_length=3)
    target_languages: list[Language] = Field(default=["original"], min_length=1, max_length=50)
    framing: FramingIn = Field(default=FramingIn(), description="For aspect ratios that are not in `framings`")
    framings: dict[Shape, FramingIn] = Field(default={}, description="Keys are aspect ratios")
    captions: CaptionMode = Field(
        default=CaptionMode.OFF,
        description="A language other than `original` needs captions, and the video must have them",
    )

    def choices(self) -> ExportChoices:
        """Return the choices for each of the clips."""
        framings = {ratio: self.framings.get(ratio, self.framing).to_framing() for ratio in self.aspect_ratios}
        return ExportChoices(self.aspect_ratios, self.target_languages, framings, self.captions)


class ExportJob(Json):
    id: str
    video_id: str
    identified_clip_id: str | None
    exported_clip_id: str | None = Field(description="Id of the exported clip, once the job is done")
    title: str
    start: str
    end: str
    aspect_ratio: str
    target_language: str
    framing: FramingIn
    captions: CaptionMode
    state: JobState
    progress: float = Field(description="0 to 1")
    reason: str = Field(description="Why it failed, or what it waits for")
    attempt: int
    revision: int = Field(description="Number of the job's last change among all changes of the video")
    created_at: str
    updated_at: str

    @classmethod
    def of(cls, job: CellView) -> ExportJob:
        return cls(
            id=job.id,
            video_id=job.video_id,
            identified_clip_id=job.identified_clip_id,
            exported_clip_id=job.exported_clip_id,
            title=job.title,
            start=ms_to_seconds(job.start_ms),
            end=ms_to_seconds(job.end_ms),
            aspect_ratio=job.aspect_ratio,
            target_language=job.target_language,
            framing=FramingIn.model_validate(job.framing),
            captions=parse_mode(job.captions),
            state=JobState(job.state),
            progress=job.progress,
            reason=job.reason,
            attempt=job.attempt,
            revision=job.revision,
            created_at=moment(job.created_at),
            updated_at=moment(job.updated_at),
        )


class ExportJobDetails(ExportJob):
    log: str = Field(description="The end of the failed tool's output")

    @classmethod
    def of(cls, job: CellView) -> ExportJobDetails:
        return cls(**ExportJob.of(job).model_dump(), log=job.log)


class ExportJobs(Json):
    jobs: list[ExportJob]

    @classmethod
    def of_cells(cls, cells: list[CellView]) -> ExportJobs:
        return cls(jobs=[ExportJob.of(job) for job in cells])
