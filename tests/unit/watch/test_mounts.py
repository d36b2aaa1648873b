from pathlib import Path

import pytest

from haikei.settings import Watch, WatchFolder, WatchMode
from haikei.sources.watch.root import NETWORK_SETTLE, mount_of, mounts, watched_roots

LISTING = """\
22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
30 22 0:40 / /mnt/show rw,relatime shared:2 master:1 - nfs4 server:/show rw,vers=4.2
31 22 0:41 / /mnt/two\\040words rw - cifs //server/two rw
32 30 0:42 / /mnt/show/local rw - xfs /dev/vdb rw
33 22 0:43 / /mnt/over rw - ext4 /dev/vdc rw
34 22 0:44 / /mnt/over rw - fuse.sshfs me@host: rw
a line that means nothing
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/home/artist", "ext4"),
        ("/mnt/show", "nfs4"),
        ("/mnt/show/port/c001", "nfs4"),
        ("/mnt/showreel", "ext4"),
        ("/mnt/two words/port", "cifs"),
        ("/mnt/show/local/port", "xfs"),
        ("/mnt/over/port", "fuse.sshfs"),
    ],
)
def test_a_path_lies_on_the_nearest_and_latest_mount(path: str, kind: str) -> None:
    mount = mount_of(Path(path), LISTING)

    assert mount is not None
    assert mount.kind == kind


@pytest.mark.parametrize(
    ("kind", "network"),
    [("ext4", False), ("xfs", False), ("tmpfs", False), ("overlay", False)]
    + [(kind, True) for kind in ("nfs", "nfs4", "cifs", "smb3", "fuse.sshfs", "fuseblk", "9p")],
)
def test_file_systems_of_other_machines_are_told_apart(kind: str, *, network: bool) -> None:
    [mount] = mounts(f"1 0 0:1 / / rw - {kind} none rw")

    assert mount.is_network is network


def test_this_machine_lists_a_mount_for_every_path(tmp_path: Path) -> None:
    assert mount_of(tmp_path) is not None


@pytest.mark.parametrize(
    ("mode", "path", "native", "settle"),
    [
        (WatchMode.AUTO, "/home/artist", True, 2.0),
        (WatchMode.AUTO, "/mnt/show", False, NETWORK_SETTLE),
        (WatchMode.POLLING, "/home/artist", False, 2.0),
        (WatchMode.NATIVE, "/mnt/show", True, NETWORK_SETTLE),
    ],
)
def test_the_mode_and_the_mount_say_how_a_tree_is_watched(
    mode: WatchMode, path: str, *, native: bool, settle: float
) -> None:
    watch = Watch(folders=(WatchFolder(path=Path(path)),), mode=mode, settle=2.0)

    [root] = watched_roots(watch, LISTING)

    assert (root.native, root.settle) == (native, settle)
    assert root.local is (path == "/home/artist")
