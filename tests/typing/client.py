"""A tool's code, as type checkers see it: what goes into the client and what comes out."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, assert_type

from haikei.client import Client, Job, Submission, Version, verified


def use(layout: Path) -> None:
    client = Client("https://haikei.studio", "token", timeout=5.0)
    found = client.submit(layout, project="PORT", shot="c001", version=3, upload=True)
    assert_type(found, Submission)
    assert_type(found.jobs, tuple[Job, ...])
    assert_type(found.jobs[0].progress, float)
    assert_type(client.status(found.key).has_ended, bool)
    assert_type(client.wait(found.key, on_change=lambda one: one.state), Submission)
    assert_type(client.versions("c001", project="PORT"), Iterator[Version])
    assert_type(client.version("c001_bg_summer_day_v001").path, str)
    assert_type(client.decide("c001_bg_summer_day_v001", "retake", note="warmer", by="mori"), str)
    assert_type(verified(b"{}", {"haikei-timestamp": "1"}, "secret"), dict[str, Any])
    client.submit(3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    client.decide("c001")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
