"""How people of the tracker become names in credits."""

from collections.abc import Iterator

import pytest
from pydantic import HttpUrl, SecretStr

from haikei.errors import TrackerRejected
from haikei.settings import PersonEntry, PersonFields, Tracker
from haikei.trackers.shotgrid.client import SiteClient
from haikei.trackers.shotgrid.people import People
from haikei.trackers.shotgrid.record import Link
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
