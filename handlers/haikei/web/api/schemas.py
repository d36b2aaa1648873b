"""
What the API takes and gives, errors among it. The OpenAPI document is made from these models.

Errors are `application/problem+json` (RFC 9457).
"""

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.responses import Response

from haikei.decisions import Decision, ReviewState
from haikei.errors import (
    AlreadyPublished,
    CreditError,
    HaikeiError,
    LayoutRefused,
    StorageError,
    TouchUpRefused,
)
from haikei.jobs.job import Job, JobKind, JobState, Step
from haikei.printable import escaped
from haikei.sources.submitting import SubmissionState

Name = Annotated[str, Field(max_length=255)]
Given = Annotated[str, Field(min_length=1, max_length=255)]
Login = Annotated[str, Field(max_length=120)]
VersionNumber = Annotated[int, Field(ge=1, le=9999)]
#: Items on one page.
PAGE, LONGEST_PAGE = 50, 200


class _Model(BaseModel):
    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, use_attribute_docstrings=True
    )


class Mistake(_Model):
    """What is wrong with one field of a request."""

    field: str
    """Where it stands; empty for the whole."""
    message: str
    """What is wrong."""


class Problem(_Model):
    """Why a request was not carried out (RFC 9457)."""

    type: str
    """`urn:haikei:problem:` and a name that stays; of Haikei's own errors their class."""
    title: str
    """The status in words."""
    status: int
    """The status of the answer."""
    detail: str
    """What happened, to what."""
    advice: str
    """What to do; may be empty."""
    mistakes: tuple[Mistake, ...]
    """Fields that are wrong, where that is why."""


class SubmitRequest(_Model):
    """A file that the server reads: it lies below one of the studio's storage roots."""

    path: Annotated[str, Field(min_length=1, max_length=4096)]
    """Absolute, as the server sees it."""
    project: Name = ""
    """As paths name it; empty with `shot`: the path says it."""
    episode: Name = ""
    """Needed only where shots of one name stand in several."""
    sequence: Name = ""
    """May be empty."""
    shot: Name = ""
    """Given together with `project`."""
    name: Name = ""
    """The layout's stream, such as `bg`; only with a project and shot."""
    version: VersionNumber | None = None
    """The layout's own version; only with a project and shot."""
    dry_run: bool = False
    """Only say what would be made."""


class UploadQuery(_Model):
    """Where a file belongs whose bytes are sent."""

    filename: Given
    """Its ending says what it is."""
    project: Given
    """As paths name it."""
    shot: Given
    """As the tracker names it."""
    episode: Name = ""
    """Needed only where shots of one name stand in several."""
    sequence: Name = ""
    """Empty where shots stand in none."""
    name: Name = ""
    """The layout's stream, such as `bg`."""
    version: VersionNumber | None = None
    """The layout's own version; by default the first that is free."""
    dry_run: bool = False
    """Only say what would be made."""


class JobInfo(_Model):
    """One job."""

    key: str
    kind: JobKind
    state: JobState
    step: Step | None
    progress: float
    """0 to 1."""
    project: str
    episode: str
    """Empty where there is none."""
    sequence: str
    shot: str
    season: str
    time: str
    recipe: str
    layout: str
    note: str
    error: str
    """Why it is dead."""
    error_kind: str
    version: str
    """The Version's name in the tracker, once it stands."""
    url: str
    """Where a person can look at it."""
    created_at: datetime
    updated_at: datetime
    finished_at: datetime | None

    @classmethod
    def of(cls, job: Job) -> "JobInfo":
        """Return a job as the API shows it."""
        return cls(
            key=job.key,
            kind=job.kind,
            state=job.state,
            step=job.step,
            progress=round(job.progress, 3),
            project=job.place.project,
            episode=job.place.episode,
            sequence=job.place.sequence,
            shot=job.place.shot,
            season=job.season,
            time=job.time,
            recipe=job.recipe,
            layout=job.layout,
            note=job.note,
            error=job.error,
            error_kind=job.error_kind,
            version=job.version_code,
            url=job.version_url,
            created_at=job.created_at,
            updated_at=job.updated_at,
            finished_at=job.finished_at,
        )


class Variant(_Model):
    """A background that is asked for."""

    season: str
    time: str
    recipe: str


class Submission(_Model):
    """A file that was handed in, by whomever, and what became of it."""

    key: str
    """Of its project, shot and bytes: the same for the same file, whoever hands it in."""
    state: SubmissionState
    path: str
    project: str
    episode: str
    """Empty where there is none."""
    sequence: str
    shot: str
    jobs: tuple[JobInfo, ...]
    """Retakes among them."""


class Submitted(Submission):
    """A file that was handed in just now."""

    new: bool
    """Whether it was not known before; a known one is not begun again."""
    variants: tuple[Variant, ...]
    """Backgrounds that are made of it; none of a touch-up."""


