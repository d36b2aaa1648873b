"""Every error that Haikei raises on purpose, under one root.

::

    HaikeiError
    ├── SettingsError          a setting is missing, unknown or wrong
    ├── StateError             the studio's database or state folder cannot be used
    │   └── BackupUnusable     a back-up is damaged, incomplete, or of a newer Haikei
    ├── LayoutRefused          this layout will not become a background as things stand
    │   ├── PlaceUnknown       its path or its row names no project and shot we can use
    │   ├── ImageUnreadable    the file is damaged, truncated, too large or no image
    │   ├── LayoutChanged      the file is not the one that was announced
    │   │   └── LayoutReplaced what it holds now is another job: this one is superseded
    │   ├── SheetBlank         nothing is drawn on it: people are asked
    │   ├── LayoutDisputed     the same pixels are recorded as somebody else's: people are asked
    │   └── PolicyRefusal      consent, the show's rule or a model's licence says no
    ├── GenerationError        a generator could not make the picture
    │   ├── ModelUnusable      a model folder is incomplete, unsafe or undeclared
    │   ├── GenerationCancelled
    │   ├── GeneratorDenied        a service lets us not in, or has no quota left for us
    │   └── GeneratorUnavailable   may pass: the device or service is busy or down
    ├── StorageError           a file could not be published
    │   ├── PathRefused        a path leaves its root or its template
    │   ├── AlreadyPublished   other bytes already stand at this path
    │   ├── StorageDenied      the account may not write there
    │   └── StorageUnavailable may pass: the disk is full, the mount is away
    ├── TrackerError           the tracker refused what was asked
    │   ├── TrackerRejected    a row, field, status or permission is not as needed
    │   │   ├── RowMissing     there is no such row
    │   │   └── TrackerDenied  it lets us not in, or lacks what every job needs
    │   ├── TrackerUnavailable may pass: no answer, a time-out, maintenance
    │   ├── RequestForged      a request to our pages is not signed by the studio's tracker
    │   └── RequestMalformed   a signed request does not say what such a request says
    ├── LedgerError            the ledger cannot take or confirm a record
    │   ├── HistoryChanged     the rows no longer give what a checkpoint has sealed
    │   ├── ProofInvalid       a note, proof or bundle does not show what it should
    │   └── OutletUnavailable  may pass: a checkpoint could not be sent or time-stamped
    ├── CreditError            credits would be untrue: unnamed human work, a tool as a person
    ├── MarksError             marks in a file (XMP, C2PA) cannot be read or written
    │   ├── MarksUnreadable    the file's structure is malformed, too large or not one we know
    │   ├── MarksBroken        an input's marks do not hold: nothing is signed on top of them
    │   ├── SourceTypeUnknown  no term of the vocabularies of digital source types
    │   └── SigningUnavailable may pass: the certificate is not valid now, or an authority is away
    ├── TouchUpRefused         a paint-over is of no version of ours, or not of the one named
    │   ├── ParentUnknown      what a paint-over stands on is not known, or is another drawing
    │   ├── NothingPainted     no change is measured: it is a conversion, and nobody is credited
    │   ├── PainterDisputed    the same file was taken in before, as somebody else's
    │   └── PainterUnnamed     several people may have painted it: people are asked
    ├── ReportError            a report cannot be made or written as asked
    ├── DeliveryError          a delivery cannot be examined
    ├── ReviewError            a decision cannot be taken as asked
    │   └── ReviewOvertaken    somebody else decided meanwhile
    ├── NotificationUnsent     may pass: a mail server, a chat or a hook does not take a message
    ├── TokenError             a token of the API cannot be made or found
    └── JobError               a job is not in a state in which this can be done

An error says what happened, to what, and what to do. `transient` is true where waiting may help:
such errors are retried with back-off, all others go to the dead letters at once. `site_wide` is
true where every job would meet the same: such errors hold the lane, and no job dies of them.
"""

from typing import ClassVar, Final

#: The longest that a far side may ask us to wait, in seconds: then it is asked again.
LONGEST_ASKED: Final = 7200.0


class HaikeiError(Exception):
    """
    Something went wrong that Haikei understands.

    Args:
        message: what happened and to what.
        advice: what to do next, as an imperative sentence.
        retry_after: seconds to wait before trying again, where the far side asks for it; whatever
            it asks for, this is between 0 and `LONGEST_ASKED`.
    """

    transient: ClassVar[bool] = False
    site_wide: ClassVar[bool] = False

    def __init__(
        self, message: str, *, advice: str | None = None, retry_after: float | None = None
    ) -> None:
        if retry_after is not None:
            # In this order what is no number at all becomes 0.
            retry_after = min(max(0.0, retry_after), LONGEST_ASKED)
        super().__init__(message, advice, retry_after)
        self.message = message
        self.advice = advice
        self.retry_after = retry_after

    def __str__(self) -> str:
        return f"{self.message} {self.advice}" if self.advice else self.message

    def __reduce__(self) -> tuple[object, ...]:
        # Keyword-only arguments survive pickling between processes only by this.
        return _rebuild, (type(self), self.message, self.advice, self.retry_after)


