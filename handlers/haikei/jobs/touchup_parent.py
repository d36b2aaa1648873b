"""What a paint-over stands on: the version, its file, and whether that file's marks hold."""

import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from sqlalchemy import Connection, select

from haikei.credits import BackgroundVersion, ImageKind, records
from haikei.database import jobs, reading
from haikei.errors import StorageUnavailable, TouchUpRefused
from haikei.files import sha256_of
from haikei.jobs.inputmarks import require_whole
from haikei.jobs.rows import order_of
from haikei.jobs.tools import Tools
from haikei.provenance import FileMarks, read_marks
from haikei.trackers import Place, StoredFile

_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Parent:
    """The version that was painted over."""

    version: BackgroundVersion
    path: Path  #: of its file, which is the one that was recorded
    marks: FileMarks  #: they hold
    layout: StoredFile  #: as the tracker knows it

    @property
    def place(self) -> Place:
        """Where in the show it belongs."""
        version = self.version
        return Place(project=version.project, sequence=version.sequence, shot=version.shot)

    @property
    def stream(self) -> str:
        """Versions are numbered within one shot and stream."""
        return f"{self.version.season}_{self.version.time}"


def parent_of(of: str, tools: Tools) -> Parent:
    """
    Return the version that was painted over, found by its code or its file's SHA-256.

    Raises:
        TouchUpRefused: there is no such version, or it is not the only one.
        MarksBroken: its file is not the one that was recorded, or its marks do not hold.
        StorageUnavailable: its file cannot be read.
    """
    with reading(tools.database) as connection:
        version = _version(connection, of)
        layout = _layout(connection, version, tools)
    path = tools.storage.published(PurePosixPath(version.final.path))
    try:
        found = sha256_of(path)
    except OSError as error:
        raise StorageUnavailable(
            f"{version.code} cannot be read from {path}: {error.strerror or error}.",
            advice="Mount the storage, or bring the file back from the backup.",
        ) from error
    marks = read_own(path, tools)
    require_whole(marks)
    if found != version.final.sha256:
        raise TouchUpRefused(
            f"{path} is not the file that was recorded as {version.code}: it was changed.",
            advice="Bring the published file back; nothing stands on a changed one.",
        )
    return Parent(version=version, path=path, marks=marks, layout=layout)


def read_own(path: Path, tools: Tools) -> FileMarks:
    """
    Return what a file says about itself, checked against the roots that we trust.

    Raises:
        MarksUnreadable: its structure is malformed.
    """
    signer = tools.marks()
    return read_marks(
        path, trust_pem=signer.trust_pem, timestamp_trust_pem=signer.timestamp_trust_pem
    )


def _version(connection: Connection, of: str) -> BackgroundVersion:
    if _SHA256.fullmatch(of):
        whole = records.backgrounds_with(connection, of)
        found = [version for version in whole if version.final.sha256 == of]
        if len(found) == 1:
            return found[0]
        if whole:
            codes = ", ".join(sorted({version.code for version in found or whole}))
            raise TouchUpRefused(
                f"The file {of[:12]}… is a step of {codes}, and not one version's picture alone.",
                advice="Say by its code which version was painted over.",
            )
    else:
        version = records.by_code(connection, of)
        if version is not None:
            return version
    raise TouchUpRefused(
        f"No version of ours is {of!r}.",
        advice="Name the version by its code in the tracker, such as c001_bg_summer_day_v001.",
    )


def _layout(connection: Connection, version: BackgroundVersion, tools: Tools) -> StoredFile:
    """Return the artist's own layout, where its job is known; else what was recorded of it."""
    for image in version.images:
        if image.kind is not ImageKind.BACKGROUND:
            continue
        query = select(jobs.c.order_json).where(jobs.c.key == image.key.rpartition("/")[0])
        text = connection.execute(query).scalar()
        if text:
            order = order_of(text)
            return tools.storage.stored(order.layout, order.layout_sha256)
    first = version.images[0]
    return tools.storage.stored(tools.storage.published(PurePosixPath(first.path)), first.sha256)
