"""Write a document to a file: whole or not at all, and never over another by accident."""

import gc
import os
import threading
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from itertools import chain
from pathlib import Path

from haikei.errors import ReportError
from haikei.printable import escaped, printable
from haikei.reports.document.blocks import Document
from haikei.reports.report import Format

#: Objects that are made before Python looks for cycles among them; by itself it looks at 700.
_COLLECT_EVERY = 50_000


def collect_rarely() -> None:
    """
    Let this process look for cycles of objects less often, as fits one that only writes a report.

    A report on a large show makes millions of short-lived objects without cycles: looking for them
    takes a quarter of its time.
    """
    gc.freeze()
    gc.set_threshold(_COLLECT_EVERY)


def write_report(
    document: Document, form: Format, path: Path, *, force: bool = False
) -> tuple[Path, ...]:
    """
    Write the document and return the files that now stand.

    A report of several PNG cards goes into files beside `path`, each named after its card. One that
    is signed has its signature beside it.

    Args:
        document: it is read to its end.
        form: the format; it does not follow from the path's ending.
        path: the file; its folder is made.
        force: replace a file of that name.

    Raises:
        ReportError: a file stands there already, or cannot be written, or the document does not
            suit the format. Nothing is left half-written.
    """
    if form is Format.PNG:
        return _cards(document, path, force=force)
    with _whole(path, force=force) as temporary:
        if form is Format.PDF:
            from haikei.reports.formats.pdf import write_pdf

            write_pdf(document, temporary)
        else:
            leave = escaped if form is Format.JSON else printable
            # Excel needs a byte-order mark for Japanese.
            encoding = "utf-8-sig" if form is Format.CSV else "utf-8"
            with temporary.open("w", encoding=encoding, newline="") as file:
                file.writelines(map(leave, _writer(form)(document)))
    return (path,) if document.sign is None else (path, document.sign(path))


def _writer(form: Format) -> Callable[[Document], Iterable[str]]:
    match form:
        case Format.HTML:
            from haikei.reports.formats.html import html

            return html
        case Format.CSV:
            from haikei.reports.formats.csv_file import csv_file

            return csv_file
        case Format.JSON:
            from haikei.reports.formats.json_file import json_file

            return json_file
        case Format.TXT:
            from haikei.reports.formats.text import text

            return text
        case _:
            raise AssertionError("unreachable")


def _cards(document: Document, path: Path, *, force: bool) -> tuple[Path, ...]:
    from haikei.reports.formats.png_file import png

    cards = png(document)
    first, second = next(cards), next(cards, None)
    if second is None:
        with _whole(path, force=force) as temporary:
            temporary.write_bytes(first.png)
        return (path,)
    return tuple(
        _card(path, card.name, card.png, force=force) for card in chain((first, second), cards)
    )


def _card(path: Path, name: str, content: bytes, *, force: bool) -> Path:
    place = path.with_name(f"{path.stem}-{name}{path.suffix or '.png'}")
    with _whole(place, force=force) as temporary:
        temporary.write_bytes(content)
    return place


@contextmanager
def _whole(path: Path, *, force: bool) -> Generator[Path]:
    """Yield a file beside `path` that takes its name when nothing went wrong."""
    if path.exists() and not force:
        raise _occupied(path)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield temporary
            _name(temporary, path, force=force)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise ReportError(
            f"{path} cannot be written: {error.strerror or error}.",
            advice="Check that its folder is writable and has free space.",
        ) from error


def _name(temporary: Path, path: Path, *, force: bool) -> None:
    if not force:
        try:
            # Unlike a rename, a link never replaces what came to stand there meanwhile.
            os.link(temporary, path)
        except FileExistsError as error:
            raise _occupied(path) from error
        except OSError:
            # Some file systems know no links; there the look before has to do.
            if path.exists():
                raise _occupied(path) from None
        else:
            return
    temporary.replace(path)


def _occupied(path: Path) -> ReportError:
    return ReportError(
        f"{path} stands already.", advice="Name another with --out, or replace it with --force."
    )
