"""What every tracker adapter owes a job, over HTTP against the embedded tracker."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from haikei.credits import Person
from haikei.errors import PlaceUnknown
from haikei.trackers import LayoutContext, Tracker
from haikei.trackers.shotgrid.tracker import ShotGridTracker
from support.sites import PNG, RunningStudio, Show, running_studio

FILES = (
    "sg_haikei_key code name version_number path version task upstream_published_files "
    "published_file_type sg_haikei_ledger sg_haikei_roles sg_haikei_record_link"
)


@pytest.fixture(scope="module", params=["classic", "cloud"])
def studio(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningStudio]:
    with running_studio(tmp_path_factory.mktemp("studio"), uploads=request.param) as running:
        yield running


@pytest.fixture
def show(studio: RunningStudio) -> Show:
    return studio.show()


@pytest.fixture
def tracker(show: Show) -> Iterator[Tracker]:
    adapter = ShotGridTracker(show.settings, show.key)
    yield adapter
    adapter.close()


def files(show: Show) -> list[dict[str, Any]]:
    return show.own("PublishedFile", ["sg_haikei_key", "is_not", None], fields=FILES)


def versions(show: Show) -> list[dict[str, Any]]:
    fields = (
        "code entity project sg_task user sg_status_list description sg_path_to_frames image "
        "sg_uploaded_movie published_files sg_haikei_key sg_haikei_credit sg_haikei_credit_ja "
        "sg_haikei_system sg_haikei_source_type sg_haikei_record sg_haikei_roles "
        "sg_haikei_ledger sg_haikei_record_link"
    )
    return show.own("Version", fields=fields)


def version_link(version: dict[str, Any]) -> dict[str, Any]:
    return {"type": "Version", "id": version["id"], "name": version["code"]}


def test_the_context_names_the_place_the_task_and_the_artist(show: Show, tracker: Tracker) -> None:
    context = tracker.context(show.ask())

    assert (context.project.type, context.project.id) == ("Project", show.project)
    assert context.sequence is not None
    assert (context.sequence.id, context.sequence.name) == (show.sequence, "s01")
    assert (context.shot.id, context.shot.name) == (show.shot, "c001")
    assert context.task is not None
    assert context.task.id == show.background_task
    (artist,) = context.artists
    assert (artist.id, artist.name, artist.name_ja) == (
        f"HumanUser:{show.artist}",
        "Aoi Sato",
        "佐藤葵",
    )
    assert "aoi" in context.artist_logins
    assert context.artist_source == f"Task:{show.layout_task} assignee"
    assert context.layout_file is None
    assert context.latest_version == 0


@pytest.mark.parametrize(
    ("kind", "said", "kept"),
    [
        ("checkbox", True, True),
        ("checkbox", False, False),
        ("text", "No-AI", True),
        ("text", "yes", True),
        ("text", "true", True),
        ("text", "ask Ren first", False),
        ("text", "", False),
    ],
)
def test_a_field_of_the_shot_keeps_its_layouts_from_trained_models(
    show: Show, kind: str, said: bool | str, *, kept: bool
) -> None:
    default = {"default_value": False} if kind == "checkbox" else {}
    field = show.sg.schema_field_create("Shot", kind, f"Keep Out {kind}", default)
    settings = show.settings.model_copy(
        update={"tracker": show.settings.tracker.model_copy(update={"no_ai_field": field})}
    )
    show.sg.update("Shot", show.shot, {field: said})
    adapter = ShotGridTracker(settings, show.key)

    context = adapter.context(show.ask())

    adapter.close()
    assert context.no_ai == (f"Shot.{field}" if kept else "")


def test_fields_say_how_a_cut_is_to_look_the_nearest_first(show: Show) -> None:
    made = {
        (kind, name): show.sg.schema_field_create(kind, "text", f"Cut {name}")
        for kind, name in (("Shot", "season"), ("Sequence", "season"), ("Sequence", "board"))
    }
    season, of_sequence = made["Shot", "season"], made["Sequence", "season"]
    fields = {
        "season": (season, f"sg_sequence.Sequence.{of_sequence}"),
        "notes": (f"sg_sequence.Sequence.{made['Sequence', 'board']}",),
    }
    tracker = show.settings.tracker
    settings = show.settings.model_copy(
        update={
            "tracker": tracker.model_copy(
                update={"cut_fields": tracker.cut_fields.model_copy(update=fields)}
            )
        }
    )
    show.sg.update(
        "Sequence", show.sequence, {of_sequence: "秋", made["Sequence", "board"]: "逆光"}
    )
    adapter = ShotGridTracker(settings, show.key)

    first = adapter.context(show.ask()).cut
    show.sg.update("Shot", show.shot, {season: "winter"})
    then = adapter.context(show.ask()).cut

    adapter.close()
    assert (first.season, first.notes, first.weather) == ("秋", "逆光", "")
    assert (then.season, then.notes) == ("winter", "逆光")


@pytest.mark.parametrize(("project", "shot"), [("{}", "C001"), ("{} no machi", "c001")])
def test_a_place_is_found_whatever_its_letter_case(
    show: Show, tracker: Tracker, project: str, shot: str
) -> None:
    request = show.ask(project=project.format(show.name.upper()), shot=shot)

    assert tracker.context(request).shot.id == show.shot


def test_an_unknown_project_is_refused_with_the_nearest(show: Show, tracker: Tracker) -> None:
    with pytest.raises(PlaceUnknown, match=rf"no project '{show.name}x'.*{show.name}"):
        tracker.context(show.ask(project=f"{show.name}x"))


def test_an_unknown_shot_is_refused_with_the_nearest(show: Show, tracker: Tracker) -> None:
    with pytest.raises(PlaceUnknown, match=r"no shot 'c0001'.*c001"):
        tracker.context(show.ask(shot="c0001"))


def test_a_shot_code_that_two_sequences_share_is_told_apart_by_the_sequence(
    show: Show, tracker: Tracker
) -> None:
    other = show.create("Sequence", code="s02")
    twin = show.create("Shot", code="c001", sg_sequence={"type": "Sequence", "id": other})

    assert tracker.context(show.ask(sequence="s01")).shot.id == show.shot
    assert tracker.context(show.ask(sequence="s02")).shot.id == twin


def test_a_shot_code_that_stands_twice_in_a_sequence_is_refused(
    show: Show, tracker: Tracker
) -> None:
    for shot in ("c002", "c002"):
        show.create("Shot", code=shot, sg_sequence={"type": "Sequence", "id": show.sequence})

    with pytest.raises(PlaceUnknown, match="2 shots named 'c002'"):
        tracker.context(show.ask(shot="c002"))


def test_a_shot_of_another_sequence_is_refused(show: Show, tracker: Tracker) -> None:
    with pytest.raises(PlaceUnknown, match=r"not in 's09'.*s01"):
        tracker.context(show.ask(sequence="s09"))


def test_a_shot_without_tasks_is_found_without_a_task_or_an_artist(
    show: Show, tracker: Tracker
) -> None:
    bare = show.create("Shot", code="c009", sg_sequence={"type": "Sequence", "id": show.sequence})

    context = tracker.context(show.ask(shot="c009"))

    assert context.shot.id == bare
    assert context.task is None
    assert context.artists == ()


def test_the_row_that_an_event_named_is_the_layouts(show: Show, tracker: Tracker) -> None:
    row = show.create("PublishedFile", code="some layout")

    context = tracker.context(show.ask(published_file=row))

    assert context.layout_file is not None
    assert context.layout_file.id == row


def test_the_layouts_row_is_found_by_its_path(show: Show, tracker: Tracker) -> None:
    layout = show.layout()
    (storage,) = show.find("LocalStorage", ["code", "is", "primary"])
    row = show.create(
        "PublishedFile",
        code="anything",
        entity={"type": "Shot", "id": show.shot},
        path={
            "local_storage": {"type": "LocalStorage", "id": storage["id"]},
            "relative_path": layout.relative,
        },
        path_cache=layout.relative,
    )

    context = tracker.context(show.ask(layout=layout))

    assert context.layout_file is not None
    assert context.layout_file.id == row


def test_who_published_the_layout_drew_it_when_nobody_is_assigned(
    show: Show, tracker: Tracker
) -> None:
    show.sg.update("Task", show.layout_task, {"task_assignees": []})
    maker = {"type": "HumanUser", "id": show.artist}
    row = show.create("PublishedFile", code="layout", created_by=maker)

    context = tracker.context(show.ask(published_file=row))

    assert [artist.id for artist in context.artists] == [f"HumanUser:{show.artist}"]
    assert context.artist_source == f"PublishedFile:{row} created_by"


def test_the_version_of_a_layout_tells_its_artist_before_who_created_the_row(
    show: Show, tracker: Tracker
) -> None:
    show.sg.update("Task", show.layout_task, {"task_assignees": []})
    artist = {"type": "HumanUser", "id": show.artist}
    version = show.create("Version", code="layout", user=artist)
    row = show.create("PublishedFile", code="layout", version={"type": "Version", "id": version})

    context = tracker.context(show.ask(published_file=row))

    assert [one.id for one in context.artists] == [f"HumanUser:{show.artist}"]
    assert context.artist_source == f"PublishedFile:{row} version's user"


def test_publishing_makes_a_complete_set_of_rows(show: Show, tracker: Tracker) -> None:
    request = show.background(tracker.context(show.ask()))

    result = tracker.publish(request)

    assert result.created
    assert result.url.endswith(f"/detail/Version/{result.version.id}")
    (version,) = versions(show)
    assert version["id"] == result.version.id
    assert version["code"] == request.code
    assert version["entity"]["id"] == show.shot
    assert version["sg_task"]["id"] == show.background_task
    assert version["user"]["id"] == show.artist
    assert version["sg_status_list"] == "rev"
    assert version["description"] == request.description
    assert version["sg_path_to_frames"] == str(request.images[0].file.path)
    assert version["sg_uploaded_movie"]["link_type"] == "upload"
    assert version["sg_haikei_key"] == request.key
    assert version["sg_haikei_credit"] == request.credit_en
    assert version["sg_haikei_credit_ja"] == request.credit_ja
    assert version["sg_haikei_system"] == request.system
    assert version["sg_haikei_source_type"] == request.source_type
    assert version["sg_haikei_record"] == request.record_sha256
    assert version["sg_haikei_roles"] == request.roles
    assert version["sg_haikei_ledger"] == 0, "the ledger's first entry is an entry"
    assert version["sg_haikei_record_link"] == request.record_link
    rows = {row["code"]: row for row in files(show)}
    assert len(rows) == 4
    layout = rows[request.layout.path.name]
    assert layout["id"] == result.layout_file.id
    assert layout["path"]["relative_path"] == request.layout.relative
    for image in request.images:
        row = rows[image.file.path.name]
        assert row["name"] == image.name
        assert row["version_number"] == 1
        assert row["sg_haikei_ledger"] == 0
        assert row["sg_haikei_roles"] == request.roles
        assert row["sg_haikei_record_link"] == request.record_link
        assert row["path"]["relative_path"] == image.file.relative
        assert row["path"]["local_storage"]["name"] == "primary"
        assert row["path"]["local_path"] == str(image.file.path)
        assert row["version"]["id"] == version["id"]
        assert row["task"]["id"] == show.background_task
        assert [link["id"] for link in row["upstream_published_files"]] == [layout["id"]]
    assert {row.id for row in result.files} == {
        row["id"] for row in rows.values() if row is not layout
    }


def test_a_published_version_gets_a_thumbnail(show: Show, tracker: Tracker) -> None:
    tracker.publish(show.background(tracker.context(show.ask())))

    (version,) = versions(show)

    assert version["image"]


def test_publishing_again_adds_nothing(show: Show, tracker: Tracker) -> None:
    request = show.background(tracker.context(show.ask()))
    first = tracker.publish(request)
    before = (versions(show), files(show))

    again = tracker.publish(request)

    assert not again.created
    assert (again.version, again.files, again.layout_file) == (
        first.version,
        first.files,
        first.layout_file,
    )
    after = (versions(show), files(show))
    assert [[row["id"] for row in rows] for rows in after] == [
        [row["id"] for row in rows] for rows in before
    ]


def test_publishing_again_leaves_a_reviewers_status(show: Show, tracker: Tracker) -> None:
    request = show.background(tracker.context(show.ask()))
    result = tracker.publish(request)
    show.sg.update("Version", result.version.id, {"sg_status_list": "apr"})

    tracker.publish(request)

    assert versions(show)[0]["sg_status_list"] == "apr"


def test_a_second_background_continues_the_numbering_and_shares_the_layouts_row(
    show: Show, tracker: Tracker
) -> None:
    first = tracker.publish(show.background(tracker.context(show.ask()), version=3))

    context = tracker.context(show.ask())
    second = tracker.publish(show.background(context, key="job-2", version=4))

    assert context.latest_version == 3
    assert context.layout_file == first.layout_file
    assert second.layout_file == first.layout_file
    assert len(versions(show)) == 2
    assert len(files(show)) == 7


def test_a_layout_whose_drawing_changed_keeps_its_row(show: Show, tracker: Tracker) -> None:
    first = tracker.publish(show.background(tracker.context(show.ask())))

    context = tracker.context(show.ask(layout=show.layout(content=PNG + b"changed")))

    assert context.layout_file == first.layout_file


def test_two_variants_that_know_no_layout_row_make_one(show: Show, tracker: Tracker) -> None:
    context: LayoutContext = tracker.context(show.ask())

    first = tracker.publish(show.background(context))
    second = tracker.publish(show.background(context, key="job-2", version=2))

    assert first.layout_file == second.layout_file
    assert len(files(show)) == 7


def test_a_touch_up_hangs_on_the_layout_and_on_the_file_that_was_painted_over(
    show: Show, tracker: Tracker
) -> None:
    first = tracker.publish(show.background(tracker.context(show.ask())))
    painter = int(show.sg.create("HumanUser", {"name": "Aoi Suzuki", "login": show.name})["id"])

    context = tracker.context(show.ask(painted_over="job-1"))
    background = show.background(context, key="touch-up-1", version=2)
    result = tracker.publish(
        replace(
            background,
            images=(replace(background.images[0], type="Background Touch-up"),),
            parent_file=context.parent_file,
            artist=Person(id=f"HumanUser:{painter}", name="Aoi Suzuki"),
        )
    )

    assert context.parent_file == first.files[0]
    version = next(row for row in versions(show) if row["id"] == result.version.id)
    assert version["user"]["id"] == painter
    (file,) = (row for row in files(show) if row["version"] == version_link(version))
    assert file["published_file_type"]["name"] == "Background Touch-up"
    assert {link["id"] for link in file["upstream_published_files"]} == {
        first.layout_file.id,
        first.files[0].id,
    }
    assert tracker.context(show.ask()).latest_version == 2


def test_nothing_is_known_of_a_version_that_was_never_published(
    show: Show, tracker: Tracker
) -> None:
    tracker.publish(show.background(tracker.context(show.ask())))

    assert tracker.context(show.ask(painted_over="job-9")).parent_file is None
    assert tracker.context(show.ask()).parent_file is None
