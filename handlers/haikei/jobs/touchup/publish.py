"""
Make a touch-up's files and show it in the tracker, as a Version on top of what was painted over.

Its files are the marked picture, the map of what was changed, and its record.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path, PurePosixPath

from haikei.credits import (
    BackgroundVersion,
    ImageKind,
    ImageRecord,
    Person,
    SourceType,
    is_ai,
    overall_source_type,
    people,
    records,
)
from haikei.credits.records.confirmations import disowned
from haikei.database import reading
from haikei.errors import LedgerError, ParentUnknown
from haikei.fingerprint import fingerprint_text
from haikei.images import Picture, read_picture
from haikei.jobs.chain import Base, Chain, lineage_credit, own_copy, require_whole
from haikei.jobs.contributions import roles_text, systems_text
from haikei.jobs.job import TouchUpOrder
from haikei.jobs.publishing import MadeVersion, make_version, review_pictures
from haikei.jobs.tools import Tools
from haikei.jobs.touchup.painter import generative_fill, painting
from haikei.jobs.touchup.parent import Parent, read_own
from haikei.ledger import entry
from haikei.measure import MeasuredChange, as_resaved, measure_change, write_change_map
from haikei.measurements import Change
from haikei.provenance import AiSign
from haikei.show import Place
from haikei.texts import NOT_DECLARED_HOW
from haikei.trackers import LayoutContext, PublishedImage, PublishRequest


def show(
    background: BackgroundVersion,
    parent: Parent,
    context: LayoutContext,
    artists: Sequence[Person],
    tools: Tools,
    folder: Path,
) -> BackgroundVersion:
    """
    Make the tracker's rows of a recorded touch-up complete, and note where they are.

    Args:
        background: the touch-up, as it is recorded.
        parent: the version that was painted over.
        context: its place in the tracker.
        artists: who painted; the Version is the first one's, and its credits name all.
        tools: the studio's.
        folder: of ours, with the pictures that reviewers look at, or to make them in.

    Raises:
        TrackerError: the tracker does not answer, or refuses.
    """
    settings = tools.settings
    review, thumbnail = review_pictures(PurePosixPath(background.final.path), tools, folder)
    with reading(tools.database) as connection:
        sealed = entry(connection, background.ledger[-1]).payload
        # Since it was made, somebody may have asked not to be named, or was renamed.
        recorded_now = records.background(connection, background.key)
    images = background.images if recorded_now is None else recorded_now.images
    credit = lineage_credit(images, unnamed=tools.unnamed)
    path = tools.storage.published(PurePosixPath(background.final.path))
    manner = "" if not is_undeclared(background) else f" {NOT_DECLARED_HOW.en.capitalize()}."
    description = f"Painted over {parent.version.code}; {share_text(background)}{manner}"
    result = tools.tracker().publish(
        PublishRequest(
            key=background.key,
            context=context,
            layout=parent.layout,
            code=background.code,
            version_number=background.version,
            description=f"{description}\n{credit.en}\n{credit.ja}",
            status=settings.tracker.review_status,
            review_image=review,
            thumbnail=thumbnail,
            images=(
                PublishedImage(
                    file=tools.storage.stored(path, background.final.sha256),
                    type=settings.tracker.touch_up_type,
                    name=f"{background.shot}_bg_{parent.stream}",
                    description=description,
                ),
            ),
            credit_en=credit.en,
            credit_ja=credit.ja,
            system=systems_text(images),
            source_type=overall_source_type(images).value,
            record_sha256=hashlib.sha256(sealed.encode()).hexdigest(),
            roles=roles_text(images),
            ledger_index=background.ledger[-1],
            record_link=f"{background.final.path}.json",
            parent_file=context.parent_file,
            artist=artists[0],
        )
    )
    with tools.database.begin() as connection:
        records.published(connection, background.key, tracker_id=result.version.id, url=result.url)
    return replace(background, tracker_id=result.version.id, url=result.url)


def is_undeclared(background: BackgroundVersion) -> bool:
    """Tell whether nobody says how a touch-up was made, by hand or with a generative tool."""
    final = background.final
    return not background.is_drawn(final) and not is_ai(final)


def share_text(background: BackgroundVersion) -> str:
    """Return what was measured of a touch-up, in a few words."""
    change = change_of(background)
    regions = len(change.regions)
    return (
        f"{change.area_ppm / 10_000:.2f} % of the area changed locally, in {regions} "
        f"region{'' if regions == 1 else 's'} ({change.method}). Area is not effort."
    )


def change_of(background: BackgroundVersion) -> Change:
    """
    Return what was measured of a touch-up.

    Raises:
        LedgerError: it is recorded without.
    """
    for contribution in background.final.contributions:
        if contribution.evidence.change is not None:
            return contribution.evidence.change
    raise LedgerError(f"{background.code} is recorded without what was measured of it.")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Examined:
    """A paint-over, compared with the version that it is on."""

    parent: Parent
    copy: Path  #: of the artist's file, in a folder of ours
    sha256: str  #: of the artist's file
    picture: Picture
    measured: MeasuredChange
    ai_found: str  #: marks of a trained model in the file that the parent does not have
    resaved: str = ""  #: how a program saved it, where that changed the whole of it


def examine(
    order: TouchUpOrder, parent: Parent, sha256: str, *, tools: Tools, folder: Path
) -> Examined:
    """
    Compare an artist's file with the version that it is painted over.

    Args:
        order: the file and what the artist declares.
        parent: the version.
        sha256: of the artist's file, by which it is known that it stays the same.
        tools: the studio's.
        folder: of ours; the copy that everything is made from goes there.

    Raises:
        ParentUnknown: it shows another drawing.
        ImageUnreadable: it is no picture, or damaged.
        LayoutChanged: the file changed meanwhile.
        MarksBroken: it carries marks that do not hold.
    """
    copy = own_copy(order.file, sha256, folder)
    picture = read_picture(copy, limits=tools.limits)
    marks = read_own(copy, tools)
    require_whole(marks)
    before = read_picture(parent.path, limits=tools.limits)
    measured, resaved = measure_painted(before, picture)
    code = parent.version.code
    if not measured.related:
        alike = measured.similarity_ppm / 10_000
        raise ParentUnknown(
            f"{order.file.name} does not show what {code} shows: of what is drawn {alike:.1f} % is "
            "alike.",
            advice="Name the version that was painted over, or publish it as a layout of its own.",
        )
    # Marks may come along from the parent, and so may a program's own text; another text of that
    # program states what was done since.
    known = {_identity(sign) for sign in parent.marks.ai_signs if sign.proof}
    new = [sign.what for sign in marks.ai_signs if sign.proof and _identity(sign) not in known]
    return Examined(
        parent=parent,
        copy=copy,
        sha256=sha256,
        picture=picture,
        measured=measured,
        ai_found=", ".join(dict.fromkeys(new)),
        resaved=resaved,
    )


def _identity(sign: AiSign) -> tuple[bool, str, str]:
    """Return by what a sign is known again in a file that was made of another."""
    return sign.where.startswith(("XMP ", "C2PA ")), sign.what, sign.sha256


def measure_painted(before: Picture, picture: Picture) -> tuple[MeasuredChange, str]:
    """
    Return what was painted on a picture, and how it was saved where that changed it as well.

    What a program did to all of it, such as strong compression, is nobody's painting.
    """
    measured = measure_change(before, picture)
    if not measured.change.area_ppm and measured.related:
        return measured, ""
    base, resaved = as_resaved(before, picture)
    if not resaved:
        return measured, ""
    again = measure_change(base, picture)
    nearer = again.change.area_ppm < measured.change.area_ppm or not measured.related
    return (again, resaved) if nearer else (measured, "")


def make(
    order: TouchUpOrder,
    examined: Examined,
    artists: Sequence[Person],
    *,
    by_hand: str,
    key: str,
    version: int,
    place: Place,
    at: datetime,
    tools: Tools,
    folder: Path,
) -> MadeVersion:
    """
    Make all files of a touch-up in a folder of ours; nothing is published yet.

    Raises:
        CreditError: human work in the lineage is not named.
        MarksError: the picture cannot be marked, or marks below it do not hold.
        SigningUnavailable: the time-stamp authority or key service is away.
        StorageUnavailable: the folder does not take the files.
    """
    parent, copy = examined.parent, examined.copy
    change_map = folder / "change.png"
    map_sha256 = write_change_map(examined.measured, examined.picture, change_map)
    change = replace(examined.measured.change, map_sha256=map_sha256)
    ai = order.used_generative_fill or bool(examined.ai_found)
    if by_hand and ai:
        # A statement about a whole show, or about this file, did not cover the model.
        by_hand = (
            f"{by_hand}, and {'the file' if examined.ai_found else 'the order'} says otherwise"
        )
    contributions = [
        painting(
            artist,
            of=parent.version.code,
            order=order,
            change=change,
            sha256=examined.sha256,
            at=at,
            by_hand=by_hand,
            resaved=examined.resaved,
        )
        for artist in artists
    ]
    if ai:
        contributions.append(generative_fill(order, examined.ai_found, at))
    unaided = SourceType.HUMAN_EDITS if by_hand else SourceType.NOT_DECLARED
    image = ImageRecord(
        key=f"{key}/touch_up",
        sha256="",
        pixels_sha256=examined.picture.sha256(),
        fingerprint=fingerprint_text(examined.picture),
        kind=ImageKind.TOUCH_UP,
        source_type=SourceType.COMPOSITE_TRAINED if ai else unaided,
        ingredients=(),
        contributions=tuple(contributions),
        request_json="",
        path=str(
            tools.storage.touch_up_path(
                place=place,
                season=parent.version.season,
                time=parent.version.time,
                version=version,
                ext=copy.suffix.removeprefix("."),
            )
        ),
        created_at=at,
    )
    # Whom the tracker spells otherwise by now is called so in all steps that the marks tell of.
    names = {artist.id: artist for artist in artists}
    images = tuple(one.with_names(names) for one in parent.version.images)
    base = Base(images=images, path=parent.path, code=parent.version.code)
    with reading(tools.database) as connection:
        # Marks below it that name whose work it was not are left out, as withdrawn names are.
        gone = disowned(connection, [one.sha256 for one in parent.version.images])
        withdrawn = people.withdrawn(connection) | {person for person, _ in gone}
    chain = Chain(tools.marks(), unnamed=tools.unnamed, base=base, withdrawn=withdrawn)
    chain.mark(image, source=copy, target=folder / f"marked{copy.suffix}")
    return make_version(
        chain,
        examined.picture,
        key=key,
        version=version,
        stages=("touch_up",),
        change_map=change_map,
        tools=tools,
        folder=folder,
    )
