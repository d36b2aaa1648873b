"""A job is one trace: a span for each step and stage, by whom they are done, without any word."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from typing_extensions import override

from haikei import tracing
from haikei.errors import PolicyRefusal
from haikei.jobs import JobState, Step
from support.jobs import JobStudio, job_studios

STEPS = ["collect", "validate", "generate", "extract", "record", "integrate"]


@pytest.fixture
def studio(tmp_path: Path) -> Iterator[JobStudio]:
    with ExitStack() as stack:
        yield job_studios(stack, tmp_path)()


def _told(spans: Sequence[ReadableSpan], name: str) -> list[object]:
    return [(one.attributes or {}).get(f"haikei.{name}") for one in spans]


def _trace(one: ReadableSpan) -> int:
    assert one.context is not None
    return int(one.context.trace_id)


def test_all_steps_and_stages_of_a_job_are_one_trace_in_whatever_process(
    studio: JobStudio,
) -> None:
    first, second = InMemorySpanExporter(), InMemorySpanExporter()
    with tracing.sent_to(first, service="one"):
        key = studio.publish("c001")
    with tracing.sent_to(second, service="another"), tracing.span("later", job=key):
        pass
    spans = first.get_finished_spans()
    steps = [one for one in spans if one.name.startswith("step ")]
    stages = [one for one in spans if one.name.startswith("stage ")]

    assert _told(steps, "step") == STEPS
    assert _told(steps, "job") == [key] * len(STEPS)
    assert _told(steps, "end") == ["done"] * len(STEPS)
    assert _told(stages, "stage") == ["gen1", "gen2"]
    assert _told(stages, "generator") == ["flat", "flat"]
    generate = next(one.context for one in steps if one.name == "step generate")
    assert generate is not None
    assert {one.parent.span_id for one in stages if one.parent} == {generate.span_id}
    assert {_trace(one) for one in (*spans, *second.get_finished_spans())} == {_trace(spans[0])}
    assert spans[0].resource.attributes["service.name"] == "one"


def test_of_a_step_that_fails_the_kind_of_error_is_told_and_no_word_of_it(
    studio: JobStudio,
) -> None:
    studio.tracker.failures = [PolicyRefusal("Yuki Tanaka said no.")]
    exporter = InMemorySpanExporter()

    with tracing.sent_to(exporter, service="one"):
        studio.publish("c001")

    assert studio.store.list()[0].state is JobState.DEAD
    (failed,) = exporter.get_finished_spans()
    assert failed.name == f"step {Step.COLLECT.value}"
    assert failed.status.description == "PolicyRefusal"
    assert _told([failed], "end") == ["failed"]
    assert "Yuki" not in failed.to_json()


def test_jobs_of_two_layouts_are_two_traces_and_none_is_kept_when_traces_are_off(
    studio: JobStudio,
) -> None:
    exporter = InMemorySpanExporter()
    studio.publish("c001")
    with tracing.sent_to(exporter, service="one"):
        studio.publish("c002")
        studio.publish("c003")
    studio.publish("c004")

    spans = exporter.get_finished_spans()
    assert len({_trace(one) for one in spans}) == 2
    assert len(spans) == 2 * (len(STEPS) + 2)


def test_a_collector_gets_them_by_otlp() -> None:
    bodies: list[bytes] = []

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            assert self.path == "/v1/traces"
            bodies.append(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(200)
            self.end_headers()

        @override
        def log_message(self, format: str, *args: object) -> None:
            return

    server = HTTPServer(("127.0.0.1", 0), Collector)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        url = f"http://127.0.0.1:{server.server_port}/"
        with (
            tracing.sent_to(tracing.collector(url), service="haikei steps"),
            tracing.span("step collect", job="layout-1", step="collect"),
        ):
            tracing.ended("done")
    finally:
        server.shutdown()
        thread.join()
        server.server_close()

    (sent,) = [ExportTraceServiceRequest.FromString(one) for one in bodies]
    (span,) = sent.resource_spans[0].scope_spans[0].spans
    assert span.name == "step collect"
    told = {one.key: one.value.string_value for one in span.attributes}
    assert told == {"haikei.step": "collect", "haikei.job": "layout-1", "haikei.end": "done"}
