"""How people of the tracker become names in credits."""

from collections.abc import Iterator

import pytest
from pydantic import HttpUrl, SecretStr

from haikei.errors import TrackerRejected
from haikei.settings import PersonEntry, PersonFields, Tracker
from haikei.trackers.shotgrid.client import Link, SiteClient
from haikei.trackers.shotgrid.people import People
from support.clocks import PATIENCE
from support.servers import ScriptedSite, fault, rows, scripted_site

AOI = {"type": "HumanUser", "id": 5, "login": "aoi", "name": "Aoi Sato", "email": "aoi@studio"}
LINK = Link(type="HumanUser", id=5, name="Aoi Sato")


@pytest.fixture
def site() -> Iterator[ScriptedSite]:
    with scripted_site() as running:
        yield running


@pytest.fixture
def client(site: ScriptedSite) -> Iterator[SiteClient]:
    made = SiteClient(Tracker(url=HttpUrl(site.url), timeout=PATIENCE), SecretStr("k"))
    yield made
    made.close()


def test_a_person_is_read_once(site: ScriptedSite, client: SiteClient) -> None:
    people = People(client, (), PersonFields())
    site.then(rows(AOI))

    first, again = people.artists([LINK, LINK]), people.artists([LINK])

    assert first == again
    assert len(first) == 1
    assert first[0].logins == ("aoi", "aoi@studio", "Aoi Sato")
    assert site.asked == ["read"]


def test_groups_and_scripts_are_no_artists(site: ScriptedSite, client: SiteClient) -> None:
    links = [Link(type="Group", id=1, name="Layout"), Link(type="ApiUser", id=2, name="bot")]

    assert People(client, (), PersonFields()).artists(links) == ()
    assert site.asked == []


def test_a_field_of_the_studio_gives_the_japanese_name(
    site: ScriptedSite, client: SiteClient
) -> None:
    site.then(rows({**AOI, "sg_name_ja": "佐藤葵"}))

    (artist,) = People(client, (), PersonFields()).artists([LINK])

    assert (artist.person.name, artist.person.name_ja) == ("Aoi Sato", "佐藤葵")


def test_a_site_without_that_field_is_asked_without_it(
    site: ScriptedSite, client: SiteClient
) -> None:
    site.then(fault("API read() HumanUser.sg_name_ja doesn't exist."), rows(AOI))

    (artist,) = People(client, (), PersonFields()).artists([LINK])

    assert (artist.person.name, artist.person.name_ja) == ("Aoi Sato", "")


def test_another_refusal_is_not_hidden(site: ScriptedSite, client: SiteClient) -> None:
    site.then(fault("No permission to read HumanUser."))

    with pytest.raises(TrackerRejected, match="permission"):
        People(client, (), PersonFields()).artists([LINK])


def test_a_name_in_japanese_script_is_known_as_such(site: ScriptedSite, client: SiteClient) -> None:
    site.then(rows({**AOI, "name": "佐藤葵"}))

    (artist,) = People(client, (), PersonFields()).artists([LINK])

    assert artist.person.name_ja == "佐藤葵"


def test_a_japanese_name_keeps_its_family_name_first(
    site: ScriptedSite, client: SiteClient
) -> None:
    """The site makes the shown name of the first name and the last, in this order."""
    site.then(rows({**AOI, "name": "葵 佐藤", "firstname": "葵", "lastname": "佐藤"}))

    (artist,) = People(client, (), PersonFields()).artists([LINK])

    assert (artist.person.name, artist.person.name_ja) == ("佐藤 葵", "佐藤 葵")
    assert {"葵 佐藤", "佐藤 葵"} <= set(artist.logins)


def test_a_latin_name_keeps_the_order_of_the_site(site: ScriptedSite, client: SiteClient) -> None:
    site.then(rows({**AOI, "firstname": "Aoi", "lastname": "Sato"}))

    (artist,) = People(client, (), PersonFields()).artists([LINK])

    assert artist.person.name == "Aoi Sato"


SITE = PersonFields(name_ja="sg_kanji", name_latin="sg_romaji", name_kana="sg_kana")


@pytest.mark.parametrize(
    ("row", "name", "name_ja"),
    [
        ({"firstname": "ゆき", "lastname": "田中"}, "田中 ゆき", "田中 ゆき"),
        (
            {"firstname": "ゆき", "lastname": "田中", "sg_romaji": "Yuki Tanaka"},
            "Yuki Tanaka",
            "田中 ゆき",
        ),
        (
            {"firstname": "Yuki", "lastname": "Tanaka", "sg_kanji": "田中 ゆき"},
            "Yuki Tanaka",
            "田中 ゆき",
        ),
        ({"firstname": "", "lastname": "", "name": "田中ゆき"}, "田中ゆき", "田中ゆき"),
    ],
)
def test_each_script_has_its_order_and_comes_from_the_fields_that_the_settings_name(
    site: ScriptedSite, client: SiteClient, row: dict[str, str], name: str, name_ja: str
) -> None:
    site.then(rows({**AOI, "name": "ゆき 田中", "sg_kana": "たなか ゆき", **row}))

    (artist,) = People(client, (), SITE).artists([LINK])

    assert (artist.person.name, artist.person.name_ja) == (name, name_ja)
    assert "たなか ゆき" in artist.logins
    assert artist.reading == "たなか ゆき"


def test_family_and_given_names_may_stand_in_other_fields(
    site: ScriptedSite, client: SiteClient
) -> None:
    fields = PersonFields(family="sg_sei", given="sg_mei", name_ja="")
    site.then(rows({**AOI, "sg_sei": "佐藤", "sg_mei": "葵", "sg_name_ja": "unread"}))

    (artist,) = People(client, (), fields).artists([LINK])

    assert artist.person.name_ja == "佐藤 葵"


def test_a_field_that_the_settings_name_and_the_site_lacks_is_an_error(
    site: ScriptedSite, client: SiteClient
) -> None:
    site.then(fault("API read() HumanUser.sg_romaji doesn't exist."))

    with pytest.raises(TrackerRejected, match="sg_romaji"):
        People(client, (), SITE).artists([LINK])


def test_a_latin_name_of_the_site_is_kept_where_a_list_has_the_japanese_alone(
    site: ScriptedSite, client: SiteClient
) -> None:
    site.then(rows({**AOI, "sg_romaji": "Aoi Sato"}))
    entry = PersonEntry(id="HumanUser:5", name="佐藤 葵", name_ja="佐藤 葵")

    (artist,) = People(client, (entry,), SITE).artists([LINK])

    assert (artist.person.name, artist.person.name_ja) == ("Aoi Sato", "佐藤 葵")


@pytest.mark.parametrize(
    "entry",
    [
        PersonEntry(name="A. Sato", name_ja="佐藤葵", logins=("AOI",)),
        PersonEntry(name="A. Sato", name_ja="佐藤葵", logins=("Aoi Sato",)),
    ],
)
def test_the_settings_have_the_last_word(
    site: ScriptedSite, client: SiteClient, entry: PersonEntry
) -> None:
    site.then(rows(AOI))

    (artist,) = People(client, (PersonEntry(name="Other"), entry), PersonFields()).artists([LINK])

    assert (artist.person.id, artist.person.name, artist.person.name_ja) == (
        "HumanUser:5",
        "A. Sato",
        "佐藤葵",
    )
