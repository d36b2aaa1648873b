"""Credits, hours and the ledger's newest head on a ShotGrid site."""

from collections.abc import Iterator, Mapping, Sequence

from haikei.credits import Person
from haikei.errors import TrackerRejected
from haikei.settings import Settings
from haikei.trackers.contract.credits import CreditRow, CreditsWritten, TimeSpent
from haikei.trackers.shotgrid.client import CHUNK, Link, Record, SiteClient, UpdateRow
from haikei.trackers.shotgrid.context import name_in
from haikei.trackers.shotgrid.existing_rows import made_by_script, same_value
from haikei.trackers.shotgrid.people import People
from haikei.trackers.shotgrid.projects import find_projects
from haikei.trackers.shotgrid.schema import CHECKPOINT, CREDIT_FIELDS, KEY, credit_fields

_TIME_FIELDS = (
    "user",
    "date",
    "duration",
    "entity",
    "entity.Task.content",
    "entity.Task.step",
    "entity.Task.entity.Shot.code",
    "entity.Task.entity.Shot.sg_sequence",
    "entity.Shot.code",
    "entity.Shot.sg_sequence",
)
#: Where a time log names a shot.
_SHOTS = ("entity.Task.entity.Shot.", "entity.Shot.")
_NOBODY = Person(id="", name="")


class ShotGridCreditDesk:
    """A site's credits and hours; reads and writes many rows in each call."""

    def __init__(self, client: SiteClient, settings: Settings) -> None:
        self._client = client
        self._people = People(client, settings.people, settings.tracker.person_fields)
        self._episode = settings.tracker.episode_field

    def write(self, rows: Sequence[CreditRow], *, dry_run: bool = False) -> CreditsWritten:
        """
        Write the credits of Versions and of their files where they differ from what stands.

        A cut between two calls leaves whole rows: the same rows again finish the rest.

        Raises:
            TrackerRejected: the site refuses.
            TrackerUnavailable: the site gives no answer.
        """
        changed = 0
        unknown: list[int] = []
        for start in range(0, len(rows), CHUNK):
            wanted = {row.version: row for row in rows[start : start + CHUNK]}
            versions = [
                record
                for record in self._read("Version", "id", list(wanted))
                if record.text(KEY) == wanted[record.id].key
            ]
            ours = {record.id for record in versions}
            unknown += [number for number in wanted if number not in ours]
            files = self._files({number: wanted[number] for number in wanted if number in ours})
            standing = [*((record, wanted[record.id]) for record in versions), *files]
            updates = [
                update for record, row in standing if (update := _update(record, row)) is not None
            ]
            changed += len(updates)
            if not dry_run:
                for first in range(0, len(updates), CHUNK):
                    self._client.batch(updates[first : first + CHUNK])
        return CreditsWritten(changed=changed, unknown=tuple(unknown))

    def hours(self, project: str) -> tuple[TimeSpent, ...]:
        """
        Return all time that was logged in a project, in order of date.

        Raises:
            TrackerRejected: there is no such project, or the site refuses.
            TrackerUnavailable: the site gives no answer.
        """
        found = find_projects(self._client, [project]).get(project)
        if found is None:
            raise TrackerRejected(
                f"The site has no project {project!r}.",
                advice="Make the project there, or name another.",
            )
        rows = self._client.find(
            "TimeLog",
            [
                ["project", "in", [{"type": "Project", "id": row.id} for row in found]],
                ["duration", "is_not", None],
            ],
            [*_TIME_FIELDS, *(f"{shot}{self._episode}" for shot in _SHOTS if self._episode)],
        )
        links = [link for row in rows if (link := row.link("user")) is not None]
        artists = self._people.artists(links)
        people = {artist.person.id: artist.person for artist in artists}
        spent = [_time_spent(row, people, self._episode) for row in rows]
        return tuple(sorted((one for one in spent if one), key=lambda one: one.date))

    def people(self, known: Sequence[str]) -> Mapping[str, Person]:
        """
        Return people as the site names them today, by their id, login, address or full name.

        Raises:
            TrackerRejected: the site refuses.
            TrackerUnavailable: the site gives no answer.
        """
        return self._people.known_by(known)

    def close(self) -> None:
        """Close this thread's connection; the next call opens one again."""
        self._client.close()

    def _read(self, owner: str, field: str, values: Sequence[object]) -> Sequence[Record]:
        return self._client.find(
            owner,
            [[field, "in", list(values)]],
            (
                KEY,
                "created_by",
                *(("user",) if owner == "Version" else ("version",)),
                *CREDIT_FIELDS,
            ),
        )

    def _files(self, rows: Mapping[int, CreditRow]) -> Iterator[tuple[Record, CreditRow]]:
        """Yield the files that we registered with these Versions."""
        versions = [{"type": "Version", "id": number} for number in rows]
        for record in self._read("PublishedFile", "version", versions):
            version = record.link("version")
            row = rows.get(version.id) if version else None
            # A copy that a person made of a row in the tracker has its key, and is theirs.
            if (
                row is not None
                and record.text(KEY).startswith(f"{row.key}:")
                and made_by_script(record)
            ):
                yield record, row


