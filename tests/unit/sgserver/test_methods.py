"""The other wire methods: summaries, followers, threads, searches, signing in."""

from typing import Any

import pytest

from haikei.sgserver.credentials import Caller, Credentials
from haikei.sgserver.http.rpc import dispatch
from haikei.sgserver.site import Site
from haikei.sgserver.values import AuthenticationFault, Fault
from support.sites import link, number


def call(site: Site, me: Caller, method: str, /, **parameters: Any) -> Any:
    return dispatch(site, me, method, parameters)


@pytest.fixture
def shots(site: Site, me: Caller, project: dict[str, Any]) -> list[dict[str, Any]]:
    rows = [("s1", "ip", 100), ("s2", "ip", 150), ("t3", "fin", 1005), ("t4", "wtg", None)]
    return [
        link(
            site.create(
                me,
                "Shot",
                {
                    "project": project,
                    "code": code,
                    "sg_status_list": status,
                    "sg_cut_duration": duration,
                },
            )
        )
        for code, status, duration in rows
    ]


def summarize(site: Site, me: Caller, kind: str, *summaries: Any, grouping: Any = None) -> Any:
    wire = [dict(zip(("field", "type", "value"), one, strict=False)) for one in summaries]
    return call(site, me, "summarize", type=kind, summaries=wire, grouping=grouping)


@pytest.mark.usefixtures("shots")
@pytest.mark.parametrize(
    ("summary", "figure"),
    [
        (("id", "count"), 4),
        (("id", "record_count"), 4),
        (("sg_cut_duration", "count"), 3),
        (("sg_cut_duration", "sum"), 1255),
        (("sg_cut_duration", "maximum"), 1005),
        (("sg_cut_duration", "minimum"), 100),
        (("sg_cut_duration", "average"), 1255 / 3),
        (("head_in", "sum"), 0),
        (("head_in", "average"), 0.0),
        (("head_in", "maximum"), 0),
        (("created_at", "earliest"), "20"),
        (("created_at", "latest"), "20"),
        (("sg_status_list", "status_percentage", "ip"), 50),
        (("sg_status_list", "status_percentage_as_float", "fin"), 25.0),
        (("sg_cut_duration", "percentage"), 75),
        (("sg_status_list", "status_list"), "ip"),
    ],
)
def test_a_summary_is_one_figure_of_all_rows(
    site: Site, me: Caller, summary: Any, figure: Any
) -> None:
    found = summarize(site, me, "Shot", summary)
    assert found["groups"] == []
    value = found["summaries"][summary[0]]
    assert value.startswith(figure) if isinstance(value, str) else value == figure


def test_checkboxes_are_counted_and_groups_named_as_on_the_page(
    site: Site, me: Caller, project: dict[str, Any]
) -> None:
    for flagged in (True, False, True):
        site.create(me, "Version", {"project": project, "flagged": flagged})
    assert summarize(site, me, "Version", ("flagged", "checked"))["summaries"]["flagged"] == 2
    found = summarize(
        site, me, "Version", ("flagged", "unchecked"), grouping=[{"field": "flagged"}]
    )
    assert [(g["group_name"], g["summaries"]["flagged"]) for g in found["groups"]] == [
        ("[ ]", 1),
        ("[X]", 0),
    ]


@pytest.mark.usefixtures("shots")
@pytest.mark.parametrize(
    ("grouping", "names"),
    [
        ({"field": "sg_status_list", "type": "exact"}, ["fin", "ip", "wtg"]),
        ({"field": "sg_status_list", "direction": "desc"}, ["wtg", "ip", "fin"]),
        ({"field": "code", "type": "firstletter"}, ["S", "T"]),
        ({"field": "sg_cut_duration", "type": "hundreds"}, ["", "100-199", "1000-1099"]),
        ({"field": "project", "type": "entitytype"}, ["Project"]),
        ({"field": "project", "type": "exact"}, ["Show"]),
        ({"field": "created_at", "type": "clustered_date"}, ["Today"]),
        ({"field": "assets", "type": "exact"}, [""]),
    ],
)
def test_groups_are_what_the_field_says(
    site: Site, me: Caller, grouping: Any, names: list[str]
) -> None:
    found = summarize(site, me, "Shot", ("id", "count"), grouping=[grouping])
    assert [group["group_name"] for group in found["groups"]] == names
    assert sum(group["summaries"]["id"] for group in found["groups"]) == 4
    assert found["summaries"] == {"id": 4}


@pytest.mark.usefixtures("shots")
@pytest.mark.parametrize("kind", ["day", "oneday", "fivedays", "week", "month", "quarter", "year"])
def test_dates_are_grouped_by_periods(site: Site, me: Caller, kind: str) -> None:
    found = summarize(
        site, me, "Shot", ("id", "count"), grouping=[{"field": "created_at", "type": kind}]
    )
    assert [group["summaries"] for group in found["groups"]] == [{"id": 4}]


