"""The watcher with real folders, a real database, real threads and the real sandboxed reader."""

import hashlib
import threading
from io import FileIO
from pathlib import Path

import pytest

from haikei.events import TouchUpPublished
from haikei.jobs import undispatched
from haikei.sources.watch import Watcher, rearm
from support.clocks import eventually
from support.pictures import png_bytes
from support.watching import counted, wait_until_settled, watched_studio, watching


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def test_a_burst_into_new_nested_folders_tells_of_each_file_once(tmp_path: Path) -> None:
    place = watched_studio(tmp_path)

    with watching(place) as watcher:
        expected: dict[str, str] = {}
        for number in range(300):
            path = place.layout(f"c{number // 3:03d}", number % 3, sequence=f"sq{number // 60}")
            data = png_bytes(f"drawing {number}")
            if number % 2:
                path.write_bytes(data)
            else:
                temporary = path.with_name(f".{path.name}.part")
                temporary.write_bytes(data)
                temporary.rename(path)
            expected[str(path)] = _sha256(data)
        eventually(lambda: len(place.told()) >= 300)
        wait_until_settled(watcher)

    assert {told.layout: told.sha256 for told in place.told()} == expected
    assert len(place.told()) == 300
    assert place.refused() == []


def test_in_a_mixed_burst_each_good_file_is_an_event_and_each_bad_one_a_dead_letter(
    tmp_path: Path,
) -> None:
    place = watched_studio(tmp_path, settle=0.3)
    good: dict[str, str] = {}
    bad: set[str] = set()
    misnamed: set[str] = set()

    with watching(place) as watcher:
        held: list[tuple[FileIO, bytes]] = []
        for number in range(500):
            path = place.layout(f"c{number // 2:03d}", number % 2, sequence=f"sq{number // 50}")
            data = png_bytes(f"drawing {number}", width=100, height=60)
            match number % 10:
                case 0:  # slow: the rest comes at the end
                    slow = path.open("wb", buffering=0)
                    slow.write(data[:100])
                    held.append((slow, data[100:]))
                    good[str(path)] = _sha256(data)
                case 1:  # its copy was broken off
                    path.write_bytes(data[:-50])
                    bad.add(str(path))
                case 2:  # its name is of no template
                    stray = path.with_name(f"final_{number}.png")
                    stray.write_bytes(data)
                    misnamed.add(str(stray))
                case _:
                    temporary = path.with_suffix(".tmp")
                    temporary.write_bytes(data)
                    temporary.rename(path)
                    good[str(path)] = _sha256(data)
        for out, rest in held:
            out.write(rest)
            out.close()
        eventually(lambda: len(place.recorded()) >= len(good) + len(bad) + len(misnamed))
        wait_until_settled(watcher)

    told = place.told()
    refused = [refusal.layout for refusal in place.refused()]
    assert {event.layout: event.sha256 for event in told} == good
    assert len(told) == len(good)
    assert sorted(refused) == sorted(bad)
    assert place.recorded() == {*good, *bad, *misnamed}


def test_a_path_gives_project_sequence_shot_and_version(tmp_path: Path) -> None:
    place = watched_studio(tmp_path)

    with watching(place):
        path = place.layout("c012", 7)
        path.write_bytes(png_bytes("port"))
        eventually(lambda: len(place.told()) == 1)

    [told] = place.told()
    assert (told.shot, told.version, told.layout) == ("c012", 7, str(path))


