"""
Read and write small XML documents from files that strangers made.

No document type declarations (and so no entities), no deep nesting, and a limit on size: what is
refused cannot grow in memory or reach other files.
"""

import re
from xml.etree.ElementTree import Element, ParseError, XMLParser
from xml.sax.saxutils import escape, quoteattr

from haikei.errors import MarksUnreadable

#: Bytes of one document; Photoshop's longest histories stay far below it.
LARGEST = 16 * 1024 * 1024
_DEEPEST = 64
_ENCODINGS = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
_DECLARATION = re.compile(r"^\s*<\?xml\b[^>]*\?>")
_PREFIX = re.compile(r"""xmlns:([A-Za-z_][\w.-]*)\s*=\s*["']([^"']+)["']""")
_XML = "http://www.w3.org/XML/1998/namespace"


def parse(data: bytes) -> tuple[Element, dict[str, str]]:
    """
    Return a document's root and the prefixes that it gives to namespaces, by URI.

    Raises:
        MarksUnreadable: it is too large, too deep, no XML, or declares a document type.
    """
    if len(data) > LARGEST:
        raise MarksUnreadable(f"The XMP packet has {len(data)} bytes; {LARGEST} are read at most.")
    encoding = next((name for bom, name in _ENCODINGS if data.startswith(bom)), "utf-8")
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        raise MarksUnreadable(f"The XMP packet is no text: {error}.") from error
    text = _DECLARATION.sub("", text.rstrip("\x00 \r\n\t").lstrip("\ufeff"))
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise MarksUnreadable("The XMP packet declares a document type, which no packet needs.")
    builder = _Builder()
    parser = XMLParser(target=builder)  # noqa: S314 - declarations are refused above
    try:
        parser.feed(text)
        parser.close()
    except ParseError as error:
        raise MarksUnreadable(f"The XMP packet is no XML: {error}.") from error
    if builder.root is None:
        raise MarksUnreadable("The XMP packet is empty.")
    prefixes = {uri: prefix for prefix, uri in _PREFIX.findall(text)}
    return builder.root, prefixes


class _Builder:
    """Builds the tree and refuses what nests too deep, before anything recurses into it."""

    def __init__(self) -> None:
        self.root: Element | None = None
        self._open: list[Element] = []

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if len(self._open) >= _DEEPEST:
            raise MarksUnreadable(f"The XMP packet nests deeper than {_DEEPEST} elements.")
        element = Element(tag, attributes)
        if self._open:
            self._open[-1].append(element)
        else:
            self.root = element
        self._open.append(element)

    def end(self, tag: str) -> None:
        del tag
        self._open.pop()

    def data(self, text: str) -> None:
        if not self._open:
            return
        parent = self._open[-1]
        if len(parent):
            parent[-1].tail = (parent[-1].tail or "") + text
        else:
            parent.text = (parent.text or "") + text


def serialise(root: Element, prefixes: dict[str, str]) -> str:
    """Return the document, with these prefixes where they are given and free."""
    used: dict[str, str] = {_XML: "xml"}
    for element in root.iter():
        for name in (element.tag, *element.attrib):
            uri = name[1:].partition("}")[0] if name.startswith("{") else ""
            if uri and uri not in used:
                wanted = prefixes.get(uri, "")
                free = wanted and wanted != "xml" and wanted not in used.values()
                used[uri] = wanted if free else f"n{len(used)}"
    declared = "".join(
        f" xmlns:{prefix}={quoteattr(uri)}" for uri, prefix in used.items() if uri != _XML
    )
    return _text(root, used, declared)


def _text(element: Element, used: dict[str, str], declared: str = "") -> str:
    name = _short(element.tag, used)
    attributes = "".join(
        f" {_short(key, used)}={quoteattr(value)}" for key, value in element.attrib.items()
    )
    inside = escape(element.text or "") + "".join(
        _text(child, used) + escape(child.tail or "") for child in element
    )
    start = f"<{name}{declared}{attributes}"
    return f"{start}>{inside}</{name}>" if inside else f"{start}/>"


def _short(name: str, used: dict[str, str]) -> str:
    if not name.startswith("{"):
        return name
    uri, _, local = name[1:].partition("}")
    return f"{used[uri]}:{local}"
