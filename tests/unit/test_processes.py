"""The supervisor says when what its processes read has changed."""

import os
from pathlib import Path

from haikei.processes import ReadFiles


def test_a_file_that_changed_came_or_went_since_the_start_is_named_once(tmp_path: Path) -> None:
    changed, same, gone, new = (tmp_path / name for name in "abcd")
    for file in (changed, same, gone):
        file.write_text("one", encoding="utf-8")
    files = ReadFiles((changed, same, gone, new))

    assert files.changed() == ()
    changed.write_text("two", encoding="utf-8")
    os.utime(changed, ns=(1, 1))
    gone.unlink()
    new.write_text("one", encoding="utf-8")

    assert files.changed() == (changed, gone, new)
    assert files.changed() == ()
