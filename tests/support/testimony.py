"""Hold all that is said of a show, anywhere, against the history that was played in it."""

import json
import subprocess
import sys
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pytest
from sqlalchemy import text

from haikei.credits import Grade, Person, Scope, SourceType, records
from haikei.database import reading, utc_now
from haikei.errors import CreditError
from haikei.jobs.page_inputs import published_files
from haikei.jobs.recomputing import recompute
from haikei.ledger import (
    EntrySelection,
    export_bundle,
    note_signer,
    seal,
    select_entries,
    verifier_script,
)
from haikei.ledger.selection import published_files as bundled_files
from haikei.provenance import MarksState, NamedPerson, read_marks
from haikei.reports import Format, ReportOptions, ReportSource, reports
from haikei.reports.report_writing import write_report
from haikei.texts import Language
from support.acts import (
    ALGORITHM,
    CAST,
    DECLARER,
    MODEL,
    PAINT_MODEL,
    PROJECT,
    SIGNS,
    WITHHELD,
    member,
)
from support.histories import Show, Take

#: The roles whose holders a report names; those that are not here name everyone. Some name nobody.
_NAMED_BY: Mapping[str, frozenset[str]] = {
    "breakdown": frozenset({"genzu", "touch_up"}),
    "verification": frozenset({"genzu", "touch_up"}),
    "no-ai": frozenset({"genzu", "touch_up"}),
    "copyright": frozenset({"genzu", "touch_up"}),
    "article-50": frozenset(),
    "dashboard": frozenset(),
    "union-log": frozenset(),
}
#: Reports of credits, which are refused while it is not known whose a work is.
_REFUSED = frozenset({"credits-roll", "breakdown"})
_TEXTS = (Format.JSON, Format.HTML, Format.CSV, Format.TXT)


def check_everywhere(show: Show, *, files: bool) -> None:
    """
    Hold ledger, tracker, reports, marks and a bundle against what must be said.

    Args:
        show: what was played.
        files: also write every text form of every report, and let the auditor's script run.
    """
    check_ledger(show)
    check_marks(show)
    check_tracker(show)
    check_reports(show, forms=_TEXTS if files else (Format.JSON,))
    check_bundle(show, audited=files)


def check_ledger(show: Show) -> None:
    """The sealed entries, read as plain JSON, say of each picture who, with what and how."""
    with reading(show.studio.database) as connection:
        assert [*records.differences(connection)] == []
        rows = connection.execute(text("SELECT payload FROM ledger ORDER BY seq")).scalars()
        sealed = [json.loads(row) for row in rows]
    images = {one["key"]: one for one in sealed if one["type"] == "image"}
    later = [one for one in sealed if one["type"] == "contribution"]
    told = {key: list(one["contributions"]) for key, one in images.items()}
    for one in later:
        told[one["image"]["key"]].append(one["contribution"])
    for take in show.takes:
        version = show.version(take)
        for image, step in zip(version.images, take.steps, strict=True):
            where = f"{take.code}: {image.key}"
            # That a layout's lines are seen in a picture is measured, and no part in making it.
            made = [one for one in told[image.key] if "recall" not in one["evidence"]]
            people = {
                (one["role"], one["actor"]["id"])
                for one in made
                if "id" in one["actor"] and not one["actor"]["id"].startswith("person:asked-")
            }
            took_back = {
                (r, member(who).id) for sha, r, who in show.disowned if sha == image.sha256
            }
            stated = {(role, member(who).id) for role, who in step.people}
            assert people - took_back == stated - took_back, where
            assert stated <= people, where
            agreed = {
                (one.role.value, one.actor.id)
                for one in image.contributions
                if isinstance(one.actor, Person)
                and one.grade is Grade.CONFIRMED
                and one.evidence.recall is None
            }
            wanted = _about(show.confirmed, image.sha256)
            assert agreed == wanted & stated, where
            tools = {_tool(one["actor"]) for one in made if "id" not in one["actor"]}
            assert tools == ({step.tool} if step.tool else set()), where
            assert images[image.key]["source_type"] == step.source.value, where


def _about(told: Iterable[tuple[str, str, int]], sha256: str) -> set[tuple[str, str]]:
    return {(role, member(who).id) for image, role, who in told if image == sha256}


def _tool(actor: Mapping[str, Any]) -> str:
    return f"{actor['name']} {actor['version']}".strip()


