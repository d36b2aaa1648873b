"""Setting up a real Kitsu, and what the doctor says of one that is not as it should be."""

import secrets
from collections.abc import Iterator
from pathlib import Path

import gazu
import pytest
from pydantic import SecretStr

from haikei.checkup import Finding
from haikei.errors import TrackerDenied, TrackerUnavailable
from haikei.settings import Settings
from haikei.trackers.kitsu import KitsuTracker
from support.kitsu import RunningKitsu, running_kitsu
from support.kitsu_bench import KitsuBench, kitsu_settings
from support.servers import closed_port, proxy_before

#: Kitsu's own statuses, which a fresh server has.
STATUSES = {"approve": ["done"], "retake": ["retake"], "hold": [], "omit": []}


@pytest.fixture
def server() -> RunningKitsu:
    return running_kitsu()


def settings_for(url: str, folder: Path, **tracker: object) -> Settings:
    given = kitsu_settings(url, folder).model_dump()
    given["tracker"] |= {"review_status": "wfa", "look_status": "todo", **tracker}
    given["review"]["statuses"] = {**STATUSES, "task_approved": "", "task_retake": ""}
    return Settings.model_validate(given)


def checked(settings: Settings, token: str) -> dict[str, Finding]:
    tracker = KitsuTracker(settings, SecretStr(token))
    try:
        found = tracker.check()
    finally:
        tracker.close()
    for one in found:
        assert one.message
        assert one.ok or one.advice, one
        assert token not in one.message
    return {one.subject: one for one in found}


def bot(server: RunningKitsu, role: str) -> Iterator[str]:
    client = server.client()
    name = f"bot{secrets.token_hex(3)}"
    made = gazu.person.new_bot(name, f"{name}@example.com", role=role, client=client)
    yield str(made["access_token"])
    client.session.close()


def test_setup_makes_what_is_missing_once_and_a_dry_run_nothing(
    server: RunningKitsu, tmp_path: Path
) -> None:
    bench = KitsuBench(server, tmp_path)
    production = f"NEW {secrets.token_hex(2)}"
    gazu.project.new_project(production, client=server.client())
    steps = {
        "background_step": f"BG {secrets.token_hex(2)}",
        "background_type": f"BG {secrets.token_hex(2)}",
        "projects": (production,),
    }
    tracker = KitsuTracker(settings_for(server.url, tmp_path, **steps), bench.key)
    wanted = {
        f"task type {steps['background_step']}",
        f"output type {steps['background_type']}",
        f"column of {production} Haikei Credit",
    }

    def planned() -> set[str]:
        return {one.subject for one in tracker.setup(dry_run=True) if one.planned}

    assert planned() == wanted
    assert planned() == wanted
    made = {one.subject for one in tracker.setup(dry_run=False) if one.message == "It was made."}
    assert made == wanted
    assert planned() == set()
    assert all(one.ok for one in tracker.check())
    tracker.close()
    bench.close()


@pytest.mark.parametrize("role", ["user", "manager"])
def test_a_bot_that_lacks_rights_gets_a_line_for_each(
    server: RunningKitsu, tmp_path: Path, role: str
) -> None:
    (token,) = bot(server, role)
    found = checked(settings_for(server.url, tmp_path), token)
    tracker = KitsuTracker(
        settings_for(server.url, tmp_path, background_step=f"BG {secrets.token_hex(2)}"),
        SecretStr(token),
    )
    refused = [one for one in tracker.setup(dry_run=False) if not one.ok]
    tracker.close()

    assert found["kitsu"].ok
    assert found["kitsu bot"].ok
    assert not found["kitsu role"].ok
    assert found["kitsu right events"].ok == (role != "user")
    assert any(one.subject.startswith("task type BG") for one in refused)
    assert all("admin" in one.advice for one in refused)


def test_a_wrong_token_is_said_and_nothing_else_is_tried(
    server: RunningKitsu, tmp_path: Path
) -> None:
    settings = settings_for(server.url, tmp_path)
    found = checked(settings, "not-a-token")

    assert list(found) == ["kitsu"]
    assert "token" in found["kitsu"].message
    with pytest.raises(TrackerDenied, match="token"):
        KitsuTracker(settings, SecretStr("not-a-token")).setup(dry_run=True)


