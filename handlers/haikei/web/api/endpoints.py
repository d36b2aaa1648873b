"""What each operation of the API does."""

import base64
import binascii
import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import structlog
from sqlalchemy import ColumnElement, Select, and_, func, or_, select

from haikei.database import background_images, backgrounds, image_records, jobs, reading
from haikei.decisions import ReviewState
from haikei.events import Event, Source, TouchUpPublished
from haikei.jobs.inbox import received
from haikei.jobs.page_inputs import published_files
from haikei.jobs.table import JobStore
from haikei.review.deciding import Deciding, decider_of
from haikei.review.decisions import Decider, ReviewVerdict
from haikei.sources.submitting import (
    HandedIn,
    Judged,
    SubmissionState,
    Submitting,
    state_of,
)
from haikei.trackers import Part, needed
from haikei.web.api.operations import ApiScope, Call, Operation, Reply
from haikei.web.api.schemas import (
    Decided,
    DecisionRequest,
    JobInfo,
    JobPage,
    JobsQuery,
    Refused,
    Submission,
    SubmitRequest,
    Submitted,
    UploadQuery,
    Variant,
    VersionInfo,
    VersionPage,
    VersionsQuery,
)
from haikei.web.context import WebContext
from haikei.web.security.sessions import role_of

log = structlog.get_logger()

_Model = TypeVar("_Model")

_version, _job = backgrounds.c, jobs.c


