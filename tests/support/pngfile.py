"""Small real PNG files, each with content of its own."""

import struct
import zlib


def png_bytes(label: str, *, width: int = 48, height: int = 27) -> bytes:
    """Return a grey PNG with a few lines in it; another label gives other bytes."""
    rows = bytearray()
    for y in range(height):
        rows.append(0)
        rows += bytes(0 if (x * 7 + y * 3) % 19 == 0 else 255 for x in range(width))
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"".join(
        (
            b"\x89PNG\r\n\x1a\n",
            _chunk(b"IHDR", header),
            _chunk(b"tEXt", b"Comment\0" + label.encode("latin-1", "replace")),
            _chunk(b"IDAT", zlib.compress(bytes(rows))),
            _chunk(b"IEND", b""),
        )
    )


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def rewrite_chunks(content: bytes, old: bytes, new: bytes) -> bytes:
    """Return a PNG with bytes replaced in all its chunks, and their checksums made right again."""
    place, parts = 8, [content[:8]]
    while place < len(content):
        (size,) = struct.unpack(">I", content[place : place + 4])
        body = content[place + 4 : place + 8 + size].replace(old, new)
        parts.append(struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body)))
        place += 12 + size
    return b"".join(parts)
