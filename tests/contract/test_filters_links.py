"""Filters on links, files, tags and what cannot be filtered, through the real client."""

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

import pytest
import shotgun_api3

from support.sites import running_site


@dataclass(frozen=True, slots=True, kw_only=True)
class Show:
    """A small show whose rows link each other in every way."""

    client: Any  #: shotgun_api3's own; its types know no custom fields
    rows: dict[str, dict[str, Any]]

    def names(self, entity_type: str, *filters: Any) -> list[str]:
        """Return the names of the rows of this show that filters find."""
        wanted = {row["id"]: name for name, row in self.rows.items()}
        found = self.client.find(entity_type, list(filters))
        return sorted(wanted[row["id"]] for row in found if row["id"] in wanted)


@pytest.fixture(scope="module")
def show(tmp_path_factory: pytest.TempPathFactory) -> Generator[Show, None, None]:
    with running_site(tmp_path_factory.mktemp("links")) as running:
        client: Any = running.connect()
        rows: dict[str, dict[str, Any]] = {}

        def make(key: str, entity_type: str, /, **fields: Any) -> dict[str, Any]:
            rows[key] = client.create(entity_type, fields)
            return {"type": entity_type, "id": rows[key]["id"]}

        project = make("show", "Project", name="Links")
        sequence = make("sq", "Sequence", project=project, code="sq01")
        port = make("port", "Shot", project=project, code="c001_port", sg_sequence=sequence)
        hill = make("hill", "Shot", project=project, code="C002_Hill")
        gone = make("gone", "Shot", project=project, code="c003_gone")
        boat = make("boat", "Asset", project=project, code="boat", shots=[port])
        make("tree", "Asset", project=project, code="tree", shots=[port, hill])
        make("rock", "Asset", project=project, code="rock")
        make("v_port", "Version", project=project, code="v_port", entity=port)
        make("v_hill", "Version", project=project, code="v_hill", entity=hill)
        make("v_boat", "Version", project=project, code="v_boat", entity=boat)
        make("v_none", "Version", project=project, code="v_none")
        make("v_gone", "Version", project=project, code="v_gone", entity=gone)
        make("tagged", "Shot", project=project, code="tagged", tag_list=["Night", "Rain"])
        person = make("ann", "HumanUser", login="ann", firstname="Ann", lastname="Lee")
        make("note", "Note", project=project, subject="n", addressings_to=[person])
        make("quiet", "Note", project=project, subject="q")
        client.delete("Shot", gone["id"])
        yield Show(client=client, rows=rows)


def link(show: Show, name: str) -> dict[str, Any]:
    return {"type": show.rows[name]["type"], "id": show.rows[name]["id"]}


NOWHERE = {"type": "Shot", "id": 99_999_999}


@pytest.mark.parametrize(
    ("relation", "operand", "expected"),
    [
        ("is", "port", "v_port"),
        ("is_not", "port", "v_hill v_boat v_none v_gone"),
        ("is", None, "v_none v_gone"),
        ("is_not", None, "v_port v_hill v_boat"),
        ("in", ["port", "boat"], "v_port v_boat"),
        ("not_in", ["port", "boat"], "v_hill v_none v_gone"),
        ("type_is", "=Shot", "v_port v_hill"),
        ("type_is_not", "=Shot", "v_boat v_none v_gone"),
        ("type_is", None, ""),
        ("type_is_not", None, "v_port v_hill v_boat v_none v_gone"),
        ("name_is", "=c002_hill", "v_hill"),
        ("name_contains", "=00", "v_port v_hill"),
        ("name_not_contains", "=00", "v_boat v_none v_gone"),
        ("name_starts_with", "=C00", "v_port v_hill"),
        ("name_ends_with", "=HILL", "v_hill"),
    ],
)
def test_a_single_link_is_found_by_row_type_and_name(
    show: Show, relation: str, operand: Any, expected: str
) -> None:
    assert show.names("Version", ["entity", relation, _operand(show, operand)]) == sorted(
        expected.split()
    )


