"""How the tracker's key is found, and the adapter by its name."""

from pathlib import Path

import keyring
import pytest
from keyring.errors import NoKeyringError
from pydantic import SecretStr

from haikei.errors import SettingsError
from haikei.settings import Settings
from haikei.trackers import (
    load_board,
    load_desk,
    load_playlist_desk,
    load_review_desk,
    load_tracker,
    tracker_key,
)
from haikei.trackers import loading as loading_module
from haikei.trackers.shotgrid.crediting import ShotGridCheckpointBoard, ShotGridCreditDesk
from haikei.trackers.shotgrid.playlists import ShotGridPlaylistDesk
from haikei.trackers.shotgrid.review import ShotGridReviewDesk
from haikei.trackers.shotgrid.tracker import ShotGridTracker
from support.sites import site_settings
from support.trackers import MemoryTracker


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
    with pytest.raises(SettingsError, match=r"'kitsu'.*shotgrid"):
        load_tracker(studio(tmp_path, kind="kitsu", key=SecretStr("k")))


def test_the_tracker_has_a_desk_for_each_purpose(tmp_path: Path) -> None:
    settings = studio(tmp_path, key=SecretStr("k"))

    assert isinstance(load_desk(settings), ShotGridCreditDesk)
    assert isinstance(load_board(settings), ShotGridCheckpointBoard)
    assert isinstance(load_review_desk(settings), ShotGridReviewDesk)
    assert isinstance(load_playlist_desk(settings), ShotGridPlaylistDesk)


def test_a_tracker_that_lacks_a_desk_is_an_error_with_advice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def other(_settings: Settings) -> MemoryTracker:
        return MemoryTracker()

    monkeypatch.setattr(loading_module, "load_tracker", other)

    with pytest.raises(SettingsError, match=r"'kitsu' keeps neither credits nor hours"):
        load_desk(studio(tmp_path, kind="kitsu"))
    with pytest.raises(SettingsError, match=r"'kitsu' cannot show.*tracker_field to false"):
        load_board(studio(tmp_path, kind="kitsu"))
    with pytest.raises(SettingsError, match=r"'kitsu' knows no decisions and no notes"):
        load_review_desk(studio(tmp_path, kind="kitsu"))
    with pytest.raises(SettingsError, match=r"'kitsu' has no playlists.*dailies.enabled to false"):
        load_playlist_desk(studio(tmp_path, kind="kitsu"))
