"""
A service with OpenAI's `images/edits`, against a server on the loopback that replays its answers.

The shapes of answers and errors are those of OpenAI's published API; no live service is asked.
"""

import base64
import io
import json
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from email.parser import BytesParser
from email.policy import HTTP
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pydantic import ValidationError
from typing_extensions import override

from haikei.credits.record import Scope
from haikei.credits.records import store
from haikei.database import reading
from haikei.errors import (
    GenerationCancelled,
    GenerationError,
    GeneratorDenied,
    GeneratorUnavailable,
    HaikeiError,
    ModelUnusable,
    SettingsError,
)
from haikei.generators import (
    GenerationRequest,
    GenerationResult,
    Generator,
    Progress,
    StageOrder,
    load_generator,
)
from haikei.images import Picture
from haikei.jobs import JobState
from haikei.models import registry_entry
from haikei.settings import Settings
from support.clocks import PATIENCE
from support.jobs import job_studios, studio_settings

LAYOUT = Picture(pixels=np.random.default_rng(1).random((24, 32, 3), dtype=np.float32))
KEY = "sk-studio-0123456789"
Reply = Callable[[Mapping[str, bytes]], tuple[int, Mapping[str, str], bytes]]


@dataclass(slots=True)
class Service:
    """What was asked, and how it is answered."""

    reply: Reply
    address: str = ""
    asked: list[Mapping[str, bytes]] = field(default_factory=list[Mapping[str, bytes]])
    headers: list[Mapping[str, str]] = field(default_factory=list[Mapping[str, str]])
    paths: list[str] = field(default_factory=list[str])
    arrived: threading.Event = field(default_factory=threading.Event)


