"""Show a touch-up in the tracker: as a Version by its painter, on top of what was painted over."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

from haikei.credits import BackgroundVersion, Person, overall_source_type, records
from haikei.database import reading
from haikei.errors import LedgerError
from haikei.jobs.chain import lineage_credit
from haikei.jobs.contributions import roles_text, systems_text
from haikei.jobs.publishing import review_pictures
from haikei.jobs.tools import Tools
from haikei.jobs.touchup.parent import Parent
from haikei.ledger import entry
from haikei.measurements import Change
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
    images, settings = background.images, tools.settings
    review, thumbnail = review_pictures(PurePosixPath(background.final.path), tools, folder)
    credit = lineage_credit(images, unnamed=tools.unnamed)
    with reading(tools.database) as connection:
        sealed = entry(connection, background.ledger[-1]).payload
    path = tools.storage.published(PurePosixPath(background.final.path))
    description = f"Painted over {parent.version.code}; {share_text(background)}"
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
