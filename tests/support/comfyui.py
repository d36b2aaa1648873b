"""
A small server that answers as ComfyUI 0.3.64 was measured to: it stands in for one in tests.

It knows three nodes, and runs a prompt when it is looked at, unless it is told to hold. The real
server is in no package registry; what is not in the measured protocol is not claimed here.
"""

import json
import threading
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
from typing_extensions import override

from haikei.images import Picture, decode_picture, write_picture

NODES: Mapping[str, Mapping[str, Any]] = {
    "LoadImage": {"input": {"required": {"image": [[]]}}, "python_module": "nodes"},
    "Blend": {
        "input": {"required": {"image": ["IMAGE"], "amount": ["FLOAT"], "seed": ["INT"]}},
        "python_module": "custom_nodes.kawa",
    },
    "Text": {"input": {"required": {"text": ["STRING"]}}, "python_module": "nodes"},
    "SaveImage": {
        "input": {"required": {"images": ["IMAGE"], "filename_prefix": ["STRING"]}},
        "python_module": "nodes",
    },
}
#: Multiplies the layout by `amount`.
WORKFLOW: Mapping[str, Any] = {
    "1": {"class_type": "LoadImage", "inputs": {"image": ""}, "_meta": {"title": "Layout"}},
    "2": {
        "class_type": "Blend",
        "inputs": {"image": ["1", 0], "amount": 1.0, "seed": 0},
        "_meta": {"title": "Paint"},
    },
    "3": {"class_type": "Text", "inputs": {"text": ""}, "_meta": {"title": "Prompt"}},
    "4": {
        "class_type": "SaveImage",
        "inputs": {"images": ["2", 0], "filename_prefix": "bg"},
        "_meta": {"title": "Result"},
    },
}


@dataclass(slots=True)
class ComfyServer:
    """What a server holds; all of it is forgotten by `restart`."""

    folder: Path
    hold: bool = False  #: prompts wait in the queue
    away: bool = False  #: every answer is 503
    fail: str = ""  #: what a node says when it fails
    small: bool = False  #: pictures come out in another size
    nodes: Mapping[str, Mapping[str, Any]] = field(default_factory=lambda: dict(NODES))
    pending: dict[str, Mapping[str, Any]] = field(default_factory=dict[str, Mapping[str, Any]])
    history: dict[str, Mapping[str, Any]] = field(default_factory=dict[str, Mapping[str, Any]])
    submitted: list[str] = field(default_factory=list[str])
    graphs: list[Mapping[str, Any]] = field(default_factory=list[Mapping[str, Any]])
    told: list[tuple[str, Any]] = field(default_factory=list[tuple[str, Any]])
    address: str = ""
    lock: threading.RLock = field(default_factory=threading.RLock)

    def restart(self) -> None:
        """Forget queue and history, which live in memory."""
        with self.lock:
            self.pending.clear()
            self.history.clear()

    def work(self) -> None:
        """Run what waits."""
        with self.lock:
            for prompt in [] if self.hold else list(self.pending):
                self.history[prompt] = self._run(prompt, self.pending.pop(prompt))

    def _run(self, prompt: str, graph: Mapping[str, Any]) -> Mapping[str, Any]:
        if self.fail:
            told = {"node_type": "Blend", "exception_message": self.fail, "prompt_id": prompt}
            messages = [["execution_error", told]]
            status = {"status_str": "error", "completed": False, "messages": messages}
            return {"outputs": {}, "status": status}
        source = decode_picture(self.folder / graph["1"]["inputs"]["image"]).picture.pixels
        pixels = source * np.float32(graph["2"]["inputs"]["amount"])
        name = f"bg_{len(self.history):05}_.png"
        out = pixels[:8, :8] if self.small else pixels
        write_picture(Picture(pixels=np.ascontiguousarray(out)), self.folder / name)
        image = {"filename": name, "subfolder": "", "type": "output"}
        status = {"status_str": "success", "completed": True, "messages": []}
        return {"outputs": {"4": {"images": [image]}}, "status": status}

    def answer(self, method: str, path: str, query: Mapping[str, str], body: Any) -> Any:
        """Return an answer: JSON, bytes, or a status with JSON."""
        match (method, path):
            case ("GET", "/system_stats"):
                return {"system": {"comfyui_version": "0.3.64"}, "devices": []}
            case ("GET", "/queue"):
                self.work()
                entries = [[n, key, {}, {}, []] for n, key in enumerate(self.pending)]
                return {"queue_running": entries[:1], "queue_pending": entries[1:]}
            case ("POST", "/prompt"):
                return self._submit(body)
            case ("POST", "/queue" | "/interrupt"):
                self.told.append((path, body))
                gone = body.get("delete", [body.get("prompt_id")])
                for one in gone:
                    self.pending.pop(one, None)
                return {}
            case ("GET", "/view"):
                return (self.folder / query["filename"]).read_bytes()
            case _:
                pass
        if path.startswith("/object_info/"):
            kind = path.rpartition("/")[2]
            return {kind: self.nodes[kind]} if kind in self.nodes else {}
        if path.startswith("/history/"):
            key = path.rpartition("/")[2]
            return {key: self.history[key]} if key in self.history else {}
        return HTTPStatus.NOT_FOUND, {}

    def _submit(self, body: Any) -> Any:
        graph = body["prompt"]
        image = graph["1"]["inputs"]["image"]
        if not (self.folder / image).is_file() or not image:
            fault = {"message": "Custom validation failed", "details": f"Invalid image: {image}"}
            errors = {"1": {"errors": [fault], "class_type": "LoadImage"}}
            error = {"type": "prompt_outputs_failed_validation", "message": "Prompt outputs failed"}
            return HTTPStatus.BAD_REQUEST, {"error": error, "node_errors": errors}
        self.submitted.append(body["prompt_id"])
        self.graphs.append(graph)
        self.pending[body["prompt_id"]] = graph
        return {"prompt_id": body["prompt_id"], "number": len(self.submitted), "node_errors": {}}

    def uploaded(self, fields: Mapping[str, bytes]) -> Mapping[str, str]:
        """Keep an uploaded picture."""
        folder = fields["subfolder"].decode()
        name = fields["image.name"].decode()
        (self.folder / folder).mkdir(exist_ok=True)
        (self.folder / folder / name).write_bytes(fields["image"])
        return {"name": name, "subfolder": folder, "type": fields["type"].decode()}


