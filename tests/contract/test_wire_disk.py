"""A disk without room is said to the client, and rows stay as they were."""

from pathlib import Path
from typing import Any, Literal

import pytest
import shotgun_api3

from haikei.sgserver.http.hosting import SiteOptions
from support.sites import running_site

# The official client opens each file that it uploads and never closes it.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")


@pytest.mark.parametrize("uploads", ["classic", "cloud"])
def test_a_full_disk_is_the_reason_that_the_client_shows(
    tmp_path: Path, uploads: Literal["classic", "cloud"]
) -> None:
    source = tmp_path / "layout.bin"
    source.write_bytes(b"x" * 1000)
    options = SiteOptions(uploads=uploads, reserve=2**62)
    with running_site(tmp_path, options=options) as site:
        sg = site.connect()
        project: Any = sg.create("Project", {"name": "Port Town"})

        with pytest.raises(shotgun_api3.ShotgunError, match=r"disk is full|507"):
            sg.upload("Project", project["id"], str(source))

        assert sg.find("Attachment", []) == []
