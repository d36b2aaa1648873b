"""Records are kept once, sealed, found again as they were, and read in any amount."""

import json
import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, select

from haikei.canonical import canonical_json
from haikei.credits import (
    BackgroundVersion,
    Grade,
    ImageRecord,
    Person,
    Role,
    Scope,
    records,
)
from haikei.credits.people.erasing import Mentions
from haikei.credits.people.registry import everyone
from haikei.credits.records.record_sealing import unseal
from haikei.database import ledger, reading
from haikei.decisions import ReviewState
from haikei.errors import CreditError, LedgerError
from haikei.ledger import size, verify
from support.records import (
    ITO,
    MORI,
    SATO,
    START,
    TANAKA,
    a_background,
    a_chain,
    a_change,
    a_contribution,
    a_generation,
    a_layout,
    a_person,
    a_recall,
    a_show,
    a_system,
    a_touch_up,
    save_background,
    save_show,
    sha256_of,
)


def _all(connection: Connection, project: str = "akane") -> list[BackgroundVersion]:
    return [*records.backgrounds(connection, Scope(project=project, latest=False))]


def _without_entries(versions: Sequence[BackgroundVersion]) -> list[BackgroundVersion]:
    return [replace(version, ledger=()) for version in versions]


def test_a_version_comes_back_as_it_was_saved(database: Engine) -> None:
    told = a_background()
    with database.begin() as connection:
        saved = save_background(connection, told)
    with reading(database) as connection:
        found = records.background(connection, told.key)

    assert found == saved
    assert replace(saved, ledger=()) == told
    assert saved.ledger == (0, 1, 2, 3)


def test_all_that_was_measured_comes_back(database: Engine) -> None:
    layout = a_layout()
    recalled = a_contribution(
        Role.GENZU, TANAKA, grade=Grade.MEASURED, recall=a_recall(), note="原図 · “lines”"
    )
    made = a_generation(layout=layout, operator=ITO, contributions=(recalled,))
    touched = a_touch_up(parent=made, change=a_change(regions=3))
    with database.begin() as connection:
        saved = save_background(connection, a_background(images=(layout, made, touched)))

    assert saved.images == (layout, made, touched)


def test_saving_again_changes_nothing(database: Engine) -> None:
    told = a_background()
    with database.begin() as connection:
        first = save_background(connection, told)
        records.published(connection, told.key, tracker_id=7, url="http://site/7")
        again = save_background(connection, told)
        records.save_all(connection, (told, told))

        assert again == replace(first, tracker_id=7, url="http://site/7")
        assert size(connection) == 4
        assert len(_all(connection)) == 1


def test_an_image_that_serves_several_versions_is_sealed_once(database: Engine) -> None:
    layout = a_layout()
    later = replace(layout, created_at=START + timedelta(days=1))
    with database.begin() as connection:
        one = save_background(connection, a_background(images=(layout, a_generation("a"))))
        two = save_background(
            connection, a_background(season="winter", images=(later, a_generation("b")))
        )

    assert one.ledger[0] == two.ledger[0]
    assert two.images[0] == layout


def test_another_image_under_the_same_key_is_refused_and_nothing_is_kept(
    database: Engine,
) -> None:
    told = a_background()
    with database.begin() as connection:
        save_background(connection, told)
    other = replace(told.images[0], sha256=sha256_of("other"))

    with pytest.raises(LedgerError, match="Another image"), database.begin() as connection:
        save_background(connection, a_background("c002", images=(other, a_generation("x"))))
    with pytest.raises(LedgerError, match="Another image"), database.begin() as connection:
        records.save_all(
            connection,
            (
                a_background("c003", images=(a_layout("n"),)),
                a_background("c004", images=(replace(a_layout("n"), sha256=sha256_of("n")),)),
            ),
        )
    with reading(database) as connection:
        assert size(connection) == 4
        assert len(_all(connection)) == 1


def test_a_version_number_is_taken_once(database: Engine) -> None:
    with database.begin() as connection:
        save_background(connection, a_background())

        with pytest.raises(LedgerError, match="recorded already as version 1"):
            save_background(connection, replace(a_background(), key="another job"))
        with pytest.raises(LedgerError, match="Another version"):
            save_background(connection, replace(a_background(), version=2))


def test_a_version_without_images_is_refused(database: Engine) -> None:
    with database.begin() as connection, pytest.raises(CreditError, match="no images"):
        save_background(connection, a_background(images=()))


@pytest.mark.parametrize(
    "wrong",
    [
        a_layout(artists=(a_person(name="AI (+Human)"),)),
        a_layout(contributions=(a_contribution(Role.TOUCH_UP, a_system()),)),
        a_layout(contributions=(a_contribution(Role.AI_GENERATION, SATO),)),
    ],
)
def test_what_would_be_untrue_is_not_recorded(wrong: ImageRecord, database: Engine) -> None:
    with pytest.raises(CreditError), database.begin() as connection:
        save_background(connection, a_background(images=(wrong,)))
    with reading(database) as connection:
        assert size(connection) == 0
        assert [*everyone(connection)] == []