class _Paged(_Model):
    limit: Annotated[int, Field(ge=1, le=LONGEST_PAGE)] = PAGE
    """Items on the page."""
    cursor: Annotated[str, Field(max_length=400)] = ""
    """`next_cursor` of the page before; empty for the first one."""


class JobsQuery(_Paged):
    """Which jobs."""

    state: JobState | None = None
    """Only those in this state."""
    project: Name = ""
    """Only those of this project."""


class JobPage(_Model):
    """Jobs, the newest first."""

    items: tuple[JobInfo, ...]
    next_cursor: str
    """Empty on the last page."""


class VersionsQuery(_Paged):
    """Which versions."""

    project: Name = ""
    """Only those of this project."""
    episode: Name = ""
    """Only those of this episode."""
    sequence: Name = ""
    """Only those of this sequence."""
    shot: Name = ""
    """Only those of this shot."""
    season: Name = ""
    """Only those of this season."""
    time: Name = ""
    """Only those of this time of day."""
    state: ReviewState | None = None
    """Only those about which this was decided."""


class VersionInfo(_Model):
    """One version of a background."""

    key: str
    code: str
    """Its name in the tracker."""
    project: str
    episode: str
    """Empty where there is none."""
    sequence: str
    shot: str
    season: str
    time: str
    version: int
    state: ReviewState
    path: str
    """Its file, as the server sees it; empty where it is not to be found now."""
    sha256: str
    """Of its file."""
    tracker_id: int | None
    url: str
    """Where a person can look at it."""
    created_at: datetime


class VersionPage(_Model):
    """Versions, the newest first."""

    items: tuple[VersionInfo, ...]
    next_cursor: str
    """Empty on the last page."""


class DecisionRequest(_Model):
    """What somebody decided about a version."""

    decision: Decision
    """`none` puts it back in review."""
    note: Annotated[str, Field(max_length=20_000)] = ""
    """Why, or what a retake shall be like; becomes a Note in the tracker."""
    by: Login = ""
    """Login of the person who decides, who is credited; empty: nobody is, and Haikei says it."""
    seen: Decision | None = None
    """What stood when it was decided: refused when something else stands by now."""


class Decided(_Model):
    """A decision that stands in the tracker; what follows from it is done soon."""

    key: str
    version: str
    """The version's name in the tracker."""
    decision: Decision
    by: str


MEDIA_TYPE = "application/problem+json"
_REFUSALS = (LayoutRefused, StorageError, TouchUpRefused, CreditError)


class Refused(Exception):
    """
    A request is not carried out, for a reason of HTTP.

    Args:
        status: of the answer.
        kind: the end of the problem's type, such as `scope-missing`.
        detail: one sentence.
        advice: what to do.
        mistakes: of single fields.
        headers: of the answer.
    """

    def __init__(
        self,
        status: int,
        kind: str,
        detail: str,
        *,
        advice: str = "",
        mistakes: Sequence[Mistake] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.headers = dict(headers or {})
        self.problem = Problem(
            type=f"urn:haikei:problem:{kind}",
            title=HTTPStatus(status).phrase,
            status=status,
            detail=detail,
            advice=advice,
            mistakes=tuple(mistakes),
        )

    def answer(self) -> Response:
        """Return it as it is sent."""
        text = escaped(self.problem.model_dump_json())
        return Response(text, self.status, self.headers, MEDIA_TYPE)


def refused_for(error: HaikeiError) -> Refused:
    """Return how an error of ours is answered: its class names the problem."""
    if error.transient:
        status = 503
    elif isinstance(error, AlreadyPublished):
        status = 409
    else:
        status = 422 if isinstance(error, _REFUSALS) else 409
    wait = error.retry_after if error.retry_after is not None else 10.0 if error.transient else None
    headers = {} if wait is None else {"retry-after": str(math.ceil(wait))}
    return Refused(
        status, type(error).__name__, error.message, advice=error.advice or "", headers=headers
    )


def invalid(error: ValidationError, place: str) -> Refused:
    """Return how a request is answered whose query or body is not as the document says."""
    mistakes = [_mistake(one) for one in error.errors(include_url=False, include_input=False)]
    where = ", ".join(dict.fromkeys(one.field for one in mistakes if one.field))
    return Refused(
        422,
        "invalid-request",
        f"The {place} is not as the API's document says" + (f" ({where})." if where else "."),
        advice="See /api/v1/openapi.json.",
        mistakes=mistakes[:50],
    )


def _mistake(one: Mapping[str, Any]) -> Mistake:
    field = ".".join(str(part) for part in one["loc"])
    # A key of the request that nobody knows may be as long as the request.
    return Mistake(field=field[:200], message=str(one["msg"])[:500])
