"""Integrate: the background becomes a Version in review, with its files, links and credits."""

import shutil
from collections.abc import Sequence

from haikei.credits import CreditLine, ImageRecord, overall_source_type, printed_person, records
from haikei.credits.records import asking
from haikei.database import reading
from haikei.jobs.background.collect import Collected
from haikei.jobs.background.record import Recorded
from haikei.jobs.chain import lineage_credit
from haikei.jobs.contributions import layout_key, roles_text, systems_text
from haikei.jobs.job import JobOrder
from haikei.jobs.progress import JobProgress
from haikei.jobs.publishing import MadePicture, MadeVersion, review_pictures
from haikei.jobs.tools import Tools
from haikei.notify.notice import Notice, NoticeKind, note
from haikei.presets import RegionChanged
from haikei.texts import ARTIST_QUESTION, LOOK_QUESTION
from haikei.trackers import NoteWrite, PublishedImage, PublishRequest, PublishResult


def integrate(
    order: JobOrder,
    collected: Collected,
    made: MadeVersion,
    recorded: Recorded,
    *,
    tools: Tools,
    progress: JobProgress,
    changed: tuple[RegionChanged, ...] = (),
) -> PublishResult:
    """
    Make the tracker's rows for a background complete that is published and sealed in the ledger.

    Args:
        order: the job's.
        collected: what the tracker answered.
        made: the published files.
        recorded: the ledger's entry.
        tools: the studio's.
        progress: of the job.
        changed: what a retake changed in parts of the picture, for the answer to its notes.

    Raises:
        StorageUnavailable: the storage is away.
        TrackerError: the tracker does not answer, or refuses.
    """
    review, thumbnail = review_pictures(
        made.background.file.relative, tools, tools.folder(order.key)
    )
    with reading(tools.database) as connection:
        # Since the files were made, somebody may have asked not to be named, or was renamed.
        recorded_now = records.background(connection, order.key)
    images = made.images if recorded_now is None else recorded_now.images
    credit = lineage_credit(images, unnamed=tools.unnamed)
    published = tools.tracker().publish(
        PublishRequest(
            key=order.key,
            context=collected.context,
            layout=collected.layout,
            code=made.code,
            version_number=made.version_number,
            description=_description(order, made, credit),
            status=_status(made, tools),
            review_image=review,
            thumbnail=thumbnail,
            images=_images(order, made, tools),
            credit_en=credit.en,
            credit_ja=credit.ja,
            system=systems_text(images),
            source_type=overall_source_type(images).value,
            record_sha256=recorded.sha256,
            roles=roles_text(images),
            ledger_index=recorded.ledger_index,
            record_link=str(made.record.relative),
            layout_version=order.layout_version,
            unread=made.unread,
        )
    )
    asked = (
        _ask_for_artist(order, collected, images, published, tools),
        _ask_for_look(order, collected, made, published, tools),
    )
    with tools.database.begin() as connection:
        for question in filter(None, asked):
            note(connection, question)
        records.published(connection, order.key, tracker_id=published.version.id, url=published.url)
        progress.done(connection, published, changed)
    # All of it stands in storage now, and the lineage finds it by its hash.
    shutil.rmtree(tools.folder(order.key), ignore_errors=True)
    return published


def _ask_for_artist(
    order: JobOrder,
    collected: Collected,
    images: Sequence[ImageRecord],
    published: PublishResult,
    tools: Tools,
) -> Notice | None:
    """Ask in the tracker who drew the layout, once for a layout; return the notice about it."""
    question = asking.open_question(images)
    tracker = tools.tracker()
    if question is None:
        return None
    context, key = collected.context, f"{layout_key(order)}/artist"
    names = ", ".join(f"{printed_person(one).en} ({one.id})" for one in context.candidates)
    url = published.url
    if tracker.parts.review is not None:
        asked = tracker.parts.review.write(
            NoteWrite(
                key=key,
                project=context.project,
                links=(published.version, context.shot),
                subject=f"{ARTIST_QUESTION} {order.layout.name}",
                text=f"{ARTIST_QUESTION}\n{order.layout.name}: {names}. "
                f"The tracker names all of them ({question.evidence.source}).\n"
                "Reply with one name or id; credits say that nobody is named until then. "
                "(お一人の氏名またはIDを返信してください)",
                to=tools.settings.review.dailies.supervisors,
            )
        )
        url = tracker.address(asked)
    text = f"{order.place.name}: {ARTIST_QUESTION.en} {order.layout.name}: {names}"
    return Notice(key=key, kind=NoticeKind.QUESTION, text=text, url=url)


def _too_doubtful(made: MadeVersion, tools: Tools) -> bool:
    return made.unread is not None and made.unread > tools.settings.review.unread_limit


def _status(made: MadeVersion, tools: Tools) -> str:
    settings = tools.settings.tracker
    return settings.look_status if _too_doubtful(made, tools) else settings.review_status


def _ask_for_look(
    order: JobOrder,
    collected: Collected,
    made: MadeVersion,
    published: PublishResult,
    tools: Tools,
) -> Notice | None:
    """Tell supervisors of a version that stays out of review, and which parts are not read."""
    if not _too_doubtful(made, tools):
        return None
    tracker, key = tools.tracker(), f"{order.key}/look"
    notes = " ".join(made.notes)
    url = published.url
    if tracker.parts.review is not None:
        asked = tracker.parts.review.write(
            NoteWrite(
                key=key,
                project=collected.context.project,
                links=(published.version, collected.context.shot),
                subject=f"{LOOK_QUESTION} {made.code}",
                text=f"{LOOK_QUESTION}\n{notes}\nIt isn't in review: set its status to "
                f"{tools.settings.tracker.review_status!r} if it is good enough, or decide on it.\n"
                "(レビューには出していません。問題なければステータスを変更してください)",
                to=tools.settings.review.dailies.supervisors,
            )
        )
        url = tracker.address(asked)
    text = f"{order.place.name}: {LOOK_QUESTION.en} {made.code}: {notes}"
    return Notice(key=key, kind=NoticeKind.QUESTION, text=text, url=url)


def _images(order: JobOrder, made: MadeVersion, tools: Tools) -> tuple[PublishedImage, ...]:
    types = tools.settings.tracker
    system = systems_text(made.images)
    stream = f"{order.place.shot}_bg_{order.stream}"

    def image(picture: MadePicture, type_: str, name: str, what: str) -> PublishedImage:
        path = tools.storage.published(picture.file.relative)
        return PublishedImage(
            file=tools.storage.stored(path, picture.file.sha256),
            type=type_,
            name=name,
            description=f"{what} ({picture.stage}), by {system}.",
        )

    return (
        image(made.background, types.background_type, stream, "Background"),
        *(
            image(one, types.stage_type, f"{stream}_{one.stage}", "Intermediate generation")
            for one in made.generations
        ),
    )


def _description(order: JobOrder, made: MadeVersion, credit: CreditLine) -> str:
    retake = ""
    if order.retake is not None:
        wishes = "; ".join(order.retake.instructions.understood) or "another seed"
        retake = f"Retake of {order.retake.parent_version_code}: {wishes}.\n"
    doubts = "".join(f"{sentence}\n" for sentence in made.notes)
    return (
        f"{order.season}, {order.time}; recipe {order.recipe}; "
        f"from the layout {order.layout.name}.\n{retake}{doubts}{credit.en}\n{credit.ja}"
    )
