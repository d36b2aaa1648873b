"""What an upload does to the site: an attachment, and the row or field that shows it."""

from collections.abc import Sequence
from dataclasses import dataclass

from haikei.errors import HaikeiError
from haikei.sgserver.credentials import Caller
from haikei.sgserver.http.form import UploadedFile
from haikei.sgserver.media.media_store import MediaStore
from haikei.sgserver.media.thumbnails import ImageField, ThumbnailMaker, ThumbnailOrder, can_show
from haikei.sgserver.site import Site
from haikei.sgserver.values import Fault, bad_request, failed

#: The field whose media also becomes the row's thumbnail, as on the real site.
_MEDIA_FIELD = ("Version", "sg_uploaded_movie")
#: Clients name this field where they mean: link it to the row, as notes and tickets have it.
_LINKS_ALONE = "attachments"


class ThumbnailNotReady(Fault):
    """The thumbnail that shall be shared is still pending."""

    def __init__(self) -> None:
        super().__init__(104, "The source thumbnail is still being made.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """The row that an upload is for."""

    type: str
    id: int


class Uploads:
    """Puts received files where they belong."""

    def __init__(self, site: Site, media: MediaStore, thumbnails: ThumbnailMaker) -> None:
        self._site = site
        self._media = media
        self._thumbnails = thumbnails

    def attach(
        self,
        caller: Caller,
        file: UploadedFile,
        target: Target,
        *,
        field: str | None,
        display_name: str,
        tags: Sequence[str],
        created_at: str | None,
    ) -> int:
        """
        Link a file to a row, in a field or beside it; return the attachment's number.

        Raises:
            Fault: the row or field is unknown, or the field holds no files.
            StorageUnavailable: the disk is full.
        """
        site = self._site
        attachment = site.create_attachment(
            caller,
            filename=file.filename,
            display_name=display_name,
            content_type=file.content_type,
            size=file.received.size,
            link=(target.type, target.id),
            tags=tags,
            created_at=created_at,
        )
        try:
            self._media.keep(file.received, attachment)
            if field is not None and field != _LINKS_ALONE:
                is_media = (target.type, field) == _MEDIA_FIELD and can_show(file.filename)
                shows = is_media and self._shows_no_other_picture(caller, target)
                site.set_file(caller, target.type, target.id, field, attachment)
                if shows:
                    self._show(caller, file, target, attachment, "image")
        except (Fault, HaikeiError):
            self._undo(caller, attachment)
            raise
        return attachment

    def publish_thumbnail(
        self, caller: Caller, file: UploadedFile, target: Target, *, field: ImageField
    ) -> int:
        """
        Make a file the thumbnail of a row; return the attachment's number.

        Raises:
            Fault: the row is unknown, or the file is no image.
            StorageUnavailable: the disk is full.
        """
        if not can_show(file.filename):
            raise failed(f"{file.filename} is not an image that can be a thumbnail.")
        attachment = self._site.create_attachment(
            caller,
            filename=file.filename,
            display_name=file.filename,
            content_type=file.content_type,
            size=file.received.size,
        )
        try:
            self._media.keep(file.received, attachment)
            self._show(caller, file, target, attachment, field)
        except (Fault, HaikeiError):
            self._undo(caller, attachment)
            raise
        return attachment

    def share_thumbnail(
        self, caller: Caller, source: Target, targets: Sequence[Target], *, field: ImageField
    ) -> int | None:
        """
        Let rows show the thumbnail of another; return the attachment, None when there is none.

        Raises:
            ThumbnailNotReady: the other's is still pending.
            Fault: a row is unknown.
        """
        known = self._site.find_one(caller, source.type, [["id", "is", source.id]])
        if known is None:
            raise failed(f"{source.type} {source.id} does not exist.")
        shown = self._site.image_of(source.type, source.id, field)
        if shown is None:
            for target in targets:
                self._site.update(caller, target.type, target.id, {field: None})
            return None
        attachment, transient = shown
        if transient:
            raise ThumbnailNotReady
        for target in targets:
            self._site.set_image(
                caller, target.type, target.id, attachment, field=field, transient=False
            )
        return attachment

    def _show(
        self,
        caller: Caller,
        file: UploadedFile,
        target: Target,
        attachment: int,
        field: ImageField,
    ) -> None:
        self._site.set_image(
            caller, target.type, target.id, attachment, field=field, transient=True
        )
        self._thumbnails.submit(
            ThumbnailOrder(
                attachment=attachment,
                filename=file.filename,
                entity_type=target.type,
                entity_id=target.id,
                field=field,
                caller_kind=caller.kind,
                caller_id=caller.id,
                caller_name=caller.name,
                generates_events=caller.generates_events,
            )
        )

    def _shows_no_other_picture(self, caller: Caller, target: Target) -> bool:
        # A thumbnail that somebody chose stays; one that earlier media gave is replaced.
        shown = self._site.image_of(target.type, target.id)
        if shown is None:
            return True
        row = self._site.find_one(
            caller, target.type, [["id", "is", target.id]], ["sg_uploaded_movie"]
        )
        match row:
            case {"sg_uploaded_movie": {"id": int(media)}}:
                return shown[0] == media
            case _:
                return False

    def _undo(self, caller: Caller, attachment: int) -> None:
        self._site.delete(caller, "Attachment", attachment)
        self._media.forget(attachment)


def parse_target(text: str) -> Target:
    """
    Return the row that a word such as `Version_3` names.

    Raises:
        Fault: it names none.
    """
    kind, _, number = text.rpartition("_")
    if not (kind.isascii() and kind.isidentifier() and number.isascii() and number.isdigit()):
        raise bad_request(f"{text!r} names no row; a type and a number are needed.")
    if len(number) > 18:
        raise bad_request(f"{number} is no number that a row can have.")
    return Target(type=kind, id=int(number))
