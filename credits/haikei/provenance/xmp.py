"""
XMP packets (ISO 16684-1) with the IPTC Photo Metadata Standard 2025.1's fields.

A packet that stands in a file is kept: only the properties that are ours to say are replaced.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from xml.etree.ElementTree import Element, SubElement

from haikei.errors import MarksUnreadable
from haikei.provenance import xmltree
from haikei.provenance.filemarks import NamedPerson, XmpMarks

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
DC = "http://purl.org/dc/elements/1.1/"
XMP = "http://ns.adobe.com/xap/1.0/"
PHOTOSHOP = "http://ns.adobe.com/photoshop/1.0/"
IPTC_EXT = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
PLUS = "http://ns.useplus.org/ldf/xmp/1.0/"
_META = "adobe:ns:meta/"
_XML = "http://www.w3.org/XML/1998/namespace"
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
    digital_source_type: str  #: a URI of the vocabulary
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
        meta, found = xmltree.parse(existing)
        rdf = _rdf(meta)
        if meta.tag != f"{{{_META}}}xmpmeta":
            meta = Element(f"{{{_META}}}xmpmeta")
            meta.append(rdf)
        prefixes = {**found, **prefixes}
    _write(_Properties(rdf), statement)
    return f"{_HEAD}\n{xmltree.serialise(meta, prefixes)}\n{_TAIL}".encode()


def read(packet: bytes) -> XmpMarks:
    """
    Return the properties of a packet that tell of a picture's making.

    Raises:
        MarksUnreadable: it is no XMP.
    """
    root, _ = xmltree.parse(packet)
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
        for sign in text
        if sign in "\t\n\r"
        or "\x20" <= sign <= "\ud7ff"
        or "\ue000" <= sign <= "\ufffd"
        or sign >= "\U00010000"
    )