@pytest.mark.usefixtures("shots")
def test_groups_nest(site: Site, me: Caller) -> None:
    grouping = [{"field": "project"}, {"field": "sg_status_list"}]
    found = summarize(site, me, "Shot", ("sg_cut_duration", "sum"), grouping=grouping)
    (outer,) = found["groups"]
    assert outer["group_value"]["valid"] == "valid"
    assert [
        (group["group_name"], group["summaries"]["sg_cut_duration"]) for group in outer["groups"]
    ] == [("fin", 1005), ("ip", 250), ("wtg", 0)]


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"summaries": [{"field": "nope", "type": "count"}]}, "Shot.nope doesn't exist"),
        ({"summaries": [{"field": "id", "type": "nope"}]}, "type must be one of: record_count"),
        ({"summaries": "x"}, "invalid/missing array 'summaries'"),
        ({"grouping": [{"field": "code", "type": "x"}]}, "type must be one of: exact"),
        ({"grouping": [{"field": "image"}]}, "Grouping is not allowed for field Shot.image."),
        ({"filters": {"conditions": [{"path": "x", "relation": "is"}]}}, r"API summarize\(\) Shot"),
    ],
)
def test_a_wrong_summary_is_refused(site: Site, me: Caller, wrong: Any, words: str) -> None:
    with pytest.raises(Fault, match=words):
        call(site, me, "summarize", type="Shot", **wrong)


def test_people_follow_rows(
    site: Site, me: Caller, project: dict[str, Any], shots: list[dict[str, Any]]
) -> None:
    ann = link(site.create(me, "HumanUser", {"login": "ann", "name": "Ann"}))
    assert call(site, me, "follow", user=ann, entity=shots[0]) == {
        "followed": True,
        "user": ann,
        "entity": shots[0],
    }
    call(site, me, "follow", user=ann, entity=shots[0])
    call(site, me, "follow", user=ann, entity=project)
    assert call(site, me, "followers", entity=shots[0]) == [{**ann, "name": "Ann"}]
    assert len(call(site, me, "following", user=ann)) == 2
    assert call(site, me, "following", user=ann, entity_type="Shot") == [shots[0]]
    assert call(site, me, "following", user=ann, entity_type="Shot", project=project) == [shots[0]]
    assert call(site, me, "unfollow", user=ann, entity=shots[0])["unfollowed"] is True
    assert call(site, me, "followers", entity=shots[0]) == []
    with pytest.raises(Fault, match="does not exist"):
        call(site, me, "follow", user=ann, entity={"type": "Shot", "id": 999_999})


def test_a_thread_is_the_note_then_its_replies_and_files(
    site: Site, me: Caller, project: dict[str, Any], shots: list[dict[str, Any]]
) -> None:
    note = site.create(
        me, "Note", {"project": project, "content": "Darker sky", "note_links": shots[:1]}
    )
    reply = site.create(me, "Reply", {"entity": link(note), "content": "Done"})
    file = site.create_attachment(
        me,
        filename="sky.png",
        display_name="sky.png",
        content_type="image/png",
        size=1,
        link=("Note", number(note)),
    )
    other = site.create(me, "Attachment", {"project": project})
    fields: Any = {"attachments": [link(other)]}
    site.update(me, "Note", number(note), fields, modes={"attachments": "add"})
    thread = call(
        site,
        me,
        "note_thread_contents",
        note_id=note["id"],
        entity_fields={"Note": ["note_links", "attachments"]},
    )
    assert thread[0]["type"] == "Note"
    assert thread[0]["content"] == "Darker sky"
    assert {**shots[0], "name": "s1"} in thread[0]["note_links"]
    assert sorted((row["type"], row["id"]) for row in thread[1:]) == sorted(
        [("Reply", reply["id"]), ("Attachment", file), ("Attachment", other["id"])]
    )
    with pytest.raises(Fault, match="does not exist"):
        call(site, me, "note_thread_contents", note_id=999_999)
    with pytest.raises(Fault, match="invalid/missing integer 'note_id'"):
        call(site, me, "note_thread_contents", note_id="x")


def test_a_search_finds_rows_that_have_every_word(
    site: Site, me: Caller, project: dict[str, Any]
) -> None:
    for code in ("Port Town Night", "Port Town Day", "Hill Night"):
        site.create(me, "Shot", {"project": project, "code": code})
    site.create(me, "Asset", {"project": project, "code": "Night Boat in Port"})

    def search(text: str, types: Any, **more: Any) -> list[str]:
        found = call(site, me, "query_display_name_cache", text=text, entity_types=types, **more)
        assert found["terms"] == text.lower().split()
        return [match["name"] for match in found["matches"]]

    both: Any = {"Shot": None, "Asset": None}
    assert search("Port NIGHT", both) == ["Port Town Night", "Night Boat in Port"]
    assert search("port night", both, max_results=1) == ["Port Town Night"]
    assert search("night", both, project_ids=[999_999]) == []
    only: Any = {"conditions": [{"path": "code", "relation": "starts_with", "values": ["Hill"]}]}
    assert search("night", {"Shot": only}, project_ids=[project["id"]]) == ["Hill Night"]
    with pytest.raises(Fault, match="at least 3 characters"):
        search("ab", both)
    with pytest.raises(Fault, match="invalid/missing hash 'entity_types'"):
        search("night", {})


