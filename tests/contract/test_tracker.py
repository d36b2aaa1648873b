"""What every tracker adapter owes Haikei, through the contract alone: a site, and its twin."""

import unicodedata
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TypeVar

import pytest

from haikei.credits import Person
from haikei.errors import PlaceUnknown, TrackerRejected
from haikei.names import same_name
from haikei.notify import note_link
from haikei.show import Row
from haikei.trackers import (
    CreditRow,
    EventKind,
    FeedEvent,
    NoteWrite,
    PlaylistRequest,
    PublishResult,
    ReplyWrite,
    SeenVersion,
    StatedCredits,
    StatusWrite,
)
from support.jobs import studio_settings
from support.sites import PNG, RunningStudio, running_studio
from support.tracker_sites import SUPERVISOR, Bench, MemoryBench, SiteBench

T = TypeVar("T")


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStudio]:
    with running_studio(tmp_path_factory.mktemp("studio"), uploads="classic") as running:
        yield running


@pytest.fixture(params=["memory", "site"])
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    if request.param == "memory":
        yield MemoryBench.make(tmp_path)
        return
    made = SiteBench(request.getfixturevalue("studio"))
    yield made
    made.close()


def given(part: T | None) -> T:
    assert part is not None
    return part


def publish(bench: Bench, *, version: int = 1) -> PublishResult:
    context = bench.tracker.context(bench.files.ask())
    key = f"{bench.files.name}-{version}"
    return bench.tracker.publish(bench.files.background(context, key=key, version=version))


def seen(bench: Bench, result: PublishResult) -> SeenVersion:
    (found,) = given(bench.tracker.parts.review).look([result.version.id])
    return found


def since(bench: Bench, event: int) -> list[FeedEvent]:
    feed = given(bench.tracker.parts.feed)
    return list(feed.events(after=event, until=None, limit=500))


def test_it_has_a_name_for_people_and_addresses_for_rows(bench: Bench) -> None:
    result = publish(bench)

    assert bench.tracker.name
    assert bench.tracker.address(result.version) == result.url


def test_the_context_names_the_place_the_task_and_the_artist(bench: Bench) -> None:
    context = bench.tracker.context(bench.files.ask())

    assert context.sequence is not None
    assert (context.sequence.name, context.shot.name) == ("s01", "c001")
    assert context.task is not None
    (artist,) = context.artists
    assert (artist.id, artist.name, artist.name_ja) == (bench.artist, "Aoi Sato", "佐藤葵")
    assert "aoi" in context.artist_logins
    assert context.artist_source
    assert (context.layout_file, context.parent_file, context.latest_version) == (None, None, 0)


def test_a_place_is_found_whatever_its_letter_case(bench: Bench) -> None:
    request = bench.files.ask(project=bench.files.name.upper(), shot="C001")

    assert bench.tracker.context(request).shot.name == "c001"


@pytest.mark.parametrize(
    ("code", "asked"),
    [
        ("カット12", unicodedata.normalize("NFD", "カット12")),
        (unicodedata.normalize("NFD", "ガラス9"), "ガラス9"),
        ("Ｃ０９", "c09"),
        ("C  10", "c 10"),
    ],
)
def test_a_place_is_found_in_any_spelling_on_either_side_and_completed_as_the_tracker_has_it(
    bench: Bench, code: str, asked: str
) -> None:
    bench.add_shot(code, "s07")
    request = bench.files.ask(shot=asked, sequence="")

    context = bench.tracker.context(request)
    place = context.completed(request.place)

    assert context.shot.name == place.shot
    assert same_name(place.shot, code)
    assert place.sequence == "s07"


def test_an_unknown_place_is_refused_with_the_nearest(bench: Bench) -> None:
    name = bench.files.name

    with pytest.raises(PlaceUnknown, match=rf"no project '{name}x'.*{name}"):
        bench.tracker.context(bench.files.ask(project=f"{name}x"))
    with pytest.raises(PlaceUnknown, match=r"no shot 'c0001'.*c001"):
        bench.tracker.context(bench.files.ask(shot="c0001"))
    with pytest.raises(PlaceUnknown, match=r"not in 's09'.*s01"):
        bench.tracker.context(bench.files.ask(sequence="s09"))