def test_an_address_where_no_kitsu_is_is_said(server: RunningKitsu, tmp_path: Path) -> None:
    with closed_port() as port:
        nowhere = f"http://127.0.0.1:{port}"
        down = checked(settings_for(nowhere, tmp_path), server.token)
        with pytest.raises(TrackerUnavailable):
            KitsuTracker(settings_for(nowhere, tmp_path), SecretStr("t")).setup(dry_run=True)
    with proxy_before(server.url) as another:
        another.answered_as = {b'"Zou"': b'"Other"'}
        other = checked(settings_for(another.url, tmp_path), server.token)

    assert list(down) == list(other) == ["kitsu"]
    assert "does not answer" in down["kitsu"].message
    assert "is no Kitsu server" in other["kitsu"].message


def test_a_server_that_is_too_old_is_said(server: RunningKitsu, tmp_path: Path) -> None:
    with proxy_before(server.url) as old:
        old.answered_as = {b'"version":"1.': b'"version":"0.'}
        found = checked(settings_for(old.url, tmp_path), server.token)

    assert list(found) == ["kitsu version"]
    assert "needs 1.0" in found["kitsu version"].message


def test_a_status_that_kitsu_lacks_is_named_with_those_that_it_has(
    server: RunningKitsu, tmp_path: Path
) -> None:
    found = checked(settings_for(server.url, tmp_path, look_status="zzz"), server.token)

    assert not found["task status zzz"].ok
    assert "wfa" in found["task status zzz"].advice
    assert found["task status wfa"].ok


def test_a_stream_that_is_away_is_said_and_one_that_is_turned_off_is_not_looked_for(
    server: RunningKitsu, tmp_path: Path
) -> None:
    with closed_port() as port:
        away = f"http://127.0.0.1:{port}"
        found = checked(settings_for(server.url, tmp_path, events_url=away), server.token)
    off = settings_for(server.url, tmp_path, events_url=away).model_dump()
    off["events"]["live"] = False

    assert not found["kitsu event stream"].ok
    assert "events_url" in found["kitsu event stream"].advice
    assert "kitsu event stream" not in checked(Settings.model_validate(off), server.token)


def test_a_column_that_the_settings_name_is_looked_for_in_the_productions(
    server: RunningKitsu, tmp_path: Path
) -> None:
    client = server.client()
    production = gazu.project.new_project(f"COLS {secrets.token_hex(2)}", client=client)
    for name, kind in (("No AI", "Shot"), ("Season", "Sequence"), ("Weather", "Project")):
        gazu.project.add_metadata_descriptor(production, name, kind, client=client)
    named = {
        "projects": (production["name"],),
        "no_ai_field": "no_ai",
        "cut_fields": {
            "season": ("sesaon", "sequence.season", "sg_sequence.Sequence.sg_season"),
            "weather": ("project.weather",),
        },
    }
    found = checked(settings_for(server.url, tmp_path, **named), server.token)
    other = checked(
        settings_for(server.url, tmp_path, **{**named, "no_ai_field": "No AI"}), server.token
    )
    client.session.close()

    lines = {
        subject: (one.ok, one.message)
        for subject, one in {**other, **found}.items()
        if subject.startswith(("tracker.cut_fields", "tracker.no_ai_field"))
    }
    there = f"{production['name']} has the column"
    assert lines == {
        "tracker.no_ai_field no_ai": (True, f"{there} no_ai of Shots."),
        "tracker.no_ai_field No AI": (
            False,
            "No production has a column No AI of Shots; near ones: no_ai.",
        ),
        "tracker.cut_fields.season sesaon": (
            False,
            "No production has a column sesaon of Shots; near ones: none.",
        ),
        "tracker.cut_fields.season sequence.season": (True, f"{there} season of Sequences."),
        "tracker.cut_fields.season sg_sequence.Sequence.sg_season": (
            False,
            "'sg_sequence.Sequence.sg_season' is no column that Haikei reads from Kitsu.",
        ),
        "tracker.cut_fields.weather project.weather": (True, f"{there} weather of Projects."),
    }
