"""A collector gets one trace of each job, from all processes of a studio."""

import threading
from collections import defaultdict
from collections.abc import Generator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from typing_extensions import override

from haikei.jobs import JobState
from haikei.scenes import Scene, SceneKind, draw, save_layout
from support.studio import studio

STEPS = ("collect", "validate", "generate", "extract", "record", "integrate")


@pytest.fixture
def collected() -> Generator[tuple[str, list[bytes]]]:
    bodies: list[bytes] = []

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            bodies.append(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(200)
            self.end_headers()

        @override
        def log_message(self, format: str, *args: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Collector)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", bodies
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.timeout(600)
def test_the_spans_of_both_workers_are_one_trace_a_job(
    tmp_path: Path, collected: tuple[str, list[bytes]]
) -> None:
    url, bodies = collected
    shots = ("c001", "c002")
    with studio(tmp_path / "studio", extra_settings=f'[log]\ntraces = "{url}"\n') as here:
        here.cast([("PORT", "s01", shot) for shot in shots])
        here.start()
        for number, shot in enumerate(shots):
            path = here.projects / "PORT" / "s01" / shot / "layout" / f"{shot}_bg_v001.png"
            path.parent.mkdir(parents=True)
            scene = Scene(kind=SceneKind.VILLAGE, width=192, height=108, seed=number)
            save_layout(draw(scene), path)
        here.wait_for("backgrounds", lambda: len(here.jobs(JobState.DONE)) == len(shots))
        here.stop()

    traces: dict[bytes, set[str]] = defaultdict(set)
    services: dict[bytes, set[str]] = defaultdict(set)
    for body in bodies:
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            name = next(
                one.value.string_value
                for one in resource.resource.attributes
                if one.key == "service.name"
            )
            for span in (one for scope in resource.scope_spans for one in scope.spans):
                traces[span.trace_id].add(span.name)
                services[span.trace_id].add(name)
    assert len(traces) == len(shots)
    for trace, names in traces.items():
        assert {f"step {step}" for step in STEPS} <= names
        assert any(name.startswith("stage ") for name in names)
        assert services[trace] == {"haikei steps", "haikei generate-cpu"}