def test_a_shot_code_that_two_sequences_share_is_told_apart_by_the_sequence(bench: Bench) -> None:
    bench.add_shot("c001", "s02")

    first = bench.tracker.context(bench.files.ask(sequence="s01"))
    second = bench.tracker.context(bench.files.ask(sequence="s02"))

    assert first.shot.id != second.shot.id
    assert (second.task, second.artists) == (None, ())


def test_the_row_that_an_event_named_is_the_layouts(bench: Bench) -> None:
    row = bench.publish_layout()

    context = bench.tracker.context(bench.files.ask(published_file=row))

    assert given(context.layout_file).id == row


def drawn_by(bench: Bench, row: int) -> tuple[list[str], list[str]]:
    """Return who drew a published layout, and who may have, by their ids."""
    context = bench.tracker.context(bench.files.ask(published_file=row))
    assert context.artist_source
    return [one.id for one in context.artists], [one.id for one in context.candidates]


def test_the_task_that_a_row_names_tells_its_artist_whoever_checks_beside(bench: Bench) -> None:
    bench.assign(bench.artist, bench.supervisor.id)

    row = bench.publish_layout(task_of=(bench.artist,))

    assert drawn_by(bench, row) == ([bench.artist], [])


def test_of_several_on_a_rows_task_the_one_who_published_it_drew_it(bench: Bench) -> None:
    row = bench.publish_layout(by=bench.artist, task_of=(bench.supervisor.id, bench.artist))

    assert drawn_by(bench, row) == ([bench.artist], [])


def test_who_published_a_row_without_a_task_drew_it_whoever_else_is_assigned(bench: Bench) -> None:
    bench.assign(bench.artist, bench.supervisor.id)

    row = bench.publish_layout(by=bench.artist)

    assert drawn_by(bench, row) == ([bench.artist], [])


@pytest.mark.parametrize("named", [True, False])
def test_where_several_may_have_drawn_a_layout_nobody_did_and_all_are_told(
    bench: Bench, named: bool
) -> None:
    both = (bench.artist, bench.supervisor.id)
    bench.assign(*both)

    row = bench.publish_layout(task_of=both if named else ())

    artists, candidates = drawn_by(bench, row)
    assert (artists, sorted(candidates)) == ([], sorted(both))


def test_publishing_again_creates_nothing_and_leaves_a_reviewers_status(bench: Bench) -> None:
    first = publish(bench)
    bench.set_status(first.version.id, "apr")

    again = publish(bench)

    assert first.created
    assert not again.created
    assert (again.version, again.files, again.layout_file) == (
        first.version,
        first.files,
        first.layout_file,
    )
    assert len(first.files) == 3
    assert seen(bench, first).status == "apr"


def test_a_second_background_continues_the_numbering_and_shares_the_layouts_row(
    bench: Bench,
) -> None:
    first = publish(bench, version=3)
    context = bench.tracker.context(bench.files.ask(painted_over=f"{bench.files.name}-3"))

    second = publish(bench, version=4)

    assert context.latest_version == 3
    assert context.parent_file == first.files[0]
    assert second.layout_file == first.layout_file
    assert second.version != first.version


def test_a_new_layout_is_an_event_and_a_row_with_its_place_and_path(bench: Bench) -> None:
    feed = given(bench.tracker.parts.feed)
    before = feed.newest()

    row = bench.publish_layout()

    (event,) = (one for one in since(bench, before) if one.kind is EventKind.FILE_PUBLISHED)
    assert (event.row, event.project, event.by_us) == (row, bench.files.name, False)
    assert abs(event.created_at - datetime.now(UTC)) < timedelta(minutes=1)
    (layout,) = feed.layouts([row])
    assert (layout.project, layout.sequence, layout.shot) == (bench.files.name, "s01", "c001")
    assert (layout.name, layout.version, layout.ready) == ("bg", 3, True)
    assert layout.path == str(bench.files.layout().path)
    assert feed.name
    assert feed.projects() is None


def test_a_retired_row_keeps_its_number_in_the_event_and_is_read_no_more(bench: Bench) -> None:
    feed = given(bench.tracker.parts.feed)
    before = feed.newest()
    row = bench.publish_layout()
    bench.retire_file(row)

    events = [one for one in since(bench, before) if one.kind is EventKind.FILE_PUBLISHED]
    assert [one.row for one in events] == [row]
    assert list(feed.layouts([row])) == []


