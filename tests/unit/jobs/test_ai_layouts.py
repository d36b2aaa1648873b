"""Layouts that tell of AI say so everywhere; by hand is what somebody declares, never a default."""

import json
import struct
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from haikei.cli import app
from haikei.credits import (
    BackgroundVersion,
    FacetState,
    Role,
    SourceType,
    StatementKind,
    facets,
    people,
    records,
)
from haikei.errors import CreditError
from haikei.events import LayoutPublished
from haikei.jobs import JobState, Step
from haikei.provenance import FileMarks, read_marks, xmp
from haikei.provenance.formats.detection import file_format
from haikei.provenance.xmp import XmpStatement
from haikei.trackers import ListedProject
from support.jobs import JobStudio, OpenJobStudio, announce, job_studios, put_layout
from support.trackers import AOI

IPTC = "http://cv.iptc.org/newscodes/digitalsourcetype/"
A1111 = (
    b"harbour\nSteps: 20, Sampler: Euler a, CFG scale: 7, Model hash: 31e35c80fc, "
    b"Model: sd_xl_base_1.0, Version: v1.9.4"
)
COMFY = b'{"3":{"class_type":"CheckpointLoaderSimple","inputs":{"ckpt_name":"dream.safetensors"}}}'


@pytest.fixture
def open_studio(tmp_path: Path) -> Iterator[OpenJobStudio]:
    with ExitStack() as stack:
        yield job_studios(stack, tmp_path)


@pytest.fixture
def studio(open_studio: OpenJobStudio) -> JobStudio:
    studio = open_studio()
    port = ListedProject(id="Project:1", path_name="PORT", title="PORT")
    studio.tracker.directory.projects[port.id] = port
    return studio


def with_text(content: bytes, name: bytes, text: bytes) -> bytes:
    body = b"tEXt" + name + b"\0" + text
    chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    return content[:33] + chunk + content[33:]


def with_xmp(path: Path, *, source_type: str, system: tuple[str, str] | None = None) -> bytes:
    statement = XmpStatement(
        title="t",
        digital_source_type=source_type and IPTC + source_type,
        ai_systems=() if system is None else (system,),
        prompt="",
        prompt_writer="",
        creators=(),
        contributors=(),
        credit="",
        mining="unsaid",
        tool="",
        at=datetime(2026, 1, 1, tzinfo=UTC),
    )
    write, target = file_format(path).write_xmp, path.with_suffix(".said")
    assert write is not None
    with path.open("rb") as file, target.open("wb") as out:
        write(file, out, xmp.build(statement))
    content = target.read_bytes()
    target.unlink()
    return content


def a1111(studio: JobStudio, event: LayoutPublished) -> bytes:
    return with_text(event.layout.read_bytes(), b"parameters", A1111)


def comfy(studio: JobStudio, event: LayoutPublished) -> bytes:
    return with_text(event.layout.read_bytes(), b"prompt", COMFY)


def iptc(studio: JobStudio, event: LayoutPublished) -> bytes:
    return with_xmp(
        event.layout, source_type="trainedAlgorithmicMedia", system=("Firefly Image", "4")
    )


def iptc_without_a_name(studio: JobStudio, event: LayoutPublished) -> bytes:
    return with_xmp(event.layout, source_type="compositeSynthetic")


def c2pa(studio: JobStudio, event: LayoutPublished) -> bytes:
    studio.generator.source_type = SourceType.TRAINED
    studio.publish("c009")
    made = studio.files[0].read_bytes()
    studio.generator.source_type = SourceType.ALGORITHMIC
    return made


MADE: dict[Callable[[JobStudio, LayoutPublished], bytes], str] = {
    a1111: "Stable Diffusion WebUI with sd_xl_base_1.0 v1.9.4",
    comfy: "ComfyUI with dream",
    iptc: "Firefly Image 4",
    iptc_without_a_name: "Trained model without a name",
    c2pa: "Flat 1",
}


