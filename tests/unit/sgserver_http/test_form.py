"""Forms are read as browsers and the official client send them; damaged ones are refused."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from haikei.sgserver.http.form import Workers, read_form, safe_filename
from haikei.sgserver.media.media_store import MediaStore
from haikei.sgserver.values import Fault

_LIMIT = 3_000_000


@pytest.fixture
def media(tmp_path: Path) -> MediaStore:
    return MediaStore(tmp_path / "attachments", limit=_LIMIT, reserve=0)


@pytest.fixture
def client(media: MediaStore) -> TestClient:
    workers = Workers(count=1)

    def sign_in(fields: Mapping[str, str]) -> None:
        if fields.get("script_key") != "right":
            raise Fault(102, "Nobody is known by this key.")

    async def post(request: Request) -> Response:
        try:
            form = await read_form(request, media, workers, sign_in=sign_in)
        except Fault as fault:
            return JSONResponse({"refused": fault.message})
        answer: dict[str, object] = {"fields": dict(form.fields)}
        if form.file is not None:
            answer["name"] = form.file.filename
            answer["type"] = form.file.content_type
            answer["bytes"] = len(form.file.received.path.read_bytes())
        return JSONResponse(answer)

    return TestClient(Starlette(routes=[Route("/", post, methods=["POST"])]))


def test_fields_and_file_come_out_as_they_were_sent(client: TestClient) -> None:
    answer = client.post(
        "/",
        data={"script_key": "right", "display_name": "背景 一"},
        files={"file": ("港.png", b"x" * 2_500_000, "text/html")},
    ).json()

    assert answer == {
        "fields": {"script_key": "right", "display_name": "背景 一"},
        "name": "港.png",
        "type": "image/png",
        "bytes": 2_500_000,
    }


def test_no_byte_of_a_file_is_stored_for_somebody_unknown(
    client: TestClient, media: MediaStore
) -> None:
    answer = client.post("/", data={"script_key": "wrong"}, files={"file": ("a.png", b"x" * 99)})

    assert answer.json() == {"refused": "Nobody is known by this key."}
    assert [path for path in media.folder.rglob("*") if path.is_file()] == []


def test_the_reason_is_readable_although_a_large_file_is_still_being_sent(
    client: TestClient, media: MediaStore
) -> None:
    answer = client.post(
        "/", data={"script_key": "right"}, files={"file": ("a.png", b"x" * (_LIMIT + 1))}
    ).json()

    assert "larger than" in answer["refused"]
    assert [path for path in media.folder.rglob("*") if path.is_file()] == []


def test_plain_forms_are_read_too(client: TestClient) -> None:
    answer = client.post("/", data={"script_key": "right", "empty": "", "n": "1"}).json()

    assert answer == {"fields": {"script_key": "right", "empty": "", "n": "1"}}


@pytest.mark.parametrize(
    ("kind", "body", "reason"),
    [
        ("text/plain", b"x", "A form is expected"),
        ("multipart/form-data", b"x", "no boundary"),
        ("multipart/form-data; boundary=b", b"garbage", "cannot be read"),
        (
            "multipart/form-data; boundary=b",
            b'--b\r\nContent-Disposition: form-data; name="a"',
            "ends in",
        ),
        ("multipart/form-data; boundary=" + "b" * 5000, b"x", "cannot be read"),
        (
            "multipart/form-data; boundary=b",
            b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n\xff\r\n--b--\r\n',
            "not in UTF-8",
        ),
        (
            "multipart/form-data; boundary=b",
            b'--b\r\nContent-Disposition: form-data; name="\xff"\r\n\r\nx\r\n--b--\r\n',
            "not in UTF-8",
        ),
        ("application/x-www-form-urlencoded", b"a=%ff", "cannot be read"),
        ("application/x-www-form-urlencoded", b"a=1&" * 200, "cannot be read"),
        ("application/x-www-form-urlencoded", b"a=" + b"x" * 1_100_000, "too large"),
    ],
)
def test_a_damaged_form_is_refused_with_the_reason(
    client: TestClient, kind: str, body: bytes, reason: str
) -> None:
    answer = client.post("/", content=body, headers={"content-type": kind}).json()

    assert reason in answer["refused"]


def test_more_than_one_file_is_refused(client: TestClient) -> None:
    answer = client.post(
        "/",
        data={"script_key": "right"},
        files=[("file", ("a.png", b"x")), ("file", ("b.png", b"y"))],
    ).json()

    assert "more than one file" in answer["refused"]


def test_fields_are_bounded_in_number_and_size(client: TestClient) -> None:
    many = client.post(
        "/",
        data={"script_key": "right"} | {f"f{n}": "x" for n in range(200)},
        files={"file": ("a.png", b"x")},
    ).json()
    large = client.post(
        "/", data={"script_key": "x" * 1_100_000}, files={"file": ("a.png", b"x")}
    ).json()

    assert "too many fields" in many["refused"]
    assert "too large" in large["refused"]


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("..\\..\\boot.ini", "boot.ini"),
        ("/", "file"),
        ("..", "file"),
        ("", "file"),
        ("a\x00b\nc\u202e.png", "abc.png"),
        ("背景 v001.png", "背景 v001.png"),
        ("x" * 300 + ".png", "x" * 251 + ".png"),
    ],
)
def test_a_file_name_is_only_its_last_visible_part(sent: str, kept: str) -> None:
    assert safe_filename(sent) == kept


@given(st.text())
def test_no_file_name_can_leave_a_folder(sent: str) -> None:
    name = safe_filename(sent)

    assert name not in {"", ".", ".."}
    assert "/" not in name
    assert "\\" not in name
    assert name.isprintable()
    assert len(name) <= 255