def edited(parts: Mapping[str, bytes]) -> tuple[int, Mapping[str, str], bytes]:
    """Answer with the first picture at half its brightness, in the size asked for."""
    image = Image.open(io.BytesIO(parts.get("image") or parts["image[]"])).convert("RGB")
    assert f"{image.width}x{image.height}" == parts["size"].decode()
    out = io.BytesIO()
    image.point([value // 2 for value in range(256)] * 3).save(out, "PNG")
    return 200, {}, answer_of(out.getvalue())


def answer_of(data: bytes, **more: object) -> bytes:
    first = {"b64_json": base64.b64encode(data).decode(), **more}
    return json.dumps({"created": 1, "data": [first], "usage": {"total_tokens": 9}}).encode()


def failing(status: int, **error: str) -> Reply:
    headers = {"Retry-After": error.pop("retry_after")} if "retry_after" in error else {}
    return lambda _: (status, headers, json.dumps({"error": error}).encode())


def answering(body: bytes) -> Reply:
    return lambda _: (200, {}, body)


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    monkeypatch.setenv("KAWA_KEY", KEY)
    state = Service(reply=edited)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            head = b"Content-Type: " + self.headers["Content-Type"].encode() + b"\r\n\r\n"
            form = BytesParser(policy=HTTP).parsebytes(head + body)
            parts: dict[str, bytes] = {}
            for part in form.iter_parts():
                name = str(part.get_param("name", header="content-disposition"))
                parts[name] = parts.get(name, b"") + bytes(part.get_payload(decode=True) or b"")
            state.asked.append(parts)
            state.headers.append({key.lower(): value for key, value in self.headers.items()})
            state.paths.append(self.path)
            state.arrived.set()
            status, headers, content = state.reply(parts)
            if status == 0:
                self.connection.close()
                return
            self.send_response(status)
            for key, value in headers.items():
                self.send_header(key, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        @override
        def log_message(self, format: str, *args: object) -> None: ...

        @override
        def handle(self) -> None:
            # Whoever asks may be gone before it is answered.
            try:
                super().handle()
            except OSError:
                return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    state.address = f"http://127.0.0.1:{server.server_port}/v1"
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def settings_of(folder: Path, address: str, **more: object) -> Settings:
    api: Mapping[str, object] = {
        "url": address, "model": "gpt-image-1", "sends": ["layout", "previous", "prompt"],
        "key_variable": "KAWA_KEY", "loopback": address.startswith("http://127.0.0.1"), **more,
    }  # fmt: skip
    entry: Mapping[str, object] = {
        "images_api": api, "name": "Cloud brush", "version": "2026-04", "provider": "Kawa Cloud",
        "runs": "cloud", "contract": "Contract 17 of 2026-03-01", "licence": "terms of service",
        "licence_url": "https://cloud.example/terms", "commercial": "yes",
        "data": "Its maker does not disclose the training data.", "takes": ["quality"],
        "timeout": 60.0,
    }  # fmt: skip
    return studio_settings(folder, generators={"cloud": entry})


def request_of(generator: Generator, **options: str) -> GenerationRequest:
    order = StageOrder(generator="cloud", model="", options=tuple(options.items()))
    described = generator.describe(order)
    return GenerationRequest(
        layout_sha256="0" * 64, previous_sha256="", stage="gen1", generator="cloud",
        system=described.system, model="", options=order.options, prompt="駅, autumn",
        negative_prompt="", place="", season="autumn", time="day", seed=5, width=32, height=24,
        colour_space="srgb", libraries=described.libraries,
    )  # fmt: skip


def ignore(_: Progress) -> None:
    """Take progress and do nothing with it."""


def run(settings: Settings, *, previous: Picture | None = None, **options: str) -> GenerationResult:
    generator = load_generator("cloud", settings)
    request = request_of(generator, **options)
    return generator.generate(request, layout=LAYOUT, previous=previous, progress=ignore)


def test_a_service_gets_the_picture_the_prompt_and_what_it_takes_and_nothing_else(
    service: Service, tmp_path: Path
) -> None:
    settings = settings_of(tmp_path, service.address, fields={"response_format": "b64_json"})

    made = run(settings, quality="high").picture

    assert np.abs(made.pixels - LAYOUT.pixels / 2).max() < 2 / 255
    (parts,) = service.asked
    assert service.paths == ["/v1/images/edits"]
    assert {name: text.decode() for name, text in parts.items() if name != "image"} == {
        "model": "gpt-image-1", "prompt": "駅, autumn", "n": "1", "size": "32x24",
        "response_format": "b64_json", "quality": "high",
    }  # fmt: skip
    assert service.headers[0]["authorization"] == f"Bearer {KEY}"
    sent = Image.open(io.BytesIO(parts["image"]))
    assert sent.mode == "RGB"
    assert not {"Software", "Author", "Copyright", "ImageDescription"} & set(sent.info)


def test_the_stage_before_goes_first_and_only_where_it_may(
    service: Service, tmp_path: Path
) -> None:
    before = Picture(pixels=np.full((24, 32, 3), 0.8, np.float32))

    run(settings_of(tmp_path, service.address), previous=before)
    run(settings_of(tmp_path, service.address, sends=["prompt", "layout"]), previous=before)

    both, alone = service.asked
    assert both["image[]"].count(b"IHDR") == 2
    first = np.asarray(Image.open(io.BytesIO(both["image[]"])))
    assert np.abs(first / 255 - 0.8).max() < 0.01
    assert np.abs(np.asarray(Image.open(io.BytesIO(alone["image"]))) / 255 - 0.8).max() > 0.1
    with pytest.raises(SettingsError, match="there is none in"):
        run(settings_of(tmp_path, service.address, sends=["prompt", "previous"]))


def test_a_picture_stands_whole_in_the_nearest_size_that_the_service_makes(
    service: Service, tmp_path: Path
) -> None:
    settings = settings_of(tmp_path, service.address, sizes=["64x64", "96x64", "64x96"])

    result = run(settings)

    assert service.asked[0]["size"] == b"96x64"
    assert (result.picture.width, result.picture.height) == (32, 24)
    assert np.abs(result.picture.pixels - LAYOUT.pixels / 2).mean() < 0.05
    assert "Made by Cloud brush at 96 x 64 pixels." in result.notes


def test_the_record_names_provider_host_and_model_and_the_key_is_nowhere(
    service: Service, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = settings_of(tmp_path, service.address)
    described = load_generator("cloud", settings).describe(request_order())
    run(settings)

    libraries = dict(described.libraries)
    assert libraries["provider"] == "Kawa Cloud"
    assert (libraries["service"], libraries["model"]) == ("127.0.0.1", "gpt-image-1")
    assert described.system.source_type.is_ai
    assert "is sent the layout and the previous and the prompt" in described.notes[0]
    other = settings_of(tmp_path, service.address, model="gpt-image-2")
    again = load_generator("cloud", other).describe(request_order())
    assert again.system.sha256 != described.system.sha256
    shown = capsys.readouterr()
    kept = [file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()]
    assert KEY not in shown.out + shown.err + repr(settings) + repr(described)
    assert not [one for one in kept if KEY.encode() in one]


def request_order() -> StageOrder:
    return StageOrder(generator="cloud", model="", options=())


@pytest.mark.parametrize(
    ("reply", "kind", "said"),
    [
        (failing(400, message="Your prompt is not allowed.", code="moderation_blocked"),
         GenerationError, "Your prompt is not allowed"),
        (failing(422, message="bad size"), GenerationError, "bad size"),
        (failing(401, message=f"Incorrect API key provided: {KEY}"), GeneratorDenied, "no key"),
        (failing(403, message=f"key {KEY} has no right"), GeneratorDenied, "has no right"),
        (failing(404, message="no such model"), GeneratorDenied, "no such model"),
        (failing(429, message="You ran out.", code="insufficient_quota"), GeneratorDenied, "out"),
        (failing(307, message="over there"), GeneratorDenied, "answers 307"),
        (failing(429, message="slow down", retry_after="7"), GeneratorUnavailable, "slow down"),
        (failing(500, message="oops"), GeneratorUnavailable, "oops"),
        (failing(503, message="later", retry_after="99999999"), GeneratorUnavailable, "later"),
    ],
)  # fmt: skip
def test_each_error_holds_the_lane_is_tried_again_or_ends_the_job(
    service: Service, tmp_path: Path, reply: Reply, kind: type[HaikeiError], said: str
) -> None:
    service.reply = reply

    with pytest.raises(HaikeiError, match=said) as caught:
        run(settings_of(tmp_path, service.address))

    assert type(caught.value) is kind
    assert KEY not in str(caught.value)
    assert (caught.value.retry_after or 0) <= 600
    if "7" in str(reply({})[1].values()) and "slow" in said:
        assert caught.value.retry_after == 7
    service.reply = edited
    run(settings_of(tmp_path, service.address))
    assert len(service.asked) == 2


@pytest.mark.parametrize("moment", ["Wed, 21 Oct 2015 07:28:00 GMT", "in a while", ""])
def test_a_moment_to_wait_for_that_is_past_or_no_moment_is_none(
    service: Service, tmp_path: Path, moment: str
) -> None:
    service.reply = failing(429, message="slow down", retry_after=moment)

    with pytest.raises(GeneratorUnavailable) as caught:
        run(settings_of(tmp_path, service.address))

    assert not caught.value.retry_after


def big(width: int, height: int, mode: str = "RGB") -> bytes:
    out = io.BytesIO()
    Image.new(mode, (width, height)).save(out, "PNG")
    return out.getvalue()


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"<html>", "no answer of an images API"),
        (b'{"data": []}', "no answer of an images API"),
        (b"[" * 100_000, "no answer of an images API"),
        (b'{"data": [{"url": "http://169.254.169.254/x"}]}', "but with its address"),
        (b'{"data": [{"b64_json": "@@@@"}]}', "broken encoding"),
        (answer_of(b"GIF89a" + b"0" * 99), "neither PNG, JPEG nor WebP"),
        (answer_of(b"\x89PNG\r\n\x1a\n" + b"0" * 99), "a picture that is not read"),
        (answer_of(big(8, 8)), "made 8 x 8 pixels where 32 x 24"),
        (answer_of(big(12_000, 11_000, "1")), "megapixels"),
        (b"x" * (2 << 20) + b"y", "more than 2 MiB"),
    ],
)
def test_an_answer_that_is_no_picture_of_the_size_asked_for_ends_the_job(
    service: Service, tmp_path: Path, body: bytes, said: str
) -> None:
    service.reply = answering(body)
    settings = settings_of(tmp_path, service.address, max_answer_mib=2)

    with pytest.raises(GenerationError, match=said):
        run(settings)

    assert not [*(tmp_path / "state" / "services").glob("*.answer")]


def test_an_answer_that_a_crash_left_behind_is_not_paid_for_again(
    service: Service, tmp_path: Path
) -> None:
    settings = settings_of(tmp_path, service.address)
    service.reply = answering(answer_of(big(32, 24), revised_prompt="a station"))

    first = run(settings)
    again = run(settings)

    assert len(service.asked) == 1
    assert again.picture.sha256() == first.picture.sha256()
    assert "Cloud brush rewrote the prompt: a station" in again.notes


def test_a_lost_answer_is_asked_for_again_by_people_alone_unless_settings_say_otherwise(
    service: Service, tmp_path: Path
) -> None:
    service.reply = lambda _: (0, {}, b"")
    settings = settings_of(tmp_path, service.address)

    with pytest.raises(GenerationError, match="may have made and charged") as caught:
        run(settings)
    assert not caught.value.transient
    resending = settings_of(tmp_path, service.address, resend=True)
    with pytest.raises(GeneratorUnavailable, match="did not answer to the end"):
        run(resending)
    service.reply = edited

    notes = run(resending).notes

    assert "It was asked 2 times, and may charge for each." in notes
    assert len({one["idempotency-key"] for one in service.headers}) == 1
    assert len(service.asked) == 3


def test_a_process_that_ends_while_it_waits_leaves_the_question_to_people(
    service: Service, tmp_path: Path
) -> None:
    settings = settings_of(tmp_path, service.address)
    release = threading.Event()
    service.reply = lambda parts: edited(parts) if release.wait(PATIENCE) else (500, {}, b"")
    generator = load_generator("cloud", settings)

    def end(_: Progress) -> None:
        if service.arrived.is_set():
            raise SystemExit

    with pytest.raises(SystemExit):
        generator.generate(request_of(generator), layout=LAYOUT, previous=None, progress=end)
    release.set()
    with pytest.raises(GenerationError, match="an earlier try was broken off"):
        run(settings)
    run(settings)

    assert len(service.asked) == 2


def test_a_cancelled_job_stops_waiting(service: Service, tmp_path: Path) -> None:
    settings = settings_of(tmp_path, service.address)
    release = threading.Event()
    service.reply = lambda parts: edited(parts) if release.wait(PATIENCE) else (500, {}, b"")
    generator = load_generator("cloud", settings)

    def cancel(_: Progress) -> None:
        if service.arrived.is_set():
            raise GenerationCancelled("enough")

    with pytest.raises(GenerationCancelled):
        generator.generate(request_of(generator), layout=LAYOUT, previous=None, progress=cancel)
    release.set()
    run(settings)


def test_a_service_that_is_not_there_may_come_back(
    service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(GeneratorUnavailable, match="is not reached"):
        run(settings_of(tmp_path, "http://127.0.0.1:9/v1"))
    monkeypatch.delenv("KAWA_KEY")
    settings = settings_of(tmp_path, service.address)
    with pytest.raises(GeneratorDenied, match="KAWA_KEY holds no key") as caught:
        run(settings)
    assert caught.value.site_wide
    assert "has no KAWA_KEY" in load_generator("cloud", settings).describe(request_order()).notes[1]
    assert not service.asked


@pytest.mark.parametrize(
    ("address", "more", "said"),
    [
        ("169.254.169.254", {}, "leads to 169.254.169.254"),
        ("127.0.0.1", {}, "leads to 127.0.0.1"),
        ("10.0.0.5", {}, "the private address"),
        ("100.100.100.200", {"private": True}, "leads to 100.100.100.200"),
    ],
)
def test_a_name_that_leads_inside_is_not_asked(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    address: str,
    more: Mapping[str, Any],
    said: str,
) -> None:
    monkeypatch.setenv("KAWA_KEY", KEY)

    def resolve(*_: object, **__: object) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 443))]

    monkeypatch.setattr("haikei.addresses.socket.getaddrinfo", resolve)

    with pytest.raises(GeneratorDenied, match=said):
        run(settings_of(tmp_path, "https://cloud.example/v1", **more))


