"""What stands in the tracker once a cut is in review, read back with the real client."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import shotgun_api3

from haikei.jobs import Job, JobState
from haikei.settings import Settings
from haikei.trackers import tracker_key

_Rows = list[dict[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewRow:
    """One background in review."""

    layout: str
    code: str  #: the Version's name
    status: str
    credit_en: str
    credit_ja: str
    url: str
    files: tuple[Path, ...]  #: of the result and each stage
    lineage: tuple[Path, ...]  #: the pictures in the order they were made, the result last
    seconds: float  #: from the layout's landing to the Version in review


def in_review(settings: Settings, jobs: Sequence[Job]) -> tuple[ReviewRow, ...]:
    """Return those jobs' backgrounds that the tracker has in review, in order of cut."""
    done = [job for job in jobs if job.state is JobState.DONE]
    if not done:
        return ()
    tracker = _connect(settings)
    versions = cast(
        "_Rows",
        tracker.find(
            "Version",
            [["sg_haikei_key", "in", [job.key for job in done]]],
            ["code", "sg_status_list", "sg_haikei_credit", "sg_haikei_credit_ja", "sg_haikei_key"],
        ),
    )
    files = cast(
        "_Rows",
        tracker.find(
            "PublishedFile",
            [["version.Version.sg_haikei_key", "in", [job.key for job in done]]],
            ["path", "version", "published_file_type"],
            [{"field_name": "id", "direction": "asc"}],
        ),
    )
    tracker.close()
    by_key = {job.key: job for job in done}
    rows = [
        _row(settings, by_key[version["sg_haikei_key"]], version, files)
        for version in versions
        if version["sg_status_list"] == settings.tracker.review_status
    ]
    return tuple(sorted(rows, key=lambda row: row.layout))


def _connect(settings: Settings) -> shotgun_api3.Shotgun:
    tracker = shotgun_api3.Shotgun(
        str(settings.tracker.url).rstrip("/"),
        script_name=settings.tracker.script,
        api_key=tracker_key(settings).get_secret_value(),
    )
    tracker.config.timeout_secs = settings.tracker.timeout
    return tracker


def _row(
    settings: Settings, job: Job, version: dict[str, Any], files: list[dict[str, Any]]
) -> ReviewRow:
    ours = [file for file in files if file["version"]["id"] == version["id"]]
    stage_type = settings.tracker.stage_type
    stages = [file for file in ours if file["published_file_type"]["name"] == stage_type]
    results = [file for file in ours if file not in stages]
    end = job.finished_at or job.updated_at
    return ReviewRow(
        layout=job.layout,
        code=version["code"],
        status=version["sg_status_list"],
        credit_en=version["sg_haikei_credit"] or "",
        credit_ja=version["sg_haikei_credit_ja"] or "",
        url=job.version_url,
        files=tuple(_path(file) for file in ours),
        lineage=tuple(_path(file) for file in (*stages, *results)),
        seconds=(end - job.created_at).total_seconds(),
    )


def _path(file: dict[str, Any]) -> Path:
    return Path(file["path"]["local_path"])