@pytest.mark.parametrize(
    ("relation", "operand", "expected"),
    [
        ("is", "boat", "port"),
        ("is", "tree", "port hill"),
        ("is_not", "boat", "hill tagged"),
        ("is", None, "tagged"),
        ("is_not", None, "port hill"),
        ("in", ["boat", "tree"], "port hill"),
        ("in", ["boat"], "port"),
        ("not_in", ["boat"], "hill tagged"),
        ("not_in", ["boat", "tree"], "tagged"),
        ("type_is", "=Asset", "port hill"),
        ("type_is_not", "=Asset", "tagged"),
        ("name_is", "=BOAT", "port"),
        ("name_contains", "=oa", "port"),
        ("name_not_contains", "=oa", "hill tagged"),
        ("name_starts_with", "=tr", "port hill"),
        ("name_ends_with", "=at", "port"),
    ],
)
def test_many_links_match_when_one_of_them_does(
    show: Show, relation: str, operand: Any, expected: str
) -> None:
    assert show.names("Shot", ["assets", relation, _operand(show, operand)]) == sorted(
        expected.split()
    )


def _operand(show: Show, operand: Any) -> Any:
    if isinstance(operand, list):
        return [link(show, name) for name in operand]
    if operand is None:
        return None
    return operand[1:] if operand.startswith("=") else link(show, operand)


def test_the_other_side_of_a_link_filters_alike(show: Show) -> None:
    assert show.names("Asset", ["shots", "is", link(show, "hill")]) == ["tree"]
    assert show.names("Asset", ["shots", "is", None]) == ["rock"]


def test_a_row_that_is_not_there_is_linked_by_none(show: Show) -> None:
    assert show.names("Version", ["entity", "is", NOWHERE]) == []
    assert (
        show.names("Version", ["entity", "is", {**NOWHERE, "id": link(show, "boat")["id"]}]) == []
    )


def test_dotted_paths_reach_over_single_and_many_links(show: Show) -> None:
    assert show.names("Version", ["entity.Shot.code", "is", "C001_PORT"]) == ["v_port"]
    path = "entity.Shot.sg_sequence.Sequence.code"
    assert show.names("Version", [path, "starts_with", "sq"]) == ["v_port"]
    assert show.names("Version", ["entity.Shot.assets.Asset.code", "is", "tree"]) == [
        "v_hill",
        "v_port",
    ]
    assert show.names("Sequence", ["shots.Shot.assets.Asset.code", "is", "boat"]) == ["sq"]
    assert show.names("Asset", ["shots.Shot.sg_sequence", "is", link(show, "sq")]) == [
        "boat",
        "tree",
    ]


def test_groups_nest(show: Show) -> None:
    either = {
        "filter_operator": "any",
        "filters": [
            ["code", "is", "v_boat"],
            {
                "filter_operator": "all",
                "filters": [["entity", "type_is", "Shot"], ["code", "ends_with", "hill"]],
            },
        ],
    }
    assert show.names("Version", either) == ["v_boat", "v_hill"]
    assert show.names("Version", either, ["code", "is_not", "v_boat"]) == ["v_hill"]
    assert show.names("Version", {"filter_operator": "any", "filters": []}) != []


@pytest.mark.parametrize(
    ("relation", "operand", "expected"),
    [
        ("is", "night", "tagged"),
        ("is", None, "hill port"),
        ("is_not", "Rain", "hill port"),
        ("is_not", None, "tagged"),
        ("name_contains", "AI", "tagged"),
        ("name_not_contains", "AI", "hill port"),
        ("name_id", "Rain", "tagged"),
    ],
)
def test_a_tag_list_matches_when_one_tag_does(
    show: Show, relation: str, operand: Any, expected: str
) -> None:
    assert show.names("Shot", ["tag_list", relation, operand]) == expected.split()


def test_addressings_also_take_contains(show: Show) -> None:
    ann = link(show, "ann")
    assert show.names("Note", ["addressings_to", "contains", ann]) == ["note"]
    assert show.names("Note", ["addressings_to", "not_contains", ann]) == ["quiet"]


def test_a_thumbnail_is_there_or_not(show: Show) -> None:
    assert "port" in show.names("Shot", ["image", "is", None])
    assert show.names("Shot", ["image", "is_not", None]) == []
    with pytest.raises(shotgun_api3.Fault, match="expects a nil value for 'image' data type"):
        show.names("Shot", ["image", "is", "x.png"])