@pytest.mark.parametrize(
    ("address", "more", "said"),
    [
        ("http://cloud.example/v1", {}, "must be https"),
        ("https://me:secret@cloud.example/v1", {}, "must hold no login"),
        ("https://cloud.example/v1?api-key=x", {}, "must hold no login"),
        ("https://cloud.example/v1", {"loopback": True}, "loopback must be true"),
        ("https://cloud.example/v1", {"sends": ["layout"]}, "a prompt and at least one picture"),
        ("https://cloud.example/v1", {"fields": {"n": "4"}}, "gives a service its n"),
        ("https://cloud.example/v1", {"sizes": ["big"]}, "pattern"),
    ],
)
def test_what_a_service_must_not_be_is_a_mistake_in_the_settings(
    tmp_path: Path, address: str, more: Mapping[str, Any], said: str
) -> None:
    with pytest.raises(ValidationError, match=said):
        settings_of(tmp_path, address, **more)


def test_a_service_without_its_provider_and_terms_or_said_to_run_here_is_a_mistake(
    tmp_path: Path,
) -> None:
    good = settings_of(tmp_path, "https://cloud.example/v1").model_dump(mode="json")

    for change, said in (
        ({"contract": ""}, "must be stated: contract"),
        ({"provider": ""}, "must be stated: provider"),
        ({"runs": "on_prem"}, 'needs runs = "cloud"'),
        ({"argv": ["x"]}, "a program"),
    ):
        entry = {**good["generators"]["cloud"], **change}
        with pytest.raises(ValidationError, match=said):
            Settings.model_validate({**good, "generators": {"cloud": entry}})