def publish(
    studio: JobStudio, make: Callable[[JobStudio, LayoutPublished], bytes] | None = None
) -> None:
    event = put_layout(studio.settings)
    content = event.layout.read_bytes() if make is None else make(studio, event)
    announce(studio.database, studio.replace_layout(event, content))
    studio.work()


def version_of(studio: JobStudio) -> BackgroundVersion:
    with studio.database.begin() as connection:
        found = records.by_code(connection, "c001_bg_summer_day_v001")
    assert found is not None
    return found


def marks_of(studio: JobStudio, image: int) -> FileMarks:
    path = studio.settings.storage.roots[0].path / version_of(studio).images[image].path
    return read_marks(path, trust_pem=studio.tools.marks().trust_pem)


def call(studio: JobStudio, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> Result:
    folder = studio.settings.studio.state.parent
    (folder / "haikei.toml").write_text(
        '[studio]\nname = "Test Studio"\nstate = "state"\n'
        '[[storage.roots]]\nname = "primary"\npath = "root"\n'
        '[tracker]\nkind = "memory"\n[ledger]\ntracker_field = false\n',
        encoding="utf-8",
    )
    monkeypatch.chdir(folder)
    monkeypatch.setattr("haikei.trackers.load_tracker", studio.open_tracker)
    return CliRunner().invoke(app, list(arguments))


def report(studio: JobStudio, monkeypatch: pytest.MonkeyPatch, name: str) -> str:
    out = studio.settings.studio.state.parent / f"{name}.json"
    done = call(
        studio,
        monkeypatch,
        "report",
        name,
        "--no-tracker",
        "--force",
        "--project",
        "PORT",
        "--shot",
        "c001",
        "--out",
        str(out),
    )
    assert done.exit_code == 0, (done.output, done.exception)
    return json.dumps(json.loads(out.read_text(encoding="utf-8")), ensure_ascii=False)


@pytest.mark.parametrize("make", MADE, ids=lambda make: make.__name__)
def test_what_a_layout_tells_of_ai_is_credited_marked_and_shown_in_the_tracker(
    studio: JobStudio, make: Callable[[JobStudio, LayoutPublished], bytes]
) -> None:
    publish(studio, make)

    layout = version_of(studio).images[0]
    assert layout.system is not None
    assert layout.source_type.is_ai
    assert f"{layout.system.name} {layout.system.version}".strip() == MADE[make]
    (part,) = [one for one in layout.contributions if one.role is Role.AI_LAYOUT]
    assert part.evidence.source.startswith("marks in the file: ")
    assert layout.operators.unrecorded
    request = next(one for one in studio.tracker.published.values() if "c001" in one.code)
    assert f"AI in the layout {MADE[make]} (operator not recorded)" in request.credit_en
    assert f"原図のAI {MADE[make]}（操作者の記録なし）" in request.credit_ja
    assert "Layout Aoi Sato" in request.credit_en
    assert f"ai_layout: {MADE[make]}" in request.roles.splitlines()
    assert MADE[make] in request.system
    assert request.source_type in {
        "trainedAlgorithmicMedia",
        "compositeWithTrainedAlgorithmicMedia",
    }
    for image in (0, -1):
        marks = marks_of(studio, image)
        assert marks.says_ai
        assert marks.xmp is not None
        assert layout.system.name in marks.xmp.ai_system
        assert {step.oversight for step in marks.steps if step.kind == "layout"} == {""}
    assert facets(version_of(studio))[0].state is FacetState.HUMAN_AND_AI


@pytest.mark.parametrize("make", [a1111, c2pa], ids=["a1111", "c2pa"])
def test_every_report_names_the_model_of_an_ai_layout(
    studio: JobStudio,
    monkeypatch: pytest.MonkeyPatch,
    make: Callable[[JobStudio, LayoutPublished], bytes],
) -> None:
    publish(studio, make)
    name = MADE[make]

    for kind in ("ai-use", "article-50", "copyright", "dashboard", "no-ai", "credits-roll", "omc"):
        told = report(studio, monkeypatch, kind)
        assert name in told or name.rpartition(" ")[0] in told, kind
        assert "by hand, as" not in told, kind
        assert "hand-drawn layout by" not in told, kind
    use = report(studio, monkeypatch, "ai-use")
    assert "operator not recorded" in use
    assert "run by pipeline" not in use
    assert "made with AI, by marks in the file" in use
    helper = report(studio, monkeypatch, "copyright")
    assert "generated by artificial intelligence" in helper
    ledger = call(studio, monkeypatch, "ledger", "verify")
    shown = call(studio, monkeypatch, "verify", str(studio.files[0]))
    assert (ledger.exit_code, shown.exit_code) == (0, 0), (ledger.output, shown.output)


@pytest.mark.parametrize("make", [a1111, comfy, iptc], ids=lambda make: make.__name__)
@pytest.mark.parametrize("key", ["no_ai_projects", "no_ai_layouts"])
def test_a_show_refuses_ai_layouts_before_any_pixel_is_made(
    open_studio: OpenJobStudio, make: Callable[[JobStudio, LayoutPublished], bytes], key: str
) -> None:
    studio = open_studio(policy={key: ["port"]})
    publish(studio, make)

    job = studio.store.list()[0]
    assert (job.state, job.step, job.error_kind) == (
        JobState.DEAD,
        Step.VALIDATE,
        "PolicyRefusal",
    )
    assert f"policy.{key} has 'port'" in job.error
    assert "marks in the file: " in job.error
    assert studio.generator.made == []


def test_a_layout_about_which_nobody_said_anything_is_claimed_by_no_mark_or_report(
    studio: JobStudio, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(studio)

    version = version_of(studio)
    assert version.images[0].source_type is SourceType.NOT_DECLARED
    marks = marks_of(studio, 0)
    assert marks.xmp is not None
    assert marks.xmp.digital_source_type == ""
    assert [one.action for one in marks.steps[-1].actions] == ["c2pa.opened", "c2pa.published"]
    assert not [one.source_type for one in marks.steps[-1].actions if one.source_type]
    assert facets(version)[0].state is FacetState.NOT_DECLARED
    assert "Layout Aoi Sato" in studio.tracker.published[studio.key].credit_en
    helper = report(studio, monkeypatch, "copyright")
    assert "The layout by Aoi Sato: not declared how it was drawn." in helper
    assert "hand-drawn layout by" not in helper
    assert "layout: not declared how it was drawn" in report(studio, monkeypatch, "no-ai")
    assert call(studio, monkeypatch, "verify", str(studio.files[-1])).exit_code == 0


def declare(studio: JobStudio, monkeypatch: pytest.MonkeyPatch, answer: str = "yes") -> Result:
    with studio.database.begin() as connection:
        people.note(connection, AOI)
    return call(
        studio,
        monkeypatch,
        *("credits", "declare", StatementKind.HAND_DRAWN.value, "--project", "PORT"),
        *("--by", AOI.id, "--text", "Layouts are drawn by hand.", "--answer", answer),
    )


def test_what_is_declared_before_stands_in_marks_with_who_declared_it(
    studio: JobStudio, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert declare(studio, monkeypatch).exit_code == 0

    publish(studio)

    layout = version_of(studio).images[0]
    assert layout.source_type is SourceType.DIGITAL_CREATION
    assert "as declared by HumanUser:7" in layout.contributions[0].evidence.note
    marks = marks_of(studio, 0)
    assert [one.source_type for one in marks.steps[-1].actions] == ["digitalCreation"]
    assert facets(version_of(studio))[0].state is FacetState.HUMAN
    assert "drawn by hand, declared by Aoi Sato" in report(studio, monkeypatch, "no-ai")


def test_what_is_declared_later_stands_in_reports_until_it_is_taken_back(
    studio: JobStudio, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(studio)

    assert declare(studio, monkeypatch).exit_code == 0
    before = facets(version_of(studio))[0].state
    told = report(studio, monkeypatch, "no-ai")
    assert declare(studio, monkeypatch, "no").exit_code == 0

    assert before is FacetState.HUMAN
    assert "drawn by hand, declared by Aoi Sato" in told
    assert facets(version_of(studio))[0].state is FacetState.NOT_DECLARED
    assert "layout: not declared how it was drawn" in report(studio, monkeypatch, "no-ai")


def test_a_declaration_does_not_outweigh_what_the_file_says(
    studio: JobStudio, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert declare(studio, monkeypatch).exit_code == 0

    publish(studio, comfy)

    assert version_of(studio).images[0].source_type.is_ai
    assert "and the file says otherwise" in report(studio, monkeypatch, "ai-use")


def test_a_human_source_type_does_not_hide_a_workflow(studio: JobStudio) -> None:
    def both(studio: JobStudio, event: LayoutPublished) -> bytes:
        return with_text(with_xmp(event.layout, source_type="digitalCreation"), b"prompt", COMFY)

    publish(studio, both)

    layout = version_of(studio).images[0]
    assert layout.source_type is SourceType.COMPOSITE_TRAINED
    assert layout.system is not None


def declared(studio: JobStudio, monkeypatch: pytest.MonkeyPatch, *about: str) -> Result:
    with studio.database.begin() as connection:
        people.note(connection, AOI)
    said = ("--by", AOI.id, "--text", "Drawn by hand.", "--answer", "yes")
    return call(studio, monkeypatch, "credits", "declare", "hand_drawn", *said, *about)


@pytest.mark.parametrize(
    "name", ["port", "\uff30\uff2f\uff32\uff34", " Port ", "the port", "Project:1"]
)
def test_a_show_is_declared_of_by_any_name_of_it_in_any_spelling(
    studio: JobStudio, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    studio.tracker.directory.projects["Project:1"] = ListedProject(
        id="Project:1", path_name="PORT", title="The Port"
    )
    done = declared(studio, monkeypatch, "--project", name)
    assert done.exit_code == 0, (done.output, done.exception)

    publish(studio)

    assert version_of(studio).images[0].source_type is SourceType.DIGITAL_CREATION


def test_a_show_cut_or_image_of_which_nothing_is_known_is_an_error_that_names_near_ones(
    studio: JobStudio, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(studio)
    sequence = version_of(studio).sequence

    wrong = {
        "near ones: PORT": ("--project", "PROT"),
        f"near ones: {sequence}": ("--project", "port", "--sequence", f"{sequence}x"),
        "near ones: c001": ("--project", "port", "--shot", "c00l"),
        "No image with": ("--project", "port", "--image", "0" * 64),
    }

    for words, about in wrong.items():
        refused = declared(studio, monkeypatch, *about)
        assert isinstance(refused.exception, CreditError), refused.output
        assert words in str(refused.exception)
        assert "--anyway" in (refused.exception.advice or "")
    listed = call(studio, monkeypatch, "credits", "statements", "--project", "PROT")
    assert "near ones: PORT" in str(listed.exception)
    told = call(studio, monkeypatch, "credits", "statements", "--project", "port", "--json")
    assert json.loads(told.output) == {"statements": []}


def test_what_is_declared_before_anything_is_known_of_a_show_holds_when_it_comes(
    studio: JobStudio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(studio.tracker.directory, "projects", {})
    assert declared(studio, monkeypatch, "--project", "Port").exit_code == 1

    assert declared(studio, monkeypatch, "--project", "Port", "--anyway").exit_code == 0
    publish(studio)

    assert version_of(studio).images[0].source_type is SourceType.DIGITAL_CREATION


def test_a_cut_is_meant_in_any_spelling(studio: JobStudio, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(studio)

    done = declared(studio, monkeypatch, "--project", "port", "--shot", "C001")

    assert done.exit_code == 0, (done.output, done.exception)
    assert version_of(studio).hand_drawn is not None
    assert "drawn by hand, declared by Aoi Sato" in report(studio, monkeypatch, "no-ai")
