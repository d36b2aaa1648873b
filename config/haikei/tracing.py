"""
Traces of OpenTelemetry, where a studio wants them: one for each job, with its steps and stages.

A trace's id is made of the job's key, so that what several processes do for one job, on any host,
is one trace. The library comes with the extra `otel`, and is imported only where traces are on.
"""

import hashlib
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from haikei.errors import SettingsError

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.sdk.trace.export import SpanExporter
    from opentelemetry.trace import Tracer

#: What is on in this process: one, or none.
_tracers: list["Tracer"] = []
#: Seconds for which a collector is waited for; it is asked beside the work, never within.
_TIMEOUT = 5.0


def collector(url: str) -> "SpanExporter":
    """
    Return what sends spans to an OpenTelemetry collector by OTLP over HTTP.

    Args:
        url: the collector's; `/v1/traces` is added.

    Raises:
        SettingsError: the extra `otel` is not installed.
    """
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    except ImportError as error:
        raise SettingsError(
            "log.traces is set, and what sends traces is not installed.",
            advice="Run: pip install 'haikei[otel]', or leave log.traces out.",
        ) from error
    return OTLPSpanExporter(endpoint=f"{url.rstrip('/')}/v1/traces", timeout=_TIMEOUT)


@contextmanager
def sent_to(exporter: "SpanExporter", *, service: str) -> Generator[None]:
    """
    Send the spans of this block; what is not sent at its end is sent then.

    Args:
        exporter: takes them, in a thread of its own.
        service: what this process is called in the traces.
    """
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider(resource=Resource.create({"service.name": service}))
    provider.add_span_processor(BatchSpanProcessor(exporter))
    _tracers.append(provider.get_tracer("haikei"))
    try:
        yield
    finally:
        _tracers.pop()
        provider.shutdown()


@contextmanager
def span(name: str, *, job: str = "", **attributes: str) -> Generator[None]:
    """
    Be in a span, if traces are on; of an error that leaves it its kind is noted, and no word of it.

    Args:
        name: what is done.
        job: the key of the job whose trace it belongs to; by default the span around it decides.
        attributes: what the span records of it, under `haikei.`.
    """
    if not _tracers:
        yield
        return
    from opentelemetry.trace import StatusCode

    prefixed = {f"haikei.{key}": value for key, value in attributes.items()}
    if job:
        prefixed["haikei.job"] = job
    with _tracers[-1].start_as_current_span(
        name,
        context=_trace_of(job) if job else None,
        attributes=prefixed,
        record_exception=False,
        set_status_on_exception=False,
    ) as current:
        try:
            yield
        except BaseException as error:
            current.set_status(StatusCode.ERROR, type(error).__name__)
            raise


def ended(end: str, *, failed: str = "") -> None:
    """Note how what the span around this is about has ended; `failed` is the kind of error."""
    if not _tracers:
        return
    from opentelemetry.trace import StatusCode, get_current_span

    current = get_current_span()
    current.set_attribute("haikei.end", end)
    if failed:
        current.set_status(StatusCode.ERROR, failed)


def _trace_of(job: str) -> "Context":
    from opentelemetry.trace import (
        NonRecordingSpan,
        SpanContext,
        TraceFlags,
        set_span_in_context,
    )

    digest = hashlib.sha256(job.encode()).digest()
    whole = SpanContext(
        trace_id=int.from_bytes(digest[:16], "big"),
        span_id=int.from_bytes(digest[16:24], "big"),
        is_remote=True,
        trace_flags=TraceFlags(TraceFlags.SAMPLED),
    )
    return set_span_in_context(NonRecordingSpan(whole))
