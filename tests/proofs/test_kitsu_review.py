"""What people say on a real Kitsu besides words: checklists, mentions, drawings, attached files."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from haikei.note_language.parser import read_notes
from haikei.presets import Act, Part, Subject
from haikei.trackers import EventKind, PublishResult, SeenVersion
from support.kitsu import running_kitsu
from support.kitsu_bench import KitsuBench
from support.sites import PNG


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[KitsuBench]:
    made = KitsuBench(running_kitsu(), tmp_path)
    yield made
    made.close()


def publish(bench: KitsuBench) -> PublishResult:
    context = bench.tracker.context(bench.files.ask())
    return bench.tracker.publish(bench.files.background(context, key=f"{bench.files.name}-1"))


def seen(bench: KitsuBench, version: int) -> SeenVersion:
    review = bench.tracker.parts.review
    assert review is not None
    (found,) = review.look([version])
    return found


def rect(left: float, top: float, *, kind: str = "rect", **more: object) -> dict[str, object]:
    size = {"width": 100, "height": 50, "canvasWidth": 1000, "canvasHeight": 500}
    return {"type": kind, "left": left, "top": top, **size, **more}


def test_open_items_mentions_and_attached_files_are_part_of_the_note(
    bench: KitsuBench, tmp_path: Path
) -> None:
    version = publish(bench).version.id
    reference = tmp_path / "参考.png"
    reference.write_bytes(PNG)
    bench.comment(
        version,
        "@Aoi Sato please look. The sky darker.",
        checklist=[("the roof dark red", False), ("more haze", True), ("電線を消して", False)],
        attached=reference,
    )

    (note,) = seen(bench, version).notes
    read = read_notes([note.text])

    assert note.author is not None
    assert note.author.id == bench.supervisor.id
    assert note.text.splitlines() == [
        "@Aoi.Sato please look. The sky darker.",
        "- [ ] the roof dark red",
        "- [ ] 電線を消して",
        "[not read: the attached file 参考.png]",
    ]
    assert [one.subject for one in read.changes] == [Subject.SKY, Subject.ROOF, Subject.WIRES]
    assert [text.en for text in read.cannot] == ["the attached file 参考.png"]


def test_what_is_drawn_is_the_place_of_the_note_that_it_was_drawn_for(bench: KitsuBench) -> None:
    feed = bench.tracker.parts.feed
    assert feed is not None
    version = publish(bench).version.id
    before = feed.newest()
    author = {"createdBy": bench.supervisor.id.partition(":")[2]}
    bench.draw(version, rect(100, 100, **author), rect(0, 0, kind="i-text", text="too bright"))
    assert seen(bench, version).notes == (), "nobody has said anything yet"
    bench.note(version, "Remove the trees.")

    (first,) = seen(bench, version).notes
    bench.draw(version, rect(800, 400, kind="stamp"), rect(850, 100, **author))
    bench.note(version, "The roof on the left red; the sky darker.")
    again, second = seen(bench, version).notes

    assert first.text.splitlines() == [
        "Remove the trees.",
        "too bright",
        "[box 10.0,20.0-20.0,30.0 %]",
    ]
    assert again.text == first.text, "what was drawn later belongs to the later note"
    changes = read_notes([second.text]).changes
    assert [(one.subject, one.act, one.parts, len(one.within)) for one in changes] == [
        (Subject.ROOF, Act.COLOUR, (Part.LEFT,), 1),
        (Subject.SKY, Act.TURN, (), 1),
    ]
    assert "[not read: a drawing of the kind stamp]" in second.text
    told = feed.events(after=before, until=None, limit=500)
    assert [one.row for one in told if one.kind is EventKind.VERSION_CHANGED] == [version] * 2


def test_a_drawing_without_a_word_is_asked_about(bench: KitsuBench) -> None:
    version = publish(bench).version.id
    bench.draw(version, rect(100, 100))
    bench.set_status(version, "rtk")

    found = seen(bench, version)
    (note,) = found.notes
    read = read_notes([note.text])

    assert found.status == "rtk"
    assert note.text == "[box 10.0,20.0-20.0,30.0 %]"
    assert not read.alters
    assert [text.en for text in read.cannot] == ["what is drawn at 10-20 % across, 20-30 % down"]


def test_a_column_of_the_shot_keeps_it_from_trained_models(bench: KitsuBench) -> None:
    tracker = bench.opened_with(no_ai_field="no_ai")
    before = tracker.context(bench.files.ask()).no_ai
    said: dict[str, str] = {}
    for value in (True, "yes", "No-AI", "no", False):
        bench.set_shot_field("no_ai", value)
        said[str(value)] = tracker.context(bench.files.ask(shot="C001")).no_ai
        tracker = bench.opened_with(no_ai_field="no_ai")

    assert before == ""
    assert said == {
        "True": "Shot.no_ai",
        "yes": "Shot.no_ai",
        "No-AI": "Shot.no_ai",
        "no": "",
        "False": "",
    }