class Endpoints:
    """Carries operations out; each in a thread of its own."""

    def __init__(self, context: WebContext) -> None:
        self._context = context
        self._database = context.database
        self._store = JobStore(context.database)
        self._submitting = Submitting(context.settings, context.database, source=Source.API)
        self._find_file = published_files(context.settings)

    def close(self) -> None:
        """End what they hold."""
        self._submitting.close()

    def operations(self) -> tuple[Operation, ...]:
        """Return all of them."""
        taken = {200: "It is known already, or this was a dry run.", 202: "It was taken."}
        submit, read, decide = ApiScope.SUBMIT, ApiScope.READ, ApiScope.DECIDE
        return (
            Operation(
                method="POST",
                path="/submissions",
                id="submit",
                summary="Hand in a file that the server reads.",
                scope=submit,
                carry_out=self.submit,
                answer=Submitted,
                answers=taken,
                body=SubmitRequest,
            ),
            Operation(
                method="POST",
                path="/uploads",
                id="upload",
                summary="Hand in a file whose bytes are sent; it is put where layouts stand.",
                scope=submit,
                carry_out=self.upload,
                answer=Submitted,
                answers=taken,
                query=UploadQuery,
                takes_file=True,
            ),
            Operation(
                method="GET",
                path="/submissions/{key}",
                id="status",
                summary="See what became of a file.",
                scope=read,
                carry_out=self.status,
                answer=Submission,
                answers={200: "The file and its jobs."},
                refusals=(404,),
            ),
            Operation(
                method="GET",
                path="/jobs",
                id="jobs",
                summary="List jobs, the newest first.",
                scope=read,
                carry_out=self.list_jobs,
                answer=JobPage,
                answers={200: "One page."},
                query=JobsQuery,
            ),
            Operation(
                method="GET",
                path="/versions",
                id="versions",
                summary="List versions of backgrounds, the newest first.",
                scope=read,
                carry_out=self.list_versions,
                answer=VersionPage,
                answers={200: "One page."},
                query=VersionsQuery,
            ),
            Operation(
                method="GET",
                path="/versions/{key}",
                id="version",
                summary="See one version, by its key or its name in the tracker.",
                scope=read,
                carry_out=self.version,
                answer=VersionInfo,
                answers={200: "The version; of several of one name the newest."},
                refusals=(404,),
            ),
            Operation(
                method="POST",
                path="/versions/{key}/decision",
                id="decide",
                summary="Decide about a version: the tracker is told, and what follows is done.",
                scope=decide,
                carry_out=self.decide,
                answer=Decided,
                answers={202: "The tracker has it."},
                body=DecisionRequest,
                refusals=(404,),
            ),
        )

    def submit(self, call: Call) -> Reply:
        """Judge a file, and hand it to the jobs."""
        asked = _is(SubmitRequest, call.body)
        given = HandedIn(
            project=asked.project,
            episode=asked.episode,
            sequence=asked.sequence,
            shot=asked.shot,
            name=asked.name,
            version=asked.version,
        )
        judged = self._submitting.judge(Path(asked.path), given)
        return self._taken(call, judged, dry_run=asked.dry_run)

    def upload(self, call: Call) -> Reply:
        """Judge bytes, put them where layouts stand, and hand them to the jobs."""
        asked = _is(UploadQuery, call.query)
        given = HandedIn(
            project=asked.project,
            episode=asked.episode,
            sequence=asked.sequence,
            shot=asked.shot,
            name=asked.name,
            version=asked.version,
        )
        if call.file is None:
            raise AssertionError("unreachable: the operation takes a file")
        judged = self._submitting.upload(call.file, asked.filename, given, dry_run=asked.dry_run)
        return self._taken(call, judged, dry_run=asked.dry_run)

    def _taken(self, call: Call, judged: Judged, *, dry_run: bool) -> Reply:
        new = not judged.is_known if dry_run else self._submitting.submit(judged)
        known = self._submission(judged.event)
        if dry_run and new:
            known = known.model_copy(update={"state": SubmissionState.PLANNED})
        if not dry_run:
            log.info("api_submitted", key=known.key, new=new, token=call.token.id)
        content = Submitted(
            **dict(known),
            new=new,
            variants=tuple(
                Variant(season=one.season, time=one.time, recipe=judged.recipe)
                for one in judged.variants
            ),
        )
        return Reply(content=content, status=202 if new and not dry_run else 200)

    def status(self, call: Call) -> Reply:
        """Show what became of a file."""
        with reading(self._database) as connection:
            event = received(connection, call.key)
        if event is None:
            raise Refused(404, "submission-unknown", "No file was handed in under this key.")
        return Reply(content=self._submission(event))

    def _submission(self, event: Event) -> Submission:
        found = self._store.of_event(event.key)
        file = event.file if isinstance(event, TouchUpPublished) else event.layout
        return Submission(
            key=event.key,
            state=state_of([job.state for job in found]),
            path=str(file),
            project=event.place.project,
            episode=event.place.episode,
            sequence=event.place.sequence,
            shot=event.place.shot,
            jobs=tuple(JobInfo.of(job) for job in found),
        )

    def list_jobs(self, call: Call) -> Reply:
        """List jobs."""
        asked = _is(JobsQuery, call.query)
        query = select(_job.key, _job.id).order_by(_job.id.desc()).limit(asked.limit + 1)
        if asked.state is not None:
            query = query.where(_job.state == asked.state.value)
        if asked.project:
            query = query.where(_job.project == asked.project)
        if asked.cursor:
            (last,) = _after(asked.cursor, int)
            query = query.where(_job.id < last)
        with reading(self._database) as connection:
            rows = connection.execute(query).all()
        page = rows[: asked.limit]
        items = [JobInfo.of(job) for job in self._store.these([row.key for row in page])]
        following = _cursor(page[-1].id) if len(rows) > len(page) else ""
        return Reply(content=JobPage(items=tuple(items), next_cursor=following))

    def list_versions(self, call: Call) -> Reply:
        """List versions."""
        asked = _is(VersionsQuery, call.query)
        wanted = {
            _version.project: asked.project,
            _version.episode: asked.episode,
            _version.sequence: asked.sequence,
            _version.shot: asked.shot,
            _version.season: asked.season,
            _version.time: asked.time,
            _version.state: asked.state.value if asked.state is not None else "",
        }
        found = [column == value for column, value in wanted.items() if value]
        if asked.cursor:
            at, key = _after(asked.cursor, str, str)
            moment = _moment(at)
            earlier = and_(_version.created_at == moment, _version.key < key)
            found.append(or_(_version.created_at < moment, earlier))
        items = self._versions(found, asked.limit + 1)
        page = items[: asked.limit]
        following = ""
        if len(items) > len(page):
            following = _cursor(page[-1].created_at.isoformat(), page[-1].key)
        return Reply(content=VersionPage(items=tuple(page), next_cursor=following))

    def version(self, call: Call) -> Reply:
        """Show one version."""
        return Reply(content=self._version(call.key))

    def decide(self, call: Call) -> Reply:
        """Decide about a version."""
        asked = _is(DecisionRequest, call.body)
        version = self._version(call.key, alone=True)
        login, own = asked.by, call.token.login
        if own and login and login.casefold() != own.casefold():
            raise Refused(
                403,
                "not-yours",
                f"Decisions with this token are those of {own!r}.",
                advice="Leave `by` out, or use a token without a login.",
            )
        login = login or own
        if login and not role_of(login, self._context.settings.web).decides:
            raise Refused(
                403,
                "may-not-decide",
                f"{login!r} may look, and others decide.",
                advice="Name the login in web.supervisors.",
            )
        with self._context.tracker() as tracker:
            who = Decider()
            if login:
                who = decider_of(needed(tracker.parts.selection, tracker, Part.SELECTION), login)
            verdict = ReviewVerdict(
                decision=asked.decision, text=asked.note, by=who, seen=asked.seen
            )
            desk = needed(tracker.parts.review, tracker, Part.REVIEW)
            context = self._context
            deciding = Deciding(context.settings, context.database, desk, source=Source.API)
            deciding.decide(version.key, verdict)
        log.info(
            "decided",
            background=version.key,
            decision=asked.decision.value,
            by=who.login,
            token=call.token.id,
        )
        content = Decided(
            key=version.key, version=version.code, decision=asked.decision, by=who.login
        )
        return Reply(content=content, status=202)

    def _version(self, key: str, *, alone: bool = False) -> VersionInfo:
        exact = self._versions([_version.key == key], 1)
        found = exact or self._versions([_version.code == key], 2)
        if not found:
            raise Refused(404, "version-unknown", "No version has this key or name.")
        if alone and len(found) > 1:
            raise Refused(
                409,
                "version-ambiguous",
                "Versions of several cuts have this name.",
                advice="Name the one that is meant by its key.",
            )
        return found[0]

    def _versions(self, wanted: Sequence[ColumnElement[bool]], limit: int) -> list[VersionInfo]:
        with reading(self._database) as connection:
            rows = connection.execute(_with_files(wanted, limit)).all()
        return [self._shown(row) for row in rows]

    def _shown(self, row: Any) -> VersionInfo:
        file = self._find_file(row.path) if row.path else None
        return VersionInfo(
            key=row.key,
            code=row.code,
            project=row.project,
            episode=row.episode,
            sequence=row.sequence,
            shot=row.shot,
            season=row.season,
            time=row.time,
            version=row.version,
            state=ReviewState(row.state),
            path=str(file or ""),
            sha256=row.sha256 or "",
            tracker_id=row.tracker_id,
            url=row.url,
            created_at=row.created_at,
        )


