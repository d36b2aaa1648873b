"""The image formats that carry marks: where each keeps XMP and manifests."""

from haikei.provenance.formats.detection import (
    MANIFEST_SUFFIX,
    XMP_SUFFIX,
    file_format,
    read_metadata,
)

__all__ = [
    "MANIFEST_SUFFIX",
    "XMP_SUFFIX",
    "file_format",
    "read_metadata",
]
