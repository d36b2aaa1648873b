"""What a tracker's review desk owes the reviewer, over HTTP against the embedded tracker."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from haikei.errors import TrackerRejected, TrackerUnavailable
from haikei.show import Row
from haikei.trackers import (
    NoteWrite,
    Part,
    PublishResult,
    ReplyWrite,
    ReviewDesk,
    SeenVersion,
    StatusWrite,
    needed,
)
from haikei.trackers.shotgrid.tracker import ShotGridTracker
from support.servers import Mischief, Proxy, proxy_before
from support.sites import RunningStudio, Show, heeding, running_studio

SUPERVISOR = "haruka"
_AGO = timedelta(minutes=5)


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStudio]:
    with running_studio(tmp_path_factory.mktemp("studio"), uploads="classic") as running:
        yield running


@pytest.fixture
def show(studio: RunningStudio) -> Show:
    return studio.show()


@pytest.fixture
def tracker(show: Show) -> Iterator[ShotGridTracker]:
    adapter = ShotGridTracker(show.settings, show.key)
    yield adapter
    adapter.close()


@pytest.fixture
def desk(tracker: ShotGridTracker) -> ReviewDesk:
    return needed(tracker.parts.review, tracker, Part.REVIEW)


@pytest.fixture
def published(show: Show, tracker: ShotGridTracker) -> PublishResult:
    key = f"job-{show.name}"
    return tracker.publish(show.background(tracker.context(show.ask()), key=key))


@pytest.fixture
def supervisor(show: Show) -> int:
    """A person who signs in."""
    for found in show.find("HumanUser", ["login", "is", SUPERVISOR]):
        return int(found["id"])
    row = {"login": SUPERVISOR, "name": "Haruka Mori", "sg_status_list": "act"}
    return int(show.sg.create("HumanUser", row)["id"])


@pytest.fixture
def person(studio: RunningStudio, supervisor: int) -> Callable[[], Any]:
    """A connection in the supervisor's name, as the site's own pages have it."""
    assert supervisor
    return lambda: studio.site.connect(sudo_as_login=SUPERVISOR)


def one(desk: ReviewDesk, published: PublishResult) -> SeenVersion:
    (seen,) = desk.look([published.version.id])
    return seen


def link(entity_type: str, number: int) -> dict[str, object]:
    return {"type": entity_type, "id": number}


def a_note(show: Show, version: int, text: str, **fields: object) -> int:
    links = [link("Version", version)]
    return show.create("Note", subject="Sky", content=text, note_links=links, **fields)


def test_a_version_is_seen_as_it_stands(
    show: Show, desk: ReviewDesk, published: PublishResult
) -> None:
    seen = one(desk, published)

    assert seen.version == Row(type="Version", id=published.version.id, name=published.version.name)
    assert seen.key == f"job-{show.name}"
    assert seen.project.id == show.project
    assert seen.shot is not None
    assert seen.shot == Row(type="Shot", id=show.shot, name="c001")
    assert seen.task is not None
    assert seen.task.id == show.background_task
    assert seen.status == "rev"
    assert seen.status_by is None, "a script set it"
    assert seen.notes == ()
    assert seen.url == published.url


def test_who_set_the_status_last_is_known(
    desk: ReviewDesk, published: PublishResult, person: Callable[[], Any], supervisor: int
) -> None:
    before = datetime.now(UTC) - timedelta(seconds=2)
    for status in ("apr", "rev", "rtk"):
        person().update("Version", published.version.id, {"sg_status_list": status})

    seen = one(desk, published)

    assert seen.status == "rtk"
    assert seen.status_by is not None
    assert (seen.status_by.id, seen.status_by.name) == (f"HumanUser:{supervisor}", "Haruka Mori")
    assert seen.status_at is not None
    assert before <= seen.status_at <= datetime.now(UTC) + timedelta(seconds=2)


def test_nobody_is_named_while_the_event_log_is_behind(
    studio: RunningStudio,
    show: Show,
    desk: ReviewDesk,
    published: PublishResult,
    supervisor: int,
) -> None:
    assert supervisor
    sg = studio.site.connect(sudo_as_login=SUPERVISOR)
    sg.update("Version", published.version.id, {"sg_status_list": "apr"})
    (ours,) = show.find("ApiUser", ["firstname", "is", "haikei"])
    silent = studio.site.connect()
    silent.update("ApiUser", ours["id"], {"generate_event_log_entries": False})
    try:
        studio.site.connect().update("Version", published.version.id, {"sg_status_list": "rtk"})
    finally:
        silent.update("ApiUser", ours["id"], {"generate_event_log_entries": True})

    seen = one(desk, published)

    assert (seen.status, seen.status_by, seen.status_at) == ("rtk", None, None)


def test_notes_and_replies_are_seen_with_their_authors(
    show: Show,
    desk: ReviewDesk,
    published: PublishResult,
    person: Callable[[], Any],
    supervisor: int,
) -> None:
    number = a_note(show, published.version.id, "Less green.", user=link("HumanUser", supervisor))
    reply = person().create(
        "Reply", {"entity": link("Note", number), "content": "And more clouds."}
    )["id"]

    first, second = one(desk, published).notes

    assert (first.id, first.reply_to, first.text) == (number, None, "Sky\nLess green.")
    assert (second.id, second.reply_to, second.text) == (reply, number, "And more clouds.")
    for note in (first, second):
        assert note.author is not None
        assert note.author.id == f"HumanUser:{supervisor}"
        assert not note.by_us
        assert note.created_at.tzinfo is not None


def test_what_we_wrote_ourselves_is_known_as_ours(
    show: Show, desk: ReviewDesk, published: PublishResult
) -> None:
    number = a_note(show, published.version.id, "A question.")
    desk.write(ReplyWrite(key="answer-1", note=number, text="Done."))

    assert [note.by_us for note in one(desk, published).notes] == [True, True]
    assert [note.author for note in one(desk, published).notes] == [None, None]


@pytest.mark.parametrize(
    ("subject", "text"),
    [
        ("Haruka's Note on {code} and c001", "Too dark."),
        ("Haruka’s Note on {code}", "Too dark."),
        ("{code}: the sky", ": the sky\nToo dark."),
        ("Night sky", "Night sky\nToo dark."),
    ],
)
def test_names_in_a_subject_are_no_instructions(
    show: Show, desk: ReviewDesk, published: PublishResult, subject: str, text: str
) -> None:
    code = published.version.name
    links = [link("Version", published.version.id)]
    show.create("Note", subject=subject.format(code=code), content="Too dark.", note_links=links)

    (note,) = one(desk, published).notes

    assert note.text == text


def test_a_draft_is_not_said_yet(show: Show, desk: ReviewDesk, published: PublishResult) -> None:
    number = a_note(show, published.version.id, "Hm …", publish_status="draft")
    assert one(desk, published).notes == ()

    show.sg.update("Note", number, {"publish_status": "published"})

    assert [note.id for note in one(desk, published).notes] == [number]


def test_a_deleted_note_is_not_seen(show: Show, desk: ReviewDesk, published: PublishResult) -> None:
    show.sg.delete("Note", a_note(show, published.version.id, "Less green."))

    assert one(desk, published).notes == ()


def test_a_copy_that_a_person_made_of_our_version_is_not_ours(
    show: Show, desk: ReviewDesk, published: PublishResult, supervisor: int
) -> None:
    copy = show.create(
        "Version",
        code="a copy",
        sg_haikei_key=f"job-{show.name}",
        created_by=link("HumanUser", supervisor),
    )
    younger = show.create("Version", code="a script's copy", sg_haikei_key=f"job-{show.name}")

    assert desk.look([copy, younger]) == ()
    assert [seen.version.id for seen in desk.look([copy, published.version.id])] == [
        published.version.id
    ]


def test_versions_of_others_are_not_seen(show: Show, desk: ReviewDesk) -> None:
    other = show.create("Version", code="somebody's")

    assert desk.look([other, 1_999_999]) == ()
    assert desk.look([]) == ()


def test_hundreds_of_versions_take_few_calls(show: Show, supervisor: int) -> None:
    project = link("Project", show.project)
    made: list[int] = []
    for start in range(0, 300, 150):
        created = show.sg.batch(
            [
                {
                    "request_type": "create",
                    "entity_type": "Version",
                    "data": {
                        "project": project,
                        "code": f"v{n}",
                        "sg_haikei_key": f"{show.name}-{n}",
                    },
                }
                for n in range(start, start + 150)
            ]
        )
        made += [int(row["id"]) for row in created]
    notes = [
        {
            "request_type": "create",
            "entity_type": "Note",
            "data": {
                "project": project,
                "content": f"note {n}",
                "note_links": [link("Version", number)],
                "user": link("HumanUser", supervisor),
            },
        }
        for n, number in enumerate(made)
    ]
    show.sg.batch(notes)
    with proxy_before(str(show.settings.tracker.url)) as proxy:
        adapter = ShotGridTracker(show.at(proxy.url).settings, show.key)
        seen = needed(adapter.parts.review, adapter, Part.REVIEW).look(made)
        adapter.close()

        assert proxy.count <= 6 * 2 + 2

    assert [one.version.id for one in seen] == made
    assert [one.notes[0].text for one in seen] == [f"note {n}" for n in range(300)]
    assert all(one.status_at for one in seen)


def test_what_changed_since_a_moment_is_named(
    studio: RunningStudio, show: Show, desk: ReviewDesk, tracker: ShotGridTracker
) -> None:
    """Status, Note and Reply; what others have and what is old is left out."""
    context = tracker.context(show.ask())
    status, noted, replied, quiet = (
        tracker.publish(show.background(context, key=f"{show.name}-{n}", version=n)).version.id
        for n in range(1, 5)
    )
    other = show.create("Version", code="somebody's")
    note = a_note(show, replied, "An old note.")
    with studio.site.site.writing(studio.site.site.system, "update") as (work, _):
        for kind in ("Version", "Note", "Reply"):
            work.session.execute(
                f'UPDATE "{kind}" SET created_at = ?, updated_at = ?',
                ("2026-01-01T00:00:00Z",) * 2,
            )
    since = datetime.now(UTC) - _AGO
    assert desk.changed(since) == ()

    show.sg.update("Version", status, {"sg_status_list": "apr"})
    a_note(show, noted, "Less green.")
    a_note(show, other, "Not ours.")
    show.sg.create("Reply", {"entity": link("Note", note), "content": "Well?"})

    assert desk.changed(since) == (status, noted, replied)
    assert quiet in desk.changed(datetime(2026, 1, 1, tzinfo=UTC))
    assert other not in desk.changed(datetime(2026, 1, 1, tzinfo=UTC))


def the_note(show: Show, number: int) -> dict[str, Any]:
    fields = "subject content note_links tasks addressings_to user created_by sg_haikei_key"
    (row,) = show.find("Note", ["id", "is", number], fields=fields)
    return row


def the_version(show: Show, published: PublishResult) -> dict[str, Any]:
    fields = "sg_status_list updated_by"
    (row,) = show.find("Version", ["id", "is", published.version.id], fields=fields)
    return row


def test_a_status_is_set_once(show: Show, desk: ReviewDesk, published: PublishResult) -> None:
    change = StatusWrite(row=published.version, status="apr")

    assert desk.write(change) == published.version
    newest = show.find("EventLogEntry")[-1]["id"]
    desk.write(change)

    assert the_version(show, published)["sg_status_list"] == "apr"
    assert show.find("EventLogEntry")[-1]["id"] == newest


def test_a_tasks_status_is_set_too(show: Show, desk: ReviewDesk) -> None:
    desk.write(StatusWrite(row=Row(type="Task", id=show.background_task, name="bg"), status="fin"))

    (task,) = show.find("Task", ["id", "is", show.background_task], fields="sg_status_list")
    assert task["sg_status_list"] == "fin"


def test_a_status_is_set_in_the_name_of_who_decided(
    show: Show, desk: ReviewDesk, published: PublishResult, supervisor: int
) -> None:
    desk.write(StatusWrite(row=published.version, status="rtk", by=SUPERVISOR))

    assert the_version(show, published)["updated_by"]["id"] == supervisor
    seen = one(desk, published)
    assert seen.status_by is not None
    assert seen.status_by.id == f"HumanUser:{supervisor}"


def test_a_status_is_set_by_the_script_where_nobody_may_be_impersonated(
    show: Show, desk: ReviewDesk, published: PublishResult
) -> None:
    """The site signs nobody in who is disabled, nor anybody it does not know."""
    desk.write(StatusWrite(row=published.version, status="rtk", by="aoi"))
    assert the_version(show, published)["sg_status_list"] == "rtk"

    desk.write(StatusWrite(row=published.version, status="apr", by="nobody.known"))

    row = the_version(show, published)
    assert (row["sg_status_list"], row["updated_by"]["type"]) == ("apr", "ApiUser")
    assert one(desk, published).status_by is None


def test_a_status_that_the_site_lacks_is_refused_with_advice(
    desk: ReviewDesk, published: PublishResult
) -> None:
    for by in ("", SUPERVISOR):
        with pytest.raises(TrackerRejected, match="not a valid status") as caught:
            desk.write(StatusWrite(row=published.version, status="zzz", by=by))
        assert "review.statuses" in (caught.value.advice or "")


def test_a_status_of_a_deleted_version_is_refused(
    show: Show, desk: ReviewDesk, published: PublishResult
) -> None:
    show.sg.delete("Version", published.version.id)

    with pytest.raises(TrackerRejected, match="has no Version"):
        desk.write(StatusWrite(row=published.version, status="apr"))


def question(
    show: Show,
    published: PublishResult,
    *,
    text: str = "Two versions are alike.",
    to: tuple[str, ...] = (),
    by: str = "",
) -> NoteWrite:
    return NoteWrite(
        key=f"question-{show.name}",
        project=Row(type="Project", id=show.project, name=show.name),
        links=(published.version, Row(type="Task", id=show.background_task, name="bg")),
        subject="Which one?",
        text=text,
        to=to,
        by=by,
    )


def test_a_note_is_written_once(
    show: Show, desk: ReviewDesk, published: PublishResult, supervisor: int
) -> None:
    change = question(show, published, to=(SUPERVISOR, "nobody.known"))

    first, second = desk.write(change), desk.write(change)

    assert first == second
    row = the_note(show, first.id)
    assert (row["subject"], row["content"]) == ("Which one?", "Two versions are alike.")
    assert [one["id"] for one in row["note_links"]] == [published.version.id]
    assert [one["id"] for one in row["tasks"]] == [show.background_task]
    assert [one["id"] for one in row["addressings_to"]] == [supervisor]
    (note,) = one(desk, published).notes
    assert note.by_us


def test_a_note_by_a_person_is_theirs(
    show: Show, desk: ReviewDesk, published: PublishResult, supervisor: int
) -> None:
    change = question(show, published, by=SUPERVISOR, text="Less green.")

    assert desk.write(change) == desk.write(change)

    (note,) = one(desk, published).notes
    assert the_note(show, note.id)["created_by"]["id"] == supervisor
    assert note.author is not None
    assert (note.author.id, note.by_us) == (f"HumanUser:{supervisor}", False)


def test_a_note_by_a_person_whom_the_site_does_not_let_us_be_is_theirs_all_the_same(
    show: Show, desk: ReviewDesk, published: PublishResult
) -> None:
    change = question(show, published, by="aoi", text="Less green.")

    assert desk.write(change) == desk.write(change)

    (note,) = one(desk, published).notes
    assert the_note(show, note.id)["created_by"]["type"] == "ApiUser"
    assert note.author is not None
    assert (note.author.id, note.by_us) == (f"HumanUser:{show.artist}", False)


def test_a_note_by_somebody_whom_the_site_does_not_know_names_them(
    show: Show, desk: ReviewDesk, published: PublishResult
) -> None:
    row = desk.write(question(show, published, by="guest", text="Less green."))

    (note,) = one(desk, published).notes
    assert the_note(show, row.id)["content"] == "Less green.\n\n(guest)"
    assert note.text == "Less green.", "neither our heading nor the name are an instruction"
    assert (note.author, note.by_us) == (None, False), "these are not Haikei's own words"


def test_an_answer_is_written_once_and_links_the_new_version(
    show: Show, desk: ReviewDesk, tracker: ShotGridTracker, published: PublishResult
) -> None:
    number = a_note(show, published.version.id, "Less green.")
    context = tracker.context(show.ask())
    retake = tracker.publish(show.background(context, key=f"{show.name}-2", version=2)).version
    change = ReplyWrite(key="answer", note=number, text="v002 is in review.", link=retake)

    first, second = desk.write(change), desk.write(change)
    other = desk.write(ReplyWrite(key="another", note=number, text="v002 is in review."))

    assert first == second != other
    replies = show.find("Reply", ["entity", "is", link("Note", number)], fields="content")
    assert [row["id"] for row in replies] == [first.id, other.id]
    assert replies[0]["content"].startswith("v002 is in review.\n\n[haikei ")
    linked = {row["id"] for row in the_note(show, number)["note_links"]}
    assert linked == {published.version.id, retake.id}
    assert [seen.notes[0].id for seen in desk.look([published.version.id, retake.id])] == [
        number,
        number,
    ]


@pytest.fixture
def proxy(show: Show) -> Iterator[Proxy]:
    with proxy_before(str(show.settings.tracker.url)) as running:
        yield running


@pytest.mark.parametrize("mischief", [Mischief.CUT_BEFORE, Mischief.CUT_AFTER])
def test_what_got_no_answer_is_written_once_when_it_is_written_again(
    show: Show, published: PublishResult, proxy: Proxy, mischief: Mischief
) -> None:
    number = a_note(show, published.version.id, "Less green.")
    adapter = ShotGridTracker(show.at(proxy.url).settings, show.key)
    desk = needed(adapter.parts.review, adapter, Part.REVIEW)
    desk.write(ReplyWrite(key="first", note=number, text="Seen."))
    asked = question(show, published)
    answer = ReplyWrite(key="answer", note=number, text="Done.", link=published.version)
    for change in (asked, answer):
        proxy.reset({2: mischief})
        with pytest.raises(TrackerUnavailable):
            desk.write(change)
        desk.write(change)
    adapter.close()

    assert len(show.own("Note", ["sg_haikei_key", "is", asked.key])) == 1
    assert len(show.find("Reply", ["entity", "is", link("Note", number)])) == 2


def test_the_statuses_are_those_that_people_can_see(show: Show, desk: ReviewDesk) -> None:
    assert set(desk.statuses("Version")) >= {"rev", "apr", "rtk", "omt", "hld"}
    assert set(desk.statuses("Task")) >= {"ip", "fin"}

    show.sg.schema_field_update("Version", "sg_status_list", {"hidden_values": ["vwd"]})

    assert "vwd" not in desk.statuses("Version")
    show.sg.schema_field_update("Version", "sg_status_list", {"hidden_values": []})


def test_versions_in_projects_that_are_not_heeded_are_not_ours(
    show: Show, published: PublishResult
) -> None:
    for name, seen in ((show.name.upper(), 1), ("another", 0)):
        tracker = ShotGridTracker(heeding(show.settings, name), show.key)
        assert (
            len(needed(tracker.parts.review, tracker, Part.REVIEW).look([published.version.id]))
            == seen
        )
        tracker.close()
