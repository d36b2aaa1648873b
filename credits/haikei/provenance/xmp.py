"""
XMP packets (ISO 16684-1) with the IPTC Photo Metadata Standard 2025.1's fields, from
files that strangers made.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from xml.etree.ElementTree import Element, ParseError, SubElement, XMLParser
from xml.sax.saxutils import escape, quoteattr

from haikei.errors import MarksUnreadable
from haikei.printable import printable
from haikei.provenance.filemarks import NamedPerson, XmpMarks

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


RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
DC = "http://purl.org/dc/elements/1.1/"
XMP = "http://ns.adobe.com/xap/1.0/"
PHOTOSHOP = "http://ns.adobe.com/photoshop/1.0/"
IPTC_EXT = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
PLUS = "http://ns.useplus.org/ldf/xmp/1.0/"
_META = "adobe:ns:meta/"
_PREFIXES = {
    RDF: "rdf",
    DC: "dc",
    XMP: "xmp",
    PHOTOSHOP: "photoshop",
    IPTC_EXT: "Iptc4xmpExt",
    PLUS: "plus",
    _META: "x",
    "http://ns.adobe.com/xap/1.0/mm/": "xmpMM",
    "http://ns.adobe.com/xap/1.0/sType/ResourceEvent#": "stEvt",
    "http://ns.adobe.com/xap/1.0/sType/ResourceRef#": "stRef",
    "http://ns.adobe.com/tiff/1.0/": "tiff",
    "http://ns.adobe.com/exif/1.0/": "exif",
    "http://ns.adobe.com/xmp/note/": "xmpNote",
}
_HEAD = '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
_TAIL = '<?xpacket end="w"?>'
#: PLUS LDF vocabulary 2.0.1, https://ns.useplus.org/LDF/ldf-XMPSpecification
_MINING = {"forbidden": "DMI-PROHIBITED", "allowed": "DMI-ALLOWED"}
_MINING_URI = "http://ns.useplus.org/ldf/vocab/"


@dataclass(frozen=True, slots=True, kw_only=True)
class XmpStatement:
    """What is written into a packet."""

    title: str
    digital_source_type: str  #: a URI of the vocabulary; empty leaves what stands
    ai_systems: tuple[tuple[str, str], ...]  #: names and versions of trained models
    prompt: str
    prompt_writer: str
    creators: tuple[str, ...]  #: people only
    contributors: tuple[NamedPerson, ...]
    credit: str
    mining: Literal["forbidden", "allowed", "unsaid"]
    tool: str  #: written only where no other program named itself
    at: datetime


def build(statement: XmpStatement, existing: bytes | None = None) -> bytes:
    """
    Return a packet that says this, and all else that an existing packet says.

    Raises:
        MarksUnreadable: the existing packet is no XMP.
    """
    prefixes = dict(_PREFIXES)
    if existing is None:
        meta = Element(f"{{{_META}}}xmpmeta")
        rdf = SubElement(meta, f"{{{RDF}}}RDF")
    else:
        meta, found = parse(existing)
        rdf = _rdf(meta)
        if meta.tag != f"{{{_META}}}xmpmeta":
            meta = Element(f"{{{_META}}}xmpmeta")
            meta.append(rdf)
        prefixes = {**found, **prefixes}
    _write(_Properties(rdf), statement)
    return f"{_HEAD}\n{serialise(meta, prefixes)}\n{_TAIL}".encode()


def read(packet: bytes) -> XmpMarks:
    """
    Return the properties of a packet that tell of a picture's making.

    Raises:
        MarksUnreadable: it is no XMP.
    """
    root, _ = parse(packet)
    known = _Properties(_rdf(root))
    return XmpMarks(
        digital_source_type=known.text(IPTC_EXT, "DigitalSourceType"),
        ai_system=known.text(IPTC_EXT, "AISystemUsed"),
        ai_system_version=known.text(IPTC_EXT, "AISystemVersionUsed"),
        ai_prompt=known.text(IPTC_EXT, "AIPromptInformation"),
        ai_prompt_writer=known.text(IPTC_EXT, "AIPromptWriterName"),
        creators=known.texts(DC, "creator"),
        contributors=known.people(IPTC_EXT, "Contributor"),
        credit=known.text(PHOTOSHOP, "Credit"),
        data_mining=known.text(PLUS, "DataMining"),
        creator_tool=known.text(XMP, "CreatorTool"),
        title=known.text(DC, "title"),
    )


def _rdf(root: Element) -> Element:
    found = root if root.tag == f"{{{RDF}}}RDF" else root.find(f"{{{RDF}}}RDF")
    if found is None:
        raise MarksUnreadable("The XMP packet holds no rdf:RDF element.")
    return found


def _write(properties: "_Properties", statement: XmpStatement) -> None:
    moment = statement.at.isoformat(timespec="seconds")
    names = ", ".join(dict.fromkeys(name for name, _ in statement.ai_systems))
    versions = ", ".join(dict.fromkeys(version for _, version in statement.ai_systems if version))
    if statement.digital_source_type:
        properties.put(IPTC_EXT, "DigitalSourceType", statement.digital_source_type)
    properties.put(IPTC_EXT, "AISystemUsed", names)
    properties.put(IPTC_EXT, "AISystemVersionUsed", versions)
    properties.put(IPTC_EXT, "AIPromptInformation", statement.prompt)
    properties.put(IPTC_EXT, "AIPromptWriterName", statement.prompt_writer)
    properties.put(PHOTOSHOP, "Credit", statement.credit)
    mining = _MINING.get(statement.mining)
    if mining is not None:
        properties.put(PLUS, "DataMining", _MINING_URI + mining)
    properties.put_list(DC, "creator", "Seq", statement.creators)
    properties.put_languages(DC, "title", {"x-default": statement.title})
    properties.put_people(IPTC_EXT, "Contributor", statement.contributors)
    if not properties.text(XMP, "CreatorTool").strip():
        properties.put(XMP, "CreatorTool", statement.tool)
    # Image libraries write a moment that they do not know with blanks.
    if not properties.text(XMP, "CreateDate").strip()[:4].isdigit():
        properties.put(XMP, "CreateDate", moment)
    properties.put(XMP, "MetadataDate", moment)


class _Properties:
    """The properties of all rdf:Description elements of one packet, in any of XMP's forms."""

    def __init__(self, rdf: Element) -> None:
        self._rdf = rdf
        self._ours: Element | None = None

    def text(self, namespace: str, name: str) -> str:
        values = self.texts(namespace, name)
        return values[0] if values else ""

    def texts(self, namespace: str, name: str) -> tuple[str, ...]:
        key = f"{{{namespace}}}{name}"
        for description in self._descriptions():
            if key in description.attrib:
                return (description.attrib[key],)
            for element in description.findall(key):
                return _texts(element)
        return ()

    def people(self, namespace: str, name: str) -> tuple[NamedPerson, ...]:
        found: list[NamedPerson] = []
        for description in self._descriptions():
            for item in description.iterfind(f"{{{namespace}}}{name}/*/{{{RDF}}}li"):
                fields = _Properties(item)
                languages = fields.languages(namespace, "Name")
                default = languages.get("en") or languages.get("x-default", "")
                found.append(
                    NamedPerson(
                        name=default or next(iter(languages.values()), ""),
                        name_ja=languages.get("ja", ""),
                        roles=fields.texts(namespace, "Role"),
                        id=fields.text(namespace, "Identifier"),
                    )
                )
        return tuple(found)

    def languages(self, namespace: str, name: str) -> dict[str, str]:
        found: dict[str, str] = {}
        for description in self._descriptions():
            for item in description.iterfind(f"{{{namespace}}}{name}/*/{{{RDF}}}li"):
                found.setdefault(
                    item.get(f"{{{_XML}}}lang", "x-default"), (item.text or "").strip()
                )
        return found

    def put(self, namespace: str, name: str, value: str) -> None:
        element = self._fresh(namespace, name, wanted=bool(value))
        if element is not None:
            element.text = _legal(value)

    def put_list(self, namespace: str, name: str, kind: str, values: tuple[str, ...]) -> None:
        element = self._fresh(namespace, name, wanted=bool(values))
        if element is not None:
            _fill(element, kind, values)

    def put_languages(self, namespace: str, name: str, values: dict[str, str]) -> None:
        element = self._fresh(namespace, name, wanted=bool(values))
        if element is not None:
            _fill_languages(element, values)

    def put_people(self, namespace: str, name: str, people: tuple[NamedPerson, ...]) -> None:
        element = self._fresh(namespace, name, wanted=bool(people))
        if element is None:
            return
        bag = SubElement(element, f"{{{RDF}}}Bag")
        for person in people:
            item = SubElement(bag, f"{{{RDF}}}li", {f"{{{RDF}}}parseType": "Resource"})
            languages = {"x-default": person.name, "en": person.name}
            if person.name_ja:
                languages["ja"] = person.name_ja
            _fill_languages(SubElement(item, f"{{{namespace}}}Name"), languages)
            _fill(SubElement(item, f"{{{namespace}}}Role"), "Bag", person.roles)
            if person.id:
                _fill(SubElement(item, f"{{{namespace}}}Identifier"), "Bag", (person.id,))

    def _descriptions(self) -> list[Element]:
        # A structure is written with or without an rdf:Description of its own.
        nested = self._rdf.findall(f"{{{RDF}}}Description")
        return nested or [self._rdf]

    def _fresh(self, namespace: str, name: str, *, wanted: bool) -> Element | None:
        key = f"{{{namespace}}}{name}"
        for description in self._rdf.findall(f"{{{RDF}}}Description"):
            description.attrib.pop(key, None)
            for element in description.findall(key):
                description.remove(element)
        if not wanted:
            return None
        if self._ours is None:
            # All descriptions of one packet are about the same thing, by the same name.
            first = self._rdf.find(f"{{{RDF}}}Description")
            key_about = f"{{{RDF}}}about"
            about = "" if first is None else first.get(key_about, "")
            self._ours = SubElement(self._rdf, f"{{{RDF}}}Description", {key_about: about})
        return SubElement(self._ours, key)


def _texts(element: Element) -> tuple[str, ...]:
    items = element.findall(f"*/{{{RDF}}}li")
    if items:
        return tuple((item.text or "").strip() for item in items)
    text = (element.text or "").strip() or element.get(f"{{{RDF}}}resource", "")
    return (text,) if text else ()


def _fill(element: Element, kind: str, values: tuple[str, ...]) -> None:
    container = SubElement(element, f"{{{RDF}}}{kind}")
    for value in values:
        SubElement(container, f"{{{RDF}}}li").text = _legal(value)


def _fill_languages(element: Element, values: dict[str, str]) -> None:
    container = SubElement(element, f"{{{RDF}}}Alt")
    for language, value in values.items():
        item = SubElement(container, f"{{{RDF}}}li", {f"{{{_XML}}}lang": language})
        item.text = _legal(value)


def _legal(text: str) -> str:
    # XML 1.0 has no way to hold other control characters.
    return "".join(
        sign
        for sign in printable(text)
        if sign in "\t\n\r"
        or "\x20" <= sign <= "\ud7ff"
        or "\ue000" <= sign <= "\ufffd"
        or sign >= "\U00010000"
    )
