"""
A service that edits pictures by OpenAI's `images/edits`, asked over HTTPS.

It may charge for each picture and answers once. So it is noted before a request leaves, and an
answer is kept before it is decoded: what was paid for is not paid for again after a crash.
"""

import asyncio
import base64
import binascii
import hashlib
import json
import logging
import math
import os
import uuid
from collections.abc import Coroutine, Mapping
from contextlib import suppress
from http import HTTPStatus
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import structlog

from haikei.addresses import destination
from haikei.canonical import canonical_json
from haikei.credits import SourceType, System
from haikei.errors import (
    GenerationError,
    GeneratorDenied,
    GeneratorUnavailable,
    HaikeiError,
    ModelUnusable,
    SettingsError,
)
from haikei.generators.contract import (
    GenerationRequest,
    GenerationResult,
    Progress,
    ProgressCallback,
    StageOrder,
    StageSystem,
)
from haikei.generators.service_requests import RequestNotes, Tries
from haikei.images import Limits, Padding, Picture, read_picture, resize, write_picture
from haikei.retry_after import seconds_to_wait
from haikei.settings import GeneratorEntry, ImagesApi, Settings

log = structlog.get_logger()

_IDS = uuid.UUID("7c1d0a52-0a2f-5d0e-9b76-3f6e1c0d9a44")
#: Seconds to connect in, between looks at whether the job goes on, and the longest wait asked for.
_CONNECT, _LOOK, _LONGEST_WAIT = 10.0, 0.5, 600.0
_MIB = 1 << 20
#: How much of what a service says is repeated.
_LONGEST = 500
#: What a picture in an answer may be, by its first bytes.
_SIGNATURES = {b"\x89PNG\r\n\x1a\n": ".png", b"\xff\xd8\xff": ".jpg", b"RIFF": ".webp"}
#: Errors before anything was sent.
_UNSENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
_DENIED = (
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.PAYMENT_REQUIRED,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.NOT_FOUND,
    HTTPStatus.METHOD_NOT_ALLOWED,
)


