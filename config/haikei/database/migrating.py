"""Bring a database to the present schema with Alembic."""

from alembic import command
from alembic.config import Config
from sqlalchemy import Engine

from haikei.database.connection import HEAD, MIGRATIONS, version_of
from haikei.errors import StateError


def upgrade(engine: Engine) -> None:
    """
    Run every migration that the database lacks, in one transaction.

    Raises:
        StateError: the database was made by a newer Haikei.
    """
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    with engine.begin() as connection:
        # Another process may have upgraded while we waited for the lock.
        version = version_of(connection)
        if version == HEAD:
            return
        if version is not None and version > HEAD:
            raise StateError(
                f"The database is of schema {version}, but this Haikei knows only {HEAD}.",
                advice="Install the Haikei version that last used it, or a newer one.",
            )
        config.attributes["connection"] = connection
        command.upgrade(config, HEAD)