def test_a_row_without_a_type_may_become_a_layout(bench: Bench) -> None:
    row = bench.publish_layout(typed=False)

    (layout,) = given(bench.tracker.parts.feed).layouts([row])

    assert (layout.ready, layout.typed) == (False, False)


def test_layouts_are_found_by_the_time_of_their_making(bench: Bench) -> None:
    feed = given(bench.tracker.parts.feed)
    now = datetime.now(UTC)
    row = bench.publish_layout()
    minute, hour = timedelta(minutes=1), timedelta(hours=1)

    assert row in {one.id for one in feed.layouts_between(now - minute, now + minute)}
    assert list(feed.layouts_between(now + hour, now + 2 * hour)) == []


def test_events_come_in_order_and_as_many_as_asked(bench: Bench) -> None:
    feed = given(bench.tracker.parts.feed)
    before = feed.newest()
    for _ in range(4):
        bench.publish_layout()

    everything = since(bench, before)

    assert [one.id for one in everything] == sorted(one.id for one in everything)
    some = feed.events(after=everything[0].id, until=everything[-1].id, limit=2)
    assert list(some) == everything[1:3]
    assert feed.newest() == everything[-1].id


def test_what_haikei_publishes_is_known_as_its_own(bench: Bench) -> None:
    before = given(bench.tracker.parts.feed).newest()

    publish(bench)

    files = [one for one in since(bench, before) if one.kind is EventKind.FILE_PUBLISHED]
    assert len(files) >= 3
    assert all(one.by_us for one in files)


def test_what_people_decide_and_write_is_an_event_about_the_version(bench: Bench) -> None:
    version = publish(bench).version.id
    feed = given(bench.tracker.parts.feed)
    before = feed.newest()

    bench.set_status(version, "rtk")
    note = bench.note(version, "Less green.")
    reply = bench.reply(note, "And more clouds.")

    found = {(one.kind, one.row) for one in since(bench, before) if not one.by_us}
    assert {
        (EventKind.VERSION_CHANGED, version),
        (EventKind.NOTE_CHANGED, note),
        (EventKind.REPLY_CHANGED, reply),
    } <= found
    assert list(feed.discussed(notes=[note], replies=[])) == [version]
    assert list(feed.discussed(notes=[], replies=[reply])) == [version]


def test_projects_that_are_not_heeded_are_told_apart(bench: Bench) -> None:
    version = publish(bench).version.id
    before = given(bench.tracker.parts.feed).newest()
    row = bench.publish_layout()

    ours = bench.heeding(bench.files.name.upper())
    assert len(given(ours.parts.feed).projects() or ()) == 1
    assert [one.id for one in given(ours.parts.feed).layouts([row])] == [row]
    assert len(given(ours.parts.review).look([version])) == 1
    others = bench.heeding("another show")
    feed = given(others.parts.feed)
    assert feed.projects() == frozenset()
    assert list(feed.layouts([row])) == []
    assert given(others.parts.review).look([version]) == ()
    (event,) = (
        one
        for one in feed.events(after=before, until=None, limit=500)
        if one.kind is EventKind.FILE_PUBLISHED
    )
    assert event.elsewhere


def test_a_version_is_seen_as_it_stands(bench: Bench) -> None:
    result = publish(bench)

    found = seen(bench, result)

    assert (found.version, found.key) == (result.version, f"{bench.files.name}-1")
    assert given(found.shot).name == "c001"
    assert (found.status, found.status_by, found.notes) == ("rev", None, ())
    assert found.url == result.url


def test_who_decided_and_what_people_wrote_is_known(bench: Bench) -> None:
    result = publish(bench)
    before = datetime.now(UTC) - timedelta(seconds=2)
    bench.set_status(result.version.id, "rtk")
    number = bench.note(result.version.id, "Less green.")
    reply = bench.reply(number, "And more clouds.")

    found = seen(bench, result)

    assert (found.status, given(found.status_by).id) == ("rtk", bench.supervisor.id)
    assert before <= given(found.status_at) <= datetime.now(UTC) + timedelta(seconds=2)
    assert [(one.id, one.reply_to, one.text) for one in found.notes] == [
        (number, None, "Less green."),
        (reply, number, "And more clouds."),
    ]
    assert {given(one.author).id for one in found.notes} == {bench.supervisor.id}
    assert not any(one.by_us for one in found.notes)
    bench.delete_note(result.version.id, number)
    assert number not in {one.id for one in seen(bench, result).notes}