def check_marks(show: Show) -> None:
    """Each file holds, and names those who had a part when it was marked, as they were called."""
    trust = show.studio.tools.marks().trust_pem
    for take in show.takes:
        marks = read_marks(show.file(take), trust_pem=trust)
        assert marks.state is MarksState.TRUSTED, take.code
        step, xmp = marks.steps[-1], marks.xmp
        assert xmp is not None
        assert _people(step.people) == _expected(take.final, take.marked_names), take.code
        assert _people(xmp.contributors) == _expected(take.marked, take.marked_names), take.code
        types = {one.source_type for one in step.actions if one.source_type}
        # What nobody declares has no term, or the one that says that it may be anything.
        assert types <= {take.steps[-1].source.value, "composite"}, take.code
        unsaid = take.steps[-1].source is SourceType.NOT_DECLARED
        assert ("composite" in types) == unsaid, take.code
        whole = "composite" if take.source is SourceType.NOT_DECLARED else take.source.value
        assert xmp.digital_source_type.rpartition("/")[2] == whole, take.code
        told = f"{xmp.ai_system} {xmp.ai_system_version}".strip()
        models = {one.tool for one in take.steps if one.with_ai}
        assert bool(told) == bool(models), take.code
        for model in models:
            assert model.rpartition(" ")[0] in told, take.code
        drew = {who for role, who in take.marked if role in {"genzu", "touch_up"}}
        shown = {take.marked_names[who][0] for who in drew if who in take.marked_names}
        assert set(xmp.creators) == shown, take.code


def _people(named: Iterable[NamedPerson]) -> set[tuple[str, str, str, str]]:
    return {(role, one.id, one.name, one.name_ja) for one in named for role in one.roles}


def _expected(
    people: Iterable[tuple[str, int]], names: Mapping[int, tuple[str, str]]
) -> set[tuple[str, str, str, str]]:
    withheld = ("", WITHHELD, "（本人の希望により非表示）")
    found: set[tuple[str, str, str, str]] = set()
    for role, who in people:
        known, name, name_ja = (member(who).id, *names[who]) if who in names else withheld
        found.add((role, known, name, name_ja))
    return found


def check_tracker(show: Show) -> None:
    """The tracker's fields say the same, at once where no name was decided on, else put right."""
    desk = show.studio.tracker.credits
    scope = Scope(project=PROJECT, latest=False)
    done = recompute(show.studio.database, desk, scope, dry_run=not show.decided)
    assert not done.refused
    assert not done.unknown
    assert show.decided or not done.changed
    names = show.names()
    for take in show.takes:
        stated = desk.stated["Version", show.version(take).tracker_id or 0]
        found = dict(line.split(": ", 1) for line in stated.roles.splitlines())
        expected: dict[str, set[str]] = {}
        for role, who in take.people:
            shown = f"{names[who][0]} ({member(who).id})" if who in names else WITHHELD
            expected.setdefault(role, set()).add(shown)
        for role in unnamed_roles(take):
            expected.setdefault(role, set()).add("(not yet named)")
        people = {
            role: set(line.split(", ")) for role, line in found.items() if role not in _TOOL_ROLES
        }
        assert people == expected, take.code
        tools = {one for role in _TOOL_ROLES for one in found.get(role, "").split(", ") if one}
        assert tools == take.tools == set(stated.system.split(", ")), take.code
        assert stated.source_type == take.source.value, take.code
        credited = {one for one in take.people if one[0] in {"genzu", "touch_up"}}
        for line, script in ((stated.credit_en, 0), (stated.credit_ja, 1)):
            assert _found(show, line)[script] == _shown(show, credited)[script], take.code


def unnamed_roles(take: Take) -> set[str]:
    """Return as what people worked of whom it is not known who they are."""
    own = [("genzu", take.steps[0]), *(("touch_up", step) for step in take.steps[3:])]
    return {role for role, step in own if role not in {one for one, _ in step.people}}


_TOOL_ROLES = ("ai_layout", "ai_generation", "painting_algorithm")


def _found(show: Show, text_: str) -> tuple[set[str], set[str]]:
    """Return which names that anybody ever had, or could get next, stand in a text."""
    every = [one for who in range(CAST) for one in show.ever_called(who)]
    return {en for en, _ in every if en in text_}, {ja for _, ja in every if ja in text_}


def _shown(show: Show, people: Iterable[tuple[str, int]]) -> tuple[set[str], set[str]]:
    names = show.names()
    shown = [names[who] for _, who in people if who in names]
    return {en for en, _ in shown}, {ja for _, ja in shown}


def check_reports(show: Show, *, forms: Sequence[Format]) -> None:
    """Every report names whom it must, by today's names, and every tool; and nobody else."""
    newest = [cut.takes[-1] for cut in show.cuts]
    for report in reports():
        for form in forms:
            if form not in report.formats:
                continue
            if report.name == "image-sheet":
                for take in show.takes:
                    _check_report(show, report.name, form, [take], code=take.code)
            else:
                _check_report(show, report.name, form, show.takes, latest=False)
                # Retakes and days of work are counted of every version, whichever is the newest.
                everything = report.name == "dashboard"
                _check_report(show, report.name, form, show.takes if everything else newest)