def test_an_option_it_does_not_take_or_another_declaration_makes_nothing(
    service: Service, tmp_path: Path
) -> None:
    settings = settings_of(tmp_path, service.address)
    generator = load_generator("cloud", settings)

    with pytest.raises(SettingsError, match="has no option 'strength'"):
        request_of(generator, strength="0.5")
    request = request_of(generator)
    stale = replace(request, system=replace(request.system, sha256="1" * 64))
    with pytest.raises(ModelUnusable, match="declared anew"):
        generator.generate(stale, layout=LAYOUT, previous=None, progress=ignore)
    assert not service.asked


@pytest.mark.parametrize("allowed", [False, True])
def test_nothing_leaves_unless_the_show_allows_the_provider_and_the_version_names_it(
    service: Service, tmp_path: Path, allowed: bool
) -> None:
    entry = settings_of(tmp_path, service.address).generators["cloud"].model_dump(mode="json")
    rules = [{"projects": ["PORT"], "providers": ["kawa cloud"]}] if allowed else []
    with ExitStack() as stack:
        studio = job_studios(stack, tmp_path)(
            generators={"cloud": entry},
            recipes={"flat": {"stages": [{"name": "gen1", "generator": "cloud"}]}},
            policy={"shows": rules},
        )
        studio.publish()
        job = studio.store.get(studio.key)
        with reading(studio.database) as connection:
            version = next(store.backgrounds(connection, Scope(project="PORT")), None)

    if not allowed:
        assert (job.error_kind, service.asked, version) == ("PolicyRefusal", [], None)
        assert "sends the layout to Kawa Cloud (Cloud brush), outside the studio" in job.error
        return
    assert job.state is JobState.DONE
    assert len(service.asked) == 1
    assert version is not None
    (made,) = [one for one in version.images if one.request_json]
    assert ["provider", "Kawa Cloud"] in json.loads(made.request_json)["libraries"]
    assert made.system is not None
    assert (made.system.name, made.system.version) == ("Cloud brush", "2026-04")
    assert made.operators.by_pipeline
    declared = registry_entry(studio.settings, model="", generator="cloud")
    assert declared is not None
    assert (declared.provider, declared.contract) == ("Kawa Cloud", "Contract 17 of 2026-03-01")
