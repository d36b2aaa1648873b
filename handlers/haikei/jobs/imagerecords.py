"""The records of a job's pictures, before they have their marks."""

from collections.abc import Sequence
from datetime import datetime

from haikei.credits import Contribution, ImageKind, ImageRecord, SourceType
from haikei.jobs.contributions import generation
from haikei.jobs.generate import GeneratedStage


def layout_image(
    *,
    key: str,
    sha256: str,
    pixels_sha256: str,
    source_type: SourceType,
    drawn_by: Sequence[Contribution],
    path: str,
    at: datetime,
) -> ImageRecord:
    """Return the record of a layout, the first of its chain."""
    return ImageRecord(
        key=key,
        sha256=sha256,
        pixels_sha256=pixels_sha256,
        kind=ImageKind.LAYOUT,
        source_type=source_type,
        ingredients=(),
        contributions=tuple(drawn_by),
        request_json="",
        path=path,
        created_at=at,
    )


def stage_image(
    stage: GeneratedStage,
    *,
    key: str,
    kind: ImageKind,
    path: str,
    others: Sequence[Contribution] = (),
) -> ImageRecord:
    """
    Return the record of a stage's picture; its hash and its ingredients come with its marks.

    Args:
        stage: what was made.
        key: ours, unique.
        kind: a generation, or the background when the stage is the last.
        path: where it is published.
        others: contributions to this step besides that of the system that made it.
    """
    made = generation(stage.system, request_sha256=stage.request_sha256, at=stage.made_at)
    return ImageRecord(
        key=key,
        sha256="",
        pixels_sha256=stage.pixels_sha256,
        kind=kind,
        source_type=stage.system.source_type,
        ingredients=(),
        contributions=(made, *others),
        request_json=stage.request_json,
        path=path,
        created_at=stage.made_at,
    )
