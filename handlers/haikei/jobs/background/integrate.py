"""Integrate: the background becomes a Version in review, with its files, links and credits."""

from pathlib import PurePosixPath

from haikei.credits import overall_source_type
from haikei.jobs.background.collect import Collected
from haikei.jobs.background.extract import Extracted
from haikei.jobs.background.record import Recorded
from haikei.jobs.contributions import roles_text, systems_text
from haikei.jobs.job import JobOrder
from haikei.settings import Settings
from haikei.trackers import PublishedImage, PublishingDesk, PublishRequest, PublishResult


def integrate(
    order: JobOrder,
    collected: Collected,
    extracted: Extracted,
    recorded: Recorded,
    *,
    settings: Settings,
    tracker: PublishingDesk,
) -> PublishResult:
    """
    Make the tracker's rows for a background complete that is published and sealed in the ledger.

    Raises:
        TrackerError: the tracker does not answer, or refuses.
    """
    return tracker.publish(
        PublishRequest(
            key=order.key,
            context=collected.context,
            layout=collected.layout,
            code=extracted.code,
            version_number=extracted.version_number,
            description=_description(order, extracted),
            status=settings.tracker.review_status,
            review_image=extracted.review,
            thumbnail=extracted.thumbnail,
            images=_images(order, extracted, settings),
            credit_en=extracted.credit.en,
            credit_ja=extracted.credit.ja,
            system=systems_text(extracted.images),
            source_type=overall_source_type(extracted.images).value,
            record_sha256=recorded.sha256,
            roles=roles_text(extracted.images),
            ledger_index=recorded.ledger_index,
            record_link=str(extracted.record),
        )
    )


def _images(
    order: JobOrder, extracted: Extracted, settings: Settings
) -> tuple[PublishedImage, ...]:
    images: list[PublishedImage] = []
    system = systems_text(extracted.images)
    stream = f"{order.place.shot}_bg_{order.stream}"
    for made, stored in zip(extracted.files, extracted.stored, strict=True):
        if not made.stage:
            continue
        first = not images
        name = stream if first else f"{stream}_{made.stage}"
        what = "Background" if first else "Intermediate generation"
        images.append(
            PublishedImage(
                file=stored,
                type=settings.tracker.background_type if first else settings.tracker.stage_type,
                name=name,
                description=f"{what} ({made.stage}), by {system}.",
            )
        )
    return tuple(images)


def _description(order: JobOrder, extracted: Extracted) -> str:
    layout = PurePosixPath(order.layout).name
    return (
        f"{order.season}, {order.time}; recipe {order.recipe}; from the layout {layout}.\n"
        f"{_retaken(order)}{extracted.credit.en}\n{extracted.credit.ja}"
    )


def _retaken(order: JobOrder) -> str:
    retake = order.retake
    if retake is None:
        return ""
    wishes = "; ".join(retake.instructions.understood) or "another seed"
    return f"Retake of {retake.parent_version_code}: {wishes}.\n"
