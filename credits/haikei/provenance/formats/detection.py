"""Tell files apart by their first bytes, never by their names."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from haikei.errors import MarksUnreadable
from haikei.formats import EXR, JPEG, PNG, PSD, TIFF, ImageFormat, Marks, format_by_content
from haikei.provenance.formats import exr, jpeg, png, psd, tiff
from haikei.provenance.formats.metadata import Metadata

#: Sidecars stand where other programs look for them: `picture.exr`, `picture.c2pa`, `picture.xmp`.
MANIFEST_SUFFIX = ".c2pa"
XMP_SUFFIX = ".xmp"


@dataclass(frozen=True, slots=True, kw_only=True)
class FileFormat:
    """How marks go into and come out of one format."""

    format: ImageFormat | None  #: None for any file that the table of formats does not hold
    read_metadata: Callable[[BinaryIO], Metadata]
    write_xmp: Callable[[BinaryIO, BinaryIO, bytes], None] | None  #: None: sidecars only

    @property
    def mime(self) -> str:
        """The media type."""
        return self.format.mime if self.format else "application/octet-stream"

    @property
    def embeds(self) -> bool:
        """Whether XMP and C2PA stand in the file itself."""
        return self.format is not None and self.format.marks is Marks.INSIDE


_FORMATS: dict[ImageFormat | None, FileFormat] = {
    one.format: one
    for one in (
        FileFormat(format=PNG, read_metadata=png.read_metadata, write_xmp=png.write_xmp),
        FileFormat(format=JPEG, read_metadata=jpeg.read_metadata, write_xmp=jpeg.write_xmp),
        FileFormat(format=TIFF, read_metadata=tiff.read_metadata, write_xmp=tiff.write_xmp),
        FileFormat(format=EXR, read_metadata=exr.read_metadata, write_xmp=None),
        FileFormat(format=PSD, read_metadata=psd.read_metadata, write_xmp=None),
    )
}


def _no_metadata(file: BinaryIO) -> Metadata:
    del file
    return Metadata(xmp=None, texts=())


#: Any other file, such as a TGA: nothing is read from it, and its manifest is a sidecar.
OTHER = FileFormat(format=None, read_metadata=_no_metadata, write_xmp=None)


def file_format(path: Path) -> FileFormat:
    """
    Return the format of a file.

    Raises:
        MarksUnreadable: the file cannot be opened.
    """
    try:
        with path.open("rb") as file:
            head = file.read(16)
    except OSError as error:
        raise MarksUnreadable(f"{path} cannot be read: {error.strerror or error}.") from error
    return _FORMATS.get(format_by_content(head), OTHER)


def read_metadata(path: Path) -> Metadata:
    """
    Return what a file holds besides its pixels.

    Raises:
        MarksUnreadable: its structure is malformed.
    """
    known = file_format(path)
    try:
        with path.open("rb") as file:
            return known.read_metadata(file)
    except MarksUnreadable as error:
        raise MarksUnreadable(f"{path}: {error.message}", advice=error.advice) from error
    except OSError as error:
        raise MarksUnreadable(f"{path} cannot be read: {error.strerror or error}.") from error


def manifest_beside(path: Path) -> Path | None:
    """Return the sidecar that holds a file's manifest, if there is one."""
    sidecar = path.with_suffix(MANIFEST_SUFFIX)
    return sidecar if sidecar.is_file() else None


def xmp_beside(path: Path) -> Path | None:
    """Return the sidecar that holds a file's XMP packet, if there is one."""
    sidecar = path.with_suffix(XMP_SUFFIX)
    return sidecar if sidecar.is_file() else None
