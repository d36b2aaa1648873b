"""
What may happen to a show, as a list of plain acts, and who is in its cast.

`support.histories` plays such a list in a studio.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from hypothesis import strategies as st

from haikei.credits import Person

PROJECT = "PORT"
_FAMILIES = (
    ("Amamiya", "雨宮"), ("Kujo", "九条"), ("Saionji", "西園寺"),
    ("Tokitou", "時任"), ("Mizuhara", "水原"), ("Onizuka", "鬼塚"),
)  # fmt: skip
_GIVEN = (
    ("Haru", "春"),
    ("Natsuki", "夏樹"),
    ("Akito", "秋斗"),
    ("Fuyumi", "冬美"),
    ("Shiki", "四季"),
)
CAST = len(_FAMILIES)
MODEL, ALGORITHM = "Kumo Net 2", "Kumo Brush 1"
WITHHELD = "(name withheld at the artist's request)"
_A1111 = b"harbour\nSteps: 20, Sampler: Euler a, CFG scale: 7, Model: sd_xl_base, Version: v1.9.4"
_COMFY = b'{"3":{"class_type":"CheckpointLoaderSimple","inputs":{"ckpt_name":"dream.safetensors"}}}'
_IPTC = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-'
    b'syntax-ns#"><rdf:Description rdf:about="" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/'
    b'2008-02-29/"><Iptc4xmpExt:DigitalSourceType>http://cv.iptc.org/newscodes/digitalsourcetype/'
    b"trainedAlgorithmicMedia</Iptc4xmpExt:DigitalSourceType><Iptc4xmpExt:AISystemUsed>Kasumi"
    b"</Iptc4xmpExt:AISystemUsed><Iptc4xmpExt:AISystemVersionUsed>7</Iptc4xmpExt:"
    b"AISystemVersionUsed></rdf:Description></rdf:RDF></x:xmpmeta>"
)
#: Signs of a model in a layout: the text in its PNG, and the tool that this means.
SIGNS: Mapping[str, tuple[bytes, bytes, str]] = {
    "iptc": (b"XML:com.adobe.xmp", _IPTC, "Kasumi 7"),
    # Signed by another program, whose claim names a source type and no model.
    "c2pa": (b"", b"", "Trained model without a name"),
    "a1111": (b"parameters", _A1111, "Stable Diffusion WebUI with sd_xl_base v1.9.4"),
    "comfyui": (b"prompt", _COMFY, "ComfyUI with dream"),
}
#: What a paint-over is made with that carries such a workflow.
PAINT_MODEL = "Generative fill of ComfyUI"
DECLARER = Person(id="HumanUser:90", name="Rika Legal", name_ja="法務里香")


def called(number: int, renamed: int = 0, respelt: int = 0) -> tuple[str, str]:
    """Return what somebody of the cast is called after so many renames, in both scripts."""
    (family, family_ja), (given, given_ja) = _FAMILIES[number], _GIVEN[renamed % len(_GIVEN)]
    return f"{given}{'h' * respelt} {family}", f"{family_ja}{'之' * respelt}{given_ja}"


def member(number: int, respelt: int = 0) -> Person:
    """Return somebody of the cast as the tracker knows them."""
    name, name_ja = called(number, 0, respelt)
    return Person(id=f"HumanUser:{100 + number}", name=name, name_ja=name_ja)


# The acts -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Publish:
    """A layout of a new cut lands, and a background is made of it."""

    artists: tuple[int, ...]
    sign: str  #: of `SIGNS`; empty for none
    declared: bool  #: somebody has declared that the cut is drawn by hand
    trained: bool  #: a trained model makes the background, and no algorithm
    asked: bool = False  #: several are assigned, so that people are asked which of them drew it


@dataclass(frozen=True, slots=True, kw_only=True)
class Name:
    """Somebody replies who drew a cut's layout."""

    cut: int
    artist: int
    by: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Paint:
    """A file comes back that was painted over the newest version of a cut, or only saved."""

    cut: int
    artists: tuple[int, ...]
    share: int  #: of the area, in per cent; 0 is an untouched copy in another file
    insist: bool  #: with a declared reason
    by_hand: bool = False  #: its first artist declares that it was made by hand
    comfyui: bool = False  #: the file holds the workflow of a model that made it