def _rebuild(
    kind: type[HaikeiError], message: str, advice: str | None, retry_after: float | None
) -> HaikeiError:
    return kind(message, advice=advice, retry_after=retry_after)


class SettingsError(HaikeiError):
    """A setting is missing, unknown or wrong."""


class StateError(HaikeiError):
    """The studio's database or state folder cannot be used."""


class BackupUnusable(StateError):
    """A back-up is damaged, incomplete, or of a newer Haikei."""


class LayoutRefused(HaikeiError):
    """This layout will not become a background as things stand."""


class PlaceUnknown(LayoutRefused):
    """The layout's path or row names no project and shot we can use."""


class ImageUnreadable(LayoutRefused):
    """The file is damaged, truncated, too large or no image."""


class LayoutChanged(LayoutRefused):
    """The file is not the one that was announced."""


class LayoutReplaced(LayoutChanged):
    """The file was saved again, and what it holds now is another job."""


class SheetBlank(LayoutRefused):
    """Nothing is drawn on the layout's sheet: people are asked whether that is meant."""


class LayoutDisputed(LayoutRefused):
    """A layout's pixels are recorded as the work of somebody else: people are asked."""


class PolicyRefusal(LayoutRefused):
    """Consent, the show's rule or a model's licence says no."""


class GenerationError(HaikeiError):
    """A generator could not make the picture."""


class ModelUnusable(GenerationError):
    """A model folder is incomplete, unsafe or undeclared."""


class GenerationCancelled(GenerationError):
    """The job was cancelled while its picture was being made."""


class GeneratorDenied(GenerationError):
    """A service outside lets us not in, knows no such model, or has no quota left for us."""

    site_wide = True


class GeneratorUnavailable(GenerationError):
    """The device or service is busy or down."""

    transient = True
    site_wide = True


class StorageError(HaikeiError):
    """A file could not be published."""


class PathRefused(StorageError):
    """A path leaves its root or its template."""


class AlreadyPublished(StorageError):
    """Other bytes already stand at this path."""


class StorageDenied(StorageError):
    """The account that Haikei runs as may not do there what it must."""

    site_wide = True


class StorageUnavailable(StorageError):
    """The disk is full or the mount is away."""

    transient = True
    site_wide = True


class TrackerError(HaikeiError):
    """The tracker refused what was asked."""


class TrackerRejected(TrackerError):
    """A row, field, status or permission is not as needed."""


class RowMissing(TrackerRejected):
    """There is no such row."""


class TrackerDenied(TrackerRejected):
    """The tracker lets us not in, or lacks a right, field, status or storage that all jobs need."""

    site_wide = True


class TrackerUnavailable(TrackerError):
    """The tracker gives no answer, times out or is in maintenance."""

    transient = True
    site_wide = True


class RequestForged(TrackerError):
    """A request to our pages is not signed by the studio's tracker, or not a moment ago."""


class RequestMalformed(TrackerError):
    """A signed request does not say what such a request says."""


class LedgerError(HaikeiError):
    """The ledger cannot take or confirm a record."""


class HistoryChanged(LedgerError):
    """The ledger's rows no longer give what a checkpoint has sealed."""


class ProofInvalid(LedgerError):
    """A note, a proof or a bundle does not show what it should."""


class OutletUnavailable(LedgerError):
    """A checkpoint could not be sent, or not be time-stamped."""

    transient = True


class CreditError(HaikeiError):
    """Credits would be untrue: unnamed human work, a tool as a person."""


class MarksError(HaikeiError):
    """Marks in a file (XMP, C2PA) cannot be read or written."""


class MarksUnreadable(MarksError):
    """The file's structure is malformed, too large or not one we know."""


class MarksBroken(MarksError):
    """An input's marks do not hold: nothing is signed on top of them."""


class SourceTypeUnknown(MarksError):
    """No term of the vocabularies of digital source types."""


class SigningUnavailable(MarksError):
    """The certificate is not valid now, or its time-stamp authority or key service is away."""

    transient = True
    site_wide = True


class TouchUpRefused(HaikeiError):
    """A paint-over is of no version of ours, or not of the one named."""


class ParentUnknown(TouchUpRefused):
    """What a paint-over stands on is not known, or is another drawing: people are asked."""


class NothingPainted(TouchUpRefused):
    """A file shows no measured change: it is a conversion of a picture of ours, and no touch-up."""


class PainterDisputed(TouchUpRefused):
    """The same file was taken in before, as the work of somebody else: people are asked."""


class PainterUnnamed(TouchUpRefused):
    """Several people may have painted a touch-up; people are asked which of them did."""


class ReportError(HaikeiError):
    """A report cannot be made or written as asked."""


class DeliveryError(HaikeiError):
    """A delivery cannot be examined: a path or its declaration is missing or wrong."""


class ReviewError(HaikeiError):
    """A decision cannot be taken as asked: no such version, or no status stands for it."""


class ReviewOvertaken(ReviewError):
    """Somebody decided otherwise after the page was made on which a decision was taken."""


class NotificationUnsent(HaikeiError):
    """A mail server, a chat or a hook does not take a message."""

    transient = True


class TokenError(HaikeiError):
    """A token of the API cannot be made or found."""


class JobError(HaikeiError):
    """A job is not in a state in which this can be done."""