def test_what_changed_since_a_moment_is_named(bench: Bench) -> None:
    result = publish(bench)
    desk = given(bench.tracker.parts.review)

    assert result.version.id in desk.changed(datetime.now(UTC) - timedelta(minutes=5))
    assert desk.changed(datetime.now(UTC) + timedelta(hours=1)) == ()


def test_a_status_is_set_once_and_in_the_name_of_who_decided(bench: Bench) -> None:
    result = publish(bench)
    desk = given(bench.tracker.parts.review)
    change = StatusWrite(row=result.version, status="apr", by=SUPERVISOR)

    assert desk.write(change) == result.version
    newest = given(bench.tracker.parts.feed).newest()
    desk.write(change)

    assert given(bench.tracker.parts.feed).newest() == newest
    found = seen(bench, result)
    assert (found.status, given(found.status_by).id) == ("apr", bench.supervisor.id)


def test_a_status_that_does_not_exist_is_refused_with_advice(bench: Bench) -> None:
    change = StatusWrite(row=publish(bench).version, status="zzz")

    with pytest.raises(TrackerRejected, match="not a valid status") as caught:
        given(bench.tracker.parts.review).write(change)

    assert "review.statuses" in (caught.value.advice or "")
    assert {"rev", "apr"} <= set(given(bench.tracker.parts.review).statuses("Version"))


def test_notes_and_answers_are_written_once_and_known_as_ours(bench: Bench) -> None:
    result = publish(bench)
    retake = publish(bench, version=2)
    desk = given(bench.tracker.parts.review)
    question = NoteWrite(
        key=f"question-{bench.files.name}",
        project=seen(bench, result).project,
        links=(result.version,),
        subject="Which one?",
        text="Two versions are alike.",
        to=(SUPERVISOR,),
    )
    asked = desk.write(question)
    answer = ReplyWrite(key="answer", note=asked.id, text="v002 is in review.", link=retake.version)

    first, second = desk.write(answer), desk.write(answer)

    assert desk.write(question) == asked
    assert first == second
    assert [(one.reply_to, one.by_us) for one in seen(bench, result).notes] == [
        (None, True),
        (asked.id, True),
    ]
    assert asked.id in {one.id for one in seen(bench, retake).notes}


def test_a_note_in_the_name_of_a_person_is_theirs(bench: Bench) -> None:
    result = publish(bench)
    note = NoteWrite(
        key=f"page-{bench.files.name}",
        project=seen(bench, result).project,
        links=(result.version,),
        subject="",
        text="Less green.",
        by=SUPERVISOR,
    )

    given(bench.tracker.parts.review).write(note)

    (found,) = seen(bench, result).notes
    assert (given(found.author).id, found.by_us) == (bench.supervisor.id, False)
    assert found.text == "Less green."


STATED = StatedCredits(
    credit_en="Background: Layout Yuki Mori",
    credit_ja="背景：原図 森優希",
    roles="genzu: Yuki Mori (HumanUser:12)",
    system="painter 2",
    source_type="humanEdits",
    ledger_index=7,
    record_link="umi/s01/c001/record.json",
)


def test_credits_are_written_where_they_differ_and_only_ours(bench: Bench) -> None:
    result = publish(bench)
    desk = given(bench.tracker.parts.credits)
    row = CreditRow(version=result.version.id, key=f"{bench.files.name}-1", stated=STATED)

    assert desk.write([row], dry_run=True).changed == 4
    assert desk.write([row]).changed == 4
    assert desk.write([row]).changed == 0
    assert desk.write([replace(row, stated=replace(STATED, ledger_index=0))]).changed == 4
    others = desk.write([replace(row, key="somebody's"), replace(row, version=1_999_999)])
    assert (others.changed, set(others.unknown)) == (0, {result.version.id, 1_999_999})


def test_hours_come_in_order_of_date_and_name_person_shot_and_step(bench: Bench) -> None:
    bench.log_time(90, date(2026, 10, 2))
    bench.log_time(45, date(2026, 10, 1))
    desk = given(bench.tracker.parts.credits)

    first, second = desk.hours(bench.files.name)

    assert (first.minutes, second.minutes) == (45, 90)
    assert (first.person.id, first.person.name_ja) == (bench.artist, "佐藤葵")
    assert (first.shot, first.sequence, first.step) == ("c001", "s01", "Layout")
    with pytest.raises(TrackerRejected, match="no project 'nowhere'"):
        desk.hours("nowhere")


