"""What a tracker's credit desk owes the credits, over HTTP against the embedded tracker."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from haikei.credits import Person
from haikei.errors import TrackerRejected, TrackerUnavailable
from haikei.trackers import CreditDesk, CreditRow, Part, PublishResult, StatedCredits, needed
from haikei.trackers.shotgrid.tracker import ShotGridTracker
from support.servers import Mischief, Proxy, proxy_before
from support.sites import RunningStudio, Show, running_studio

FIELDS = (
    "sg_haikei_credit sg_haikei_credit_ja sg_haikei_roles sg_haikei_system "
    "sg_haikei_source_type sg_haikei_ledger sg_haikei_record_link updated_at"
)
STATED = StatedCredits(
    credit_en="Background: Layout Yuki Mori",
    credit_ja="背景：原図 森優希",
    roles="genzu: Yuki Mori (HumanUser:12)\ntouch_up: Aoi Suzuki (HumanUser:13)",
    system="painter 2",
    source_type="humanEdits",
    ledger_index=7,
    record_link="umi/s01/c001/record.json",
)


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
def desk(tracker: ShotGridTracker) -> CreditDesk:
    return needed(tracker.parts.credits, tracker, Part.CREDITS)


@pytest.fixture
def published(show: Show, tracker: ShotGridTracker) -> PublishResult:
    return tracker.publish(show.background(tracker.context(show.ask())))


def rows(show: Show, published: PublishResult) -> list[dict[str, Any]]:
    """Return the Version and its files."""
    version = ["id", "is", published.version.id]
    files = ["id", "in", [row.id for row in published.files]]
    return [
        *show.own("Version", version, fields=FIELDS),
        *show.own("PublishedFile", files, fields=FIELDS),
    ]


def credit(published: PublishResult, stated: StatedCredits = STATED) -> CreditRow:
    return CreditRow(version=published.version.id, key="job-1", stated=stated)


def user(show: Show, name: str, **fields: object) -> int:
    login = f"{name.lower().replace(' ', '.')}.{show.name}"
    return int(show.sg.create("HumanUser", {"name": name, "login": login, **fields})["id"])


def link(entity_type: str, number: int) -> dict[str, object]:
    return {"type": entity_type, "id": number}


def test_credits_are_written_on_the_version_and_on_each_of_its_files(
    show: Show, desk: CreditDesk, published: PublishResult
) -> None:
    written = desk.write([credit(published)])

    assert (written.changed, written.unknown) == (4, ())
    for row in rows(show, published):
        assert row["sg_haikei_credit"] == STATED.credit_en
        assert row["sg_haikei_credit_ja"] == STATED.credit_ja
        assert row["sg_haikei_roles"] == STATED.roles
        assert row["sg_haikei_system"] == STATED.system
        assert row["sg_haikei_source_type"] == STATED.source_type
        assert row["sg_haikei_ledger"] == STATED.ledger_index
        assert row["sg_haikei_record_link"] == STATED.record_link


def test_credits_that_stand_already_are_not_written_again(
    show: Show, desk: CreditDesk, published: PublishResult
) -> None:
    desk.write([credit(published)])

    def told() -> list[int]:
        # Thumbnails become ready at their own time.
        events = show.find("EventLogEntry", ["attribute_name", "starts_with", "sg_"])
        return [event["id"] for event in events]

    before = told()

    assert desk.write([credit(published)]).changed == 0

    assert told() == before


def test_a_version_that_is_nobodys_becomes_the_artists_who_is_named_later(
    show: Show, desk: CreditDesk, published: PublishResult
) -> None:
    first, second = (user(show, name) for name in ("Ken Abe", "Rei Oda"))
    show.sg.update("Version", published.version.id, {"user": None})
    desk.write([credit(published)])

    for artist in ("person:4f1c", f"HumanUser:{first}", f"HumanUser:{second}"):
        row = replace(credit(published), artist=artist)
        dry = desk.write([row], dry_run=True)
        assert dry.changed == desk.write([row]).changed == (artist == f"HumanUser:{first}")

    (version,) = show.own("Version", ["id", "is", published.version.id], fields="user")
    assert version["user"]["id"] == first


def test_only_the_field_that_differs_is_written(
    show: Show, desk: CreditDesk, published: PublishResult
) -> None:
    desk.write([credit(published)])
    newest = show.find("EventLogEntry")[-1]["id"]

    desk.write([credit(published, replace(STATED, ledger_index=0))])

    events = show.find("EventLogEntry", ["id", "greater_than", newest], fields="attribute_name")
    assert {event["attribute_name"] for event in events} == {"sg_haikei_ledger"}
    assert {row["sg_haikei_ledger"] for row in rows(show, published)} == {0}


def test_a_dry_run_counts_and_writes_nothing(
    show: Show, desk: CreditDesk, published: PublishResult
) -> None:
    before = rows(show, published)

    assert desk.write([credit(published)], dry_run=True).changed == 4

    assert rows(show, published) == before


def test_a_layouts_row_keeps_what_it_says(
    show: Show, desk: CreditDesk, published: PublishResult
) -> None:
    desk.write([credit(published)])

    (layout,) = show.own(
        "PublishedFile", ["id", "is", published.layout_file.id], fields="sg_haikei_credit"
    )
    assert not layout["sg_haikei_credit"]


def test_a_version_that_is_gone_or_not_ours_is_reported_and_left(
    show: Show, desk: CreditDesk, published: PublishResult
) -> None:
    other = show.create("Version", code="somebody's own", sg_haikei_key="job-8")
    gone = show.create("Version", code="retired")
    show.sg.delete("Version", gone)

    written = desk.write(
        [
            CreditRow(version=gone, key="job-9", stated=STATED),
            CreditRow(version=other, key="job-1", stated=STATED),
            credit(published),
        ]
    )

    assert written.unknown == (gone, other)
    assert written.changed == 4
    (row,) = show.own("Version", ["id", "is", other], fields="sg_haikei_credit")
    assert not row["sg_haikei_credit"]


def test_a_file_that_a_person_copied_in_the_tracker_is_theirs(
    show: Show, desk: CreditDesk, published: PublishResult
) -> None:
    copy = show.create(
        "PublishedFile",
        code="a copy",
        version=link("Version", published.version.id),
        created_by=link("HumanUser", show.artist),
        sg_haikei_key="job-1:result",
    )

    assert desk.write([credit(published)]).changed == 4

    (row,) = show.own("PublishedFile", ["id", "is", copy], fields="sg_haikei_credit")
    assert not row["sg_haikei_credit"]


def test_hundreds_of_versions_take_few_calls(show: Show) -> None:
    project = link("Project", show.project)
    made: list[int] = []
    for start in range(0, 450, 150):
        created = show.sg.batch(
            [
                {
                    "request_type": "create",
                    "entity_type": "Version",
                    "data": {"project": project, "code": f"v{n}", "sg_haikei_key": f"job-{n}"},
                }
                for n in range(start, start + 150)
            ]
        )
        made += [int(row["id"]) for row in created]
    stated = [
        CreditRow(version=number, key=f"job-{n}", stated=replace(STATED, ledger_index=n))
        for n, number in enumerate(made)
    ]
    with proxy_before(str(show.settings.tracker.url)) as proxy:
        adapter = ShotGridTracker(show.at(proxy.url).settings, show.key)
        desk = needed(adapter.parts.credits, adapter, Part.CREDITS)

        assert desk.write(stated).changed == 450
        assert proxy.count <= 3 * 3 + 1, "two reads and a batch for each 200 versions"

        proxy.reset()
        assert desk.write(stated).changed == 0
        assert proxy.count <= 2 * 3
        adapter.close()

    seen = show.own("Version", fields="sg_haikei_ledger")
    assert [row["sg_haikei_ledger"] for row in seen] == list(range(450))


@pytest.fixture
def proxy(show: Show) -> Iterator[Proxy]:
    with proxy_before(str(show.settings.tracker.url)) as running:
        yield running


def test_a_write_that_is_cut_is_finished_by_the_next(
    show: Show, published: PublishResult, proxy: Proxy
) -> None:
    adapter = ShotGridTracker(show.at(proxy.url).settings, show.key)
    desk = needed(adapter.parts.credits, adapter, Part.CREDITS)
    desk.write([credit(published)], dry_run=True)
    proxy.reset({3: Mischief.CUT_BEFORE})

    with pytest.raises(TrackerUnavailable):
        desk.write([credit(published)])
    assert desk.write([credit(published)]).changed == 4

    adapter.close()
    assert {row["sg_haikei_ledger"] for row in rows(show, published)} == {7}


def test_hours_name_the_person_the_shot_and_the_step(show: Show, desk: CreditDesk) -> None:
    task = link("Task", show.layout_task)
    person = link("HumanUser", show.artist)
    show.create("TimeLog", entity=task, user=person, duration=90, date="2026-10-02")
    show.create("TimeLog", entity=task, user=person, duration=45, date="2026-10-01")

    first, second = desk.hours(show.name)

    assert (first.minutes, first.date) == (45, date(2026, 10, 1))
    assert (second.minutes, second.date) == (90, date(2026, 10, 2))
    assert (first.shot, first.sequence, first.step) == ("c001", "s01", "Layout")
    assert first.person == Person(
        id=f"HumanUser:{show.artist}", name="Aoi Sato", name_ja="佐藤葵"
    ), "people are named as the studio's settings name them"


def test_hours_for_no_task_and_by_nobody_are_hours_too(show: Show, desk: CreditDesk) -> None:
    show.create("TimeLog", duration=30, user=None, date="2026-10-01")

    (spent,) = desk.hours(show.name)

    assert (spent.minutes, spent.shot, spent.sequence, spent.step) == (30, "", "", "")
    assert spent.person.id == "" or spent.person.id.startswith("ApiUser:")


def test_hours_of_other_projects_are_not_counted(
    show: Show, studio: RunningStudio, desk: CreditDesk
) -> None:
    other = studio.show()
    other.create("TimeLog", duration=30)

    assert desk.hours(show.name) == ()


def test_more_hours_than_one_page_holds_are_read(show: Show, desk: CreditDesk) -> None:
    data = {
        "project": link("Project", show.project),
        "entity": link("Task", show.background_task),
        "user": link("HumanUser", show.artist),
        "duration": 10,
    }
    show.sg.batch(
        [{"request_type": "create", "entity_type": "TimeLog", "data": data} for _ in range(520)]
    )

    assert sum(one.minutes for one in desk.hours(show.name)) == 5200


def test_hours_of_an_unknown_project_are_refused(show: Show, desk: CreditDesk) -> None:
    with pytest.raises(TrackerRejected, match="no project 'nowhere'"):
        desk.hours("nowhere")


def test_people_are_found_by_id_login_address_and_name(show: Show, desk: CreditDesk) -> None:
    number = user(show, "Sakura Ito", email=f"sakura@{show.name}.test")
    known = (f"HumanUser:{number}", f"sakura.ito.{show.name}", f"SAKURA@{show.name}.test")

    found = desk.people([*known, "HumanUser:1234567", "nobody"])

    assert set(found) == set(known)
    assert {person.id for person in found.values()} == {f"HumanUser:{number}"}
    assert {person.name for person in found.values()} == {"Sakura Ito"}


def test_a_name_that_two_people_have_means_nobody(show: Show, desk: CreditDesk) -> None:
    name = f"Ren Mori {show.name}"
    user(show, name)
    show.sg.create("HumanUser", {"name": name, "login": f"other.{show.name}"})

    assert desk.people([name]) == {}