def _update(record: Record, row: CreditRow) -> UpdateRow | None:
    """Return what must be written, None when nothing is different."""
    fields: dict[str, object] = {
        name: value
        for name, value in credit_fields(row.stated).items()
        if not same_value(record.values.get(name), value)
    }
    kind, _, number = row.artist.partition(":")
    nobodys = record.type == "Version" and record.link("user") is None
    if nobodys and kind == "HumanUser" and number.isdecimal():
        fields["user"] = {"type": kind, "id": int(number)}
    return UpdateRow(type=record.type, id=record.id, fields=fields) if fields else None


def _time_spent(row: Record, people: Mapping[str, Person], field: str) -> TimeSpent | None:
    day, minutes = row.day("date"), row.number("duration")
    if day is None or minutes is None:
        return None
    step = row.link("entity.Task.step")
    sequence = row.link("entity.Task.entity.Shot.sg_sequence") or row.link(
        "entity.Shot.sg_sequence"
    )
    episodes = (name_in(row, f"{shot}{field}") for shot in _SHOTS if field)
    return TimeSpent(
        person=_person(row.link("user"), people),
        shot=row.text("entity.Task.entity.Shot.code") or row.text("entity.Shot.code"),
        sequence=sequence.name if sequence else "",
        episode=next(filter(None, episodes), ""),
        step=step.name if step else row.text("entity.Task.content"),
        minutes=minutes,
        date=day,
    )


def _person(user: Link | None, people: Mapping[str, Person]) -> Person:
    if user is None:
        return _NOBODY
    number = f"{user.type}:{user.id}"
    return people.get(number, Person(id=number, name=user.name))


class ShotGridCheckpointBoard:
    """The projects' checkpoint field."""

    def __init__(self, client: SiteClient) -> None:
        self._client = client

    def post(self, notes: Mapping[str, str]) -> tuple[str, ...]:
        """
        Write notes into projects; return the names of projects that the site does not have.

        Raises:
            TrackerRejected: the site refuses.
            TrackerUnavailable: the site gives no answer.
        """
        found = find_projects(self._client, list(notes), (CHECKPOINT,))
        self._client.batch(
            [
                UpdateRow(type=row.type, id=row.id, fields={CHECKPOINT: notes[name]})
                for name, rows in found.items()
                for row in rows
                if _note(row.text(CHECKPOINT)) != _note(notes[name])
            ]
        )
        return tuple(name for name in notes if name not in found)

    def posted(self, projects: Sequence[str]) -> Mapping[str, str]:
        """
        Return the notes that stand on projects, those without one left out.

        Raises:
            TrackerRejected: the site refuses.
            TrackerUnavailable: the site gives no answer.
        """
        found = find_projects(self._client, projects, (CHECKPOINT,))
        return {
            name: _note(row.text(CHECKPOINT))
            for name, rows in found.items()
            for row in rows
            if row.filled(CHECKPOINT)
        }

    def close(self) -> None:
        """Close this thread's connection; the next call opens one again."""
        self._client.close()


def _note(text: str) -> str:
    # A site trims what it keeps; a signed note ends in a line break.
    return f"{text.strip()}\n"
