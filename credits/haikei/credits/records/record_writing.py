"""Write versions and images into their rows, and seal the images that are new."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, insert, select, tuple_

from haikei.credits.contribution import Contribution, Person, System, check_makers
from haikei.credits.people.commitments import note_all
from haikei.credits.people.erasing import Mentions
from haikei.credits.record import BackgroundVersion, ImageRecord
from haikei.credits.records.record_sealing import Sealer, measured_json, system_id
from haikei.database import schema
from haikei.errors import CreditError, LedgerError
from haikei.ledger.entry import append_many

Row = dict[str, Any]  #: values for one row, by column
_row = schema.backgrounds.c
_ORDER = (
    _row.project,
    _row.episode,
    _row.sequence,
    _row.shot,
    _row.season,
    _row.time,
    _row.version,
)


def save_batch(connection: Connection, versions: Sequence[BackgroundVersion]) -> None:
    """
    Save versions, their images and all that belongs to them; what stands already is left.

    Raises:
        CreditError: see `haikei.credits.records.store.save`.
        LedgerError: see `haikei.credits.records.store.save`.
    """
    new_versions = _new_versions(connection, versions)
    images = {image.key: (version, image) for version in versions for image in version.images}
    seqs = _standing_images(connection, [image for _, image in images.values()])
    for version in versions:
        for image in version.images:
            if images[image.key][1].sha256 != image.sha256:
                raise _other_image(image.key)
    new = [(version, image) for version, image in images.values() if image.key not in seqs]
    if new:
        seqs.update(_save_images(connection, new))
    if new_versions:
        connection.execute(insert(schema.backgrounds), [_version_row(one) for one in new_versions])
        connection.execute(
            insert(schema.background_images),
            [
                {"background_key": one.key, "position": position, "image_seq": seqs[image.key]}
                for one in new_versions
                for position, image in enumerate(one.images)
            ],
        )


def _new_versions(
    connection: Connection, versions: Sequence[BackgroundVersion]
) -> list[BackgroundVersion]:
    found = connection.execute(
        select(_row.key, *_ORDER).where(_row.key.in_([version.key for version in versions]))
    )
    standing = {row[0]: tuple(row[1:]) for row in found}
    new: list[BackgroundVersion] = []
    for version in versions:
        if not version.images:
            raise CreditError(f"{version.code} has no images, so that nobody can be named for it.")
        if version.key not in standing:
            new.append(version)
        elif standing[version.key] != _place(version):
            raise LedgerError(f"Another version than {version.code} stands under {version.key!r}.")
    taken = connection.execute(
        select(_row.code, *_ORDER).where(tuple_(*_ORDER).in_([_place(version) for version in new]))
    ).first()
    if taken is not None:
        raise LedgerError(
            f"{taken.code} is recorded already as version {taken.version} of {taken.shot}.",
            advice="Give the new one a version number of its own.",
        )
    return new


def _place(version: BackgroundVersion) -> tuple[str | int, ...]:
    return (
        version.project,
        version.episode,
        version.sequence,
        version.shot,
        version.season,
        version.time,
        version.version,
    )


def _standing_images(connection: Connection, images: Sequence[ImageRecord]) -> dict[str, int]:
    columns = schema.image_records.c
    query = select(columns.key, columns.sha256, columns.ledger_seq).where(
        columns.key.in_([image.key for image in images])
    )
    standing = {row.key: row for row in connection.execute(query)}
    for image in images:
        if image.key in standing and standing[image.key].sha256 != image.sha256:
            raise _other_image(image.key)
    return {key: row.ledger_seq for key, row in standing.items()}


def _other_image(key: str) -> LedgerError:
    return LedgerError(
        f"Another image is recorded already under {key!r}.",
        advice="Records are never replaced; give the new image a key of its own.",
    )


def _save_images(
    connection: Connection, new: Sequence[tuple[BackgroundVersion, ImageRecord]]
) -> Mapping[str, int]:
    for _, image in new:
        check_makers(image.contributions, image.key)
    people, systems = note_makers(
        connection, [one for _, image in new for one in image.contributions]
    )
    mentions = Mentions.load(connection)
    sealer = Sealer(commitments=people, mentions=mentions)
    entries = append_many(
        connection,
        [
            (
                image.key,
                sealer.image(
                    image,
                    project=version.project,
                    episode=version.episode,
                    sequence=version.sequence,
                    shot=version.shot,
                ),
            )
            for version, image in new
        ],
    )
    seqs = {entry.key: entry.seq for entry in entries}
    rows = [_image_row(seqs[image.key], image) for _, image in new]
    made_from = [
        {
            "image_seq": seqs[image.key],
            "position": position,
            "sha256": one.sha256,
            "relation": one.relation.value,
        }
        for _, image in new
        for position, one in enumerate(image.ingredients)
    ]
    made_by = [
        contribution_row(seqs[image.key], position, one, mentions, systems)
        for _, image in new
        for position, one in enumerate(image.contributions)
    ]
    for table, values in (
        (schema.image_records, rows),
        (schema.ingredients, made_from),
        (schema.contributions, made_by),
    ):
        if values:
            connection.execute(insert(table), values)
    return seqs


def note_makers(
    connection: Connection, contributions: Iterable[Contribution]
) -> tuple[Mapping[str, str], Mapping[System, str]]:
    """Register everyone; return the commitment of each person's name and the id of each system."""
    actors = dict.fromkeys(one.actor for one in contributions)
    people = note_all(connection, (one for one in actors if isinstance(one, Person)))
    ids = {one: system_id(one) for one in actors if isinstance(one, System)}
    columns = schema.systems.c
    query = select(columns.id).where(columns.id.in_(list(ids.values())))
    standing = set(connection.execute(query).scalars())
    for system, number in ids.items():
        if number not in standing:
            connection.execute(
                insert(schema.systems),
                {
                    "id": number,
                    "name": system.name,
                    "version": system.version,
                    "source_type": system.source_type.value,
                    "sha256": system.sha256,
                    "licence": system.licence,
                    "data": system.data,
                },
            )
    return people, ids


