"""OpenTelemetry, where it is wanted: one trace for each typed command, from the browser's frame to the simulator's core.

The trace's id is the input's own id (a UUID that the browser made), so web and worker meet in one trace without carrying anything
along.  On when `OTEL_EXPORTER_OTLP_ENDPOINT` is set and the libraries are installed; else every span is nothing.
"""

from __future__ import annotations

import contextlib
import functools
import logging
import os
import uuid
from collections.abc import Iterator
from typing import Any

logger = logging.getLogger(__name__)


@functools.cache
def _tracer() -> Any:
    if not os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT"):
        return None
    try:
        from opentelemetry import trace
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        logger.warning("OTEL_EXPORTER_OTLP_ENDPOINT is set, but opentelemetry-sdk and its OTLP exporter are not installed")
        return None
    provider = TracerProvider(resource=Resource.create({"service.name": os.environ.get("OTEL_SERVICE_NAME", "slipway")}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    return trace.get_tracer("slipway")


@contextlib.contextmanager
def span(name: str, command: uuid.UUID | None = None, **attributes: str | int | float) -> Iterator[None]:
    """A span; `command` is the input whose trace it belongs to (else it belongs to the span around it)."""
    tracer = _tracer()
    if tracer is None:
        yield
        return
    from opentelemetry import trace

    context = None
    if command is not None and not trace.get_current_span().get_span_context().is_valid:
        # a parent that nobody records: all it does is name the trace
        parent = trace.SpanContext(command.int, command.int & (2**64 - 1) or 1, True, trace.TraceFlags(trace.TraceFlags.SAMPLED))
        context = trace.set_span_in_context(trace.NonRecordingSpan(parent))
    with tracer.start_as_current_span(name, context=context, attributes=attributes):
        yield
