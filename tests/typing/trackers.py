"""Type-checked, never run: what a package with a tracker adapter relies on."""

from collections.abc import Callable
from typing import assert_type

from pydantic import SecretStr

from haikei.checkup import Finding
from haikei.settings import Settings
from haikei.show import Row
from haikei.trackers import (
    ContextRequest,
    LayoutContext,
    PublishRequest,
    PublishResult,
    Tracker,
    TrackerParts,
    load_tracker,
)


class Whiteboard:
    """A tracker as a studio writes it: it inherits nothing from Haikei."""

    def __init__(self, settings: Settings, key: SecretStr) -> None:
        self._key = key
        self._settings = settings

    def context(self, request: ContextRequest) -> LayoutContext:
        return LayoutContext(
            project=Row(type="Project", id=1, name=request.place.project),
            sequence=None,
            shot=Row(type="Shot", id=2, name=request.place.shot),
            task=None,
            layout_file=None,
            artists=(),
            artist_logins=(),
            latest_version=0,
        )

    def publish(self, request: PublishRequest) -> PublishResult:
        return PublishResult(
            version=Row(type="Version", id=3, name=request.code),
            files=(),
            layout_file=Row(type="PublishedFile", id=4, name=request.layout.relative),
            url="",
            created=True,
        )

    @property
    def name(self) -> str:
        return "Whiteboard"

    @property
    def parts(self) -> TrackerParts:
        return TrackerParts()

    def address(self, row: Row) -> str:
        return f"https://whiteboard.test/{row.type}/{row.id}"

    def close(self) -> None:
        return None

    def setup(self, *, dry_run: bool) -> tuple[Finding, ...]:
        return (Finding(ok=dry_run, subject="whiteboard", message="clean"),)

    def check(self) -> tuple[Finding, ...]:
        return ()


class WriteOnly:
    """No tracker: a job could not learn who drew the layout."""

    def publish(self, request: PublishRequest) -> PublishResult:
        raise NotImplementedError(request)


#: What an entry point of the group `haikei.trackers` names.
entry_point: Callable[[Settings, SecretStr], Tracker] = Whiteboard

refused: Tracker = WriteOnly()  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]


def use(settings: Settings, asked: ContextRequest, request: PublishRequest) -> None:
    tracker = load_tracker(settings)
    assert_type(tracker, Tracker)
    assert_type(tracker.context(asked), LayoutContext)
    result = tracker.publish(request)
    assert_type(result, PublishResult)
    assert_type(result.version, Row)
    assert_type(result.files, tuple[Row, ...])
    assert_type(tracker.check(), tuple[Finding, ...])
