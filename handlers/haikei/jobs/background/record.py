"""Record: the lineage gets its rows and the ledger seals them, before anything is announced."""

import hashlib
from dataclasses import dataclass

from haikei.credits import records
from haikei.decisions import ReviewState
from haikei.jobs.job import JobOrder
from haikei.jobs.publishing import MadeVersion
from haikei.jobs.tools import Tools
from haikei.ledger import entry


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """A background's record, sealed."""

    ledger_index: int  #: its entry in the ledger; the first is 0
    sha256: str  #: of what the entry holds


def record(order: JobOrder, made: MadeVersion, episode: str, tools: Tools) -> Recorded:
    """
    Note the version and each image once, in one transaction.

    A layout that has been recorded by another variant's job is left as it is.

    Raises:
        LedgerError: another record stands under one of the keys.
    """
    with tools.database.begin() as connection:
        version = records.save(
            connection,
            key=order.key,
            project=order.place.project,
            episode=episode,
            sequence=order.place.sequence,
            shot=order.place.shot,
            season=order.season,
            time=order.time,
            version=made.version_number,
            code=made.code,
            images=made.images,
            created_at=made.images[-1].created_at,
        )
        if version.state is ReviewState.OMITTED:
            # It was cancelled after it had been recorded, and was then tried again.
            records.decide(connection, order.key, ReviewState.IN_REVIEW)
        index = version.ledger[-1]
        sealed = entry(connection, index).payload
    return Recorded(ledger_index=index, sha256=hashlib.sha256(sealed.encode()).hexdigest())