def test_what_anybody_may_know(site: Site, me: Caller) -> None:
    info: Any = dispatch(site, None, "info", None)
    assert info["version"] >= [8, 5, 0]
    with pytest.raises(AuthenticationFault):
        dispatch(site, None, "read", {"type": "Shot"})
    preferences = call(site, me, "preferences_read", prefs=[])
    assert preferences["hours_per_day"] == 8.0
    assert call(site, me, "preferences_read", prefs=["hours_per_day"]) == {"hours_per_day": 8.0}
    with pytest.raises(Fault, match="is not available on this site"):
        call(site, me, "app_store_install")


def test_a_project_remembers_that_it_was_visited(
    site: Site, me: Caller, project: dict[str, Any]
) -> None:
    method = "update_project_last_accessed_by_current_user"
    assert call(site, me, method, project_id=project["id"]) is True
    field = "last_accessed_by_current_user"
    found = site.find_one(me, "Project", [[field, "in_last", 1, "HOUR"]])
    assert found == link(project)
    for wrong, words in ((999_999, "does not exist"), ("x", "invalid/missing integer")):
        with pytest.raises(Fault, match=words):
            call(site, me, method, project_id=wrong)


def test_scripts_people_and_sessions_sign_in(site: Site, me: Caller) -> None:
    ann = number(site.create(me, "HumanUser", {"login": "ann", "name": "Ann"}))
    person: Any = {"user_login": "ann", "user_password": "secret"}
    with pytest.raises(AuthenticationFault, match="Can't authenticate user 'ann'"):
        site.authenticate(person)
    site.set_password(ann, "secret")
    assert site.authenticate(person) == Caller(kind="HumanUser", id=ann, name="Ann")
    token = call(site, me, "get_session_token")["session_id"]
    assert site.authenticate({"session_token": token}) == site.session_caller(token) == me
    script: Any = {"script_name": "haikei", "script_key": "key"}
    sudo = site.authenticate({**script, "sudo_as_login": "ann"})
    assert (sudo.kind, sudo.id) == ("HumanUser", ann)
    site.update(me, "HumanUser", ann, {"sg_status_list": "dis"})
    for wrong in (
        person,
        {**script, "sudo_as_login": "ann"},
        {**script, "script_key": "wrong"},
        {**script, "script_key": None},
        {"script_name": "nobody", "script_key": "key"},
        {"session_token": "nonsense"},
        {},
    ):
        with pytest.raises(AuthenticationFault) as caught:
            site.authenticate(wrong)
        assert caught.value.code == 102


def test_a_new_key_ends_the_old_one(site: Site, me: Caller) -> None:
    script: Any = {"script_name": "haikei", "script_key": "key"}
    assert site.authenticate(script) == me
    assert site.add_script("haikei", "another") == me.id
    with pytest.raises(AuthenticationFault):
        site.authenticate(script)
    assert site.authenticate({**script, "script_key": "another"}).id == me.id
    kept = (site.data / "site.db").read_bytes() + (site.data / "site.db-wal").read_bytes()
    assert b"another" not in kept


def test_the_oldest_sessions_make_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("haikei.sgserver.credentials.SESSIONS", 2)
    credentials = Credentials()
    caller = Caller(kind="ApiUser", id=1, name="x")
    tokens = [credentials.new_session(caller) for _ in range(3)]
    assert credentials.session_caller(tokens[2]) == caller
    with pytest.raises(AuthenticationFault):
        credentials.session_caller(tokens[0])


def test_a_person_gets_a_password_with_their_row_and_another_later(site: Site, me: Caller) -> None:
    row = site.create(me, "HumanUser", {"login": "ann", "password_proxy": "first word"})
    assert row["password_proxy"] == "*******"
    ann: Any = {"user_login": "ann", "user_password": "first word"}
    assert site.authenticate(ann).id == number(row)
    site.update(me, "HumanUser", number(row), {"password_proxy": "second word"})
    with pytest.raises(AuthenticationFault):
        site.authenticate(ann)
    assert site.authenticate({**ann, "user_password": "second word"}).id == number(row)
    with site.reading() as (session, _):
        kept = session.rows('SELECT password_proxy FROM "HumanUser"')
        logged = session.rows('SELECT meta FROM "EventLogEntry"')
    assert " word" not in repr([kept, logged])
    for wrong in ("", 7):
        with pytest.raises(Fault, match="password"):
            site.update(me, "HumanUser", number(row), {"password_proxy": wrong})


def test_people_do_not_act_as_others(site: Site, me: Caller) -> None:
    site.create(me, "HumanUser", {"login": "ann", "password_proxy": "word"})
    ann: Any = {"user_login": "ann", "user_password": "word", "sudo_as_login": "ann"}
    with pytest.raises(AuthenticationFault, match="does not have permission to 'sudo'"):
        site.authenticate(ann)
