"""Each refusal of the policy: no pixel, an entry of the ledger, plain words in the tracker."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typing_extensions import override

from haikei.credits import Person, SourceType
from haikei.credits.record import Statement, StatementKind
from haikei.credits.records import statements
from haikei.database import utc_now
from haikei.errors import CreditError, TrackerRejected, TrackerUnavailable
from haikei.images import read_picture, write_picture
from haikei.jobs import JobState
from haikei.ledger import verify
from haikei.trackers import ContextRequest, LayoutContext
from support.jobs import (
    JobStudio,
    OpenJobStudio,
    QuestionTracker,
    announce,
    job_studios,
    put_layout,
)

DIRECTOR = Person(id="HumanUser:3", name="Ren Abe")
TERMS: Mapping[str, object] = {
    "licence": "MIT",
    "licence_url": "https://opensource.org/license/mit",
    "commercial": "yes",
    "data": "Own paintings.",
}
SHA256 = "ab" * 32


class KeptTracker(QuestionTracker):
    """A tracker whose shot says that no model may have it."""

    @override
    def context(self, request: ContextRequest) -> LayoutContext:
        return replace(super().context(request), no_ai="Shot.sg_no_ai")


@pytest.fixture
def open_studio(tmp_path: Path) -> Iterator[OpenJobStudio]:
    with ExitStack() as stack:
        yield job_studios(stack, tmp_path)


def trained(open_studio: OpenJobStudio, **sections: object) -> JobStudio:
    """Return a studio whose recipe runs trained weights, in the model `brush`."""
    model = {
        "folder": "/models/brush", "name": "Brush", "version": "2", **TERMS, "provider": "Kawa",
        **_table(sections.pop("model", {})),
    }  # fmt: skip
    recipe = {
        "stages": [
            {"name": "gen1", "generator": "flat", "model": "brush", "options": {"level": 0.5}}
        ],
        **_table(sections.pop("recipe", {})),
    }
    studio = open_studio(models={"brush": model}, recipes={"flat": recipe}, **sections)
    studio.generator.source_type = SourceType.TRAINED
    studio.generator.weights = SHA256
    studio.tracker = QuestionTracker()
    return studio


def _table(value: object) -> dict[str, object]:
    assert isinstance(value, dict)
    return {str(key): one for key, one in value.items()}


def rule(**more: object) -> dict[str, object]:
    return {"shows": [{"projects": ["PO*"], **more}]}


def refused_for(studio: JobStudio, said: str) -> Statement:
    """Make sure that the newest job was refused for this reason, with all that belongs to it."""
    job = studio.store.get(studio.key)
    assert (job.state, job.error_kind) in {
        (JobState.DEAD, "PolicyRefusal"),
        (JobState.DEAD, "ModelUnusable"),
    }
    assert said in job.error
    assert studio.generator.made == []
    assert not list(studio.tools.folder(job.key).glob("gen*"))
    assert studio.files == []
    with studio.database.begin() as connection:
        (found,) = statements.statements(
            connection, project="PORT", kinds={StatementKind.REFUSED}, shot="c001", sequence="s01"
        )
        assert statements.entry_of(connection, found.key) is not None
        verify(connection)
    assert said in found.text
    assert (found.reference, found.answer) == (job.key, "no")
    assert isinstance(studio.tracker, QuestionTracker)
    (note,) = studio.tracker.desk.notes.values()
    assert said in note.text
    assert "No picture was made." in note.text
    assert [link.type for link in note.links] == ["Shot"]
    return found


POLICIES: Mapping[str, tuple[Mapping[str, object], str]] = {
    "a project without AI": ({"policy": {"no_ai_projects": ["PORT"]}}, "PORT takes no AI"),
    "data of another class": (
        {"policy": rule(data_classes=["own", "licensed"])},
        "those of Brush are: undisclosed",
    ),
    "data of another class in a LoRA": (
        {
            "policy": rule(data_classes=["own"]),
            "model": {
                "data_class": "own",
                "loras": {"style": {"file": "/models/style.safetensors", **TERMS}},
            },
        },
        "those of the LoRA style of Brush are: undisclosed",
    ),
    "another provider": ({"policy": rule(providers=["Sora Works"])}, "takes models of Sora Works"),
    "a cloud service": ({"model": {"runs": "cloud"}}, "outside the studio"),
    "a cloud service under a rule without providers": (
        {"model": {"runs": "cloud"}, "policy": rule(data_classes=["undisclosed"])},
        "outside the studio",
    ),
    "no approval": ({"policy": rule(approved=True)}, "is not approved for PORT"),
    "stand-ins only": ({"policy": rule(stand_ins=True)}, "for stand-ins only"),
    "no commercial use": ({"model": {"commercial": "no"}}, "forbids commercial use"),
    "no commercial use of a LoRA": (
        {
            "model": {
                "loras": {"style": {"file": "/models/a.safetensors", **TERMS, "commercial": "no"}}
            }
        },
        "The licence of the LoRA style of Brush",
    ),
    "an artist who said no": (
        {"people": [{"name": "Aoi Sato", "consent": False}]},
        "Aoi Sato does not consent",
    ),
    "an artist who said no for the show": (
        {"people": [{"name": "Aoi Sato", "no_consent": ["PO*"]}]},
        "Aoi Sato does not consent to layouts being given to a generator in PORT",
    ),
}


@pytest.mark.parametrize("name", POLICIES)
def test_what_the_settings_forbid_makes_no_pixel_and_is_recorded(
    open_studio: OpenJobStudio, name: str
) -> None:
    sections, said = POLICIES[name]
    studio = trained(open_studio, **sections)

    studio.publish()

    refused_for(studio, said)


@pytest.mark.parametrize(
    "sections",
    [
        {"policy": rule(data_classes=["own", "undisclosed"])},
        {"policy": rule(providers=["kawa"])},
        {"policy": rule(providers=["Kawa"]), "model": {"runs": "cloud"}},
        {"policy": rule(stand_ins=True), "recipe": {"stand_in": True}},
        {"policy": {"shows": [{"projects": ["OTHER"], "data_classes": ["own"]}]}},
        {"people": [{"name": "Aoi Sato", "no_consent": ["OTHER"]}]},
    ],
)
def test_what_the_settings_allow_is_made(
    open_studio: OpenJobStudio, sections: Mapping[str, object]
) -> None:
    studio = trained(open_studio, **sections)

    studio.publish()

    assert studio.store.get(studio.key).state is JobState.DONE
    assert studio.generator.made == ["gen1"]


def test_a_generator_that_is_in_no_registry_makes_nothing(open_studio: OpenJobStudio) -> None:
    studio = open_studio(generators={})
    studio.tracker = QuestionTracker()

    studio.publish()

    refused_for(studio, "which names no model and is not in the registry")
    assert studio.generator.described == 0


def test_weights_that_changed_make_nothing(open_studio: OpenJobStudio) -> None:
    studio = trained(open_studio)
    studio.generator.fault = "unet.safetensors is not the file that the settings expect."

    studio.publish()

    refused_for(studio, "is not the file that the settings expect")
    assert studio.generator.asked == ["brush"]


def test_a_shot_that_the_tracker_keeps_from_models_makes_nothing(
    open_studio: OpenJobStudio,
) -> None:
    studio = trained(open_studio)
    studio.tracker = KeptTracker()

    studio.publish()

    refused_for(studio, "keeps the layouts of PORT/s01/c001 from trained models (Shot.sg_no_ai)")


@pytest.mark.parametrize(
    "attributes",
    [
        {"XMP:DataMining": "http://ns.useplus.org/ldf/vocab/DMI-PROHIBITED-AIMLTRAINING"},
        {"Comment": "noai, noimageai"},
        {"no-ai": "1"},
    ],
)
def test_a_layout_that_its_file_reserves_makes_nothing(
    open_studio: OpenJobStudio, attributes: Mapping[str, str]
) -> None:
    studio = trained(open_studio)
    publish_with(studio, attributes)

    refused_for(studio, "is reserved against use by models")

    studio = trained(open_studio, policy={"reservations": "ignore"})
    studio.store.retry(studio.key)
    studio.work()
    assert studio.store.get(studio.key).state is JobState.DONE


def test_a_reserved_layout_may_be_painted_by_an_algorithm(open_studio: OpenJobStudio) -> None:
    studio = open_studio()

    publish_with(studio, {"Comment": "no-ai"})

    assert studio.store.get(studio.key).state is JobState.DONE


def publish_with(studio: JobStudio, attributes: Mapping[str, str]) -> None:
    """Announce a layout whose file holds these attributes."""
    event = put_layout(studio.settings)
    if "XMP:DataMining" in attributes:
        with_xmp(event.layout, attributes["XMP:DataMining"])
    else:
        write_picture(read_picture(event.layout), event.layout, bits=8, attributes=attributes)
    announce(studio.database, studio.replace_layout(event, event.layout.read_bytes()))
    studio.work()


def with_xmp(path: Path, mining: str) -> None:
    """Put an XMP packet of another program into a PNG file."""
    import zlib

    packet = (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf='
        '"http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
        f'xmlns:plus="http://ns.useplus.org/ldf/xmp/1.0/" plus:DataMining="{mining}"/>'
        "</rdf:RDF></x:xmpmeta>"
    )
    body = b"iTXt" + b"XML:com.adobe.xmp\0\0\0\0\0" + packet.encode()
    chunk = (len(body) - 4).to_bytes(4, "big") + body + zlib.crc32(body).to_bytes(4, "big")
    data = path.read_bytes()
    path.write_bytes(data[:33] + chunk + data[33:])


def state(studio: JobStudio, kind: StatementKind, at: datetime, **given: str) -> None:
    """State something about the show."""
    said = {
        "sequence": "", "shot": "", "image_sha256": "", "to": "", "subject": "", "answer": "yes",
        "text": "", "reference": "", **given,
    }  # fmt: skip
    by = Person(id="HumanUser:7", name="Aoi Sato") if kind is StatementKind.CONSENT else DIRECTOR
    with studio.database.begin() as connection:
        statements.record(
            connection,
            Statement(
                key=f"test/{kind.value}/{at.isoformat()}", kind=kind, project="PORT", by=by, at=at,
                **said,
            ),
        )  # fmt: skip


def approve(studio: JobStudio, at: datetime, *, answer: str = "yes", sha256: str = SHA256) -> None:
    state(
        studio, StatementKind.MODEL_APPROVED, at, subject="brush", answer=answer,
        text=f"Brush 2, SHA-256 {sha256}",
    )  # fmt: skip


def approve_others(studio: JobStudio) -> None:
    approve(studio, EARLY, sha256="cd" * 32)


def withdraw(studio: JobStudio) -> None:
    approve(studio, EARLY, answer="no")


def approve_too_late(studio: JobStudio) -> None:
    approve(studio, utc_now() + timedelta(days=1))


def approve_and_withdraw(studio: JobStudio) -> None:
    approve(studio, EARLY)
    approve(studio, EARLY + timedelta(days=1), answer="no")


Approving = Callable[[JobStudio], None]
EARLY = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "approving", [approve_others, withdraw, approve_too_late, approve_and_withdraw]
)
def test_an_approval_holds_for_its_weights_and_before_generation(
    open_studio: OpenJobStudio, approving: Approving
) -> None:
    studio = trained(open_studio, policy=rule(approved=True))
    approving(studio)

    studio.publish()

    refused_for(studio, "is not approved for PORT, with the weights that are there now")


def test_a_model_that_is_approved_in_time_is_run(open_studio: OpenJobStudio) -> None:
    studio = trained(open_studio, policy=rule(approved=True))
    approve(studio, EARLY)

    studio.publish()

    assert studio.store.get(studio.key).state is JobState.DONE


@pytest.mark.parametrize(
    "about", [{}, {"sequence": "s01"}, {"sequence": "s01", "shot": "c001"}, {"layout": "yes"}]
)
def test_an_artists_own_no_holds_for_show_cut_and_layout(
    open_studio: OpenJobStudio, about: Mapping[str, str]
) -> None:
    studio = open_studio()
    studio.tracker = QuestionTracker()
    event = put_layout(studio.settings)
    given = {key: value for key, value in about.items() if key != "layout"}
    if "layout" in about:
        given["image_sha256"] = event.sha256
    state(studio, StatementKind.CONSENT, EARLY, answer="no", text="Not mine.", **given)

    announce(studio.database, event)
    studio.work()

    refused_for(studio, "Aoi Sato does not consent to c001_bg_v001.png")


@pytest.mark.parametrize(
    "about",
    [
        {"sequence": "s02"},
        {"image_sha256": "ef" * 32},
        {"subject": "likeness"},
    ],
)
def test_a_no_about_something_else_stops_nothing(
    open_studio: OpenJobStudio, about: Mapping[str, str]
) -> None:
    studio = open_studio()
    state(studio, StatementKind.CONSENT, EARLY, answer="no", text="Not mine.", **about)

    studio.publish()

    assert studio.store.get(studio.key).state is JobState.DONE


def test_a_refusal_names_people_in_the_ledger_by_commitments_alone(
    open_studio: OpenJobStudio,
) -> None:
    studio = trained(open_studio, people=[{"name": "Aoi Sato", "consent": False}])

    studio.publish()

    found = refused_for(studio, "Aoi Sato does not consent")
    with studio.database.begin() as connection:
        from haikei.ledger import list_entries

        (entry,) = list_entries(connection, about=found.key)
    assert "Aoi" not in entry.payload


def test_a_refusal_is_told_once_however_often_it_is_tried(open_studio: OpenJobStudio) -> None:
    studio = trained(open_studio, policy={"no_ai_projects": ["PORT"]})
    studio.publish()

    studio.store.retry(studio.key)
    studio.work()

    refused_for(studio, "PORT takes no AI")


def test_a_tracker_that_is_away_is_told_when_it_is_back(open_studio: OpenJobStudio) -> None:
    studio = trained(open_studio, policy={"no_ai_projects": ["PORT"]})
    assert isinstance(studio.tracker, QuestionTracker)
    studio.tracker.desk.failures = [TrackerUnavailable("away")]

    studio.publish()

    refused_for(studio, "PORT takes no AI")


def test_a_refusal_stands_where_the_tracker_takes_no_note(open_studio: OpenJobStudio) -> None:
    studio = trained(open_studio, policy={"no_ai_projects": ["PORT"]})
    assert isinstance(studio.tracker, QuestionTracker)
    studio.tracker.desk.failures = [TrackerRejected("no such field")]

    studio.publish()

    job = studio.store.get(studio.key)
    assert (job.error_kind, studio.generator.made) == ("PolicyRefusal", [])
    with studio.database.begin() as connection:
        assert list(
            statements.statements(connection, project="PORT", kinds={StatementKind.REFUSED})
        )


@pytest.mark.parametrize("kind", [StatementKind.REFUSED, StatementKind.MODEL_APPROVED])
def test_what_happens_by_itself_cannot_be_declared(
    open_studio: OpenJobStudio, kind: StatementKind
) -> None:
    studio = open_studio()
    statement = Statement(
        key="mine", kind=kind, project="PORT", sequence="", shot="", image_sha256="", by=DIRECTOR,
        to="", subject="brush", answer="yes", text="It is so.", reference="", at=EARLY,
    )  # fmt: skip

    with (
        pytest.raises(CreditError, match="is sealed where it happens"),
        studio.database.begin() as connection,
    ):
        statements.declare(connection, statement)
