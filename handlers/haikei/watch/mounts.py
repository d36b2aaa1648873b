"""On what kind of file system a path lies, as the kernel lists its mounts."""

import re
from dataclasses import dataclass
from pathlib import Path

MOUNTINFO = Path("/proc/self/mountinfo")

#: File systems whose other clients' changes the kernel here never hears of.
_NETWORK = re.compile(
    r"nfs\d*|cifs|smb\d*|smbfs|fuse.*|9p|afs|ceph|lustre|gpfs|beegfs|glusterfs|ncpfs|virtiofs"
    r"|vboxsf|prl_fs|vmhgfs"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mount:
    """One mounted file system."""

    point: Path
    kind: str  #: such as `ext4`, `nfs4`, `fuse.sshfs`

    @property
    def is_network(self) -> bool:
        """Whether changes can come from machines whose changes are not told here."""
        return _NETWORK.fullmatch(self.kind) is not None


def mounts(listing: str) -> tuple[Mount, ...]:
    """
    Return the mounts in the text of /proc/self/mountinfo, in its order.

    Source: proc_pid_mountinfo(5). Spaces in paths are written as octal escapes.
    """
    found: list[Mount] = []
    for line in listing.splitlines():
        before, _, after = line.partition(" - ")
        fields, kind = before.split(" "), after.partition(" ")[0]
        if len(fields) > 4 and kind:
            found.append(Mount(point=Path(_unescape(fields[4])), kind=kind))
    return tuple(found)


def mount_of(path: Path, listing: str | None = None) -> Mount | None:
    """
    Return the mount that `path` lies on; None where the kernel lists no mounts.

    Of several mounts over the same point the last one is seen.
    """
    if listing is None:
        try:
            listing = MOUNTINFO.read_text(encoding="utf-8", errors="surrogateescape")
        except OSError:
            return None
    real = path.resolve()
    best: Mount | None = None
    for mount in mounts(listing):
        if real.is_relative_to(mount.point) and (
            best is None or len(mount.point.parts) >= len(best.point.parts)
        ):
            best = mount
    return best


def _unescape(text: str) -> str:
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), text)
