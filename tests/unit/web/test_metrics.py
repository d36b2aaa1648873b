"""Prometheus reads numbers, from this machine or with a token, and never a name."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient
from structlog.contextvars import get_contextvars

from haikei.web import make_app
from haikei.web.api.operations import ApiScope, Tokens
from support.jobs import JobStudio, OpenJobStudio, announce, job_studios, put_layout


@pytest.fixture
def open_studio(tmp_path: Path) -> Iterator[OpenJobStudio]:
    with ExitStack() as stack:
        yield job_studios(stack, tmp_path)


def client_of(studio: JobStudio, *, host: str = "127.0.0.1") -> TestClient:
    app = make_app(studio.settings, studio.database, open_tracker=studio.open_tracker)
    return TestClient(app, base_url="http://127.0.0.1:8771", client=(host, 50_000))


def numbers(text: str) -> dict[str, float]:
    return {
        f"{one.name}{sorted(one.labels.items())}": one.value
        for family in text_string_to_metric_families(text)
        for one in family.samples
    }


def test_queue_events_ledger_and_steps_are_counted_without_a_name(
    open_studio: OpenJobStudio,
) -> None:
    studio = open_studio()
    studio.publish("c001")
    announce(studio.database, put_layout(studio.settings, "c002"))
    studio.dispatcher.take_events()

    answer = client_of(studio).get("/metrics")

    assert answer.status_code == 200
    found = numbers(answer.text)
    assert found["haikei_jobs[('state', 'done')]"] == 1
    assert found["haikei_jobs[('state', 'waiting')]"] == 1
    assert found["haikei_queue_oldest_seconds[('state', 'waiting')]"] >= 0
    assert found["haikei_events_seen_total[('late', 'no'), ('source', 'watch')]"] == 2
    assert found["haikei_ledger_size[]"] == 3
    assert found["haikei_database_up[]"] == 1
    done = "haikei_step_seconds_count[('end', 'done'), ('step', 'extract')]"
    assert found[done] >= 1
    assert found["haikei_stage_seconds_count[('generator', 'flat'), ('stage', 'gen1')]"] >= 1
    for told in ("PORT", "c001", "Aoi", str(studio.settings.studio.state)):
        assert told not in answer.text


def test_who_is_not_on_this_machine_shows_a_token_that_may_read(
    open_studio: OpenJobStudio,
) -> None:
    studio = open_studio()
    tokens = Tokens(studio.database)
    _, reads = tokens.create("prometheus", [ApiScope.READ])
    _, submits = tokens.create("farm", [ApiScope.SUBMIT])
    far = {"x-forwarded-for": "10.1.2.3"}

    near, away = client_of(studio), client_of(studio, host="10.1.2.3")

    def ask(**headers: str) -> tuple[int, int]:
        behind = near.get("/metrics", headers={**far, **headers})
        return behind.status_code, away.get("/metrics", headers=headers).status_code

    assert ask(authorization=f"Bearer {reads.get_secret_value()}") == (200, 200)
    assert ask(authorization=f"Bearer {submits.get_secret_value()}") == (401, 401)
    assert ask(authorization="Bearer haikei_x_y") == (401, 401)
    assert ask(authorization="Basic eA==") == (401, 401)
    assert ask() == (401, 401)


def test_every_line_of_a_step_names_its_job(open_studio: OpenJobStudio) -> None:
    studio = open_studio()
    bound: list[object] = []
    generate = studio.generator.generate

    def seen(*given: object, **named: object) -> object:
        bound.append(get_contextvars())
        return generate(*given, **named)  # type: ignore[arg-type]

    studio.generator.generate = seen  # type: ignore[method-assign,assignment]
    key = studio.publish("c001")

    assert bound
    assert all(one == {"job": key, "step": "generate"} for one in bound)
    assert get_contextvars() == {}
