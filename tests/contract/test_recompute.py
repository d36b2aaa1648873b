"""Credits that are computed anew reach the tracker: names, refusals, and nothing twice."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import typer
from sqlalchemy import Engine
from typer.testing import CliRunner, Result

from haikei.cli.credits_repair import recompute as recompute_command
from haikei.credits import BackgroundVersion, Person, Role, Scope, people, records
from haikei.database import reading
from haikei.jobs.recomputing import Recomputed, recompute
from haikei.settings import PersonEntry
from haikei.trackers import CreditDesk, Part, needed
from haikei.trackers.shotgrid.tracker import ShotGridTracker
from support.databases import fresh_database
from support.records import (
    PAINTER,
    a_background,
    a_chain,
    a_contribution,
    a_generation,
    a_layout,
    a_person,
    save_background,
)
from support.servers import Mischief, proxy_before
from support.sites import RunningStudio, Show, running_studio

FIELDS = (
    "code sg_haikei_key sg_haikei_credit sg_haikei_credit_ja sg_haikei_roles sg_haikei_system "
    "sg_haikei_source_type sg_haikei_ledger sg_haikei_record_link"
)
TANAKA = Person(id="HumanUser:900011", name="Yuki Tanaka", name_ja="田中優希")


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStudio]:
    with running_studio(tmp_path_factory.mktemp("studio"), uploads="classic") as running:
        yield running


@pytest.fixture
def show(studio: RunningStudio) -> Show:
    return studio.show()


@pytest.fixture
def desk(show: Show) -> Iterator[CreditDesk]:
    adapter = ShotGridTracker(show.settings, show.key)
    yield needed(adapter.parts.credits, adapter, Part.CREDITS)
    adapter.close()


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Engine]:
    (tmp_path / "state").mkdir()
    engine = fresh_database(tmp_path / "state" / "haikei.db")
    yield engine
    engine.dispose()


def everything(show: Show, sequence: str = "") -> Scope:
    return Scope(project=show.name, sequence=sequence, latest=False)


def publish(show: Show, database: Engine, told: Sequence[BackgroundVersion]) -> list[int]:
    """Save versions, and give each its row in the tracker, without credits."""
    made: list[Any] = show.sg.batch(
        [
            {
                "request_type": "create",
                "entity_type": "Version",
                "data": {
                    "project": {"type": "Project", "id": show.project},
                    "code": one.code,
                    "sg_haikei_key": one.key,
                },
            }
            for one in told
        ]
    )
    with database.begin() as connection:
        records.save_all(connection, told)
        for one, row in zip(told, made, strict=True):
            records.published(connection, one.key, tracker_id=row["id"], url="http://tracker.test")
    return [row["id"] for row in made]


def cut(show: Show, shot: str = "c001", artist: Person = TANAKA, **more: Any) -> BackgroundVersion:
    """Return a version whose layout this person drew."""
    images = a_chain(f"{show.name}_{shot}", artists=(artist,))
    return a_background(shot, project=show.name, images=images, **more)


def rows(show: Show) -> dict[str, dict[str, Any]]:
    return {row["code"]: row for row in show.own("Version", fields=FIELDS)}


def test_what_the_lineage_says_is_written(show: Show, desk: CreditDesk, database: Engine) -> None:
    publish(show, database, [cut(show)])

    done = recompute(database, desk, everything(show))

    assert (done.versions, done.changed, done.refused) == (1, 1, ())
    (row,) = rows(show).values()
    assert "Layout Yuki Tanaka" in row["sg_haikei_credit"]
    assert "原図 田中優希" in row["sg_haikei_credit_ja"]
    assert "genzu: Yuki Tanaka (HumanUser:900011)" in row["sg_haikei_roles"].splitlines()
    assert "ai_generation: SDXL 1.0" in row["sg_haikei_roles"].splitlines()
    assert row["sg_haikei_system"] == "SDXL 1.0"
    assert row["sg_haikei_source_type"] == "compositeWithTrainedAlgorithmicMedia"
    assert row["sg_haikei_record_link"] == f"show/{show.name}_c001/touch_up.png.json"
    with reading(database) as connection:
        (saved,) = records.backgrounds(connection, everything(show))
    assert row["sg_haikei_ledger"] == saved.ledger[-1]


def test_a_second_run_changes_nothing(show: Show, desk: CreditDesk, database: Engine) -> None:
    publish(show, database, [cut(show)])
    recompute(database, desk, everything(show))
    newest = show.find("EventLogEntry")[-1]["id"]

    assert recompute(database, desk, everything(show)).changed == 0

    assert show.find("EventLogEntry")[-1]["id"] == newest


def test_the_new_name_of_someone_who_married_reaches_every_version(
    show: Show, desk: CreditDesk, database: Engine
) -> None:
    publish(show, database, [cut(show, f"c{n:03d}") for n in range(3)])
    recompute(database, desk, everything(show))
    with database.begin() as connection:
        people.rename(connection, TANAKA.id, name="Yuki Mori", name_ja="森優希")

    assert recompute(database, desk, everything(show)).changed == 3

    for row in rows(show).values():
        assert "Layout Yuki Mori" in row["sg_haikei_credit"]
        assert "森優希" in row["sg_haikei_credit_ja"]
        assert "Tanaka" not in str(row)
        assert "田中" not in str(row)


def test_a_name_that_was_erased_is_withheld_on_every_version(
    show: Show, desk: CreditDesk, database: Engine
) -> None:
    publish(show, database, [cut(show)])
    recompute(database, desk, everything(show))
    with database.begin() as connection:
        people.erase(connection, TANAKA.id, "letter of 2026-11-20")

    done = recompute(database, desk, everything(show))

    assert (done.changed, done.refused) == (1, ())
    (row,) = rows(show).values()
    assert "name withheld" in row["sg_haikei_credit"]
    assert "本人の希望により非表示" in row["sg_haikei_credit_ja"]
    assert "genzu: (name withheld" in row["sg_haikei_roles"]
    for trace in ("Tanaka", "田中", TANAKA.id):
        assert trace not in str(row), "an id leads to the name in the tracker"


def test_an_opt_out_is_withheld(show: Show, desk: CreditDesk, database: Engine) -> None:
    shy = replace(TANAKA, id="HumanUser:900012", opt_out="mail of 2026-10-02")
    publish(show, database, [cut(show, artist=shy)])

    recompute(database, desk, everything(show))

    (row,) = rows(show).values()
    assert "name withheld" in row["sg_haikei_credit"]
    assert "Tanaka" not in str(row)


def test_unnamed_work_is_refused_and_the_rest_is_written(
    show: Show, desk: CreditDesk, database: Engine
) -> None:
    nobody = Person(id="HumanUser:900013", name="")
    publish(show, database, [cut(show), cut(show, "c002", artist=nobody), cut(show, "c003")])

    done = recompute(database, desk, everything(show))

    assert (done.versions, done.changed) == (3, 2)
    (refused,) = done.refused
    assert refused.code == "c002_bg_summer_day_v001"
    assert "HumanUser:900013" in refused.reason
    assert not rows(show)[refused.code]["sg_haikei_credit"]


def test_a_cut_without_ai_names_no_system_that_is_ai(
    show: Show, desk: CreditDesk, database: Engine
) -> None:
    layout = a_layout(show.name, artists=(TANAKA,))
    painted = a_generation(show.name, stage="paint", layout=layout, parent=layout, system=PAINTER)
    told = a_background("c001", project=show.name, images=(layout, painted))
    publish(show, database, [told])

    recompute(database, desk, everything(show))

    (row,) = rows(show).values()
    assert row["sg_haikei_source_type"] == "algorithmicMedia"
    assert "AI" not in row["sg_haikei_credit"]
    assert row["sg_haikei_system"] == "haikei-painter 1"


def test_a_later_approval_is_a_role(show: Show, desk: CreditDesk, database: Engine) -> None:
    told = cut(show)
    publish(show, database, [told])
    recompute(database, desk, everything(show))
    director = a_person(900014, name="K. Mori", name_ja="森健")
    with database.begin() as connection:
        approval = a_contribution(Role.APPROVAL, director, source="Version status apr")
        records.contribute(connection, told.images[-1].key, approval)

    assert recompute(database, desk, everything(show)).changed == 1

    (row,) = rows(show).values()
    assert "approval: K. Mori (HumanUser:900014)" in row["sg_haikei_roles"].splitlines()


def test_only_the_sequence_that_was_asked_for_is_looked_at(
    show: Show, desk: CreditDesk, database: Engine
) -> None:
    publish(show, database, [cut(show, sequence="s01"), cut(show, "c002", sequence="s02")])

    done = recompute(database, desk, everything(show, "s02"))

    assert (done.total, done.versions, done.changed) == (1, 1, 1)
    assert not rows(show)["c001_bg_summer_day_v001"]["sg_haikei_credit"]


def test_earlier_versions_are_put_right_too(show: Show, desk: CreditDesk, database: Engine) -> None:
    first = cut(show)
    second = a_background("c001", project=show.name, version=2, images=first.images)
    publish(show, database, [first, second])

    assert recompute(database, desk, everything(show)).changed == 2


def test_versions_that_the_tracker_lacks_are_counted_and_named(
    show: Show, desk: CreditDesk, database: Engine
) -> None:
    (number, _) = publish(show, database, [cut(show), cut(show, "c002")])
    with database.begin() as connection:
        save_background(connection, cut(show, "c003"))
    show.sg.delete("Version", number)

    done = recompute(database, desk, everything(show))

    assert (done.versions, done.changed, done.unpublished) == (3, 1, 1)
    assert done.unknown == ("c001_bg_summer_day_v001",)


def test_a_dry_run_writes_nothing_anywhere(show: Show, desk: CreditDesk, database: Engine) -> None:
    number = int(show.sg.create("HumanUser", {"name": "Rin Abe", "login": show.name})["id"])
    artist = Person(id=f"HumanUser:{number}", name="Rin Aoki", name_ja="青木凛")
    publish(show, database, [cut(show, artist=artist)])

    done = recompute(database, desk, everything(show), dry_run=True, names_from_tracker=True)

    assert done.changed == 1
    assert [one.after.name for one in done.renamed if one.after.id == artist.id] == ["Rin Abe"]
    (row,) = rows(show).values()
    assert not row["sg_haikei_credit"]
    with reading(database) as connection:
        assert people.look_up(connection, [artist.id])[artist.id].name == "Rin Aoki"


def test_names_of_the_tracker_are_taken_over_when_asked_for(
    show: Show, desk: CreditDesk, database: Engine
) -> None:
    number = int(show.sg.create("HumanUser", {"name": "Rin Aoki", "login": show.name})["id"])
    artist = Person(id=f"HumanUser:{number}", name="Rin Aoki", name_ja="青木凛")
    publish(show, database, [cut(show, artist=artist)])
    recompute(database, desk, everything(show))
    show.sg.update("HumanUser", number, {"name": "Rin Abe", "firstname": "Rin", "lastname": "Abe"})

    assert recompute(database, desk, everything(show)).changed == 0
    done = recompute(database, desk, everything(show), names_from_tracker=True)

    assert done.changed == 1
    assert [one.after.name for one in done.renamed if one.after.id == artist.id] == ["Rin Abe"]
    (row,) = rows(show).values()
    assert "Layout Rin Abe" in row["sg_haikei_credit"]


def test_names_of_the_settings_and_their_file_are_taken_over(
    show: Show, desk: CreditDesk, database: Engine
) -> None:
    artist, gone = (Person(id=f"HumanUser:90{n}", name="ゆき", name_ja="田中ゆき") for n in (1, 2))
    publish(show, database, [cut(show, artist=artist), cut(show, "c002", artist=gone)])
    recompute(database, desk, everything(show))
    with database.begin() as connection:
        people.erase(connection, gone.id, "letter of 2026-11-20")
    entries = [
        PersonEntry(id=one.id, name="Yuki Tanaka", name_ja="田中 ゆき") for one in (artist, gone)
    ]

    done = recompute(database, desk, everything(show), entries=entries)

    assert [(one.after.id, one.after.name) for one in done.renamed] == [(artist.id, "Yuki Tanaka")]
    written = rows(show)
    assert "Layout Yuki Tanaka" in written["c001_bg_summer_day_v001"]["sg_haikei_credit"]
    assert "田中 ゆき" in written["c001_bg_summer_day_v001"]["sg_haikei_credit_ja"]
    assert "name withheld" in written["c002_bg_summer_day_v001"]["sg_haikei_credit"]
    assert recompute(database, desk, everything(show), entries=entries).changed == 0


@pytest.mark.parametrize("name", ["Midjourney v7", "Adobe Firefly", "ミッドジャーニー"])
def test_an_account_that_is_renamed_to_a_machine_leaves_the_work_its_artists(
    show: Show, desk: CreditDesk, database: Engine, name: str
) -> None:
    number = int(show.sg.create("HumanUser", {"name": "Rin Aoki", "login": show.name})["id"])
    artist = Person(id=f"HumanUser:{number}", name="Rin Aoki")
    publish(show, database, [cut(show, artist=artist)])
    show.sg.update("HumanUser", number, {"name": name, "firstname": name, "lastname": ""})

    done = recompute(database, desk, everything(show), names_from_tracker=True)
    with database.begin() as connection:
        people.note(connection, replace(artist, name=name))

    assert done.renamed == ()
    (refused,) = done.refused
    assert refused.code == artist.id
    assert "the name of a machine; credits go on naming 'Rin Aoki'" in refused.reason
    (row,) = rows(show).values()
    assert "Layout Rin Aoki" in row["sg_haikei_credit"]
    with reading(database) as connection:
        assert people.look_up(connection, [artist.id])[artist.id].name == "Rin Aoki"


def test_a_name_that_was_given_or_erased_here_outlasts_the_trackers(
    show: Show, desk: CreditDesk, database: Engine
) -> None:
    numbers = [
        int(show.sg.create("HumanUser", {"name": name, "login": f"{name}.{show.name}"})["id"])
        for name in ("Pen Name", "Gone")
    ]
    artists = [Person(id=f"HumanUser:{number}", name="As Told") for number in numbers]
    publish(show, database, [cut(show, f"c00{n}", artist=one) for n, one in enumerate(artists)])
    with database.begin() as connection:
        people.rename(connection, artists[0].id, name="Chosen Name")
        people.erase(connection, artists[1].id, "letter of 2026-11-20")

    done = recompute(database, desk, everything(show), names_from_tracker=True)

    assert not {one.after.id for one in done.renamed} & {one.id for one in artists}
    written = {code: row["sg_haikei_credit"] for code, row in rows(show).items()}
    assert "Layout Chosen Name" in written["c000_bg_summer_day_v001"]
    assert "name withheld" in written["c001_bg_summer_day_v001"]


def test_a_run_that_is_cut_goes_on(show: Show, database: Engine) -> None:
    publish(show, database, [cut(show)])
    with proxy_before(str(show.settings.tracker.url)) as proxy:
        adapter = ShotGridTracker(show.at(proxy.url).settings, show.key)
        desk = needed(adapter.parts.credits, adapter, Part.CREDITS)
        desk.people(["warm"])
        proxy.reset({3: Mischief.CUT_AFTER})

        done = recompute(database, desk, everything(show))

        adapter.close()
    assert proxy.met == 1
    assert done.refused == ()
    (row,) = rows(show).values()
    assert "Yuki Tanaka" in row["sg_haikei_credit"]


def test_a_show_of_twelve_hundred_versions_takes_few_calls(show: Show, database: Engine) -> None:
    told = [cut(show, f"c{n:04d}") for n in range(1200)]
    for start in range(0, 1200, 400):
        publish(show, database, told[start : start + 400])
    seen: list[Recomputed] = []
    with proxy_before(str(show.settings.tracker.url)) as proxy:
        adapter = ShotGridTracker(show.at(proxy.url).settings, show.key)
        desk = needed(adapter.parts.credits, adapter, Part.CREDITS)

        done = recompute(database, desk, everything(show), tell=seen.append)
        assert (done.total, done.versions, done.changed) == (1200, 1200, 1200)
        assert proxy.count <= 3 * 6 + 1, "two reads and a batch for each 200 versions"

        proxy.reset()
        assert recompute(database, desk, everything(show)).changed == 0
        assert proxy.count <= 2 * 6
        adapter.close()
    assert [one.versions for one in seen] == [200, 400, 600, 800, 1000, 1200]


@pytest.fixture
def command(show: Show, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write the settings of the studio; return their file."""
    file = tmp_path / "haikei.toml"
    file.write_text(
        f'[studio]\nstate = "state"\n[tracker]\nurl = "{show.settings.tracker.url}"\n'
        f'[[storage.roots]]\nname = "primary"\npath = "{show.root}"\n',
        encoding="utf-8",
    )
    monkeypatch.setenv("HAIKEI_TRACKER__KEY", show.key.get_secret_value())
    return file