def test_a_slow_writer_with_one_open_handle_is_told_of_when_it_is_done(tmp_path: Path) -> None:
    place = watched_studio(tmp_path, settle=0.3)
    data = png_bytes("slow", width=400, height=200)
    pause = threading.Event()

    with watching(place) as watcher:
        with place.layout("c001").open("wb", buffering=0) as out:
            for start in range(0, len(data), len(data) // 20):
                out.write(data[start : start + len(data) // 20])
                pause.wait(0.03)  # the writer's own pace
        eventually(lambda: len(place.told()) == 1)
        wait_until_settled(watcher)

    assert [told.sha256 for told in place.told()] == [_sha256(data)]
    assert place.refused() == []


def test_a_writer_that_closes_after_each_piece_is_told_of_once(tmp_path: Path) -> None:
    place = watched_studio(tmp_path, settle=0.3)
    data = png_bytes("pieces", width=400, height=200)
    pause = threading.Event()

    with watching(place) as watcher:
        path = place.layout("c001")
        for start in range(0, len(data), len(data) // 8):
            with path.open("ab") as out:
                out.write(data[start : start + len(data) // 8])
            pause.wait(0.03)  # the writer's own pace
        eventually(lambda: len(place.told()) == 1)
        wait_until_settled(watcher)

    assert [told.sha256 for told in place.told()] == [_sha256(data)]


def test_a_hard_link_is_a_layout(tmp_path: Path) -> None:
    place = watched_studio(tmp_path)
    work = tmp_path / "work.png"
    work.write_bytes(png_bytes("linked"))

    with watching(place):
        place.layout("c001").hardlink_to(work)
        eventually(lambda: len(place.told()) == 1)


def test_a_link_inside_the_tree_is_followed_and_one_that_leads_out_is_not(tmp_path: Path) -> None:
    place = watched_studio(tmp_path)
    outside = tmp_path / "outside.png"
    outside.write_bytes(png_bytes("outside"))
    inside = place.show / "port" / "drawing.wip"
    inside.parent.mkdir()
    inside.write_bytes(png_bytes("inside"))

    with watching(place) as watcher:
        place.layout("c001").symlink_to(outside)
        place.layout("c002").symlink_to(inside)
        eventually(lambda: len(place.told()) == 1)
        wait_until_settled(watcher)

    assert [told.shot for told in place.told()] == ["c002"]
    assert place.refused() == []


def test_a_folder_that_is_moved_in_is_found_and_one_that_is_moved_out_is_left_alone(
    tmp_path: Path,
) -> None:
    place = watched_studio(tmp_path)
    away = watched_studio(tmp_path / "elsewhere")
    away.layout("c005").write_bytes(png_bytes("moved in"))

    with watching(place) as watcher:
        (away.show / "port").rename(place.show / "port")
        eventually(lambda: len(place.told()) == 1)
        (place.show / "port").rename(tmp_path / "gone")
        (tmp_path / "gone/sq01/c005/layout/c005_bg_v002.png").write_bytes(png_bytes("later"))
        wait_until_settled(watcher)

    assert [told.version for told in place.told()] == [1]


def test_a_file_that_is_cut_and_written_anew_is_told_of_with_its_new_content(
    tmp_path: Path,
) -> None:
    place = watched_studio(tmp_path)

    with watching(place) as watcher:
        path = place.layout("c001")
        path.write_bytes(png_bytes("first"))
        eventually(lambda: len(place.told()) == 1)
        with path.open("r+b") as out:
            out.truncate(0)
            out.write(png_bytes("second drawing"))
        eventually(lambda: len(place.told()) == 2)
        wait_until_settled(watcher)

    assert [told.sha256 for told in place.told()] == [
        _sha256(png_bytes("first")),
        _sha256(png_bytes("second drawing")),
    ]


def test_the_same_content_at_the_same_shot_is_one_event(tmp_path: Path) -> None:
    place = watched_studio(tmp_path)
    data = png_bytes("same")

    with watching(place) as watcher:
        place.layout("c001", 1).write_bytes(data)
        place.layout("c001", 2).write_bytes(data)
        eventually(lambda: len(place.recorded()) == 2)
        wait_until_settled(watcher)

    assert len(place.told()) == 1


def test_a_damaged_file_is_one_dead_letter_and_is_told_of_when_it_is_repaired(
    tmp_path: Path,
) -> None:
    place = watched_studio(tmp_path)

    with watching(place) as watcher:
        path = place.layout("c001")
        path.write_bytes(b"this is no picture at all")
        eventually(lambda: len(place.refused()) == 1)
        wait_until_settled(watcher)
        assert place.told() == []
        [refused] = place.refused()
        path.write_bytes(png_bytes("repaired"))
        eventually(lambda: len(place.told()) == 1)
        wait_until_settled(watcher)

    assert place.refused() == []
    assert refused.kind == "ImageUnreadable"
    assert refused.layout == str(path)
    assert "c001_bg_v001.png" in refused.reason


def test_a_file_whose_writer_died_half_way_is_one_dead_letter(tmp_path: Path) -> None:
    place = watched_studio(tmp_path)
    data = png_bytes("half")

    with watching(place) as watcher:
        place.layout("c001").write_bytes(data[: len(data) // 2])
        eventually(lambda: len(place.refused()) == 1)
        wait_until_settled(watcher)

    assert place.told() == []
    assert "incomplete" in place.refused()[0].reason


def test_an_empty_file_is_refused_only_when_it_stays_empty(tmp_path: Path) -> None:
    place = watched_studio(tmp_path)

    with watching(place) as watcher:
        place.layout("c001").touch()
        filled = place.layout("c002")
        filled.touch()
        # Where this thread gets no turn for long, one has been refused meanwhile.
        counted(watcher, lambda status: status.pending + status.judging + status.refused >= 2)
        filled.write_bytes(png_bytes("filled"))
        eventually(lambda: len(place.refused()) == 1 and len(place.told()) == 1)
        wait_until_settled(watcher)

    assert [refused.reason for refused in place.refused()] == ["c001_bg_v001.png is empty."]
    assert [told.shot for told in place.told()] == ["c002"]


def test_other_endings_and_temporary_names_are_left_alone(tmp_path: Path) -> None:
    place = watched_studio(tmp_path)

    with watching(place) as watcher:
        folder = place.layout("c001").parent
        for name in ("notes.txt", ".c001_bg_v001.png", "~$c001_bg_v001.png", "a.png.part"):
            (folder / name).write_bytes(png_bytes(name))
        hidden = place.show / ".trash"
        hidden.mkdir()
        (hidden / "old.png").write_bytes(png_bytes("old"))
        place.layout("c002").write_bytes(png_bytes("real"))
        eventually(lambda: len(place.told()) == 1)
        wait_until_settled(watcher)

    assert place.refused() == []
    assert place.recorded() == {str(place.layout("c002"))}


def test_a_name_that_is_no_text_is_one_dead_letter(tmp_path: Path) -> None:
    place = watched_studio(tmp_path)

    with watching(place) as watcher:
        raw = bytes(place.layout("c001").parent) + b"/c001_\xff_v001.png"
        with open(raw, "wb") as out:  # noqa: PTH123 - a name that no Path literal can hold
            out.write(png_bytes("bytes"))
        eventually(lambda: len(place.refused()) == 1)
        wait_until_settled(watcher)

    [refused] = place.refused()
    assert "\\xff" in refused.layout
    assert refused.kind == "PathRefused"


def test_a_restart_tells_of_nothing_again_and_finds_what_changed_meanwhile(
    tmp_path: Path,
) -> None:
    place = watched_studio(tmp_path)
    first, second = place.layout("c001"), place.layout("c002")
    with watching(place):
        first.write_bytes(png_bytes("one"))
        second.write_bytes(png_bytes("two"))
        eventually(lambda: len(place.told()) == 2)

    second.write_bytes(png_bytes("two, redrawn"))
    place.layout("c003").write_bytes(png_bytes("three"))
    with watching(place) as watcher:
        eventually(lambda: len(place.told()) == 4)
        wait_until_settled(watcher)

    assert sorted(told.shot for told in place.told()) == ["c001", "c002", "c002", "c003"]
    assert watcher.status.published == 2


def test_polling_finds_new_renamed_and_rewritten_files_without_events(tmp_path: Path) -> None:
    place = watched_studio(tmp_path, mode="polling")

    with watching(place) as watcher:
        path = place.layout("c001")
        path.write_bytes(png_bytes("new"))
        eventually(lambda: len(place.told()) == 1)
        temporary = path.with_suffix(".part")
        temporary.write_bytes(png_bytes("renamed"))
        temporary.rename(place.layout("c002"))
        eventually(lambda: len(place.told()) == 2)
        with path.open("r+b") as out:
            out.write(png_bytes("rewritten"))
        eventually(lambda: len(place.told()) == 3)
        wait_until_settled(watcher)

    assert len(place.told()) == 3
    assert watcher.status.found_by_scan == 0


def test_a_retried_file_is_judged_again_by_the_watcher_that_runs(tmp_path: Path) -> None:
    place = watched_studio(tmp_path)

    with watching(place) as watcher:
        path = place.layout("c001")
        path.write_bytes(b"not yet a picture")
        refused = counted(watcher, lambda status: status.refused > 0).refused
        assert rearm(place.database, path)
        counted(watcher, lambda status: status.refused > refused)

    assert len(place.refused()) == 1
    assert not rearm(place.database, path.with_name("unknown.png"))


def test_a_file_that_is_renamed_and_renamed_back_is_known_once_and_where_it_stands(
    tmp_path: Path,
) -> None:
    place = watched_studio(tmp_path)
    first, second = place.layout("c001"), place.layout("c001", 2)

    with watching(place) as watcher:
        first.write_bytes(png_bytes("drawing"))
        eventually(lambda: [one.layout for one in place.told()] == [str(first)])
        first.rename(second)
        eventually(lambda: [one.layout for one in place.told()] == [str(second)])
        eventually(lambda: watcher.status.known == 1)
        second.rename(first)
        eventually(lambda: [one.layout for one in place.told()] == [str(first)])
        eventually(lambda: watcher.status.known == 1)


def test_a_corrected_template_has_misplaced_files_judged_by_a_restart(tmp_path: Path) -> None:
    place = watched_studio(tmp_path)
    with watching(place) as watcher:
        (place.show / "port_c001.png").write_bytes(png_bytes("flat"))
        eventually(lambda: watcher.status.left_alone == 1)

    flat = [{"path": str(place.show), "template": "{project}_{shot}.{ext}"}]
    corrected = watched_studio(tmp_path, folders=flat)
    with watching(corrected):
        eventually(lambda: len(place.told()) == 1)


def test_a_folder_that_is_away_is_waited_for_and_its_files_are_not_told_of_twice(
    tmp_path: Path,
) -> None:
    place = watched_studio(tmp_path)

    with watching(place) as watcher:
        place.layout("c001").write_bytes(png_bytes("one"))
        eventually(lambda: len(place.told()) == 1)
        place.show.rename(tmp_path / "unmounted")
        eventually(lambda: watcher.status.away == (str(place.show),))
        (tmp_path / "unmounted").rename(place.show)
        eventually(lambda: watcher.status.away == ())
        place.layout("c002").write_bytes(png_bytes("two"))
        eventually(lambda: len(place.told()) == 2)
        wait_until_settled(watcher)

    assert [told.shot for told in place.told()] == ["c001", "c002"]


def test_a_folder_that_is_not_there_at_first_is_watched_when_it_comes(tmp_path: Path) -> None:
    place = watched_studio(tmp_path)
    place.show.rmdir()

    with watching(place):
        place.layout("c001").write_bytes(png_bytes("late"))
        eventually(lambda: len(place.told()) == 1)


def test_a_tree_that_was_removed_and_made_anew_is_heard_again(tmp_path: Path) -> None:
    place = watched_studio(tmp_path, full_walk=60.0)

    with watching(place) as watcher:
        for number in range(3):
            walks = watcher.status.walks
            place.show.rmdir()
            place.show.mkdir()
            eventually(lambda walks=walks: watcher.status.walks > walks)  # type: ignore[misc]
            path = place.layout(f"c{number:03d}")
            path.write_bytes(png_bytes(f"again {number}"))
            eventually(lambda number=number: len(place.told()) == number + 1)  # type: ignore[misc]
            for folder in (path, *list(path.parents)[:4]):
                folder.unlink() if folder.is_file() else folder.rmdir()


def test_a_tree_inside_another_has_its_own_template(tmp_path: Path) -> None:
    place = watched_studio(
        tmp_path,
        folders=[
            {"path": str(tmp_path / "show")},
            {"path": str(tmp_path / "show/port/flat"), "template": "{project}_{shot}.{ext}"},
        ],
    )

    with watching(place) as watcher:
        place.layout("c001").write_bytes(png_bytes("outer"))
        flat = place.show / "port/flat"
        flat.mkdir()
        (flat / "port_c002.png").write_bytes(png_bytes("inner"))
        eventually(lambda: len(place.told()) == 2)
        wait_until_settled(watcher)

    assert sorted(told.shot for told in place.told()) == ["c001", "c002"]
    assert place.refused() == []


def test_one_scan_finds_all_that_is_complete(tmp_path: Path) -> None:
    place = watched_studio(tmp_path)
    for number in range(20):
        place.layout(f"c{number:03d}").write_bytes(png_bytes(f"{number}"))
    watcher = Watcher(place.settings, place.database)

    assert watcher.scan_once() == 20
    assert watcher.scan_once() == 0
    assert Watcher(place.settings, place.database).scan_once() == 0


@pytest.mark.parametrize("mode", ["native", "polling"])
def test_a_watched_link_to_a_folder_keeps_its_own_name(tmp_path: Path, mode: str) -> None:
    place = watched_studio(tmp_path, mode=mode)
    place.show.rename(tmp_path / "disk")
    place.show.symlink_to(tmp_path / "disk")

    with watching(place):
        path = place.layout("c001")
        path.write_bytes(png_bytes("one"))
        eventually(lambda: len(place.told()) == 1)

    assert [told.layout for told in place.told()] == [str(path)]


def test_a_paint_over_in_its_folder_is_told_of_as_one_and_a_stray_file_is_not(
    tmp_path: Path,
) -> None:
    touch_ups = tmp_path / "touchups"
    touch_ups.mkdir()
    place = watched_studio(tmp_path, touch_ups=[{"path": str(touch_ups)}])
    shot = touch_ups / "port/sq01/c001/touchup"
    shot.mkdir(parents=True)
    (shot / "c001_bg_winter_night_v004_sakura ito.png").write_bytes(png_bytes("painted"))
    (shot / "stray.png").write_bytes(png_bytes("stray"))
    place.layout("c001").write_bytes(png_bytes("drawn"))

    Watcher(place.settings, place.database).scan_once()
    Watcher(place.settings, place.database).scan_once()

    with place.database.begin() as connection:
        found = undispatched(connection, 10)
    (event,) = [one for one in found if isinstance(one, TouchUpPublished)]
    assert len(found) == 2
    assert (event.place.shot, event.season, event.time, event.version) == (
        "c001",
        "winter",
        "night",
        4,
    )
    assert event.artist_name == "sakura ito"
    assert place.refused() == []
    assert {path.rpartition("/")[2] for path in place.recorded()} == {
        "c001_bg_v001.png",
        "c001_bg_winter_night_v004_sakura ito.png",
        "stray.png",
    }
