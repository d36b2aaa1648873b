"""A studio with a ledger, its signer and a drop folder outside."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine

from haikei.canonical import canonical_json
from haikei.database import open_database
from haikei.ledger import NoteSigner, append_many
from haikei.ledger.checkpoint import note_signer
from haikei.ledger.drop import DropFolder
from haikei.settings import Settings
from support.jobs import studio_settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Keeping:
    """What keeping a ledger takes."""

    settings: Settings
    database: Engine
    signer: NoteSigner
    drop: DropFolder

    def add(self, count: int) -> None:
        """Append records that have not been there yet."""
        with self.database.begin() as connection:
            before = connection.exec_driver_sql("SELECT count(*) FROM ledger").scalar_one()
            append_many(
                connection,
                [
                    (f"record/{number}", canonical_json({"artist": "佐藤葵", "number": number}))
                    for number in range(before, before + count)
                ],
            )


@contextmanager
def keep_ledger(folder: Path) -> Generator[Keeping, None, None]:
    """Yield a studio whose ledger is empty, with a drop folder outside."""
    settings = studio_settings(folder)
    database = open_database(f"sqlite:///{settings.studio.state / 'haikei.db'}")
    outside = folder / "outside"
    outside.mkdir()
    yield Keeping(
        settings=settings,
        database=database,
        signer=note_signer(settings),
        drop=DropFolder(folder=outside),
    )
    database.dispose()
