"""The list of work without AI, and its signature."""

import base64
import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from typer.testing import CliRunner

from haikei.cli import app
from haikei.credits import BackgroundVersion, Ingredient, Relation, SourceType, StatementKind
from haikei.errors import ReportError
from haikei.ledger import VerifierKey, note_signer
from haikei.reports import Format
from haikei.reports.report_writing import check_seal, seal_path
from support.records import PAINTER, a_background, a_chain, a_layout
from support.reports import ReportDesk, declare_statement, rows_of


def _without_ai(shot: str) -> BackgroundVersion:
    return a_background(shot, images=a_chain(shot, system=PAINTER))


def _list(desk: ReportDesk) -> dict[str, dict[str, Any]]:
    report, _ = desk.write("no-ai", Format.JSON)
    found = json.loads(report.read_text(encoding="utf-8"))
    return {row["shot"]: row for row in rows_of(found, "backgrounds")}


def test_both_lists_stand_side_by_side(desk: ReportDesk) -> None:
    desk.save(a_background("c001"), _without_ai("c002"))
    rows = _list(desk)
    assert rows["c002"]["attested"]["en"] == "attested"
    assert rows["c002"]["why_not"] is None
    assert rows["c001"]["attested"]["en"] == "no"
    assert [why["en"] for why in rows["c001"]["why_not"]] == [
        "a trained model made pixels: SDXL 1.0 (ledger entry 1)",
        "a trained model made pixels: SDXL 1.0 (ledger entry 2)",
    ]


def test_a_touch_up_on_an_ai_picture_does_not_make_it_work_without_ai(desk: ReportDesk) -> None:
    desk.save(a_background("c001"))
    assert _list(desk)["c001"]["attested"]["en"] == "no"


def test_a_layout_made_by_a_model_cannot_be_attested(desk: ReportDesk) -> None:
    layout = a_layout("c001", source_type=SourceType.TRAINED)
    desk.save(a_background("c001", images=(layout,)))
    assert _list(desk)["c001"]["attested"]["en"] == "no"


def test_an_ingredient_that_is_not_recorded_cannot_be_attested(desk: ReportDesk) -> None:
    layout, first, *rest = a_chain("c001", system=PAINTER)
    strange = Ingredient(sha256="ab" * 32, relation=Relation.INPUT)
    first = replace(first, ingredients=(*first.ingredients, strange))
    desk.save(a_background("c001", images=(layout, first, *rest)))
    (why,) = _list(desk)["c001"]["why_not"]
    assert "not recorded (abababababab" in why["en"]


def test_a_statement_is_quoted_beside_the_record(desk: ReportDesk) -> None:
    desk.save(_without_ai("c001"), _without_ai("c002"))
    entry = declare_statement(desk, StatementKind.NO_AI, sequence="ep01", shot="c001", answer="yes")
    rows = _list(desk)
    assert entry in rows["c001"]["declared"]
    assert rows["c002"]["declared"]["en"] == "not recorded"


def test_a_statement_against_it_keeps_a_background_from_being_attested(desk: ReportDesk) -> None:
    desk.save(_without_ai("c001"))
    entry = declare_statement(
        desk, StatementKind.NO_AI, sequence="ep01", shot="c001", answer="unsure"
    )
    (why,) = _list(desk)["c001"]["why_not"]
    assert f"ledger entry {entry}" in why["en"]


def test_a_statement_that_the_record_contradicts_is_flagged(desk: ReportDesk) -> None:
    desk.save(a_background("c001"))
    declare_statement(desk, StatementKind.NO_AI, answer="yes")
    report, _ = desk.write("no-ai", Format.JSON)
    found = json.loads(report.read_text(encoding="utf-8"))
    notices = [one["text"]["en"] for one in found["blocks"] if one["type"] == "notice"]
    assert any("declared to be without AI" in text for text in notices)
    assert found["facts"]["contradicted"][0]["value"] == 1


@pytest.mark.parametrize("form", [Format.JSON, Format.CSV, Format.HTML])
def test_the_list_is_signed_in_every_format(desk: ReportDesk, form: Format) -> None:
    desk.save(_without_ai("c001"))
    report, signature = desk.write("no-ai", form)
    assert signature == seal_path(report)
    seal = json.loads(signature.read_text(encoding="utf-8"))
    assert seal["statement"]["sha256"] == hashlib.sha256(report.read_bytes()).hexdigest()
    found = check_seal(report, note_signer(desk.settings).key)
    assert (found.report, found.scope, found.ledger_size) == ("no-ai", "akane", 4)


def test_an_outsider_verifies_the_signature_without_haikei(desk: ReportDesk) -> None:
    desk.save(_without_ai("c001"))
    _, signature = desk.write("no-ai", Format.JSON)
    seal = json.loads(signature.read_text(encoding="utf-8"))
    signed = json.dumps(
        seal["statement"], sort_keys=True, separators=(",", ":"), ensure_ascii=False
    )
    key = Ed25519PublicKey.from_public_bytes(base64.b64decode(seal["signature"]["public_key"]))
    key.verify(base64.b64decode(seal["signature"]["value"]), signed.encode())


def test_a_list_that_was_changed_is_refused(desk: ReportDesk) -> None:
    desk.save(a_background("c001"))
    report = _signed(desk)
    report.write_text(report.read_text(encoding="utf-8").replace('"no"', '"attested"'))
    with pytest.raises(ReportError, match="not the file that was signed"):
        check_seal(report, note_signer(desk.settings).key)


def test_a_statement_that_was_changed_is_refused(desk: ReportDesk) -> None:
    desk.save(a_background("c001"))
    report = _signed(desk)
    place = seal_path(report)
    place.write_text(place.read_text(encoding="utf-8").replace("akane", "other"))
    with pytest.raises(ReportError, match="not by the key"):
        check_seal(report, note_signer(desk.settings).key)


def test_a_signature_by_another_key_is_refused(desk: ReportDesk) -> None:
    desk.save(a_background("c001"))
    report = _signed(desk)
    with pytest.raises(ReportError, match="not by the key"):
        check_seal(report, VerifierKey(name="another", public=b"\x01" * 32))


@pytest.mark.parametrize("content", ["", "{}", "[1]", '{"statement": 1, "signature": 2}'])
def test_a_damaged_signature_is_one_clear_error(desk: ReportDesk, content: str) -> None:
    desk.save(a_background("c001"))
    report = _signed(desk)
    seal_path(report).write_text(content)
    with pytest.raises(ReportError, match="no signature of a report"):
        check_seal(report, note_signer(desk.settings).key)


def test_a_missing_signature_is_one_clear_error(desk: ReportDesk) -> None:
    desk.save(a_background("c001"))
    report = _signed(desk)
    seal_path(report).unlink()
    with pytest.raises(ReportError, match="cannot be read"):
        check_seal(report, note_signer(desk.settings).key)


def test_the_command_line_tells_whether_a_list_is_the_one_that_was_signed(
    desk: ReportDesk,
) -> None:
    desk.save(_without_ai("c001"))
    report = _signed(desk)
    key = str(note_signer(desk.settings).key)
    done = CliRunner().invoke(app, ["check-report", str(report), "--key", key, "--json"])
    assert done.exit_code == 0
    assert json.loads(done.stdout)["report"] == "no-ai"
    report.write_text("{}", encoding="utf-8")
    refused = CliRunner().invoke(app, ["check-report", str(report), "--key", key])
    assert isinstance(refused.exception, ReportError)


def _signed(desk: ReportDesk) -> Path:
    return desk.write("no-ai", Format.JSON)[0]
