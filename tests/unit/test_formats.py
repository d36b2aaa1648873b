"""One table says what every part believes of an image format."""

from pathlib import Path
from typing import get_args

import OpenImageIO as oiio
import pytest

from haikei.formats import (
    FORMATS,
    READABLE_ENDINGS,
    Ending,
    Marks,
    format_by_content,
    format_of,
    is_readable,
    markdown,
)
from haikei.provenance.formats.detection import file_format
from haikei.settings.studio import Storage, Watch
from haikei.sgserver.media.thumbnails import can_show
from haikei.sources.watch.inspecting import needs_decoding

READ = [known for known in FORMATS if known.is_read]


def test_no_two_formats_share_an_ending() -> None:
    endings = [ending for known in FORMATS for ending in known.endings]

    assert len(set(endings)) == len(endings)
    assert all(ending == ending.lower() and "." not in ending for ending in endings)


def test_what_is_read_is_watched_shown_and_openable() -> None:
    library = oiio.get_string_attribute("extension_list")
    openable = dict(part.split(":") for part in library.split(";"))

    assert Watch().extensions == READABLE_ENDINGS
    for known in READ:
        for ending in known.endings:
            assert ending in openable[known.oiio].split(",")
            assert can_show(f"a.{ending}")
            assert is_readable(Path(f"a.{ending.upper()}"))


def test_backgrounds_are_published_only_in_formats_that_are_written() -> None:
    choices = get_args(Storage.model_fields["format"].annotation)

    assert choices
    for ending in choices:
        known = format_of(f"a.{ending}")
        assert known is not None
        assert known.written
        assert known.endings[0] == ending


@pytest.mark.parametrize("known", READ, ids=lambda known: known.name)
def test_marks_go_where_the_table_says(known: object, tmp_path: Path) -> None:
    found = next(one for one in READ if one is known)
    path = tmp_path / "picture"
    path.write_bytes(found.signatures[0] + bytes(32) if found.signatures else bytes(32))
    handler = file_format(path)

    assert handler.embeds is (found.marks is Marks.INSIDE)
    assert (handler.write_xmp is not None) is handler.embeds
    if found.signatures:
        assert handler.mime == found.mime


def test_only_formats_without_a_cheaper_sign_are_decoded_to_see_their_end() -> None:
    for known in READ:
        for ending in known.endings:
            assert needs_decoding(Path(f"a.{ending}")) is (known.ending is Ending.DECODING)


def test_content_tells_a_format_whatever_its_name() -> None:
    assert {format_by_content(sign + bytes(16)) for one in FORMATS for sign in one.signatures} == {
        one for one in FORMATS if one.signatures
    }
    assert format_by_content(b"hello") is None
    assert format_of("archive.tar.gz") is None


def test_the_documentation_shows_the_table() -> None:
    page = Path(__file__).parents[2] / "docs" / "reference" / "formats.md"

    assert markdown() in page.read_text(encoding="utf-8")
