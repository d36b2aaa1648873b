"""A show of which a client has received a bundle, and the script that an auditor runs on it."""

import dataclasses
import hashlib
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from haikei.credits import BackgroundVersion
from haikei.database import reading
from haikei.ledger import (
    Bundled,
    EntrySelection,
    NoteSigner,
    export_bundle,
    seal,
    select_entries,
    send_out,
)
from haikei.ledger.selection import published_files
from haikei.provenance import MarkSigner
from support.records import LedgerStudio, a_background, a_chain, save_background
from support.signing import four_steps


@dataclass(frozen=True, slots=True)
class Verdict:
    """How the auditor's script ended, and what it printed."""

    code: int
    text: str


def run(script: Path, *arguments: object) -> Verdict:
    """Run the script as an outsider would: another Python, nothing installed."""
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-W", "error", str(script), *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        cwd=script.parent,
    )
    assert "Traceback" not in done.stderr
    return Verdict(done.returncode, done.stdout + done.stderr)


@dataclass(frozen=True, slots=True, kw_only=True)
class Show:
    """A show with published files, sealed, and what a client has received of it."""

    studio: LedgerStudio
    version: BackgroundVersion
    bundle: Path
    done: Bundled
    old: Path  #: a checkpoint that the client received before
    key: str


def with_files(studio: LedgerStudio, version: BackgroundVersion) -> BackgroundVersion:
    """Publish a marked file for each image; the two generations are OpenEXR with sidecars."""
    root = studio.settings.storage.roots[0].path
    signer = MarkSigner.from_settings(studio.settings)
    made = four_steps(root / "show" / version.shot, signer, stages="exr")
    files = (made.layout, made.first, made.second, made.final)
    new = {
        image.sha256: hashlib.sha256(marked.path.read_bytes()).hexdigest()
        for image, marked in zip(version.images, files, strict=True)
    }
    return dataclasses.replace(
        version,
        images=tuple(
            dataclasses.replace(
                image,
                sha256=new[image.sha256],
                path=str(marked.path.relative_to(root)),
                ingredients=tuple(
                    dataclasses.replace(one, sha256=new[one.sha256]) for one in image.ingredients
                ),
            )
            for image, marked in zip(version.images, files, strict=True)
        ),
    )


def make_show(studio: LedgerStudio, folder: Path, shot: str = "c001") -> Show:
    """Publish two cuts, one with files and of this name; export it, and seal what follows."""
    with studio.database.begin() as connection:
        told = with_files(studio, a_background(shot, images=a_chain(shot)))
        version = save_background(connection, told)
        save_background(connection, a_background("c002", images=a_chain("c002")))
    for _ in range(3):
        studio.add(1)
        seal(studio.database, studio.signer)
    assert send_out(studio.database, [studio.drop])
    bundle = folder / "bundle.zip"
    done = export(studio, bundle, EntrySelection(project="akane", shot=shot), files=True)
    old = studio.drop.folder / f"checkpoint-{studio.drop.held()[0]}.txt"
    return Show(
        studio=studio,
        version=version,
        bundle=bundle,
        done=done,
        old=old,
        key=str(studio.signer.key),
    )


def export(
    studio: LedgerStudio, target: Path, selection: EntrySelection, *, files: bool = False
) -> Bundled:
    """Export a bundle as the command does."""
    roots = [root.path for root in studio.settings.storage.roots]
    with reading(studio.database) as connection:
        seqs = select_entries(connection, selection)
        found, missing = published_files(connection, seqs, roots) if files else ((), ())
        assert not missing
        return export_bundle(connection, seqs, target=target, signer=studio.signer, files=found)


def changed(
    bundle: Path,
    target: Path,
    change: Callable[[dict[str, bytes]], None],
    signer: NoteSigner | None = None,
) -> Path:
    """
    Return a copy of a bundle of which the members were changed.

    With a signer, whoever changes it holds the studio's key, and signs the list of members anew.
    """
    with zipfile.ZipFile(bundle) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    change(members)
    if signer is not None:
        members.pop("contents", None)
        lines = [
            f"{hashlib.sha256(content).hexdigest()}  {name}"
            for name, content in sorted(members.items())
        ]
        members["contents"] = signer.sign("\n".join(("haikei-bundle/1", *lines, ""))).encode()
    with zipfile.ZipFile(target, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return target
