"""How proofs are spread over the workers."""

import pytest


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let one worker have all proofs that need the Kitsu server, which takes long to start."""
    for item in items:
        if item.path.stem.startswith("test_kitsu"):
            item.add_marker(pytest.mark.xdist_group("kitsu"))
