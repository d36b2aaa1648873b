"""What holds for every test: a clean environment, and logs as they are out of the box."""

import os
from collections.abc import Iterator

import coverage
import hypothesis
import pytest
import structlog

from support.databases import close_databases

# How long an example takes says how busy the machine is.
hypothesis.settings.register_profile(
    "haikei", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("haikei")


@pytest.fixture(scope="session", autouse=True)
def clean_environment() -> Iterator[None]:
    """Take the developer's own settings away, before any studio of a whole module starts."""
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.startswith("HAIKEI_") or name.lower().endswith("_proxy"):
                patch.delenv(name)
        # A key of the developer's own would open whatever tracker listens on this machine.
        patch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
        yield


@pytest.fixture(autouse=True)
def clean_logs() -> Iterator[None]:
    yield
    structlog.reset_defaults()


@pytest.fixture(autouse=True)
def closed_databases() -> Iterator[None]:
    """Close what a test has opened: Python 3.13 reports connections that nobody closes."""
    yield
    close_databases()


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish() -> None:
    """Keep what `make test COVERAGE=yes` measured in a worker before the worker is ended."""
    # xdist kills workers ten seconds after their last test: on a busy machine that is too soon
    # for what coverage writes when a process ends, and half of all lines looked untested.
    measuring = coverage.Coverage.current()
    if measuring is not None and "PYTEST_XDIST_WORKER" in os.environ:
        measuring.stop()
        measuring.save()
