"""What a kernel and a file system do to a watcher that runs: watches run out, folders move."""

import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import pytest

from support.clocks import PATIENCE, eventually
from support.pictures import png_bytes
from support.watching import watched_studio, watching

#: In a user namespace of its own a limit is nobody else's.
_WATCHES = Path("/proc/sys/user/max_inotify_watches")
_FEW = 12

_SCRIPT = f"""
    import sys
    from pathlib import Path

    import structlog

    sys.path.insert(0, {str(Path(__file__).parents[1])!r})
    from support.clocks import eventually
    from support.pictures import png_bytes
    from support.watching import watched_studio, watching

    Path({str(_WATCHES)!r}).write_text("{_FEW}")
    place = watched_studio(Path(sys.argv[1]), full_walk=3600)
    place.layout("c000").write_bytes(png_bytes("c000"))
    with structlog.testing.capture_logs() as logs, watching(place):
        eventually(lambda: len(place.told()) == 1)
        before = [one["event"] for one in logs]
        for number in range(1, 25):
            place.layout(f"c{{number:03d}}").write_bytes(png_bytes(str(number)))
        eventually(lambda: len(place.told()) == 25)
        eventually(lambda: "watch_not_native" in [one["event"] for one in logs])
        place.layout("c100").write_bytes(png_bytes("c100"))
        eventually(lambda: len(place.told()) == 26)
    assert "watch_not_native" not in before
    said = [one for one in logs if one["event"] == "watch_not_native"]
    assert len(said) == 1, said
    assert "doctor" in said[0]["advice"]
"""


def _in_namespace(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["unshare", "--user", "--map-root-user", *command],
        capture_output=True,
        text=True,
        timeout=1.5 * PATIENCE,
        check=False,
    )


def test_watches_that_run_out_while_it_runs_are_said_once_and_scans_go_on(tmp_path: Path) -> None:
    try:
        allowed = _in_namespace("sh", "-c", f"echo {_FEW} > {_WATCHES}")
    except FileNotFoundError:
        pytest.skip("this system has no unshare")
    if allowed.returncode:
        pytest.skip(f"no user namespaces here: {allowed.stderr}")

    done = _in_namespace(sys.executable, "-c", textwrap.dedent(_SCRIPT), str(tmp_path))

    assert done.returncode == 0, done.stderr[-3000:]


def test_folders_that_are_renamed_while_files_land_in_them_lose_none(tmp_path: Path) -> None:
    place = watched_studio(tmp_path, full_walk=3600)
    stop = threading.Event()
    with watching(place):
        for number in range(12):
            first = place.layout(f"c{number:03d}", sequence="draft")
            first.write_bytes(png_bytes(f"{number}"))
            if number % 4 == 3:
                first.parents[2].rename(first.parents[3] / f"sq{number:02d}")
                stop.wait(0.05)
        standing = {path.parents[1].name: str(path) for path in place.show.rglob("*.png")}
        # A file that was told of before its folder moved is told of again, by its new path.
        eventually(lambda: {one.shot: one.layout for one in place.told()} == standing)

    assert len(standing) == 12


def test_a_folder_link_that_leads_to_its_own_parent_is_not_walked_for_ever(tmp_path: Path) -> None:
    place = watched_studio(tmp_path)
    path = place.layout("c001")
    path.write_bytes(png_bytes("one"))
    (path.parent / "again").symlink_to(place.show, target_is_directory=True)
    (place.show / "loop").symlink_to("loop")
    with watching(place) as watcher:
        eventually(lambda: len(place.told()) == 1)
        walks = watcher.status.walks
        eventually(lambda: watcher.status.walks > walks + 1)

        assert watcher.status.folders == 5
    assert len(place.told()) == 1
