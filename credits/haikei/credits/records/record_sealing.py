"""The form in which the ledger seals records: canonical JSON, with people as commitments."""

import hashlib
import json
import operator
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from haikei.credits.contribution import (
    Contribution,
    Evidence,
    Grade,
    Person,
    Role,
    SourceType,
    System,
)
from haikei.credits.people.erasing import Mentions
from haikei.credits.record import ImageKind, ImageRecord, Ingredient, Relation, Statement
from haikei.errors import LedgerError
from haikei.measurements import Change, LineRecall, Region

VERSION = 1
_Json = dict[str, Any]
# The values below are strings, integers, lists and objects alone, which is RFC 8785's easy part.
_encode = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealer:
    """Turns records into what the ledger seals. Names become commitments wherever they stand."""

    commitments: Mapping[str, str]  #: by person's id
    mentions: Mentions

    def image(
        self, image: ImageRecord, *, project: str, sequence: str, shot: str, episode: str = ""
    ) -> str:
        """
        Return an image's sealed form, with the cut that it is for.

        The generation request stands in it as its SHA-256 only: a request holds words that people
        typed.
        """
        sealed = {
            "v": VERSION,
            "type": "image",
            "key": image.key,
            "project": project,
            "sequence": sequence,
            "shot": shot,
            "sha256": image.sha256,
            "pixels_sha256": image.pixels_sha256,
            "kind": image.kind.value,
            "source_type": image.source_type.value,
            "ingredients": [
                {"sha256": one.sha256, "relation": one.relation.value} for one in image.ingredients
            ],
            "contributions": [self._contribution(one) for one in image.contributions],
            "path": image.path,
            "created_at": moment(image.created_at),
        }
        if episode:
            sealed["episode"] = episode
        if image.request_json:
            sealed["request_sha256"] = request_sha256(image.request_json)
        if image.fingerprint:
            sealed["fingerprint"] = image.fingerprint
        return _encode(sealed)

    def contribution(self, image_key: str, sha256: str, contribution: Contribution) -> str:
        """Return the sealed form of a contribution that came after its image was sealed."""
        return _encode(
            {
                "v": VERSION,
                "type": "contribution",
                "image": {"key": image_key, "sha256": sha256},
                "contribution": self._contribution(contribution),
            }
        )

    def statement(self, statement: Statement) -> str:
        """Return a statement's sealed form."""
        hide = self.mentions.hide
        within = {"episode": statement.episode} if statement.episode else {}
        return _encode(
            {
                "v": VERSION,
                "type": "statement",
                "key": statement.key,
                "kind": statement.kind.value,
                "project": statement.project,
                "sequence": statement.sequence,
                "shot": statement.shot,
                "image_sha256": statement.image_sha256,
                "by": self._person(statement.by),
                "to": hide(statement.to),
                "subject": statement.subject,
                "answer": statement.answer,
                "text": hide(statement.text),
                "reference": hide(statement.reference),
                "at": moment(statement.at),
                **within,
            }
        )

    def _contribution(self, contribution: Contribution) -> _Json:
        actor = contribution.actor
        evidence = contribution.evidence
        known: _Json = {"source": self.mentions.hide(evidence.source)}
        if evidence.sha256:
            known["sha256"] = evidence.sha256
        if evidence.minutes is not None:
            known["minutes"] = operator.index(evidence.minutes)
        if evidence.note:
            known["note"] = self.mentions.hide(evidence.note)
        if evidence.change is not None:
            known["change"] = _change(evidence.change)
        if evidence.recall is not None:
            known["recall"] = _recall(evidence.recall)
        return {
            "role": contribution.role.value,
            "actor": self._person(actor) if isinstance(actor, Person) else _system(actor),
            "grade": contribution.sealed_grade.value,
            "evidence": known,
            "at": moment(contribution.at),
        }

    def _person(self, person: Person) -> _Json:
        return {"id": person.id, "commitment": self.commitments[person.id]}