class ImagesApiGenerator:
    """
    Sends pictures and prompt to the service of `[generators.NAME.images_api]`.

    It gets what `sends` names, as PNG files made anew from the pixels, and nothing else.
    """

    def __init__(self, settings: Settings, name: str) -> None:
        self._settings = settings
        self._name = name
        self._entry: GeneratorEntry = settings.generators[name]
        if self._entry.images_api is None:
            message = "unreachable: it was looked for by this"
            raise AssertionError(message)
        self._api: ImagesApi = self._entry.images_api
        self._host = self._api.url.host or ""
        # It writes the address of every request into its log.
        logging.getLogger("httpx").setLevel(logging.WARNING)

    def describe(self, stage: StageOrder) -> StageSystem:
        """
        Return the service as records name it; nothing is asked of it.

        Raises:
            SettingsError: the stage names a model or an option that it does not take.
        """
        entry, api = self._entry, self._api
        if stage.model:
            raise SettingsError(
                f"The service {self._name!r} takes no model, but the stage names {stage.model!r}.",
                advice=f"Name its model as generators.{self._name}.images_api.model.",
            )
        unknown = sorted({name for name, _ in stage.options} - set(entry.takes))
        if unknown:
            raise SettingsError(
                f"The service {self._name!r} has no option {', '.join(map(repr, unknown))}.",
                advice=f"Name it in generators.{self._name}.takes if the service knows it.",
            )
        notes = [f"{entry.provider} ({self._host}) is sent the {' and the '.join(api.sends)}."]
        if api.key_variable and not os.environ.get(api.key_variable, "").strip():
            notes.append(f"This process has no {api.key_variable}; workers that ask it need one.")
        return StageSystem(
            system=System(
                name=entry.name,
                version=entry.version,
                source_type=SourceType.TRAINED if entry.trained else SourceType.ALGORITHMIC,
                # Its weights are the provider's: this is of what was declared and can be approved.
                sha256=_declared(entry, api),
                licence=entry.licence,
                data=entry.data,
            ),
            libraries=(
                ("haikei", version("haikei")),
                ("model", api.model),
                ("provider", entry.provider),
                ("service", self._host),
            ),
            negates=False,
            reads=True,
            notes=tuple(notes),
        )

    def generate(
        self,
        request: GenerationRequest,
        *,
        layout: Picture,
        previous: Picture | None,
        progress: ProgressCallback,
    ) -> GenerationResult:
        """
        Ask the service once, or take the answer that an earlier try left behind.

        Raises:
            GenerationError: it refuses what it is given, answers with no picture of the size asked
                for, or its answer was lost and asking again might be charged twice.
            GenerationCancelled: `progress` asked to stop.
            GeneratorDenied: it lets us not in, or has no quota left for us.
            GeneratorUnavailable: it is not reached, is busy, or has an error of its own.
            ModelUnusable: another service is declared than the request names.
            StorageUnavailable: it cannot be noted what is asked.
        """
        if _declared(self._entry, self._api) != request.system.sha256:
            raise ModelUnusable(
                f"The service {self._name!r} was declared anew after this picture was asked for.",
                advice="Retry the job: its record will name the service as it is now.",
            )
        progress(Progress(step=0, steps=1))
        name = str(uuid.uuid5(_IDS, canonical_json(request)))
        notes = RequestNotes(folder=self._settings.work_folder / "services", name=name)
        size = self._size(request)
        answer, tries = notes.answer(), notes.tries()
        if answer is not None:
            log.info("answer_found_again", generator=self._name, request=name)
        else:
            if tries.lost and not self._api.resend:
                notes.forget()
                raise self._lost(name, "an earlier try was broken off")
            self._require_reachable()
            headers = self._headers(name)
            parts = self._parts(request, size, layout, previous)
            tries = notes.begin(tries)
            answer = self._asked(self._ask(headers, parts, progress), notes, tries)
            notes.keep(answer)
        try:
            picture, remarks = self._picture(answer, size)
        except HaikeiError:
            # It was paid for and is no good: a retry asks anew.
            notes.forget()
            raise
        if tries.count > 1:
            remarks = (*remarks, f"It was asked {tries.count} times, and may charge for each.")
        made = resize(_framed(request, size).crop(picture), request.width, request.height)
        if size != (request.width, request.height):
            remarks = (*remarks, f"Made by {self._entry.name} at {size[0]} x {size[1]} pixels.")
        progress(Progress(step=1, steps=1))
        return GenerationResult(picture=made, notes=remarks)

    def _size(self, request: GenerationRequest) -> tuple[int, int]:
        """Return the size to ask for: of those that it makes, the one nearest in shape."""
        wanted = (request.width, request.height)
        if not self._api.sizes:
            return wanted
        sizes = [(int(w), int(h)) for w, h in (one.split("x") for one in self._api.sizes)]

        def distance(size: tuple[int, int]) -> tuple[float, float]:
            shape = math.log(size[0] / size[1]) - math.log(wanted[0] / wanted[1])
            area = math.log(size[0] * size[1]) - math.log(wanted[0] * wanted[1])
            return round(abs(shape), 3), abs(area)

        return min(sizes, key=distance)

    def _asked(
        self, asking: Coroutine[Any, Any, bytes], notes: RequestNotes, tries: Tries
    ) -> bytes:
        """Send the request; what becomes of it is noted, unless this process ends before."""
        try:
            return asyncio.run(asking)
        except _UNSENT as error:
            notes.undo(tries)
            raise GeneratorUnavailable(
                f"The service {self._name!r} ({self._host}) is not reached "
                f"({type(error).__name__})."
            ) from None
        except (httpx.HTTPError, TimeoutError) as error:
            # Not chained: the library's errors carry the request, and with it the key.
            why = "it took too long" if isinstance(error, TimeoutError) else type(error).__name__
            if self._api.resend:
                raise GeneratorUnavailable(
                    f"The service {self._name!r} ({self._host}) did not answer to the end: {why}."
                ) from None
            notes.forget()
            raise self._lost(notes.name, why) from None
        except GeneratorUnavailable:
            # It answered: nothing was made, as far as it says.
            notes.failed(tries)
            raise
        except GenerationError:
            # It refused, or nobody wants the picture any more.
            notes.forget()
            raise

    def _headers(self, name: str) -> Mapping[str, str]:
        headers = {
            "user-agent": "haikei",
            # Services that know it make and charge the same request once.
            "idempotency-key": name,
            "x-client-request-id": name,
        }
        if not self._api.key_variable:
            return headers
        key = os.environ.get(self._api.key_variable, "").strip()
        if not key or not key.isascii() or not key.isprintable():
            raise GeneratorDenied(
                f"{self._api.key_variable} holds no key for the service {self._name!r}.",
                advice="Set it in the environment of the generation workers, and start them anew.",
            )
        return {**headers, "authorization": f"Bearer {key}"}

    def _parts(
        self,
        request: GenerationRequest,
        size: tuple[int, int],
        layout: Picture,
        previous: Picture | None,
    ) -> "list[tuple[str, Any]]":
        given = {"previous": previous, "layout": layout}
        pictures = [
            (name, picture)
            for name, picture in given.items()
            if name in self._api.sends and picture is not None
        ]
        if not pictures:
            raise SettingsError(
                f"The service {self._name!r} is sent the stage before alone, and there is none in "
                f"the stage {request.stage!r}.",
                advice=f'Add "layout" to generators.{self._name}.images_api.sends, or let another '
                "stage come first.",
            )
        framing = _framed(request, size)
        with TemporaryDirectory(prefix="haikei-") as folder:
            files: list[tuple[str, Any]] = []
            for name, picture in pictures:
                path = Path(folder) / f"{name}.png"
                whole = framing.pad(resize(picture, framing.width, framing.height))
                write_picture(whole, path, bits=8)
                key = "image" if len(pictures) == 1 else "image[]"
                files.append((key, (path.name, path.read_bytes(), "image/png")))
        fields = {
            "model": self._api.model,
            "prompt": request.prompt,
            "n": "1",
            "size": f"{size[0]}x{size[1]}",
            **self._api.fields,
            **{name: _text(value) for name, value in request.options},
        }
        return [*((name, (None, text.encode())) for name, text in fields.items()), *files]

    async def _ask(
        self, headers: Mapping[str, str], parts: "list[tuple[str, Any]]", progress: ProgressCallback
    ) -> bytes:
        """Post the request, looking at whether the job goes on while it is made."""
        # Redirects are not followed: they could lead anywhere. This machine is asked without a
        # proxy.
        async with (
            asyncio.timeout(self._entry.timeout),
            httpx.AsyncClient(
                timeout=httpx.Timeout(self._entry.timeout, connect=_CONNECT),
                follow_redirects=False,
                trust_env=not self._api.loopback,
            ) as client,
        ):
            task = asyncio.create_task(self._post(client, headers, parts))
            try:
                while not task.done():
                    await asyncio.wait({task}, timeout=_LOOK)
                    progress(Progress(step=0, steps=1))
                return task.result()
            finally:
                if not task.done():
                    task.cancel()
                    with suppress(asyncio.CancelledError, httpx.HTTPError):
                        await task

    async def _post(
        self,
        client: httpx.AsyncClient,
        headers: Mapping[str, str],
        parts: "list[tuple[str, Any]]",
    ) -> bytes:
        address = f"{str(self._api.url).rstrip('/')}/images/edits"
        limit = self._api.max_answer_mib * _MIB
        async with client.stream("POST", address, headers=headers, files=parts) as answer:
            body = bytearray()
            async for piece in answer.aiter_bytes():
                body += piece
                if len(body) > limit:
                    raise GenerationError(
                        f"The service {self._name!r} answers with more than "
                        f"{self._api.max_answer_mib} MiB.",
                        advice=f"Raise generators.{self._name}.images_api.max_answer_mib if that "
                        "is right.",
                    )
            if answer.status_code == HTTPStatus.OK:
                return bytes(body)
            raise self._refusal(answer.status_code, answer.headers, bytes(body))

    def _require_reachable(self) -> None:
        if self._api.loopback:
            return
        where = destination(self._host, self._api.url.port, private=self._api.private)
        if where.private:
            raise GeneratorDenied(
                where.fault,
                advice="If that is meant, set private = true for "
                f"generators.{self._name}.images_api.",
            )
        if where.fault.endswith("has no address."):
            raise GeneratorUnavailable(where.fault)
        if where.fault:
            raise GeneratorDenied(where.fault, advice="Correct its url in the settings.")
        if where.public and self._entry.runs != "cloud":
            raise GeneratorDenied(
                f"{self._host} leads out of the studio, where the service {self._name!r} is "
                "declared to run on its own machines.",
                advice=f'Set generators.{self._name}.runs = "cloud": shows then have to allow its '
                "provider.",
            )

    def _refusal(self, status: int, headers: httpx.Headers, body: bytes) -> HaikeiError:
        code, text = _complaint(body)
        reason = self._cleared(text)
        who = f"The service {self._name!r} ({self._host})"
        if status == HTTPStatus.UNAUTHORIZED:
            # What it says of a key may hold a part of it.
            return GeneratorDenied(
                f"{who} takes no key of ours.",
                advice=f"Set another one in {self._api.key_variable or 'key_variable'} of the "
                "generation workers, and start them anew.",
            )
        if status in _DENIED or "quota" in code or "billing" in code or 300 <= status < 400:
            return GeneratorDenied(
                f"{who} answers {status}: {reason}",
                advice="Look at its account, its url and its model.",
            )
        wait = seconds_to_wait(headers.get("retry-after"), most=_LONGEST_WAIT)
        if status in {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS} or status >= 500:
            return GeneratorUnavailable(f"{who} answers {status}: {reason}", retry_after=wait)
        return GenerationError(
            f"{who} refuses the request ({status}): {reason}",
            advice="Change the prompt, the options or the settings that it names.",
        )

    def _cleared(self, text: str) -> str:
        """Return what a service says without our key, and no more of it than one reads."""
        key = os.environ.get(self._api.key_variable, "").strip() if self._api.key_variable else ""
        text = " ".join(text.split())
        return (text.replace(key, "***") if key else text)[:_LONGEST] or "it gives no reason."

    def _lost(self, name: str, why: str) -> GenerationError:
        return GenerationError(
            f"The service {self._name!r} ({self._host}) may have made and charged for this "
            f"picture, but its answer was lost: {why}.",
            advice=f"It has the request as {name}. Retry the job to ask once more, or set "
            f"generators.{self._name}.images_api.resend to do so unasked.",
        )

    def _picture(self, answer: bytes, size: tuple[int, int]) -> tuple[Picture, tuple[str, ...]]:
        data, remarks = self._data(answer)
        ending = next((end for start, end in _SIGNATURES.items() if data.startswith(start)), None)
        if ending is None:
            raise GenerationError(
                f"The service {self._name!r} answers with a file that is neither PNG, JPEG nor "
                "WebP."
            )
        with TemporaryDirectory(prefix="haikei-") as folder:
            path = Path(folder) / f"answer{ending}"
            path.write_bytes(data)
            try:
                picture = read_picture(path, limits=Limits.from_settings(self._settings.watch))
            except HaikeiError as error:
                raise GenerationError(
                    f"The service {self._name!r} answers with a picture that is not read: "
                    f"{error.message}",
                    advice=error.advice,
                ) from error
        if (picture.width, picture.height) != size:
            raise GenerationError(
                f"The service {self._name!r} made {picture.width} x {picture.height} pixels where "
                f"{size[0]} x {size[1]} were asked for.",
                advice=f"Name the sizes that it makes as generators.{self._name}.images_api.sizes.",
            )
        return picture, remarks

    def _data(self, answer: bytes) -> tuple[bytes, tuple[str, ...]]:
        try:
            parsed = json.loads(answer)
            (first, *_) = parsed["data"]
            encoded = first.get("b64_json")
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise GenerationError(
                f"The service {self._name!r} gives no answer of an images API.",
                advice="Check its url: another service may listen there.",
            ) from None
        if not isinstance(encoded, str) or not encoded:
            raise GenerationError(
                f"The service {self._name!r} answers without the picture itself"
                f"{', but with its address' if 'url' in first else ''}.",
                advice='Set fields = { response_format = "b64_json" }: foreign addresses are not '
                "asked.",
            )
        usage = parsed.get("usage")
        log.info("service_answered", generator=self._name, bytes=len(encoded), usage=usage)
        rewritten = first.get("revised_prompt")
        notes = (
            (f"{self._entry.name} rewrote the prompt: {self._cleared(rewritten)}",)
            if isinstance(rewritten, str) and rewritten.strip()
            else ()
        )
        try:
            return base64.b64decode(encoded, validate=True), notes
        except (binascii.Error, ValueError):
            raise GenerationError(
                f"The service {self._name!r} answers with a picture in a broken encoding."
            ) from None


