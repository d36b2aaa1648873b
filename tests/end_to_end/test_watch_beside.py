"""The watcher in a tree that holds everything a show has: most of it is none of its business."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import select

from haikei.database import notices
from haikei.jobs import JobStore
from haikei.notify.notice import NoticeKind, gather
from haikei.sources.watch import Outcome, Watcher, explain, standing_findings
from support.clocks import eventually
from support.pictures import png_bytes
from support.watching import WatchedStudio, wait_until_settled, watched_studio, watching

_FOREIGN, _LAYOUTS = 5000, 50


def _notices(place: WatchedStudio, now: datetime) -> list[str]:
    with place.database.begin() as connection:
        gather(connection, (NoticeKind.DEAD, NoticeKind.MISPLACED, NoticeKind.SAME), now)
        return list(connection.execute(select(notices.c.text).order_by(notices.c.key)).scalars())


def _foreign(place: WatchedStudio, number: int) -> Path:
    kinds = (
        "port/sq01/c{0:03d}/comp/c{0:03d}_comp_v{1:03d}.png",
        "port/refs/mood {0}/{1}.png",
        "port/sq01/c{0:03d}/render/beauty.{1:04d}.exr",
        "port/sq01/c{0:03d}/layout/notes_{1}.txt",
        "edit/{0}_{1}.mov",
    )
    path = place.show / kinds[number % len(kinds)].format(number % 50, number)
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def test_thousands_of_other_files_are_left_alone_counted_and_never_opened(tmp_path: Path) -> None:
    place = watched_studio(tmp_path, full_walk=600.0)
    for number in range(_FOREIGN):
        path = _foreign(place, number)
        path.write_bytes(b"none of our business")
        path.chmod(0)
    for number in range(_LAYOUTS):
        place.layout(f"c{number:03d}").write_bytes(png_bytes(f"{number}"))

    with watching(place) as watcher:
        eventually(lambda: len(place.told()) == _LAYOUTS)
        eventually(lambda: watcher.status.pending == watcher.status.judging == 0)
        assert watcher.status.left_alone == _FOREIGN
        assert watcher.status.misplaced == 0

    assert place.refused() == []
    assert len(place.recorded()) == _LAYOUTS
    assert _notices(place, datetime.now(UTC)) == []
    (line,) = standing_findings(place.settings)
    assert line.ok
    assert f"{_LAYOUTS} files fit a template; {_FOREIGN} that fit none are left alone" in (
        line.message
    )


def test_what_lands_later_is_counted_and_what_goes_is_not(tmp_path: Path) -> None:
    place = watched_studio(tmp_path)

    with watching(place) as watcher:
        for number in range(10):
            _foreign(place, number).write_bytes(b"foreign")
        eventually(lambda: watcher.status.left_alone == 10)
        _foreign(place, 0).unlink()
        eventually(lambda: watcher.status.left_alone == 9)

    assert place.refused() == []


def test_wrong_names_where_layouts_lie_are_one_notice_a_folder_and_day(tmp_path: Path) -> None:
    place = watched_studio(tmp_path)
    folder = place.layout("c001").parent
    for number in range(30):
        (folder / f"c001 bg {number}.png").write_bytes(png_bytes(f"{number}"))
    place.layout("c002").with_name("C002-bg-1.png").write_bytes(png_bytes("two"))

    Watcher(place.settings, place.database).scan_once()

    now = datetime.now(UTC)
    first, second = sorted(_notices(place, now))
    assert place.refused() == []
    assert "and 29 more" in first
    assert str(folder) in first
    assert "{shot}_{name}_v{version:03d}.{ext}" in first
    assert "C002-bg-1.png" in second
    assert len(_notices(place, now + timedelta(hours=30))) == 2
    (folder / "c001 late.png").write_bytes(png_bytes("late"))
    Watcher(place.settings, place.database).scan_once()
    assert len(_notices(place, now + timedelta(hours=1))) == 2
    assert len(_notices(place, now + timedelta(hours=30))) == 3


def test_a_wrong_name_that_is_corrected_is_taken_and_told_no_more(tmp_path: Path) -> None:
    place = watched_studio(tmp_path)

    with watching(place) as watcher:
        path = place.layout("c001")
        wrong = path.with_name("c001.png")
        wrong.write_bytes(png_bytes("one"))
        eventually(lambda: place.recorded() == {str(wrong)})
        wrong.rename(path)
        eventually(lambda: place.recorded() == {str(path)})
        wait_until_settled(watcher)

    assert [told.layout for told in place.told()] == [str(path)]
    assert _notices(place, datetime.now(UTC)) == []


def test_a_format_that_is_not_read_is_told_where_a_layout_should_lie(tmp_path: Path) -> None:
    place = watched_studio(tmp_path)
    place.layout("c001").with_suffix(".kra").write_bytes(b"a painting")
    place.layout("c002").write_bytes(png_bytes("two"))
    place.layout("c002").with_suffix(".xmp").write_bytes(b"what lies beside a layout")

    Watcher(place.settings, place.database).scan_once()

    (text,) = _notices(place, datetime.now(UTC))
    assert "c001_bg_v001.kra" in text
    assert "watch.extensions" in text
    assert len(place.told()) == 1


def test_a_name_of_bytes_that_is_corrected_takes_its_dead_letter_along(tmp_path: Path) -> None:
    place = watched_studio(tmp_path)

    with watching(place):
        path = place.layout("c001")
        raw = bytes(path.parent) + b"/c001_\xff_v001.png"
        with open(raw, "wb") as out:  # noqa: PTH123 - a name that no Path literal can hold
            out.write(png_bytes("bytes"))
        eventually(lambda: len(place.refused()) == 1)
        Path(raw.decode("utf-8", "surrogateescape")).rename(path)
        eventually(lambda: len(place.told()) == 1 and place.refused() == [])

    (gone,) = JobStore(place.database).list()
    assert gone.error_kind == "Superseded"


def test_the_same_bytes_as_a_newer_version_are_answered(tmp_path: Path) -> None:
    place = watched_studio(tmp_path)

    for version, drawing in ((1, "A"), (2, "B"), (3, "A")):
        place.layout("c001", version).write_bytes(png_bytes(drawing))
        Watcher(place.settings, place.database).scan_once()

    assert [told.version for told in place.told()] == [1, 2]
    (text,) = _notices(place, datetime.now(UTC))
    assert "c001_bg_v003.png is the same drawing, byte for byte, as c001_bg_v001.png" in text
    said = explain(place.layout("c001", 3), place.settings, place.database)
    assert said.outcome is Outcome.SAME
    assert place.refused() == []


def test_a_changed_template_has_what_became_nothing_announced_anew(tmp_path: Path) -> None:
    place = watched_studio(
        tmp_path,
        folders=[
            {
                "path": str(tmp_path / "show"),
                "template": "{sequence}/{project}/{shot}/layout/{shot}_{name}_v{version:03d}.{ext}",
            }
        ],
    )
    place.layout("c001").write_bytes(png_bytes("one"))
    Watcher(place.settings, place.database).scan_once()
    assert len(place.told()) == 1

    corrected = watched_studio(tmp_path)
    Watcher(corrected.settings, corrected.database).scan_once()
    Watcher(corrected.settings, corrected.database).scan_once()

    assert len({told.key for told in corrected.told()}) == 2
