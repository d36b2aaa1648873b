"""The files that a step is made from: read, checked, and handed to the signing library."""

import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from haikei.credits import Relation, SourceType
from haikei.errors import MarksBroken, MarksUnreadable
from haikei.provenance import c2pa_python
from haikei.provenance.c2pa_python import UNTRUSTED, Trust, Validated
from haikei.provenance.chain import check_source_types
from haikei.provenance.formats.detection import file_format, manifest_beside
from haikei.provenance.manifest import Json, SeenIngredient
from haikei.provenance.request import MarkedIngredient, MarkRequest

_MANIFEST_MIME = "application/c2pa"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadIngredient:
    """An ingredient whose marks hold, or that carries none."""

    seen: SeenIngredient
    path: Path
    mime: str
    manifest: bytes | None  #: from a sidecar
    validated: Validated | None  #: None: it carries no marks


def read_ingredients(request: MarkRequest, trust: Trust) -> tuple[ReadIngredient, ...]:
    """
    Return what a step is made from, the parent first.

    Marks that the source itself carries are what it went through before it came here: it then
    becomes the parent, and the requested parent an input. A program that signs names our image as
    its own parent already.

    Raises:
        MarksUnreadable: a file cannot be read.
        MarksBroken: the marks of one do not hold.
        SourceTypeUnknown: the marks of one name a source type that is in no vocabulary.
    """
    listed = list(request.ingredients)
    source = MarkedIngredient(
        path=request.source, relation=Relation.PARENT, title=request.source.name
    )
    own = _read(source, "source", trust)
    if own.validated is not None:
        listed = [replace(ingredient, relation=Relation.INPUT) for ingredient in listed]
    found = [_read(each, f"ingredient-{index}", trust) for index, each in enumerate(listed)]
    found.sort(key=lambda each: each.seen.relation is not Relation.PARENT)
    # Where nobody says how a layout came to be, it is opened as it was handed in, not created.
    opened = own.validated is not None or request.source_type is SourceType.NOT_DECLARED
    return (own, *found) if opened else tuple(found)


def sidecar_definitions(ingredients: Sequence[ReadIngredient]) -> list[Json]:
    """
    Return the part of a manifest's definition for ingredients whose manifest is a sidecar.

    The library reads manifests of formats that it does not know from nowhere; what it would have
    found is handed over as it was validated.
    """
    return [
        {
            **_about(ingredient),
            "instance_id": f"sha256:{ingredient.seen.sha256}",
            "active_manifest": ingredient.validated.active,
            "manifest_data": {"format": _MANIFEST_MIME, "identifier": ingredient.seen.label},
            "validation_results": dict(ingredient.validated.results),
        }
        for ingredient in ingredients
        if ingredient.manifest is not None and ingredient.validated is not None
    ]


def add_ingredients(builder: Any, ingredients: Sequence[ReadIngredient]) -> None:
    """Give the library the files and manifests of ingredients."""
    for ingredient in ingredients:
        if ingredient.manifest is not None:
            builder.add_resource(ingredient.seen.label, io.BytesIO(ingredient.manifest))
            continue
        with ingredient.path.open("rb") as file:
            builder.add_ingredient(_about(ingredient), ingredient.mime, file)


def _about(ingredient: ReadIngredient) -> Json:
    return {
        "title": ingredient.seen.title,
        "format": ingredient.mime,
        "relationship": ingredient.seen.relation.value,
        "label": ingredient.seen.label,
    }


def _read(ingredient: MarkedIngredient, label: str, trust: Trust) -> ReadIngredient:
    known = file_format(ingredient.path)
    sidecar = ingredient.manifest
    if sidecar is None and not known.embeds:
        sidecar = manifest_beside(ingredient.path)
    try:
        manifest = None if sidecar is None else sidecar.read_bytes()
        with ingredient.path.open("rb") as file:
            validated = c2pa_python.validate(file, known.mime, trust, manifest)
            file.seek(0)
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise MarksUnreadable(
            f"{ingredient.path} or its manifest cannot be read: {error.strerror or error}."
        ) from error
    if validated is not None:
        _check_holds(validated, ingredient.path)
        check_source_types(validated)
    return ReadIngredient(
        seen=SeenIngredient(
            label=label, relation=ingredient.relation, title=ingredient.title, sha256=digest
        ),
        path=ingredient.path,
        mime=known.mime,
        manifest=manifest,
        validated=validated,
    )


def _check_holds(validated: Validated, path: Path) -> None:
    verdict = validated.verdict
    codes = dict.fromkeys([*verdict.failures, *verdict.ingredient_failures])
    # A stranger's marks that hold are kept; that we do not know the stranger is recorded.
    broken = [code for code in codes if code != UNTRUSTED]
    if broken or verdict.state == "Invalid":
        raise MarksBroken(
            f"The marks in {path} do not hold: {', '.join(broken)} {verdict.note}".strip() + ".",
            advice="Get the file as it was signed; nothing is signed on top of a broken one.",
        )