def test_decisions_and_addresses_are_kept(database: Engine) -> None:
    told = a_background()
    with database.begin() as connection:
        save_background(connection, told)
        records.published(connection, told.key, tracker_id=42, url="http://site/42")
        records.decide(connection, told.key, ReviewState.APPROVED)
        found = records.by_code(connection, told.code)

        assert found is not None
        assert (found.tracker_id, found.url) == (42, "http://site/42")
        assert found.state is ReviewState.APPROVED
        with pytest.raises(LedgerError, match="'nothing'"):
            records.decide(connection, "nothing", ReviewState.APPROVED)
        with pytest.raises(LedgerError, match="'nothing'"):
            records.published(connection, "nothing", tracker_id=1, url="")


def test_a_later_contribution_is_sealed_by_itself_and_once(database: Engine) -> None:
    told = a_background()
    approved = a_contribution(Role.APPROVAL, MORI, source="Version:7 status", note="OK · 良い")
    with database.begin() as connection:
        save_background(connection, told)
        entry = records.contribute(connection, told.final.key, approved)
        again = records.contribute(connection, told.final.key, approved)
        standing = records.contribute(connection, told.final.key, told.final.contributions[0])
        found = records.background(connection, told.key)

        assert found is not None
        assert (entry, again, standing) == (4, 4, 3)
        assert found.final.contributions == (*told.final.contributions, approved)
        assert records.entries_of(connection, told.final.key) == (3, 4)
        assert records.entries_of(connection, "nothing") == ()
        sealed = connection.execute(select(ledger.c.payload).where(ledger.c.seq == 4)).scalar_one()
        assert json.loads(sealed)["image"]["sha256"] == told.final.sha256
        verify(connection)


def test_contributions_need_an_image_and_the_truth(database: Engine) -> None:
    with database.begin() as connection:
        save_background(connection, a_background())

        with pytest.raises(LedgerError, match="No image"):
            records.contribute(connection, "nothing", a_contribution(Role.APPROVAL, MORI))
        with pytest.raises(CreditError, match="cannot be credited"):
            records.contribute(
                connection,
                a_background().final.key,
                a_contribution(Role.APPROVAL, a_system()),
            )


def test_images_are_found_by_bytes_then_by_pixels(database: Engine) -> None:
    told = a_background()
    with database.begin() as connection:
        save_background(connection, told)
        final = told.final

        assert records.find_image(connection, sha256=final.sha256) == final
        assert records.find_image(connection, pixels_sha256=final.pixels_sha256) == final
        stripped = records.find_image(
            connection, sha256=sha256_of("stripped"), pixels_sha256=final.pixels_sha256
        )
        assert stripped == final
        assert records.find_image(connection) is None
        assert records.find_image(connection, sha256=sha256_of("unknown")) is None


def test_versions_are_found_by_any_of_their_images(database: Engine) -> None:
    with database.begin() as connection:
        save_show(connection, versions=30)
        versions = _all(connection)
        layout = versions[0].images[0]

        assert records.backgrounds_with(connection, layout.sha256) == tuple(
            version for version in versions if layout in version.images
        )
        assert records.backgrounds_with(connection, sha256_of("unknown")) == ()


