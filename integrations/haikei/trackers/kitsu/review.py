"""
What people decide and write on Kitsu's tasks, and our answers.

In Kitsu a status is a task's, and every comment carries one. A version of ours is a preview that
came with a comment; comments on its task until the next version comes are about it.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from haikei.credits import Person
from haikei.errors import TrackerRejected
from haikei.presets import noted
from haikei.settings import Settings
from haikei.show import Row
from haikei.trackers.contract.review import (
    ANNOTATION,
    NoteWrite,
    ReplyWrite,
    ReviewWrite,
    SeenNote,
    SeenVersion,
    StatusWrite,
)
from haikei.trackers.kitsu.client import KitsuSite, read_log
from haikei.trackers.kitsu.drawings import Drawing, drawings_on, places_of
from haikei.trackers.kitsu.numbering import Numbering
from haikei.trackers.kitsu.people import KitsuPeople
from haikei.trackers.kitsu.places import KitsuPlaces
from haikei.trackers.kitsu.rows import (
    CommentRow,
    PlaylistRow,
    PreviewRow,
    TaskRow,
)
from haikei.trackers.kitsu.versions import (
    LINKED,
    NOTE,
    REPLY,
    TASK,
    VERSION,
    KitsuVersions,
    Mark,
    key_link,
    mark_of,
    read_task,
    task_path,
)

#: A link in a comment of ours that says which version it is about.
ABOUT = f"{LINKED}about:"
#: How the numbering knows what was drawn; its note is the comment that it belongs to.
DRAWN = "Drawing"
_CHANGES = ("comment:", "task:status-changed", "preview-file:")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Span:
    """A version, and the comments from its coming to that of the next one."""

    preview: PreviewRow
    mark: Mark
    newest: bool
    own: CommentRow | None  #: the comment that it came with; None when somebody deleted it
    comments: tuple[CommentRow, ...]  #: those after it, oldest first


class KitsuReviewDesk:
    """Implements `ReviewDesk`."""

    def __init__(
        self,
        site: KitsuSite,
        settings: Settings,
        places: KitsuPlaces,
        people: KitsuPeople,
        numbering: Numbering,
    ) -> None:
        self._site = site
        self._tracker = settings.tracker
        self._places = places
        self._people = people
        self._numbering = numbering
        self._versions = KitsuVersions(site, numbering)

    def look(self, versions: Sequence[int]) -> tuple[SeenVersion, ...]:
        """Return those of the versions that carry our key, with their comments and replies."""
        tasks: dict[str, list[PreviewRow]] = {}
        for number in dict.fromkeys(versions):
            preview = self._versions.numbered(number)
            if preview is not None:
                tasks.setdefault(preview.task_id, []).append(preview)
        found: dict[str, SeenVersion] = {}
        for uid, wanted in tasks.items():
            task = read_task(self._site, uid)
            if task is None or not self._places.heeds(task.project_id):
                continue
            spans = {one.preview.id: one for one in self._spans(uid)}
            for preview in wanted:
                if preview.id in spans:
                    found[preview.id] = self._seen(task, spans[preview.id])
        numbers = {self._numbering.number(VERSION, uid): uid for uid in found}
        return tuple(found[numbers[one]] for one in dict.fromkeys(versions) if one in numbers)

    def changed(self, since: datetime) -> tuple[int, ...]:
        """Return versions of ours that were commented on or decided since then."""
        if since > datetime.now(UTC):
            return ()
        tasks: dict[str, None] = {}
        for event in read_log(self._site, since - timedelta(seconds=1)):
            if event.name.startswith(_CHANGES):
                if task := event.data.get("task_id"):
                    tasks[str(task)] = None
                elif uid := event.data.get("preview_file_id"):
                    preview = self._site.row(PreviewRow, f"data/preview-files/{uid}")
                    if preview is not None:
                        tasks[preview.task_id] = None
        found = (one for task in tasks for one in self._versions.of_task(task))
        return tuple(sorted(self._numbering.number(VERSION, one.id) for one in found))

    def about(self, comment: CommentRow) -> tuple[int, ...]:
        """Return the versions that a comment is about."""
        task = read_task(self._site, comment.object_id)
        if task is None or not self._places.heeds(task.project_id):
            return ()
        return tuple(
            self._numbering.number(VERSION, span.preview.id)
            for span in self._spans(comment.object_id)
            if comment.id in {one.id for one in span.comments}
        )

    def write(self, change: ReviewWrite) -> Row:
        """
        Write one change, once; what stands already is returned.

        Raises:
            TrackerError: the server does not answer, or refuses.
        """
        match change:
            case StatusWrite():
                return self._set(change)
            case NoteWrite():
                return self._note(change)
            case ReplyWrite():
                return self._reply(change)

    def statuses(self, entity_type: str) -> tuple[str, ...]:
        """Return the short names of the statuses; versions and tasks have the same."""
        del entity_type
        return tuple(row.short_name for row in self._places.statuses())

    def close(self) -> None:
        """Close this thread's connection; the next call opens one again."""
        self._site.close()

    def _spans(self, task: str) -> list[_Span]:
        comments = self._site.rows(CommentRow, f"data/tasks/{task}/comments")
        # The newest comes first, and moments are cut to seconds: the order is the server's.
        oldest_first = tuple(reversed(comments))
        ours = self._versions.of_task(task)
        starts = [_start(oldest_first, one) for one in ours]
        spans: list[_Span] = []
        for index, preview in enumerate(ours):
            mark = mark_of(preview.data)
            if mark is None:
                continue
            newest = index + 1 == len(ours)
            end = len(oldest_first) if newest else starts[index + 1]
            meant = [
                one
                for one in oldest_first[starts[index] + 1 : end]
                if not _pinned(one) or preview.id in _pinned(one)
            ]
            meant += [
                one
                for one in oldest_first
                if (preview.id in _pinned(one) or one.id in mark.notes) and one not in meant
            ]
            own = oldest_first[starts[index]] if starts[index] >= 0 else None
            if own is not None and preview.id not in own.preview_ids:
                own = None
            meant.sort(key=oldest_first.index)
            spans.append(
                _Span(preview=preview, mark=mark, newest=newest, own=own, comments=tuple(meant))
            )
        return spans

    def _seen(self, task: TaskRow, span: _Span) -> SeenVersion:
        project = self._places.project_of(task.project_id)
        shot = self._places.shot_of(task.entity_id)
        version = self._versions.row(span.preview, task)
        status, by, at = self._status(task, span)
        return SeenVersion(
            version=version,
            key=span.mark.key,
            project=Row(
                type="Project",
                id=self._numbering.number("Project", task.project_id),
                name=project.path_name if project else "",
            ),
            shot=Row(
                type="Shot",
                id=self._numbering.number("Shot", shot.shot.id),
                name=shot.shot.name,
            )
            if shot
            else None,
            task=Row(
                type=TASK,
                id=self._numbering.number(TASK, task.id, task_path(task)),
                name=task.name,
            ),
            status=status,
            status_by=by,
            status_at=at,
            notes=tuple(self._notes(span)),
            url=f"{self._site.url}{task_path(task)}previews/{span.preview.id}",
        )

    def _status(self, task: TaskRow, span: _Span) -> tuple[str, Person | None, datetime | None]:
        if not span.newest and span.mark.status:
            return span.mark.status, self._people.person(span.mark.status_by), None
        everything = (*([span.own] if span.own else []), *span.comments)
        changes = [one for one in everything if one.task_status_id and not _pinned(one)]
        current = task.task_status_id if span.newest or not changes else changes[-1].task_status_id
        setter: CommentRow | None = None
        for one in reversed(changes):
            if one.task_status_id != current:
                break
            setter = one
        code = self._places.code_of(current)
        if setter is None or setter is span.own:
            return code, None, None
        return code, self._people.person(setter.person_id), setter.created_at

    def _notes(self, span: _Span) -> list[SeenNote]:
        me = self._site.me()
        found: list[SeenNote] = []
        drawn = self._drawn(span, me)
        for comment in span.comments:
            text = self._words(comment, () if comment.person_id == me else drawn[comment.id])
            if not text:
                continue
            number = self._numbering.number(NOTE, comment.id)
            found.append(
                SeenNote(
                    id=number,
                    reply_to=None,
                    author=self._people.person(comment.person_id),
                    by_us=comment.person_id == me,
                    text=text,
                    created_at=comment.created_at,
                )
            )
            found += [
                SeenNote(
                    id=self._numbering.number(REPLY, reply.id, comment.id),
                    reply_to=number,
                    author=self._people.person(reply.person_id),
                    by_us=reply.person_id == me,
                    text=self._people.joined_mentions(reply.text),
                    created_at=reply.date,
                )
                for reply in comment.replies
            ]
        return found

    def _words(self, comment: CommentRow, drawn: Sequence[Drawing]) -> str:
        """Return what a comment says in all the ways that Kitsu has; empty for nothing."""
        items = [one.text for one in comment.checklist if not one.checked]
        words = [one.words for one in drawn if one.words]
        return noted(
            "\n".join(filter(None, [self._people.joined_mentions(comment.text).rstrip(), *words])),
            items=[self._people.joined_mentions(one) for one in items],
            drawn=places_of(drawn),
            unread=[
                *(
                    f"the attached file {name}"
                    for name in comment.attached
                    if not name.endswith(ANNOTATION)
                ),
                *dict.fromkeys(one.unread for one in drawn if one.unread),
            ],
        )

    def _drawn(self, span: _Span, me: str) -> Mapping[str, list[Drawing]]:
        """
        Return what is drawn on a version by the comment that it belongs to.

        Kitsu keeps drawings with the picture and says of none for which comment it was made. Each
        belongs to what its author, or else anybody, wrote last when it was first seen.
        """
        found: dict[str, list[Drawing]] = defaultdict(list)
        theirs = [one for one in span.comments if one.person_id != me]
        for drawing in drawings_on(span.preview):
            by_author = [one for one in theirs if one.person_id == drawing.author]
            meant = (by_author or theirs)[-1:]
            if not meant:
                continue
            number = self._numbering.number(DRAWN, drawing.uid, meant[0].id)
            (known,) = self._numbering.numbered(DRAWN, [number])
            if known.note not in {one.id for one in theirs}:
                # Its comment was deleted.
                self._numbering.note(DRAWN, drawing.uid, meant[0].id)
                found[meant[0].id].append(drawing)
            else:
                found[known.note].append(drawing)
        return found

    def _set(self, change: StatusWrite) -> Row:
        status = self._places.status(change.status)
        author = self._author(change.by)
        if change.row.type != VERSION:
            uid = self._numbering.uid(change.row.type, change.row.id)
            task = read_task(self._site, uid) if uid else None
            if task is None:
                raise TrackerRejected(f"Kitsu has no {change.row.type} {change.row.id}.")
            if task.task_status_id != status.id:
                self._comment(task.id, status.id, "", (), author)
            return change.row
        preview = self._versions.numbered(change.row.id)
        spans = self._spans(preview.task_id) if preview else []
        span = next((one for one in spans if preview and one.preview.id == preview.id), None)
        if preview is None or span is None:
            raise TrackerRejected(f"Kitsu has no Version {change.row.id}.")
        if span.newest:
            task = read_task(self._site, preview.task_id)
            if task is not None and task.task_status_id != status.id:
                self._comment(task.id, status.id, "", (), author)
        elif span.mark.status != change.status:
            # The task's status is that of its newest version: an older one keeps its own.
            mark = span.mark.model_copy(update={"status": change.status, "status_by": author})
            self._mark(preview, mark)
        return change.row

    def _note(self, change: NoteWrite) -> Row:
        link, author = key_link(change.key), self._author(change.by)
        text = "\n".join(filter(None, (change.subject, change.text, self._mentions(change.to))))
        first: Row | None = None
        for task_uid, pins in self._targets(change.links).items():
            comments = self._site.rows(CommentRow, f"data/tasks/{task_uid}/comments")
            made = next((one for one in comments if link in one.links), None)
            if made is None:
                task = read_task(self._site, task_uid)
                if task is None:
                    continue
                made = self._comment(task_uid, task.task_status_id, text, (link, *pins), author)
            row = Row(type=NOTE, id=self._numbering.number(NOTE, made.id), name=change.subject)
            first = first or row
        if first is None:
            raise TrackerRejected(
                "Kitsu keeps comments on tasks alone, and the note "
                f"{change.subject or change.text[:40]!r} is about none.",
                advice="Let it be about a version, a task, or a playlist that shows one.",
            )
        return first

    def _targets(self, links: Sequence[Row]) -> dict[str, list[str]]:
        """Return the tasks on which a note about these rows stands, and the versions meant."""
        found: dict[str, list[str]] = {}
        for link in links:
            if link.type == VERSION:
                preview = self._versions.numbered(link.id)
                if preview is not None:
                    found.setdefault(preview.task_id, []).append(f"{ABOUT}{preview.id}")
            elif link.type == TASK:
                if uid := self._numbering.uid(TASK, link.id):
                    found.setdefault(uid, [])
            elif link.type == "Playlist":
                # Kitsu has no comments on playlists: the first cut of it carries the day's.
                uid = self._numbering.uid("Playlist", link.id)
                playlist = self._site.row(PlaylistRow, f"data/playlists/{uid}") if uid else None
                shown = [one.get("preview_file_id") for one in playlist.shots] if playlist else []
                for one in filter(None, shown[:1]):
                    preview = self._site.row(PreviewRow, f"data/preview-files/{one}")
                    if preview is not None:
                        found.setdefault(preview.task_id, []).append(f"{ABOUT}{preview.id}")
            elif link.type == "Shot" and (uid := self._numbering.uid("Shot", link.id)):
                task = self._places.background_task(self._places.tasks(uid), "")
                if task is not None:
                    found.setdefault(task.id, [])
        return found

    def _reply(self, change: ReplyWrite) -> Row:
        uid = self._numbering.uid(NOTE, change.note)
        comment = self._site.row(CommentRow, f"data/comments/{uid}") if uid else None
        if comment is None:
            raise TrackerRejected(f"Kitsu has no comment {change.note} that could be answered.")
        me = self._site.me()
        made = next(
            (one.id for one in comment.replies if one.person_id == me and one.text == change.text),
            None,
        )
        if made is None:
            path = f"data/tasks/{comment.object_id}/comments/{comment.id}/reply"
            made = str(self._site.send(path, {"text": change.text})["id"])
        if change.link is not None:
            preview = self._versions.numbered(change.link.id)
            mark = mark_of(preview.data) if preview is not None else None
            if preview is not None and mark is not None and comment.id not in mark.notes:
                self._mark(preview, mark.model_copy(update={"notes": (*mark.notes, comment.id)}))
        return Row(type=REPLY, id=self._numbering.number(REPLY, made, comment.id), name="")

    def _comment(
        self, task: str, status: str, text: str, links: Sequence[str], author: str
    ) -> CommentRow:
        fields: dict[str, object] = {
            "task_status_id": status,
            "comment": text,
            "links": list(links),
        }
        if author:
            fields["person_id"] = author
        return self._site.add(CommentRow, f"actions/tasks/{task}/comment", fields)

    def _mark(self, preview: PreviewRow, mark: Mark) -> None:
        data = mark.wire(preview.data)
        self._site.change(f"data/preview-files/{preview.id}", {"data": data})

    def _author(self, login: str) -> str:
        if not login:
            return ""
        person = self._people.by_login(login)
        if person is None:
            raise TrackerRejected(
                f"Kitsu has no active person {login!r}, in whose name this could be written.",
                advice="Sign in with the address or login that Kitsu knows.",
            )
        return person.row.id

    def _mentions(self, logins: Sequence[str]) -> str:
        people = (self._people.by_login(login) for login in logins)
        return " ".join(
            f"@{one.row.first_name} {one.row.last_name}".strip() for one in people if one
        )


def _start(comments: Sequence[CommentRow], preview: PreviewRow) -> int:
    """Return the place of the comment that brought a version."""
    for index, one in enumerate(comments):
        if preview.id in one.preview_ids:
            return index
    # Somebody deleted it: the version begins with the first comment after its picture.
    later = [i for i, one in enumerate(comments) if one.created_at > preview.created_at]
    return (later[0] if later else len(comments)) - 1


def _pinned(comment: CommentRow) -> tuple[str, ...]:
    return tuple(link[len(ABOUT) :] for link in comment.links if link.startswith(ABOUT))
