"""A studio's own workflow in ComfyUI, run over HTTP on whichever of its servers is free."""

import hashlib
import json
import uuid
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event
from time import monotonic
from typing import Any

import httpx
import structlog

from haikei.canonical import canonical_json
from haikei.credits import SourceType, System
from haikei.errors import (
    GenerationError,
    GeneratorUnavailable,
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
from haikei.images import Limits, Picture, read_picture, write_picture
from haikei.settings import ComfyUi, Settings

log = structlog.get_logger()

_TIMEOUT = httpx.Timeout(30.0, connect=5.0)
_FOLDER = "haikei"
_SUBMISSIONS = 3
#: What a request gives by itself, beside the options of its stage.
_GIVEN = ("layout", "previous", "prompt", "negative_prompt", "seed", "width", "height")
_IDS = uuid.UUID("4b1f3f0e-6a3c-5a86-9b6e-2d8f0f8f7a11")
#: ComfyUI takes seeds below this.
_SEEDS = 2**64


@dataclass(frozen=True, slots=True, kw_only=True)
class _Servers:
    """What the servers say of themselves."""

    versions: str
    nodes: (
        str  #: one hash over the node classes of the workflow: where they come from, their inputs
    )


class ComfyUiGenerator:
    """
    Runs the workflow of `[generators.NAME.comfyui]` for each picture.

    A picture's prompt has an id that follows from its request: after a crash it is looked for in
    queues and histories before it is submitted again, since a server would run it twice.
    """

    def __init__(self, settings: Settings, name: str) -> None:
        self._settings = settings
        self._name = name
        self._entry = settings.generators[name]
        if self._entry.comfyui is None:
            message = "unreachable: it was looked for by this"
            raise AssertionError(message)
        self._comfy: ComfyUi = self._entry.comfyui
        self._known: _Servers | None = None
        self._pause = Event()

    def describe(self, stage: StageOrder) -> StageSystem:
        """
        Return the workflow as records name it: by its hash, with the servers' versions and nodes.

        Raises:
            SettingsError: an option is not bound, an input is not in the workflow.
            ModelUnusable: the workflow cannot be read, or a server has not all of its nodes.
            GeneratorUnavailable: no server answers.
        """
        if stage.model:
            raise SettingsError(
                f"The workflow {self._name!r} takes no model, but the stage names {stage.model!r}.",
                advice="Leave `model` out of this stage.",
            )
        entry, graph = self._entry, self._graph()
        bound = set(self._comfy.inputs)
        unknown = sorted({name for name, _ in stage.options} - (bound & set(entry.takes)))
        if unknown:
            raise SettingsError(
                f"The workflow {self._name!r} has no option {', '.join(map(repr, unknown))}.",
                advice=f"Name it in generators.{self._name}.takes and bind it in its inputs.",
            )
        stray = sorted(bound - set(_GIVEN) - set(entry.takes))
        if stray:
            raise SettingsError(
                f"Nothing gives the workflow {self._name!r} a {', '.join(map(repr, stray))}.",
                advice=f"Inputs are {', '.join(_GIVEN)}, and what generators.{self._name}.takes "
                "names.",
            )
        for place in self._comfy.inputs.values():
            self._place(graph, place)
        self._node(graph, self._comfy.output)
        servers = self._servers(graph)
        return StageSystem(
            system=System(
                name=entry.name or self._name,
                version=entry.version,
                source_type=SourceType.TRAINED if entry.trained else SourceType.ALGORITHMIC,
                sha256=_hash(graph),
                licence=entry.licence,
                data=entry.data,
            ),
            libraries=(
                ("comfyui", servers.versions),
                ("haikei", version("haikei")),
                ("nodes", servers.nodes),
            ),
            negates="negative_prompt" in bound,
            reads="prompt" in bound,
            notes=tuple(
                f"The workflow is not given the {name}."
                for name in ("layout", "previous", "prompt", "seed")
                if name not in bound and not (name == "previous" and "layout" in bound)
            ),
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
        Run the workflow once and return the picture of its output node.

        Raises:
            GenerationError: the workflow failed, took too long, or gave no picture of this size.
            GenerationCancelled: `progress` asked to stop; the server was interrupted.
            GeneratorUnavailable: no server answers.
            ModelUnusable: it is another workflow than the request names.
        """
        graph = self._graph()
        if _hash(graph) != request.system.sha256:
            raise ModelUnusable(
                f"The workflow {self._comfy.workflow} changed after this picture was asked for.",
                advice="Retry the job: its record will name the workflow as it is now.",
            )
        prompt = str(uuid.uuid5(_IDS, canonical_json(request)))
        progress(Progress(step=0, steps=1))
        with TemporaryDirectory(prefix="haikei-") as folder, self._busy() as client:
            run = _Run(client=client, name=self._name, prompt=prompt)
            address = self._standing(run)
            begun = monotonic()
            submissions = 0
            while True:
                if address is None:
                    if submissions == _SUBMISSIONS:
                        raise GeneratorUnavailable(
                            f"The servers of the workflow {self._name!r} lost its prompt "
                            f"{submissions} times."
                        )
                    address = self._freest(client)
                    filled = self._filled(run, address, graph, request, layout, previous, folder)
                    run.submit(address, filled)
                    submissions += 1
                if run.waits(address):
                    self._wait(run, address, begun, progress)
                    continue
                # Looked at after the queue: it may hold how an earlier try ended.
                outputs = run.outputs(address)
                if outputs is not None:
                    break
                # A server that was restarted has forgotten both queue and history.
                log.warning("prompt_lost", generator=self._name, server=address)
                address = None
            picture = self._picture(run, address, graph, outputs, Path(folder))
        if (picture.width, picture.height) != (request.width, request.height):
            raise GenerationError(
                f"The workflow {self._name!r} made {picture.width} x {picture.height} pixels where "
                f"{request.width} x {request.height} were asked for.",
                advice="Bind width and height, or scale the result to the layout in the workflow.",
            )
        progress(Progress(step=1, steps=1))
        return GenerationResult(picture=picture)

    def _wait(self, run: "_Run", address: str, begun: float, progress: ProgressCallback) -> None:
        try:
            progress(Progress(step=0, steps=1))
        except BaseException:
            run.stop(address)
            raise
        if monotonic() - begun > self._entry.timeout:
            run.stop(address)
            raise GenerationError(
                f"The workflow {self._name!r} took longer than {self._entry.timeout:g} seconds and "
                "was stopped.",
                advice=f"Raise generators.{self._name}.timeout if it needs more.",
            )
        self._pause.wait(self._comfy.poll)

    @contextmanager
    def _busy(self) -> Generator[httpx.Client]:
        # Neither proxies nor redirects: pictures go where the settings say, and nowhere else.
        with httpx.Client(timeout=_TIMEOUT, trust_env=False) as client:
            yield client

    def _graph(self) -> Mapping[str, Any]:
        path = self._comfy.workflow
        try:
            graph = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise ModelUnusable(
                f"The workflow {path} cannot be read: {error}.",
                advice="Export it from ComfyUI in API format.",
            ) from error
        nodes = graph.values() if isinstance(graph, dict) else ()
        if not nodes or not all(isinstance(one, dict) and "class_type" in one for one in nodes):
            raise ModelUnusable(
                f"{path} is no workflow in API format.",
                advice="Export it from ComfyUI with `Export (API)`: the other format is for its "
                "canvas.",
            )
        return dict(graph)

    def _node(self, graph: Mapping[str, Any], name: str) -> str:
        """Return the id of the node that has this id or title."""
        if name in graph:
            return name
        titled = [
            key for key, one in graph.items() if one.get("_meta", {}).get("title", "") == name
        ]
        if len(titled) != 1:
            found = "several nodes" if titled else "no node"
            raise SettingsError(
                f"The workflow {self._name!r} has {found} called {name!r}.",
                advice="Give the node a title of its own in ComfyUI, or name it by its id.",
            )
        return str(titled[0])

    def _place(self, graph: Mapping[str, Any], place: str) -> tuple[str, str]:
        node, separator, field = place.rpartition(".")
        key = self._node(graph, node) if separator else ""
        if not separator or field not in graph[key].get("inputs", {}):
            raise SettingsError(
                f"The workflow {self._name!r} has no input {place!r}.",
                advice="Name an input as `title.input`, such as `Prompt.text`.",
            )
        return key, field

    def _servers(self, graph: Mapping[str, Any]) -> _Servers:
        if self._known is not None:
            return self._known
        versions: set[str] = set()
        nodes: dict[str, object] = {}
        with self._busy() as client:
            for address in self._alive(client):
                stats = _json(client, f"{address}/system_stats")
                versions.add(str(stats.get("system", {}).get("comfyui_version", "unknown")))
                for kind in sorted({str(one["class_type"]) for one in graph.values()}):
                    parsed = _json(client, f"{address}/object_info/{kind}").get(kind)
                    if not isinstance(parsed, dict):
                        raise ModelUnusable(
                            f"The server {address} has no node {kind!r}, which the workflow "
                            f"{self._name!r} uses.",
                            advice="Install the node there, or take the server out of "
                            f"generators.{self._name}.comfyui.servers.",
                        )
                    inputs = parsed.get("input", {})
                    names = sorted(name for group in inputs.values() for name in group)
                    nodes[f"{kind} {parsed.get('python_module', '')}"] = names
        self._known = _Servers(versions=", ".join(sorted(versions)), nodes=_hash(nodes))
        return self._known

    def _alive(self, client: httpx.Client) -> list[str]:
        """Return the addresses of servers that answer, the shortest queue first."""
        loads: list[tuple[int, str]] = []
        for url in self._comfy.servers:
            address = str(url).rstrip("/")
            try:
                queue = _json(client, f"{address}/queue")
            except GeneratorUnavailable as error:
                log.warning("server_away", generator=self._name, server=address, error=str(error))
                continue
            loads.append((len(_ids(queue)), address))
        if not loads:
            raise GeneratorUnavailable(
                f"No server of the workflow {self._name!r} answers: "
                f"{', '.join(str(url) for url in self._comfy.servers)}.",
                advice="Start one, or correct its address.",
            )
        return [address for _, address in sorted(loads, key=lambda one: one[0])]

    def _freest(self, client: httpx.Client) -> str:
        return self._alive(client)[0]

    def _standing(self, run: "_Run") -> str | None:
        """Return the server that has this prompt already, from before a crash."""
        for address in self._alive(run.client):
            if run.waits(address) or run.is_done(address):
                log.info("prompt_found_again", generator=self._name, server=address)
                return address
        return None

    def _filled(
        self,
        run: "_Run",
        address: str,
        graph: Mapping[str, Any],
        request: GenerationRequest,
        layout: Picture,
        previous: Picture | None,
        folder: str,
    ) -> Mapping[str, Any]:
        """Return the workflow with everything that the request gives put into it."""
        filled: dict[str, Any] = json.loads(json.dumps(graph))
        values: dict[str, object] = {
            "prompt": request.prompt,
            "negative_prompt": request.negative_prompt,
            "seed": request.seed % _SEEDS,
            "width": request.width,
            "height": request.height,
            **dict(request.options),
        }
        pictures = {"layout": layout, "previous": previous or layout}
        for name, place in self._comfy.inputs.items():
            node, field = self._place(filled, place)
            if name in pictures:
                values[name] = run.upload(address, pictures[name], Path(folder) / f"{name}.png")
            if name in values:
                filled[node]["inputs"][field] = values[name]
        return filled

    def _picture(
        self,
        run: "_Run",
        address: str,
        graph: Mapping[str, Any],
        outputs: Mapping[str, Any],
        folder: Path,
    ) -> Picture:
        node = self._node(graph, self._comfy.output)
        images = outputs.get(node, {}).get("images", [])
        if not images:
            raise GenerationError(
                f"The node {self._comfy.output!r} of the workflow {self._name!r} gave no picture.",
                advice="Name as `output` a node that saves one.",
            )
        path = run.download(address, images[0], folder)
        return read_picture(path, limits=Limits.from_settings(self._settings.watch))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    """One prompt and what a server says of it."""

    client: httpx.Client
    name: str  #: the generator's
    prompt: str  #: its id

    def submit(self, address: str, graph: Mapping[str, Any]) -> None:
        """Queue the prompt."""
        asked = {"prompt": graph, "client_id": self.prompt, "prompt_id": self.prompt}
        response = _sent(lambda: self.client.post(f"{address}/prompt", json=asked))
        if response.status_code == HTTPStatus.BAD_REQUEST:
            raise GenerationError(
                f"{address} refuses the workflow {self.name!r}: {_complaint(response)}",
                advice="Run it once in ComfyUI itself: it names the node at fault.",
            )
        answer = _answer(response)
        if answer.get("prompt_id") != self.prompt:
            raise GenerationError(
                f"{address} does not take an id for a prompt, without which none is found again "
                "after a crash.",
                advice="Update ComfyUI to 0.3.45 or later.",
            )

    def waits(self, address: str) -> bool:
        """Tell whether the prompt is queued or running there."""
        return self.prompt in _ids(_json(self.client, f"{address}/queue"))

    def is_done(self, address: str) -> bool:
        """Tell whether the prompt ended well there."""
        parsed = self._history(address)
        return parsed is not None and parsed.get("status", {}).get("status_str") == "success"

    def outputs(self, address: str) -> Mapping[str, Any] | None:
        """Return what the prompt gave; None as long as it has not ended."""
        parsed = self._history(address)
        if parsed is None:
            return None
        status = parsed.get("status", {})
        if status.get("status_str") == "success":
            return dict(parsed.get("outputs", {}))
        raise GenerationError(
            f"The workflow {self.name!r} failed on {address}: {_failure(status)}",
            advice="Run it once in ComfyUI itself: it names the node at fault.",
        )

    def stop(self, address: str) -> None:
        """Interrupt the prompt where it runs, or take it out of the queue; it may be neither."""
        for path, body in (
            ("queue", {"delete": [self.prompt]}),
            ("interrupt", {"prompt_id": self.prompt}),
        ):
            try:
                self.client.post(f"{address}/{path}", json=body)
            except httpx.HTTPError as error:
                log.warning("prompt_not_stopped", server=address, error=str(error))

    def upload(self, address: str, picture: Picture, path: Path) -> str:
        """Give a picture to the server and return how `LoadImage` names it."""
        write_picture(picture, path)
        data = path.read_bytes()
        name = f"{hashlib.sha256(data).hexdigest()[:32]}.png"
        response = _sent(
            lambda: self.client.post(
                f"{address}/upload/image",
                files={"image": (name, data, "image/png")},
                data={"subfolder": _FOLDER, "type": "input", "overwrite": "true"},
            )
        )
        parsed = _answer(response)
        return "/".join(filter(None, (str(parsed.get("subfolder", "")), str(parsed["name"]))))

    def download(self, address: str, image: Mapping[str, Any], folder: Path) -> Path:
        """Fetch a picture into `folder`."""
        asked = {key: str(image.get(key, "")) for key in ("filename", "subfolder", "type")}
        response = _sent(lambda: self.client.get(f"{address}/view", params=asked))
        if response.status_code != HTTPStatus.OK:
            raise GenerationError(
                f"{address} does not give the picture {asked['filename']!r} that it made: "
                f"{response.status_code}."
            )
        # By our own name: theirs is not to be trusted with a path.
        path = folder / f"made{Path(asked['filename']).suffix.lower() or '.png'}"
        path.write_bytes(response.content)
        return path

    def _history(self, address: str) -> Mapping[str, Any] | None:
        parsed = _json(self.client, f"{address}/history/{self.prompt}").get(self.prompt)
        return parsed if isinstance(parsed, dict) else None


def _sent(call: Any) -> httpx.Response:
    try:
        response: httpx.Response = call()
    except httpx.HTTPError as error:
        raise GeneratorUnavailable(f"ComfyUI does not answer: {error}.") from error
    if response.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise GeneratorUnavailable(f"{response.url} answers {response.status_code}.")
    return response


def _answer(response: httpx.Response) -> Mapping[str, Any]:
    try:
        parsed = response.json()
    except ValueError:
        parsed = None
    if response.status_code != HTTPStatus.OK or not isinstance(parsed, dict):
        raise GenerationError(
            f"{response.url} gives {response.status_code} and no answer of ComfyUI's.",
            advice="Check the address: another service may listen there.",
        )
    return parsed


def _json(client: httpx.Client, url: str) -> Mapping[str, Any]:
    return _answer(_sent(lambda: client.get(url)))


def _ids(queue: Mapping[str, Any]) -> set[str]:
    entries = [*queue.get("queue_running", ()), *queue.get("queue_pending", ())]
    # Number, id, graph, and what else a version adds.
    return {str(one[1]) for one in entries if isinstance(one, list) and len(one) > 1}


def _complaint(response: httpx.Response) -> str:
    try:
        parsed = response.json()
    except ValueError:
        return response.text[:500]
    error = parsed.get("error", {})
    parts = [str(error.get("message", error)) if isinstance(error, dict) else str(error)]
    for node, fault in dict(parsed.get("node_errors") or {}).items():
        for one in fault.get("errors", ()):
            detail = f"{one.get('message', '')} {one.get('details', '')}".strip()
            parts.append(f"node {node} ({fault.get('class_type', '')}): {detail}")
    return "; ".join(parts)[:2000] + "."


def _failure(status: Mapping[str, Any]) -> str:
    for message in status.get("messages", ()):
        if isinstance(message, list) and len(message) > 1 and message[0] == "execution_error":
            parsed = message[1]
            return f"{parsed.get('node_type', '')}: {parsed.get('exception_message', '')}".strip()
        if isinstance(message, list) and message and message[0] == "execution_interrupted":
            return "somebody interrupted it."
    return str(status.get("status_str", "no status"))


def _hash(value: object) -> str:
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