@contextmanager
def comfy_server(folder: Path) -> Generator[ComfyServer]:
    """Serve on the loopback."""
    folder.mkdir()
    state = ComfyServer(folder=folder)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer("GET", b"")

        def do_POST(self) -> None:
            self._answer("POST", self.rfile.read(int(self.headers.get("Content-Length") or 0)))

        @override
        def log_message(self, format: str, *args: object) -> None: ...

        def _answer(self, method: str, body: bytes) -> None:
            parts = urlsplit(self.path)
            query = {key: one[0] for key, one in parse_qs(parts.query).items()}
            with state.lock:
                if state.away:
                    answer: Any = (HTTPStatus.SERVICE_UNAVAILABLE, {})
                elif parts.path == "/upload/image":
                    answer = state.uploaded(_fields(self.headers, body))
                else:
                    given = json.loads(body) if body else {}
                    answer = state.answer(method, parts.path, query, given)
            status, content = answer if isinstance(answer, tuple) else (HTTPStatus.OK, answer)
            data = content if isinstance(content, bytes) else json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    state.address = f"http://127.0.0.1:{server.server_port}"
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _fields(headers: Message, body: bytes) -> dict[str, bytes]:
    """Return the parts of a form with files, by name."""
    boundary = headers.get_content_type() and str(headers.get_param("boundary"))
    found: dict[str, bytes] = {}
    for part in body.split(f"--{boundary}".encode())[1:-1]:
        head, _, data = part.strip(b"\r\n").partition(b"\r\n\r\n")
        text = head.decode()
        name = text.partition('name="')[2].partition('"')[0]
        found[name] = data
        if 'filename="' in text:
            found[f"{name}.name"] = text.partition('filename="')[2].partition('"')[0].encode()
    return found