def test_a_show_is_read_in_order_and_in_parts(
    database: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("haikei.credits.records.store._BATCH", 7)
    told = [*a_show(versions=100, shots_a_sequence=10)]
    shuffled = random.Random(4).sample(told, len(told))
    with database.begin() as connection:
        records.save_all(connection, shuffled)
        save_show(connection, versions=5, project="kaze")
        found = _all(connection)

        place = [(v.sequence, v.shot, v.season, v.time, v.version) for v in found]
        assert place == sorted(place)
        assert sorted(_without_entries(found), key=lambda v: v.key) == sorted(
            told, key=lambda v: v.key
        )
        for scope in (
            Scope(project="akane"),
            Scope(project="akane", sequence="ep002"),
            Scope(project="akane", sequence="ep002", shot="c0003", latest=False),
            Scope(project="nothing"),
        ):
            expected = [
                version
                for version in found
                if scope.project == "akane"
                and scope.sequence in {"", version.sequence}
                and scope.shot in {"", version.shot}
                and (not scope.latest or _is_latest(version, found))
            ]
            assert [*records.backgrounds(connection, scope)] == expected
            assert records.count(connection, scope) == len(expected)
        assert records.projects(connection) == ("akane", "kaze")


def _is_latest(version: BackgroundVersion, versions: list[BackgroundVersion]) -> bool:
    return not any(
        (other.sequence, other.shot, other.season, other.time)
        == (version.sequence, version.shot, version.season, version.time)
        and other.version > version.version
        for other in versions
    )


def test_the_highest_version_of_a_background_is_found(database: Engine) -> None:
    with database.begin() as connection:
        for version in (1, 3, 2):
            save_background(connection, a_background(version=version))
        found = records.latest(
            connection, project="akane", sequence="ep01", shot="c001", season="summer", time="day"
        )
        none = records.latest(
            connection, project="akane", sequence="ep01", shot="c001", season="winter", time="day"
        )

    assert found is not None
    assert found.version == 3
    assert none is None


def test_the_ledger_seals_each_image_in_canonical_json(database: Engine) -> None:
    told = a_background()
    with database.begin() as connection:
        saved = save_background(connection, told)
        people = {person.id: person for person in everyone(connection)}
        mentions = Mentions.load(connection)
        rows = connection.execute(select(ledger).order_by(ledger.c.seq)).all()

    for row, image in zip(rows, saved.images, strict=True):
        assert row.key == image.key
        assert canonical_json(json.loads(row.payload)) == row.payload
        sealed = json.loads(row.payload, parse_float=pytest.fail)
        assert (sealed["project"], sealed["shot"]) == ("akane", "c001")
        found = unseal(
            row.payload, people=people, mentions=mentions, request_json=image.request_json
        )
        assert found == image


def test_a_request_that_was_changed_does_not_pass_for_the_sealed_one(database: Engine) -> None:
    with database.begin() as connection:
        save_background(connection, a_background())
        mentions = Mentions.load(connection)
        payload = connection.execute(select(ledger.c.payload).where(ledger.c.seq == 1)).scalar_one()

    with pytest.raises(LedgerError, match="not the one that was sealed"):
        unseal(payload, people={}, mentions=mentions, request_json='{"seed":1}')
    with pytest.raises(LedgerError, match="seals no image"):
        unseal('{"type":"statement"}', people={}, mentions=mentions)


def test_a_float_is_not_sealed(database: Engine) -> None:
    change = replace(a_change(), area_ppm=3.4)  # type: ignore[arg-type]

    with pytest.raises(TypeError), database.begin() as connection:
        save_background(connection, a_background(images=(a_layout(), a_touch_up(change=change))))


_SHOW = [*a_show(versions=14, touch_ups_every=2)]


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(order=st.permutations(_SHOW), twice=st.lists(st.sampled_from(_SHOW), max_size=5))
def test_any_order_of_saves_gives_the_same_records(
    order: list[BackgroundVersion],
    twice: list[BackgroundVersion],
    database: Engine,
) -> None:
    with database.connect() as connection, connection.begin() as transaction:
        for told in (*order, *twice):
            save_background(connection, told)
        found = _all(connection)
        sealed = {
            row.key: json.loads(row.payload) for row in connection.execute(select(ledger)).all()
        }
        assert verify(connection) == len(sealed)
        transaction.rollback()

    asked = sorted(_SHOW, key=lambda v: (v.sequence, v.shot, v.season, v.time, v.version))
    expected = [replace(v, tracker_id=None, url="", state=found[0].state) for v in asked]
    assert _without_entries(found) == expected
    assert set(sealed) == {image.key for version in _SHOW for image in version.images}
    assert {key: one["shot"] for key, one in sealed.items()} == {
        image.key: version.shot for version in _SHOW for image in version.images
    }


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(name=st.text(min_size=1, max_size=40), name_ja=st.text(max_size=20), note=st.text())
def test_names_and_notes_in_any_script_come_back(
    name: str, name_ja: str, note: str, database: Engine
) -> None:
    person = Person(id="HumanUser:1", name=name, name_ja=name_ja)
    said = a_contribution(Role.APPROVAL, MORI, note=f"{note} {name} {name_ja}", source=name)
    layout = a_layout(artists=(person,), contributions=(said,))
    with database.connect() as connection, connection.begin() as transaction:
        try:
            saved = save_background(connection, a_background(images=(layout,)))
        except CreditError:
            return
        assert saved.images == (layout,)
        payload = connection.execute(select(ledger.c.payload)).scalar_one()
        assert canonical_json(json.loads(payload)) == payload
        transaction.rollback()


def test_a_chain_of_touch_ups_adds_and_never_replaces(database: Engine) -> None:
    chain = a_chain()
    second = a_touch_up(parent=chain[-1], stage="t2", artists=(MORI,))
    with database.begin() as connection:
        save_background(connection, a_background(images=chain))
        saved = save_background(connection, a_background(version=2, images=(*chain, second)))

    people = [person for image in saved.images for person in image.people]
    assert [person for person in people if person in {SATO, MORI}] == [SATO, MORI]
