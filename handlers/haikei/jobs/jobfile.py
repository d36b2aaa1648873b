"""Files that a job keeps in its folder, to go on from after a kill."""

from pathlib import Path

from haikei.errors import StorageUnavailable
from haikei.files import write_whole


def write_job_file(path: Path, content: bytes) -> None:
    """
    Write a file whole, or not at all.

    Raises:
        StorageUnavailable: it cannot be written.
    """
    try:
        write_whole(path, content)
    except OSError as error:
        raise StorageUnavailable(f"{path} cannot be written: {error}.") from error