def _with_files(wanted: Sequence[ColumnElement[bool]], limit: int) -> Select[Any]:
    """Select versions, the newest first, each with the image that it is: the last of its images."""
    images = background_images.c
    last = (
        select(func.max(images.position))
        .where(images.background_key == _version.key)
        .correlate(backgrounds)
        .scalar_subquery()
    )
    page = select(backgrounds).where(*wanted)
    page = page.order_by(_version.created_at.desc(), _version.key.desc()).limit(limit)
    return (
        page.add_columns(image_records.c.path, image_records.c.sha256)
        .outerjoin(
            background_images, and_(images.background_key == _version.key, images.position == last)
        )
        .outerjoin(image_records, image_records.c.ledger_seq == images.image_seq)
    )


def _cursor(*parts: int | str) -> str:
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


def _after(cursor: str, *kinds: type) -> list[Any]:
    """Return what a cursor holds: the place in the order after which a page begins."""
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        found: Any = json.loads(text)
    except (binascii.Error, ValueError, RecursionError):
        found = None
    fits = isinstance(found, list) and [type(one) for one in found] == list(kinds)
    if not fits or any(isinstance(one, int) and abs(one) >= 1 << 63 for one in found):
        raise _bad_cursor()
    return list(found)


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise _bad_cursor() from None
    if moment.tzinfo is None:
        raise _bad_cursor()
    return moment


def _bad_cursor() -> Refused:
    return Refused(
        422,
        "cursor-invalid",
        "The cursor is none that this server gave.",
        advice="Give `next_cursor` of the page before as it is.",
    )


def _is(model: type[_Model], value: object) -> _Model:
    if not isinstance(value, model):
        raise TypeError(f"{value!r} is no {model.__name__}, as the operation says")
    return value
