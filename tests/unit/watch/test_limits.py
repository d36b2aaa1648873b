from pathlib import Path

from haikei.sources.watch import watch_findings
from haikei.sources.watch.observer import limit_finding, watch_limit
from support.watching import watch_settings


def _proc(folder: Path, *, watches: int, instances: int = 128) -> Path:
    (folder / "fs/inotify").mkdir(parents=True)
    (folder / "user").mkdir()
    (folder / "fs/inotify/max_user_watches").write_text(f"{watches}\n", encoding="ascii")
    (folder / "fs/inotify/max_user_instances").write_text(f"{instances}\n", encoding="ascii")
    (folder / "user/max_inotify_watches").write_text("2147483647\n", encoding="ascii")
    return folder


def test_enough_watches_are_fine(tmp_path: Path) -> None:
    finding = limit_finding(700, _proc(tmp_path, watches=1000))

    assert finding.ok
    assert "700" in finding.message
    assert "1000" in finding.message


def test_too_few_watches_are_told_with_the_setting_to_change(tmp_path: Path) -> None:
    finding = limit_finding(900, _proc(tmp_path, watches=1000))

    assert not finding.ok
    assert "fs.inotify.max_user_watches" in finding.advice


def test_a_kernel_that_tells_no_limit_has_none(tmp_path: Path) -> None:
    assert watch_limit(tmp_path / "nothing") is None
    assert limit_finding(10**9, tmp_path / "nothing").ok


def test_a_check_up_counts_folders_and_compares_both_limits(tmp_path: Path) -> None:
    (tmp_path / "show/a/b/c").mkdir(parents=True)
    settings = watch_settings(tmp_path)

    folder, watches, instances = watch_findings(
        settings, proc_sys=_proc(tmp_path / "proc", watches=3, instances=1)
    )

    assert folder.ok
    assert folder.message.startswith("4 folders on ")
    assert not watches.ok
    assert not instances.ok


def test_a_polled_tree_needs_no_watches(tmp_path: Path) -> None:
    (tmp_path / "show").mkdir()

    [folder] = watch_findings(watch_settings(tmp_path, mode="polling"))

    assert folder.ok
    assert "scans only" in folder.message


def test_a_missing_folder_is_told(tmp_path: Path) -> None:
    [folder] = watch_findings(watch_settings(tmp_path))

    assert not folder.ok
    assert folder.subject == f"watched folder {tmp_path / 'show'}"
