"""Which projects are heeded: those that are named, by either name, or all."""

import unicodedata

import pytest

from haikei.settings import Tracker


@pytest.mark.parametrize(
    ("projects", "names", "heeded"),
    [
        ((), ("PORT", "The Port"), True),
        ((), (), True),
        (("PORT",), ("PORT", "The Port"), True),
        (("the port",), ("PORT", "The Port"), True),
        (("PORT",), ("", "port"), True),
        (("PORT",), ("PORT2", "The Port"), False),
        (("PORT",), ("", ""), False),
        (("PORT", "ガラス"), (unicodedata.normalize("NFD", "ガラス"),), True),
    ],
)
def test_a_project_is_heeded_by_either_of_its_names(
    projects: tuple[str, ...], names: tuple[str, ...], *, heeded: bool
) -> None:
    assert Tracker(projects=projects).heeds(*names) == heeded
