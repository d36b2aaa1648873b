"""Which local storage a path belongs to, and what is kept of it."""

from typing import Any

import pytest

from haikei.sgserver.credentials import Caller
from haikei.sgserver.site import Site
from haikei.sgserver.values import Fault
from support.sites import link, number


def publish(site: Site, me: Caller, project: dict[str, Any], path: Any) -> dict[str, Any]:
    row = site.create(me, "PublishedFile", {"project": project, "path": path})
    found = site.find_one(me, "PublishedFile", [["id", "is", row["id"]]], ["path_cache_storage"])
    assert found is not None
    kept: Any = row["path"]
    return {**kept, "cache": found["path_cache_storage"]}


def storage(site: Site, me: Caller, code: str, root: str, **more: Any) -> dict[str, Any]:
    return link(site.create(me, "LocalStorage", {"code": code, "linux_path": root, **more}))


@pytest.mark.parametrize(
    "sent",
    [
        "/mnt/show/seq/plate.v001.exr",
        "/Volumes/show/seq/plate.v001.exr",
        "Z:/show/seq/plate.v001.exr",
        None,
    ],
)
def test_a_path_under_any_platforms_root_reads_on_all_of_them(
    site: Site, me: Caller, project: dict[str, Any], sent: str | None
) -> None:
    root = storage(
        site, me, "main", "/mnt/show/", mac_path="/Volumes/show", windows_path="Z:\\show"
    )
    relative = {"relative_path": "seq/plate.v001.exr", "local_storage": root}
    kept = publish(site, me, project, relative if sent is None else {"local_path": sent})
    named = {**root, "name": "main"}
    assert kept == {
        "link_type": "local",
        "name": "plate.v001.exr",
        "content_type": kept["content_type"],
        "local_storage": named,
        "relative_path": "seq/plate.v001.exr",
        "local_path_mac": "/Volumes/show/seq/plate.v001.exr",
        "local_path_windows": "Z:\\show\\seq\\plate.v001.exr",
        "local_path_linux": "/mnt/show/seq/plate.v001.exr",
        "type": "Attachment",
        "id": kept["id"],
        "cache": named,
    }
    minted = site.find_one(me, "Attachment", [["id", "is", kept["id"]]], ["project", "this_file"])
    assert minted is not None
    assert minted["project"] == project


def test_the_deepest_root_wins_and_of_equal_ones_the_newest(
    site: Site, me: Caller, project: dict[str, Any]
) -> None:
    deep = storage(site, me, "deep", "/n/sub")
    flat = storage(site, me, "flat", "/n")
    storage(site, me, "twin", "/d")
    twin = storage(site, me, "twin 2", "/d")

    def chosen(path: str) -> Any:
        return link(publish(site, me, project, {"local_path": path})["local_storage"])

    assert chosen("/n/sub/deep/a.exr") == deep
    assert chosen("/n/other/a.exr") == flat
    assert chosen("/n/subway/a.exr") == flat
    assert chosen("/d/a.exr") == twin
    site.delete(me, "LocalStorage", number(twin))
    assert chosen("/d/a.exr") != twin


@pytest.mark.parametrize(
    ("path", "code", "words"),
    [
        (
            {"local_path": "/nowhere/a.exr"},
            104,
            "Create failed for [Attachment]: Path /nowhere/a.exr doesn't match any defined Local",
        ),
        ({"local_path": "\\mnt\\show\\a.exr"}, 104, "doesn't match any defined Local Storage."),
        ({"local_path": "/mnt/show/../x.exr"}, 104, "doesn't match any defined Local Storage."),
        ({"local_path": "/mnt/show2/x.exr"}, 104, "doesn't match any defined Local Storage."),
        ({"local_path": 5}, 104, "doesn't match any defined Local Storage."),
        ({"relative_path": "a.exr"}, 103, "invalid/missing url hash string 'url'"),
        ("/mnt/show/a.exr", 103, "PublishedFile.path expected [Hash, "),
    ],
)
def test_a_path_that_fits_nowhere_is_refused(
    site: Site, me: Caller, project: dict[str, Any], path: Any, code: int, words: str
) -> None:
    storage(site, me, "main", "/mnt/show")
    with pytest.raises(Fault) as caught:
        publish(site, me, project, path)
    assert caught.value.code == code
    assert words in caught.value.message
    assert site.find(me, "Attachment") == []


@pytest.mark.parametrize("relative", ["a\\b.exr", "../b.exr", "/b.exr", "", 5])
def test_a_relative_path_stays_below_its_root(
    site: Site, me: Caller, project: dict[str, Any], relative: Any
) -> None:
    root = storage(site, me, "main", "/mnt/show")
    with pytest.raises(Fault, match="invalid/missing relative_path hash string 'relative_path'"):
        publish(site, me, project, {"relative_path": relative, "local_storage": root})
    gone = {"relative_path": "a.exr", "local_storage": {"type": "LocalStorage", "id": 99_999}}
    with pytest.raises(Fault, match="doesn't exist"):
        publish(site, me, project, gone)


def test_each_path_and_each_web_link_makes_an_attachment_of_its_own(
    site: Site, me: Caller, project: dict[str, Any]
) -> None:
    storage(site, me, "main", "/mnt/show")
    row = site.create(me, "PublishedFile", {"project": project})
    ids: set[Any] = set()
    for value in (
        {"local_path": "/mnt/show/a"},
        {"local_path": "/mnt/show/a"},
        {"url": "https://x/y"},
    ):
        path: Any = site.update(me, "PublishedFile", number(row), {"path": value})["path"]
        ids.add(path["id"])
    assert len(ids) == 3
    assert path == {
        "url": "https://x/y",
        "name": "https://x/y",
        "content_type": None,
        "link_type": "web",
        "type": "Attachment",
        "id": path["id"],
    }
    own = site.create(me, "Attachment", {"this_file": {"url": "https://x/z", "name": "z"}})
    shown: Any = own["this_file"]
    assert shown["id"] == own["id"]
    assert len(site.find(me, "Attachment")) == 4