def test_an_entity_type_compares_with_case(show: Show) -> None:
    client = show.client
    shots = client.find("Step", [["entity_type", "is", "Shot"]])
    assert shots
    assert client.find("Step", [["entity_type", "is", "shot"]]) == []
    assert client.find("Step", [["entity_type", "in", ["Shot", "Nonsense"]]]) == shots
    assert shots[0] not in client.find("Step", [["entity_type", "not_in", ["Shot"]]])
    assert shots[0] in client.find("Step", [["entity_type", "is_not", None]])


def test_a_uuid_is_normalised_and_must_be_one(show: Show) -> None:
    client = show.client
    storage = client.create("LocalStorage", {"code": "uuid", "linux_path": "/uuid"}, ["uuid"])
    uuid = storage["uuid"]
    for spelling in (uuid, uuid.upper(), uuid.replace("-", ""), f"{{{uuid}}}"):
        found = client.find("LocalStorage", [["uuid", "is", spelling]])
        assert [row["id"] for row in found] == [storage["id"]]
    assert client.find("LocalStorage", [["uuid", "is", ""]]) == []
    assert client.find("LocalStorage", [["uuid", "is_not", ""]]) != []
    assert client.find("LocalStorage", [["uuid", "in", [uuid]]]) != []
    assert (
        client.find("LocalStorage", [["id", "is", storage["id"]], ["uuid", "not_in", [uuid]]]) == []
    )
    with pytest.raises(shotgun_api3.Fault, match="invalid input syntax for type uuid"):
        client.find("LocalStorage", [["uuid", "is", "not-a-uuid"]])
    with pytest.raises(shotgun_api3.Fault, match=r"expected \[String\] data type\(s\) but got Nil"):
        client.find("LocalStorage", [["uuid", "is", None]])


@pytest.mark.parametrize(
    ("entity_type", "field", "data_type"),
    [
        ("EventLogEntry", "meta", "serializable"),
        ("Version", "sg_uploaded_movie", "url"),
        ("Version", "open_notes_count", "summary"),
        ("HumanUser", "password_proxy", "password"),
        ("Task", "workload", "calculated"),
        ("Note", "meta", "jsonb"),
    ],
)
def test_some_data_types_cannot_be_filtered(
    show: Show, entity_type: str, field: str, data_type: str
) -> None:
    words = (
        f"API read() {entity_type}.{field}'s '{data_type}' data type cannot be used in a filter."
    )
    with pytest.raises(shotgun_api3.Fault) as caught:
        show.client.find(entity_type, [[field, "is", None]])
    assert str(caught.value) == words


@pytest.mark.parametrize(
    ("filters", "words"),
    [
        (["nope", "is", 1], "API read() Shot.nope doesn't exist."),
        (
            ["sg_sequence.Nope.code", "is", 1],
            "API read() Shot.sg_sequence.Nope.code doesn't exist.",
        ),
        (["code", "in", [None]], "Read failed for entity type [Shot]"),
        (["id", "in", []], "API read() 'in' 'relation' expects at least a 1-element array: []"),
        (["id", "between", 1], "API read() 'between' 'relation' expects a 2-element array: [1]"),
        (["sg_sequence", "is", 5], "data type(s) but got Integer: 5"),
        (["assets", "is", 5], "API read() invalid/missing entity hash: 5"),
        (["created_at", "is", "soon"], "Invalid date time format: soon."),
        (["created_at", "in_last", [1, "FORTNIGHT"]], "doesn't support the 'FORTNIGHT' time unit"),
        (["created_at", "in_last", [-1, "DAY"]], "expects at a positive Integer time unit"),
        (["code", "is", ["a", "b"]], "'is' 'relation' expects a 1-element array"),
        (["smart_cut_in", "is", 1.5], "expected [String, Integer, NilClass] data type(s)"),
    ],
)
def test_a_wrong_filter_is_refused_in_the_sites_words(
    show: Show, filters: list[Any], words: str
) -> None:
    with pytest.raises(shotgun_api3.Fault) as caught:
        show.client.find("Shot", [filters])
    assert words in str(caught.value)