def call(file: Path, *arguments: str) -> Result:
    app = typer.Typer()
    app.command()(recompute_command)
    return CliRunner().invoke(app, [*arguments, "--settings", str(file)])


def test_the_command_says_what_it_did(show: Show, database: Engine, command: Path) -> None:
    publish(show, database, [cut(show)])

    dry = call(command, "--project", show.name, "--dry-run")
    wet = call(command, "--project", show.name)

    assert (dry.exit_code, wet.exit_code) == (0, 0)
    assert "1 versions: 1 rows would change, 0 refused" in dry.output
    assert "1 versions: 1 rows changed, 0 refused" in wet.output
    assert "1 of 1 versions" in wet.stderr


def test_the_command_takes_a_show_by_each_of_its_names_and_its_id(
    show: Show, database: Engine, command: Path
) -> None:
    publish(show, database, [cut(show)])
    title = f"{show.name.title()} no Machi"

    for name in (show.name.upper(), title, title.upper(), f"Project:{show.project}"):
        done = call(command, "--project", name, "--shot", "C001", "--dry-run")
        assert "1 versions: 1 rows would change" in done.output, (name, done.output)


def test_the_command_lists_refusals_and_fails(show: Show, database: Engine, command: Path) -> None:
    publish(show, database, [cut(show, artist=Person(id="HumanUser:900013", name=""))])

    told = call(command, "--project", show.name)
    as_json = call(command, "--project", show.name, "--json")

    assert (told.exit_code, as_json.exit_code) == (1, 1)
    assert "refused c001_bg_summer_day_v001" in told.output
    said = json.loads(as_json.stdout)
    assert (said["versions"], said["changed"]) == (1, 0)
    assert [one["code"] for one in said["refused"]] == ["c001_bg_summer_day_v001"]


def test_the_command_names_the_projects_there_are_when_none_is_meant(
    show: Show, database: Engine, command: Path
) -> None:
    publish(show, database, [cut(show)])

    result = call(command, "--project", "nowhere")

    assert result.exit_code == 2
    assert show.name in result.output
