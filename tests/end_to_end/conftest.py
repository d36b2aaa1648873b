"""In which order the long tests come."""

import pytest

#: Modules whose tests share one studio or browser, which takes longer to start than most of them.
_SHARING = frozenset({"test_confirming", "test_gallery", "test_paint_over", "test_review_pages"})


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """
    Begin with the modules that share what takes long to start.

    Workers that have run out of tests take over the last ones of others: a module that lies there
    is taken apart, and each worker starts its own studio.
    """
    items.sort(key=lambda item: item.path.stem not in _SHARING)