def unseal(
    payload: str, *, people: Mapping[str, Person], mentions: Mentions, request_json: str = ""
) -> ImageRecord:
    """
    Return the image that an entry seals, with its people as they are named today.

    Raises:
        LedgerError: the entry seals no image, or `request_json` is not what was sealed.
    """
    sealed: _Json = json.loads(payload)
    if sealed.get("type") != "image" or sealed.get("v") != VERSION:
        raise LedgerError("The entry seals no image that this version of Haikei can read.")
    if request_json and sealed.get("request_sha256") != request_sha256(request_json):
        raise LedgerError(f"The request kept for {sealed['key']} is not the one that was sealed.")
    return ImageRecord(
        key=sealed["key"],
        sha256=sealed["sha256"],
        pixels_sha256=sealed["pixels_sha256"],
        kind=ImageKind(sealed["kind"]),
        source_type=SourceType(sealed["source_type"]),
        ingredients=tuple(
            Ingredient(sha256=one["sha256"], relation=Relation(one["relation"]))
            for one in sealed["ingredients"]
        ),
        contributions=tuple(
            _unsealed_contribution(one, people, mentions) for one in sealed["contributions"]
        ),
        request_json=request_json,
        path=sealed["path"],
        created_at=datetime.fromisoformat(sealed["created_at"]),
        fingerprint=sealed.get("fingerprint", ""),
    )


def request_sha256(request_json: str) -> str:
    """Return what the ledger seals in place of a generation request."""
    return hashlib.sha256(request_json.encode()).hexdigest()


def moment(at: datetime) -> str:
    """Return a point in time as ISO 8601 in UTC with microseconds."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def measured_json(evidence: Evidence) -> str:
    """Return what was measured as JSON; empty when nothing was."""
    found: _Json = {}
    if evidence.change is not None:
        found["change"] = _change(evidence.change)
    if evidence.recall is not None:
        found["recall"] = _recall(evidence.recall)
    return _encode(found) if found else ""


def read_measured(text: str) -> tuple[Change | None, LineRecall | None]:
    """Return what `measured_json` wrote."""
    if not text:
        return None, None
    return _read_measured(json.loads(text))


def _read_measured(found: _Json) -> tuple[Change | None, LineRecall | None]:
    change: _Json | None = found.get("change")
    recall: _Json | None = found.get("recall")
    if change is not None:
        change = {**change, "regions": tuple(Region(**one) for one in change["regions"])}
    return (
        None if change is None else Change(**change),
        None if recall is None else LineRecall(**recall),
    )


def _unsealed_contribution(
    sealed: _Json, people: Mapping[str, Person], mentions: Mentions
) -> Contribution:
    actor, evidence = sealed["actor"], sealed["evidence"]
    change, recall = _read_measured(evidence)
    maker: Person | System
    if "commitment" in actor:
        maker = people.get(actor["id"]) or Person(id=actor["id"], name="")
    else:
        maker = System(**{**actor, "source_type": SourceType(actor["source_type"])})
    return Contribution(
        role=Role(sealed["role"]),
        actor=maker,
        grade=Grade(sealed["grade"]),
        evidence=Evidence(
            source=mentions.show(evidence["source"]),
            sha256=evidence.get("sha256", ""),
            change=change,
            recall=recall,
            minutes=evidence.get("minutes"),
            note=mentions.show(evidence.get("note", "")),
        ),
        at=datetime.fromisoformat(sealed["at"]),
    )


def _system(system: System) -> _Json:
    return {
        "name": system.name,
        "version": system.version,
        "source_type": system.source_type.value,
        "sha256": system.sha256,
        "licence": system.licence,
        "data": system.data,
    }


def system_id(system: System) -> str:
    """Return a system's id: the SHA-256 of all that is known of it."""
    return hashlib.sha256(_encode(_system(system)).encode()).hexdigest()


# `operator.index` lets integers of any kind through and nothing else: a float has many spellings,
# and a record must hash alike in every language.
def _change(change: Change) -> _Json:
    return {
        "method": change.method,
        "parameters": change.parameters,
        "area_ppm": operator.index(change.area_ppm),
        "regions": [
            {
                "x": operator.index(one.x),
                "y": operator.index(one.y),
                "width": operator.index(one.width),
                "height": operator.index(one.height),
                "pixels": operator.index(one.pixels),
            }
            for one in change.regions
        ],
        "global_milli_de": operator.index(change.global_milli_de),
        "shift_milli_px": operator.index(change.shift_milli_px),
        "map_sha256": change.map_sha256,
    }


def _recall(recall: LineRecall) -> _Json:
    return {
        "method": recall.method,
        "tolerance_px": operator.index(recall.tolerance_px),
        "observed_ppm": operator.index(recall.observed_ppm),
        "chance_ppm": operator.index(recall.chance_ppm),
        "chance_sd_ppm": operator.index(recall.chance_sd_ppm),
    }