def _check_report(
    show: Show,
    name: str,
    form: Format,
    takes: Sequence[Take],
    *,
    code: str = "",
    latest: bool = True,
) -> None:
    if name in _REFUSED and any(map(unnamed_roles, takes)):
        with pytest.raises(CreditError, match="not yet named"):
            _written(show, name, form, code=code, latest=latest)
        return
    written = _written(show, name, form, code=code, latest=latest)
    roles = _NAMED_BY.get(name)
    people = {
        one
        for take in takes
        for step in take.steps
        for one in step.people
        if roles is None or one[0] in roles
        # What a model was used for is claimed as nobody's own.
        if not (name == "copyright" and one[0] == "touch_up" and step.with_ai)
    }
    allowed = _shown(show, {one for take in takes for one in take.people})
    if name == "image-sheet":
        # It quotes what the file's own marks say, and they were made before anybody denied it.
        allowed = _shown(show, {one for take in takes for one in take.people | take.marked})
    where = f"{name} as {form.value}, {code or 'newest' if latest else 'all'}"
    if form is Format.JSON:
        _check_tools(name, written, takes, where)
    for found, shown, may in zip(_found(show, written), _shown(show, people), allowed, strict=True):
        assert found <= may, f"{where}: names {found - may}"
        if form is Format.JSON:
            assert found >= shown, f"{where}: names {shown - found} not"
            assert roles is None or found == shown, f"{where}: names {found - shown}"


#: Reports that name every tool of the works that they are about.
_NAMES_TOOLS = frozenset({"image-sheet", "breakdown", "omc", "copyright"})
_EVERY_TOOL = frozenset({MODEL, ALGORITHM, PAINT_MODEL, *(tool for _, _, tool in SIGNS.values())})


def _check_tools(name: str, written: str, takes: Sequence[Take], where: str) -> None:
    """Nothing is called a tool, or a source type, of works that were made otherwise."""
    tools = {tool for take in takes for tool in take.tools}
    found = {tool for tool in _EVERY_TOOL if tool in written}
    assert found <= tools, f"{where}: names the tools {found - tools}"
    assert name not in _NAMES_TOOLS or found == tools, f"{where}: names {tools - found} not"
    types = {step.source for take in takes for step in take.steps}
    types |= {take.source for take in takes}
    said = {one for one in SourceType if f'"{one.value}"' in written}
    assert said <= types, f"{where}: says {said - types}"


def _written(show: Show, name: str, form: Format, *, code: str, latest: bool) -> str:
    show.reports += 1
    (report,) = [one for one in reports() if one.name == name]
    with reading(show.studio.database) as connection:
        source = ReportSource(
            connection=connection,
            settings=show.studio.settings,
            scope=Scope(project=PROJECT, latest=latest),
            now=utc_now(),
            find_file=published_files(show.studio.settings),
            hours=lambda: None,
        )
        document = report.document(source, ReportOptions(language=Language.EN, code=code))
        target = show.folder / f"report-{show.reports}.{form.value}"
        (file, *_) = write_report(document, form, target)
    return file.read_text(encoding="utf-8-sig")


def check_bundle(show: Show, *, audited: bool) -> None:
    """A bundle of the show names whom it may, opens their commitments, and is verified."""
    studio = show.studio
    signer = note_signer(studio.settings)
    seal(studio.database, signer)
    roots = [root.path for root in studio.settings.storage.roots]
    target = show.folder / f"bundle-{show.acts}.zip"
    with reading(studio.database) as connection:
        seqs = select_entries(connection, EntrySelection(project=PROJECT))
        files, missing = bundled_files(connection, seqs, roots)
        assert not missing
        export_bundle(connection, seqs, target=target, signer=signer, files=files)
    with zipfile.ZipFile(target) as archive:
        names = json.loads(archive.read("names.json"))
    people = frozenset(one for take in show.takes for one in take.people)
    # Entries stand for ever: those that name whose work it was not, and their answers.
    people |= {(role, who) for _, role, who in show.disowned}
    shown = {(one["name"], one["name_ja"]) for one in names.values()}
    active = {show.names()[who] for _, who in people if who in show.names()}
    # Who stands for one of several people has no name.
    others = shown - {(DECLARER.name, DECLARER.name_ja), ("", "")}
    assert others == active, (others - active, active - others)
    if not audited:
        return
    script = show.folder / "verify_bundle.py"
    script.write_text(verifier_script(), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-W", "error", script, target, str(signer.key)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert _found(show, done.stdout)[0] == _shown(show, people)[0]
