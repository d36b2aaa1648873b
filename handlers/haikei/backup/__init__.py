"""Copies of a studio's whole state, and the way back from one."""

from haikei.backup.adoption import Adopted, adopt
from haikei.backup.archive import BackupMade, make_backup
from haikei.backup.restore import (
    PENDING,
    BackupChecked,
    check_backup,
    pending_restore,
    put_back,
)

__all__ = [
    "PENDING",
    "Adopted",
    "BackupChecked",
    "BackupMade",
    "adopt",
    "check_backup",
    "make_backup",
    "pending_restore",
    "put_back",
]
