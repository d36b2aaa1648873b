"""The contact sheets of a day: layout and result of each version, side by side."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from haikei.credits import BackgroundVersion
from haikei.images.contactsheet import SheetRow, write_sheet
from haikei.jobs.reporting import published_files
from haikei.settings import Settings

COLUMNS, LINES, CELL_WIDTH = 3, 8, 320


def write_sheets(
    settings: Settings, versions: Sequence[BackgroundVersion], day: str, folder: Path
) -> Iterator[Path]:
    """
    Write as many JPEG sheets as the versions need, one at a time.

    Args:
        settings: where published files stand.
        versions: in the order in which they are watched.
        day: names the files.
        folder: where to.

    Raises:
        StorageUnavailable: the disk does not take a sheet.
    """
    find = published_files(settings)
    root = settings.storage.roots[0].path
    size = COLUMNS * LINES
    for start in range(0, len(versions), size):
        rows = [
            SheetRow(
                title=version.code,
                caption=f"{version.season}, {version.time} · {version.state.value}",
                pictures=tuple(
                    find(image.path) or root / image.path
                    for image in (version.images[0], version.final)
                ),
            )
            for version in versions[start : start + size]
        ]
        number = f" {start // size + 1}" if len(versions) > size else ""
        path = folder / f"Contact sheet {day}{number}.jpg"
        write_sheet(rows, path, columns=min(COLUMNS, len(rows)), cell_width=CELL_WIDTH)
        yield path
