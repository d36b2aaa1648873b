"""Record: the lineage gets its rows, the ledger seals them, and the job is done."""

from sqlalchemy import Connection, insert, select

from haikei.credits import ImageRecord
from haikei.database import image_records
from haikei.jobs.extract import Extracted
from haikei.ledger import append, canonical_json


def record(connection: Connection, extracted: Extracted, *, job_key: str) -> int:
    """
    Note each image once, in the caller's transaction; return the background's ledger entry.

    A layout that has been recorded by another variant's job is left as it is.

    Raises:
        LedgerError: another record stands under one of the keys.
    """
    known = set(
        connection.execute(
            select(image_records.c.key).where(
                image_records.c.key.in_([image.key for image in extracted.images])
            )
        ).scalars()
    )
    seq = 0
    for image in extracted.images:
        payload = canonical_json(image)
        if image.key in known:
            continue
        _insert(connection, image, payload, job_key)
        seq = append(connection, key=image.key, payload=payload).seq
    return seq


def _insert(connection: Connection, image: ImageRecord, payload: str, job_key: str) -> None:
    connection.execute(
        insert(image_records).values(
            key=image.key,
            sha256=image.sha256,
            kind=image.kind.value,
            job_key=job_key,
            record=payload,
            created_at=image.created_at,
        )
    )