def _version_row(version: BackgroundVersion) -> Row:
    return {
        "key": version.key,
        "project": version.project,
        "episode": version.episode,
        "sequence": version.sequence,
        "shot": version.shot,
        "season": version.season,
        "time": version.time,
        "version": version.version,
        "code": version.code,
        "tracker_id": version.tracker_id,
        "url": version.url,
        "state": version.state.value,
        "created_at": version.created_at,
    }


def _image_row(seq: int, image: ImageRecord) -> Row:
    return {
        "ledger_seq": seq,
        "key": image.key,
        "sha256": image.sha256,
        "pixels_sha256": image.pixels_sha256,
        "kind": image.kind.value,
        "source_type": image.source_type.value,
        "path": image.path,
        "request": image.request_json,
        "created_at": image.created_at,
        "fingerprint": image.fingerprint,
    }


def contribution_row(
    seq: int,
    position: int,
    contribution: Contribution,
    mentions: Mentions,
    systems: Mapping[System, str],
) -> Row:
    """Return the row of a contribution that its image's own entry seals."""
    actor, evidence = contribution.actor, contribution.evidence
    person = isinstance(actor, Person)
    return {
        "image_seq": seq,
        "position": position,
        "role": contribution.role.value,
        "actor_kind": "person" if person else "system",
        "actor": actor.id if isinstance(actor, Person) else systems[actor],
        "grade": contribution.sealed_grade.value,
        "source": mentions.hide(evidence.source),
        "sha256": evidence.sha256,
        "measured": measured_json(evidence),
        "minutes": evidence.minutes,
        "note": mentions.hide(evidence.note),
        "at": contribution.at,
        "ledger_seq": None,
    }
