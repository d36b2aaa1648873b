"""How the tracker's key is found, and the adapter by its name."""

from collections.abc import Callable
from importlib.metadata import EntryPoint
from pathlib import Path

import keyring
import pytest
from keyring.errors import NoKeyringError
from pydantic import SecretStr

from haikei.checkup import Finding
from haikei.cli import doctor
from haikei.database import open_database
from haikei.errors import PlaceUnknown, SettingsError, TrackerRejected
from haikei.review import Reviewer
from haikei.settings import Settings
from haikei.show import Row
from haikei.trackers import (
    ContextRequest,
    LayoutContext,
    Part,
    PublishRequest,
    PublishResult,
    Tracker,
    TrackerParts,
    check_parts,
    load_tracker,
    needed,
    tracker_key,
)
from haikei.trackers import loading as loading_module
from haikei.trackers.memory import MemoryTracker
from haikei.trackers.shotgrid import ShotGridTracker
from support.sites import site_settings


def studio(tmp_path: Path, **tracker: object) -> Settings:
    settings = site_settings("http://127.0.0.1:8770", "haikei", tmp_path, tmp_path)
    section = settings.tracker.model_copy(update=tracker)
    return settings.model_copy(update={"tracker": section})


def test_the_key_of_the_environment_comes_first(tmp_path: Path) -> None:
    settings = studio(tmp_path, key=SecretStr("mine"), key_file=tmp_path / "absent")

    assert tracker_key(settings).get_secret_value() == "mine"


def test_the_key_may_stand_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("from a file\n", encoding="utf-8")

    assert tracker_key(studio(tmp_path, key_file=tmp_path / "key")).get_secret_value() == (
        "from a file"
    )


def test_a_key_file_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="key file"):
        tracker_key(studio(tmp_path, key_file=tmp_path / "absent"))


def test_the_key_may_be_in_the_keyring(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ring = {("haikei", "haikei@127.0.0.1"): "from the ring"}

    def stored(service: str, name: str) -> str | None:
        return ring.get((service, name))

    monkeypatch.setattr(keyring, "get_password", stored)

    assert tracker_key(studio(tmp_path)).get_secret_value() == "from the ring"


def test_no_key_anywhere_is_an_error_with_advice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_ring(_service: str, _name: str) -> str | None:
        raise NoKeyringError

    monkeypatch.setattr(keyring, "get_password", no_ring)

    with pytest.raises(SettingsError, match="HAIKEI_TRACKER__KEY"):
        tracker_key(studio(tmp_path))


def test_the_adapter_is_found_by_its_name(tmp_path: Path) -> None:
    assert isinstance(load_tracker(studio(tmp_path, key=SecretStr("k"))), ShotGridTracker)


def test_an_unknown_adapter_is_an_error_that_names_the_known(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"'ftrack'.*shotgrid"):
        load_tracker(studio(tmp_path, kind="ftrack", key=SecretStr("k")))


def test_the_tracker_in_memory_needs_no_key_and_is_one_for_all_threads(tmp_path: Path) -> None:
    settings = studio(tmp_path, kind="memory")

    assert isinstance(load_tracker(settings), MemoryTracker)
    assert load_tracker(settings) is load_tracker(settings)


def test_the_site_has_every_part_and_each_is_one_object(tmp_path: Path) -> None:
    tracker = load_tracker(studio(tmp_path, key=SecretStr("k")))

    for name in Part:
        part = getattr(tracker.parts, name.value)
        # Its webhooks tell where to look, and come over HTTP.
        assert (part is None) == (name is Part.DOORBELL)
        assert part is getattr(tracker.parts, name.value)


class BareTracker:
    """An adapter that publishes, and has no other part."""

    name = "Kitsune"
    parts = TrackerParts()

    def context(self, request: ContextRequest) -> LayoutContext:
        raise PlaceUnknown(f"The tracker has no shot {request.place.shot!r}.")

    def publish(self, request: PublishRequest) -> PublishResult:
        raise TrackerRejected(f"{request.code} is refused.")

    def address(self, row: Row) -> str:
        return f"https://kitsune.test/{row.type}/{row.id}"

    def setup(self, *, dry_run: bool) -> tuple[Finding, ...]:
        return (Finding(ok=True, subject="kitsune", message=f"Dry run: {dry_run}."),)

    def check(self) -> tuple[Finding, ...]:
        return (Finding(ok=True, subject="kitsune", message="It answers."),)

    def close(self) -> None: ...


def open_bare(_settings: Settings) -> Tracker:
    return BareTracker()


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings that name an installed adapter which lacks every part."""
    point = EntryPoint(name="kitsune", value=f"{__name__}:open_bare", group="haikei.trackers")

    def load(_point: EntryPoint) -> Callable[[Settings], Tracker]:
        return open_bare

    def installed(*, group: str) -> tuple[EntryPoint, ...]:
        assert group == point.group
        return (point,)

    monkeypatch.setattr(EntryPoint, "load", load)
    monkeypatch.setattr(loading_module, "entry_points", installed)
    return studio(tmp_path, kind="kitsune")


@pytest.mark.parametrize("name", Part)
def test_who_needs_a_part_that_is_missing_gets_a_clear_error(bare: Settings, name: Part) -> None:
    tracker = load_tracker(bare)

    with pytest.raises(SettingsError, match="The tracker Kitsune ") as caught:
        needed(None, tracker, name)

    assert caught.value.advice


def test_the_check_names_missing_parts_and_fails_for_those_that_the_settings_ask_for(
    bare: Settings,
) -> None:
    findings = {one.subject: one for one in check_parts(load_tracker(bare), bare)}

    assert len(findings) == len(Part)
    assert not findings["tracker part feed"].ok
    assert findings["tracker part feed"].message == (
        "Kitsune has no event log that can be followed."
    )
    assert "events.enabled" in findings["tracker part feed"].advice
    assert findings["tracker part webhooks"].ok


def test_the_doctor_says_what_an_adapter_lacks(bare: Settings) -> None:
    found = list(doctor.tracker(bare))

    assert [one.subject for one in found][-1] == "kitsune"
    assert {"tracker part review", "tracker part playlists"} <= {one.subject for one in found}
    assert list(doctor.statuses(bare)) == []


def test_a_process_that_needs_a_part_ends_with_the_error(bare: Settings, tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{tmp_path / 'haikei.db'}")

    with pytest.raises(SettingsError, match="knows no decisions"):
        _ = Reviewer(bare, database).desk

    database.dispose()