def _framed(request: GenerationRequest, size: tuple[int, int]) -> Padding:
    """Return how a picture stands in a size of the service: whole, at its upper left."""
    scale = min(size[0] / request.width, size[1] / request.height)
    width = min(size[0], max(1, round(request.width * scale)))
    height = min(size[1], max(1, round(request.height * scale)))
    return Padding(width=width, height=height, right=size[0] - width, bottom=size[1] - height)


def _declared(entry: GeneratorEntry, api: ImagesApi) -> str:
    declared = [
        str(api.url),
        api.model,
        entry.name,
        entry.version,
        entry.provider,
        *sorted(api.sends),
    ]
    return hashlib.sha256(json.dumps(declared, ensure_ascii=False).encode()).hexdigest()


def _text(value: object) -> str:
    return json.dumps(value) if isinstance(value, bool) else str(value)


def _complaint(body: bytes) -> tuple[str, str]:
    """Return the code and the words of an error."""
    try:
        parsed = json.loads(body)
    except (ValueError, RecursionError):
        return "", body[: _LONGEST * 4].decode(errors="replace")
    error = parsed.get("error", parsed) if isinstance(parsed, dict) else parsed
    if not isinstance(error, dict):
        return "", str(error)
    return str(error.get("code") or error.get("type") or ""), str(error.get("message") or error)