@dataclass(frozen=True, slots=True, kw_only=True)
class Convert:
    """The newest version is saved as another file, which its artist's folder or row names."""

    cut: int
    artist: int
    bits: Literal[8, 16]
    known: bool  #: else nobody we know is named with it


@dataclass(frozen=True, slots=True, kw_only=True)
class HandInAgain:
    """Somebody hands in the very file of the newest touch-up, as their own."""

    cut: int
    artist: int
    insist: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Retake:
    """Somebody asks for other pictures of the same layout."""

    cut: int
    by: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Approve:
    """Somebody sets the newest version of a cut to approved in the tracker."""

    cut: int
    by: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Rename:
    """Somebody is called otherwise from now on."""

    person: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OptOut:
    """Somebody does not want to be named any more."""

    person: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Erase:
    """Somebody wants their name erased."""

    person: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Respell:
    """The tracker spells somebody's name otherwise from now on; the id stays."""

    person: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Somebody answers what they are credited for: that it is so, or not in one case."""

    person: int
    deny: bool
    accept: bool  #: the production agrees with them


Act = (
    Publish | Name | Paint | Convert | HandInAgain | Retake | Approve
    | Rename | OptOut | Erase | Respell | Answer
)  # fmt: skip

_PERSON = st.integers(0, CAST - 1)
_ONE_OR_TWO = st.lists(_PERSON, min_size=1, max_size=2, unique=True).map(tuple)
_CUT = st.integers(0, 1)
_PUBLISH = st.builds(
    Publish,
    artists=_ONE_OR_TWO,
    sign=st.sampled_from(("", "", *SIGNS)),
    declared=st.booleans(),
    trained=st.booleans(),
    asked=st.booleans(),
)
_SHARE = st.sampled_from((0, 0, 1, 100)) | st.integers(2, 99)
_BITS: st.SearchStrategy[Literal[8, 16]] = st.sampled_from((8, 16))
_ACTS: st.SearchStrategy[Act] = st.one_of(
    st.builds(
        Paint,
        cut=_CUT,
        artists=_ONE_OR_TWO,
        share=_SHARE,
        insist=st.booleans(),
        by_hand=st.booleans(),
    ),
    st.builds(
        Paint,
        cut=_CUT,
        artists=_ONE_OR_TWO,
        share=_SHARE,
        insist=st.just(False),
        by_hand=st.booleans(),
        comfyui=st.booleans(),
    ),
    st.builds(Name, cut=_CUT, artist=_PERSON, by=_PERSON),
    st.builds(Convert, cut=_CUT, artist=_PERSON, bits=_BITS, known=st.booleans()),
    st.builds(Respell, person=_PERSON),
    st.builds(Answer, person=_PERSON, deny=st.booleans(), accept=st.booleans()),
    st.builds(HandInAgain, cut=_CUT, artist=_PERSON, insist=st.booleans()),
    st.builds(Retake, cut=_CUT, by=_PERSON),
    st.builds(Approve, cut=_CUT, by=_PERSON),
    st.builds(Rename, person=_PERSON),
    st.builds(OptOut, person=_PERSON),
    st.builds(Erase, person=_PERSON),
)


def histories(*, most: int) -> st.SearchStrategy[list[Act]]:
    """Return histories of one or two cuts with up to so many further acts."""

    def joined(cuts: list[Publish], acts: list[Act]) -> list[Act]:
        return [*cuts, *acts]

    first = st.lists(_PUBLISH, min_size=1, max_size=2)
    return st.builds(joined, first, st.lists(_ACTS, max_size=most))
