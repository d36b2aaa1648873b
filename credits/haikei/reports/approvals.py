"""Whether a client agreed before a trained model was used."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from haikei.credits import BackgroundVersion, StatementKind
from haikei.reports.declared import Declarations, Declared


class Agreed(StrEnum):
    """How an approval stands to the first generation."""

    BEFORE = "before"
    LATE = "late"  #: dated after the first generation, or at the same moment
    REFUSED = "refused"  #: the newest word is no, or unsure
    MISSING = "missing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """The client's word on one version."""

    agreed: Agreed
    declared: Declared | None = None  #: what shows it
    #: The ledger held it before the first generation; else only its own date says so.
    sealed_before: bool = False


def approval_of(
    declarations: Declarations, version: BackgroundVersion, first_ai: datetime
) -> Approval:
    """
    Return the client's word on the use of trained models for a version.

    The earliest agreement counts, unless the newest word withdraws it.
    """
    found = [
        one
        for one in declarations.about(version, StatementKind.CLIENT_APPROVAL)
        if one.statement.answer or one.statement.text
    ]
    if not found:
        return Approval(agreed=Agreed.MISSING)
    newest = max(found, key=lambda one: (one.statement.at, one.entry))
    if newest.statement.answer in {"no", "unsure"}:
        return Approval(agreed=Agreed.REFUSED, declared=newest)
    first = min(
        (one for one in found if one.statement.answer not in {"no", "unsure"}),
        key=lambda one: (one.statement.at, one.entry),
    )
    return Approval(
        agreed=Agreed.BEFORE if first.statement.at < first_ai else Agreed.LATE,
        declared=first,
        sealed_before=first.recorded_at < first_ai,
    )
