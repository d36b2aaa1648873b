"""The end roll merges a show's names, and prints none while one is missing."""

from dataclasses import replace

import pytest

from haikei.credits import CreditsRoll, ImageRecord, Person, Role, RollSection, credit_line, roll
from haikei.errors import CreditError
from haikei.settings import StaffEntry
from haikei.texts import ROLES
from support.records import (
    MORI,
    SATO,
    TANAKA,
    a_background,
    a_chain,
    a_contribution,
    a_generation,
    a_layout,
    a_person,
    a_show,
)


def _section(found: CreditsRoll, role: Role) -> RollSection:
    (section,) = (section for section in found.sections if section.role is role)
    return section


def _names(found: CreditsRoll, role: Role) -> list[tuple[str, int]]:
    return [(entry.name.en, entry.images) for entry in _section(found, role).entries]


def asked_again(image: ImageRecord, by: Person) -> ImageRecord:
    """Return an image that was made because somebody asked for a retake."""
    asked = a_contribution(Role.RETAKE, by, source="Note:12 on c001_bg_summer_day_v001")
    return replace(image, contributions=(*image.contributions, asked))


def test_names_are_merged_and_sorted_by_images_and_then_by_name() -> None:
    versions = [
        a_background("c001", images=a_chain("c001")),
        a_background("c002", images=a_chain("c002", artists=(MORI,), touch_up_by=(SATO, TANAKA))),
        a_background("c003", images=a_chain("c003", artists=(MORI,))),
        a_background("c004", images=a_chain("c004", artists=(a_person(9, name="Abe"),))),
    ]

    found = roll(versions)

    assert _names(found, Role.GENZU) == [("K. Mori", 2), ("Abe", 1), ("Yuki Tanaka", 1)]
    assert _names(found, Role.TOUCH_UP) == [("A. Sato", 4), ("Yuki Tanaka", 1)]
    assert _names(found, Role.AI_OPERATION) == [("M. Ito", 8)]
    assert (found.versions, found.images) == (4, 16)
    assert _section(found, Role.GENZU).title.ja == "背景原図"


def test_sections_stand_in_a_films_order() -> None:
    staff = [
        StaffEntry(role="art_director", name="K. Mori", name_ja="森健"),
        StaffEntry(role="pipeline", name="R. Endo"),
    ]

    found = roll([a_background()], staff=staff)

    order = [section.role.value for section in found.sections]
    assert order == [role for role in ROLES if role in order]
    assert order == [
        "art_director",
        "genzu",
        "ai_generation",
        "ai_operation",
        "touch_up",
        "pipeline",
    ]


def test_an_image_that_led_to_several_versions_counts_once() -> None:
    layout = a_layout()
    versions = [
        a_background(season=season, images=(layout, a_generation(season, layout=layout)))
        for season in ("spring", "summer", "winter")
    ]

    assert _names(roll(versions), Role.GENZU) == [("Yuki Tanaka", 1)]
    assert _names(roll(versions), Role.AI_GENERATION) == [("SDXL 1.0", 3)]


def test_a_model_is_a_tool_with_those_who_ran_it() -> None:
    (tool,) = _section(roll([a_background()]), Role.AI_GENERATION).entries

    assert tool.name.en == "SDXL 1.0"
    assert [one.name_ja for one in tool.operators.people] == ["伊藤真"]
    assert not [
        entry
        for section in roll([a_background()]).sections
        if not section.role.is_tool
        for entry in section.entries
        if "SDXL" in entry.name.en
    ]


def test_withheld_names_stand_last_as_one_entry() -> None:
    withheld = [a_person(n, opt_out="letter", name=f"Secret {n}") for n in (1, 2)]
    versions = [
        a_background("c001", images=a_chain("c001", touch_up_by=withheld)),
        a_background("c002", images=a_chain("c002", touch_up_by=(withheld[0], SATO))),
    ]

    found = roll(versions)

    section = _section(found, Role.TOUCH_UP)
    assert _names(found, Role.TOUCH_UP) == [
        ("A. Sato", 1),
        ("(name withheld at the artist's request)", 3),
    ]
    assert section.entries[-1].ids == ("HumanUser:1", "HumanUser:2")
    assert "Secret" not in str(found)


