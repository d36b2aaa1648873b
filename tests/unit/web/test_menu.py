"""Menu items: who is believed, and where they lead."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from haikei.database import jobs, utc_now
from haikei.events import Source
from haikei.jobs import (
    JobStore,
    Refusal,
    refusal_key,
    refuse,
)
from haikei.show import Place
from haikei.trackers import Selected
from support.jobs import put_layout
from support.studio import make_version
from support.web import SECRET, URL, Fields, Web, a_form, sign_form, web_of

PLACE = Place(project="akane", sequence="ep01", shot="c001")


@pytest.fixture
def show(web: Web) -> Web:
    """Two cuts of a show with a version each, which the tracker shows."""
    with web.database.begin() as connection:
        for number, shot in ((5, "c001"), (6, "c002")):
            make_version(connection, web.desk, number, shot=shot)
            place = Place(project="akane", sequence="ep01", shot=shot)
            put(web, Selected(type="Version", id=number, place=place, version=number))
            put(web, Selected(type="Shot", id=10 + number, place=place, version=None))
            put(web, Selected(type="PublishedFile", id=20 + number, place=place, version=number))
    return web


def put(web: Web, row: Selected) -> None:
    web.selection.rows[row.type, row.id] = row


def key_of(shot: str) -> str:
    return f"job-akane_ep01_{shot}_summer_day_v001"


@pytest.mark.parametrize(
    ("item", "entity_type", "row", "goes_to"),
    [
        ("open", "Version", 5, f"/versions/{key_of('c001')}"),
        ("open", "PublishedFile", 25, f"/versions/{key_of('c001')}"),
        ("open", "Shot", 15, "/shows/akane?sequence=ep01&text=c001"),
        ("credits", "Version", 5, f"/versions/{key_of('c001')}#credits"),
        ("credits", "Shot", 15, f"/versions/{key_of('c001')}#credits"),
        ("retake", "Version", 6, f"/versions/{key_of('c002')}#decide"),
    ],
)
def test_an_item_leads_to_the_page_of_its_row(
    show: Web, item: str, entity_type: str, row: int, goes_to: str
) -> None:
    answer = show.choose(item, a_form(entity_type, row))

    assert (answer.status, answer.goes_to) == (303, goes_to)


def test_several_rows_give_a_page_with_a_link_each(show: Web) -> None:
    answer = show.choose("credits", a_form("Version", 5, 6))

    assert answer.status == 200
    assert all(
        f'href="/versions/{key_of(shot)}#credits"' in answer.text for shot in ("c001", "c002")
    )


def test_who_comes_by_an_item_is_signed_in(show: Web) -> None:
    answer = show.choose("open", a_form("Version", 5, login="kato"))

    assert "HttpOnly" in answer.cookie
    assert "SameSite=lax" in answer.cookie
    assert show.client.get("/who").text.startswith("kato|")


def test_nothing_selected_is_said_in_words(show: Web) -> None:
    answer = show.choose("retake", a_form("Version"))

    assert answer.status == 400
    assert "Nothing is selected" in answer.text


def test_an_item_of_another_kind_of_row_says_for_which_it_is(show: Web) -> None:
    answer = show.choose("retake", a_form("Asset", 5))

    assert answer.status == 400
    assert "Version" in answer.text


def test_rows_that_the_tracker_does_not_show_us_lead_nowhere(show: Web) -> None:
    assert show.choose("open", a_form("Version", 999)).status == 404


def test_a_version_that_is_not_ours_leads_nowhere(show: Web) -> None:
    place = Place(project="another", sequence="", shot="x")
    put(show, Selected(type="Version", id=50, place=place, version=50))

    answer = show.choose("open", a_form("Version", 50))

    assert answer.status == 404
    assert "no background" in answer.text


def test_why_a_shot_was_refused_is_said(show: Web) -> None:
    show.selection.layouts[15] = (7001,)
    show.follow()
    refusal = Refusal(
        key=refusal_key("one"),
        layout=Path("/show/c001.png"),
        source=Source.EVENT_LOG,
        reason="It is <damaged>.",
        kind="ImageUnreadable",
    )
    with show.database.begin() as connection:
        refuse(connection, refusal)
        connection.exec_driver_sql(
            "INSERT INTO feed_rows VALUES (?, 7001, 'refused', 'event_log', 0, 0, ?, ?)",
            (show.feed.name, refusal.key, "2026-11-22 00:00:00.000000"),
        )

    answer = show.choose("refused", a_form("Shot", 15))

    assert answer.status == 200
    assert "/show/c001.png: It is &lt;damaged&gt;." in answer.text


def test_nothing_refused_is_said_too(show: Web) -> None:
    assert "Nothing of this was refused" in show.choose("refused", a_form("Shot", 16)).text


def test_generate_hands_the_layouts_of_a_shot_to_the_jobs(web: Web) -> None:
    event = put_layout(web.settings)
    row = web.feed.of_shot(str(event.layout), shot="c001", silent=True)
    put(web, Selected(type="Shot", id=15, place=event.place, version=None))
    web.selection.layouts[15] = (row,)

    answer = web.choose("generate", a_form("Shot", 15))

    assert answer.status == 200
    assert "1 of 1 layouts will be painted" in answer.text
    with web.database.connect() as connection:
        assert connection.exec_driver_sql("SELECT key FROM events").scalars().all() == [event.key]


def test_generate_tries_again_what_had_ended_badly(web: Web) -> None:
    event = put_layout(web.settings)
    row = web.feed.of_shot(str(event.layout), shot="c001", silent=True)
    put(web, Selected(type="PublishedFile", id=row, place=event.place, version=None))
    web.choose("generate", a_form("PublishedFile", row))
    with web.database.begin() as connection:
        now = utc_now()
        connection.execute(
            jobs.insert().values(
                key="job-1",
                event_key=event.key,
                state="dead",
                step="generate",
                error="no memory",
                created_at=now,
                updated_at=now,
            )
        )

    answer = web.choose("generate", a_form("PublishedFile", row, page_id="2"))

    assert "tried again" in answer.text
    assert JobStore(web.database).get("job-1").state.value == "waiting"


def test_generate_twice_announces_once(web: Web) -> None:
    event = put_layout(web.settings)
    row = web.feed.of_shot(str(event.layout), shot="c001", silent=True)
    put(web, Selected(type="PublishedFile", id=row, place=event.place, version=None))
    web.choose("generate", a_form("PublishedFile", row))

    answer = web.choose("generate", a_form("PublishedFile", row, page_id="2"))

    assert "0 of 1 layouts" in answer.text


@pytest.mark.parametrize("item", ["generate", "retake"])
def test_who_only_looks_neither_generates_nor_asks_for_retakes(tmp_path: Path, item: str) -> None:
    kind = "Shot" if item == "generate" else "Version"
    with web_of(tmp_path, web={"supervisors": ["kato"]}) as web:
        answer = web.choose(item, a_form(kind, 5, login="mori"))

        assert answer.status == 403
        assert web.feed.calls == []


def signed(form: Fields, **changes: str) -> Fields:
    changed = {**form, **changes}
    return {**changed, "signature": sign_form(changed)}


_FORM = a_form("Version", 5)


@pytest.mark.parametrize(
    "change",
    [
        lambda: {**a_form("Version", 5), "signature": sign_form(a_form("Version", 5), "guessed")},
        lambda: a_form("Version", 5),
        lambda: {**a_form("Version", 5), "signature": ""},
        lambda: {**signed(a_form("Version", 5)), "selected_ids": "6"},
        lambda: {**signed(a_form("Version", 5)), "user_login": "kato"},
        lambda: {k: v for k, v in signed(a_form("Version", 5)).items() if k != "cols"},
        lambda: {**signed(a_form("Version", 5)), "added": ""},
        lambda: signed(a_form("Version", 5, at=utc_now() - timedelta(seconds=30))),
        lambda: signed(a_form("Version", 5, at=utc_now() + timedelta(seconds=30))),
        lambda: signed(a_form("Version", 5), timestamp=""),
        lambda: signed(a_form("Version", 5), timestamp="now"),
        lambda: signed(a_form("Version", 5), server_hostname="other.test"),
        lambda: signed(a_form("Version", 5), server_hostname=""),
        lambda: signed(a_form("Version", 5), server_hostname="["),
        lambda: signed(a_form("Version", 5), user_login=""),
        lambda: signed(a_form("Version", 5), user_login="nobody"),
        lambda: signed(a_form("Version", 5), selected_ids="5 OR 1=1"),
        lambda: signed(a_form("Version", 5), selected_ids="5,,6"),
        lambda: signed(a_form("Version", 5), selected_ids="9" * 30),
        lambda: signed(a_form("Version", *range(1, 200))),
    ],
)
def test_a_form_that_cannot_be_believed_is_refused(show: Web, change: Callable[[], Fields]) -> None:
    with capture_logs() as logs:
        answer = show.send_form("open", change())

    assert answer.status == 403
    assert answer.goes_to == ""
    assert answer.cookie == ""
    assert [line["event"] for line in logs if line["log_level"] == "warning"] == [
        "menu_item_refused"
    ]


def test_a_form_is_believed_once(show: Web) -> None:
    form = signed(a_form("Version", 5))
    assert show.send_form("open", form).status == 303

    again = show.send_form("open", form)

    assert (again.status, again.cookie) == (403, "")


def test_a_form_for_one_item_is_not_a_form_for_another(show: Web) -> None:
    form = signed(a_form("Version", 5))
    show.send_form("open", form)

    assert show.send_form("retake", form).status == 403


def test_a_field_that_is_there_twice_is_refused(show: Web) -> None:
    answer = show.client.post(
        "/menu/open",
        content=b"user_login=mori&user_login=kato",
        headers={"content-type": "application/x-www-form-urlencoded"},
    )

    assert answer.status_code == 400


def test_an_unknown_item_is_not_found(show: Web) -> None:
    assert show.choose("delete-everything", a_form("Version", 5)).status == 404


def test_without_a_secret_no_item_is_taken(tmp_path: Path) -> None:
    with web_of(tmp_path, web={"menu_secret": None}) as web:
        assert web.choose("open", a_form("Version", 5)).status == 503
        assert web.choose("open", a_form("Version", 5), secret="").status == 503


def test_a_form_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    with web_of(tmp_path, web={"max_body_kib": 4}) as web:
        assert web.choose("open", a_form("Version", 5, view="x" * 5000)).status == 413


def test_who_asks_too_often_has_to_wait(tmp_path: Path) -> None:
    with web_of(tmp_path, web={"rate": 3}) as web:
        answers = [web.send_form("open", {"a": "b"}).status for _ in range(4)]

        assert answers == [403, 403, 403, 429]


@pytest.fixture(scope="module")
def lasting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    folder = tmp_path_factory.mktemp("web")
    with web_of(folder, web={"rate": 1_000_000}) as one:
        yield one


@settings(max_examples=60, deadline=None)
@given(
    item=st.sampled_from(["open", "credits", "retake", "generate", "refused"]),
    changes=st.dictionaries(
        st.sampled_from([*_FORM, "more"]), st.text(st.characters(exclude_categories=["Cs"]))
    ),
)
def test_no_signed_form_breaks_the_server(lasting: Web, item: str, changes: Fields) -> None:
    form = {**a_form("Version", 5), **changes}

    assert lasting.choose(item, form).status in {200, 303, 400, 403, 404}


@settings(max_examples=40, deadline=None)
@given(body=st.binary(max_size=300))
def test_no_body_breaks_the_server(lasting: Web, body: bytes) -> None:
    answer = lasting.client.post(f"{URL}/menu/open", content=body)

    assert answer.status_code in {400, 403}


def test_the_secret_is_never_in_the_log(show: Web, capsys: pytest.CaptureFixture[str]) -> None:
    show.choose("open", a_form("Version", 5), secret="wrong")

    out, err = capsys.readouterr()
    assert SECRET not in out + err