def test_people_are_found_by_id_and_login(bench: Bench) -> None:
    known = (bench.supervisor.id, SUPERVISOR)

    found = given(bench.tracker.parts.credits).people([*known, "nobody"])

    assert set(found) == set(known)
    assert {one.id for one in found.values()} == {bench.supervisor.id}


def collect(bench: Bench, *versions: int, key: str = "", name: str = "Backgrounds") -> Row:
    project = bench.tracker.context(bench.files.ask()).project
    request = PlaylistRequest(
        project=project, name=name, versions=versions, key=key or f"dailies-{bench.files.name}"
    )
    return given(bench.tracker.parts.playlists).collect(request)


def test_a_playlist_is_made_once_in_the_order_of_the_cuts_with_peoples_after(
    bench: Bench,
) -> None:
    a, b, c, theirs = (publish(bench, version=number).version.id for number in range(1, 5))
    first = collect(bench, b, a)
    bench.add_to_playlist(first.id, theirs)

    second = collect(bench, b, c, a)

    assert first == second
    assert (first.type, first.name) == ("Playlist", "Backgrounds")
    assert bench.playlist(first.id) == [b, c, a, theirs]
    assert collect(bench, a, key="another").id != first.id


def test_a_playlist_that_a_person_made_under_the_name_is_used(bench: Bench) -> None:
    made = bench.make_playlist("Backgrounds")

    assert collect(bench).id == made


def test_a_file_of_one_name_is_attached_once(bench: Bench, tmp_path: Path) -> None:
    sheet = tmp_path / "sheet.png"
    sheet.write_bytes(PNG)
    playlist = collect(bench, publish(bench).version.id)

    for name in ("contact sheet.png", "contact sheet.png", "contact sheet 2.png"):
        given(bench.tracker.parts.playlists).attach(playlist, sheet, name)

    assert bench.attachments(playlist) == ["contact sheet.png", "contact sheet 2.png"]


def test_a_head_of_the_ledger_is_shown_on_projects_that_are_there(bench: Bench) -> None:
    board = given(bench.tracker.parts.checkpoints)
    name, note = bench.files.name, "a signed note\n"

    gone = board.post({name: note, "deleted show": note})

    assert gone == ("deleted show",)
    assert board.posted([name, "deleted show"]) == {name: note}


def test_selected_rows_and_people_are_read_anew(bench: Bench) -> None:
    result = publish(bench)
    desk = given(bench.tracker.parts.selection)

    (row,) = desk.read("Version", [result.version.id, 1_999_999])

    assert (row.version, row.place.shot) == (result.version.id, "c001")
    assert given(desk.person(SUPERVISOR)).person_id == bench.supervisor.id
    assert desk.person("nobody.known") is None


def test_the_directory_lists_projects_and_people_with_their_names(bench: Bench) -> None:
    project = bench.tracker.context(bench.files.ask()).project

    listed = given(bench.tracker.parts.directory).read()

    projects = {one.id: one.path_name for one in listed.projects}
    people = {one.person.id: one.names for one in listed.people}
    assert projects[f"Project:{project.id}"] == bench.files.name
    assert SUPERVISOR in people[bench.supervisor.id]
    assert bench.artist in people


def test_the_check_reports_what_is_right_or_wrong_and_never_raises(bench: Bench) -> None:
    assert all(one.subject and one.message for one in bench.tracker.check())


def test_a_link_to_credits_is_a_note_to_the_person_alone_on_their_version(
    bench: Bench, tmp_path: Path
) -> None:
    result, settings = publish(bench), studio_settings(tmp_path)
    asked = {"show": "umi", "url": "https://haikei.test/confirm?link=x.y", "until": "2026-12-30"}

    for person, versions in (("HumanUser:99999", [result.version.id]), (bench.artist, [])):
        with pytest.raises(TrackerRejected, match="does not know"):
            note_link(
                bench.tracker,
                settings,
                Person(id=person, name="Somebody"),
                versions=versions,
                **asked,
            )
    note_link(
        bench.tracker,
        settings,
        Person(id=bench.artist, name="Aoi Sato"),
        versions=[result.version.id],
        **asked,
    )

    (note,) = seen(bench, result).notes
    assert note.by_us
    assert asked["url"] in note.text
    assert "クレジット" in note.text