def test_staff_are_named_where_their_patterns_fit() -> None:
    staff = [
        StaffEntry(role="art_director", name="K. Mori", project="akane"),
        StaffEntry(role="art_board", name="E. Wada", sequence="ep01"),
        StaffEntry(role="art_board", name="Not Here", sequence="ep02"),
        StaffEntry(role="art_setting", name="Other Show", project="kaze*"),
        StaffEntry(role="background_check", name="A. Sato"),
        StaffEntry(role="background_check", name="A. Sato"),
    ]

    found = roll([a_background()], staff=staff)

    assert _names(found, Role.ART_DIRECTOR) == [("K. Mori", 0)]
    assert _names(found, Role.ART_BOARD) == [("E. Wada", 0)]
    assert _names(found, Role.BACKGROUND_CHECK) == [("A. Sato", 0)]
    assert Role.ART_SETTING not in {section.role for section in found.sections}


def test_staff_who_also_did_the_work_stand_once() -> None:
    checked = a_contribution(Role.BACKGROUND_CHECK, SATO)
    images = a_chain()
    images = (*images[:-1], replace(images[-1], contributions=(*images[-1].contributions, checked)))
    staff = [StaffEntry(role="background_check", name="A. Sato")]

    found = roll([a_background(images=images)], staff=staff)

    assert _names(found, Role.BACKGROUND_CHECK) == [("A. Sato", 1)]


def test_a_machine_is_not_staff() -> None:
    with pytest.raises(CreditError, match=r"credits\.staff"):
        roll([a_background()], staff=[StaffEntry(role="background", name="AI (+Human)")])


def test_unnamed_work_is_refused_with_the_first_twenty_and_how_many_more() -> None:
    nobody = Person(id="HumanUser:404", name="")
    versions = [
        a_background(f"c{n:03d}", images=a_chain(f"c{n:03d}", touch_up_by=(nobody,)))
        for n in range(33)
    ]

    with pytest.raises(CreditError) as refused:
        roll([a_background("c900"), *versions])

    message = refused.value.message
    assert all(version.code in message for version in versions[:20])
    assert versions[20].code not in message
    assert message.endswith("and 13 more.")
    assert "haikei credits" in str(refused.value.advice)


def test_a_version_without_any_human_is_refused() -> None:
    with pytest.raises(CreditError, match="no human is recorded at all"):
        roll([a_background(images=(a_generation(),))])


def test_nothing_gives_an_empty_roll() -> None:
    assert roll([], staff=[StaffEntry(role="art_director", name="K. Mori")]) == CreditsRoll(
        sections=(), versions=0, images=0
    )


def test_everyone_who_did_anything_is_in_the_roll_and_nobody_else() -> None:
    for version in a_show(versions=60):
        people = {person for image in version.images for person in image.people}
        named = {person.name for person in people if not person.opt_out}
        entries = [
            entry
            for section in roll([version]).sections
            if not section.role.is_tool
            for entry in section.entries
        ]

        assert {entry.name.en for entry in entries if not entry.withheld} == named
        assert {one for entry in entries for one in entry.ids} == {person.id for person in people}


def test_who_asked_for_a_retake_is_in_the_roll_once_and_not_in_the_line() -> None:
    versions = [
        a_background(shot, images=(*images[:-1], asked_again(images[-1], SATO)))
        for shot in ("c001", "c002")
        if (images := a_chain(shot, touch_up_by=()))
    ]

    found = roll(versions)

    assert _names(found, Role.RETAKE) == [(SATO.name, 2)]
    assert _section(found, Role.RETAKE).title.en == "Retake Direction"
    assert _section(found, Role.RETAKE).title.ja == "リテイク指示"
    line = credit_line(versions[0].images)
    assert SATO.name not in line.en
    assert SATO.name_ja not in line.ja
