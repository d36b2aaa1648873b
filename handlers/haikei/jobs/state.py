"""The studio's state, opened by a host that belongs to the studio."""

from sqlalchemy import Engine

from haikei.database import open_database
from haikei.database.stamp import join_studio
from haikei.settings import Settings


def open_state(settings: Settings) -> Engine:
    """
    Return the database of the studio's state, at its present schema.

    Raises:
        StateError: it cannot be used, is another studio's, or was carried elsewhere.
    """
    database = open_database(settings.database_url)
    try:
        root = settings.storage.roots[0].path
        join_studio(
            database,
            name=settings.studio.name,
            own=settings.studio.state,
            shared=settings.work_folder,
            # A folder below a mount that is away must not be made where the mount will be.
            reachable=root.is_dir() or not settings.work_folder.is_relative_to(root),
        )
    except BaseException:
        database.dispose()
        raise
    return database
