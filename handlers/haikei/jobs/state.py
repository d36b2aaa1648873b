"""The studio's state, opened by a host that belongs to the studio; and which storage is its own."""

from sqlalchemy import Connection, Engine, select

from haikei.database import (
    backgrounds,
    inserting,
    open_database,
    reading,
    storage_roots,
    utc_now,
)
from haikei.database.stamp import join_studio
from haikei.errors import StorageError
from haikei.settings import Settings
from haikei.storage import Storage


def open_state(settings: Settings) -> Engine:
    """
    Return the database of the studio's state, at its present schema.

    Raises:
        StateError: it cannot be used, is another studio's, or was carried elsewhere.
    """
    database = open_database(settings.database_url)
    try:
        join_studio(
            database,
            name=settings.studio.name,
            own=settings.studio.state,
            shared=settings.work_folder,
            # A folder below a mount that is away must not be made where the mount will be.
            reachable=_reachable(settings, database),
        )
    except BaseException:
        database.dispose()
        raise
    return database


def know_storage(storage: Storage, settings: Settings, database: Engine) -> None:
    """
    Have the first root taken for the studio's only where it is the one that was published to.

    A root that is used for the first time gets its mark here.

    Raises:
        StorageUnavailable: it is away, or it has no mark and nothing of what was published.
    """
    name = settings.storage.roots[0].name
    with reading(database) as connection:
        known = _known(connection, name)
        new = connection.execute(select(backgrounds.c.key).limit(1)).first() is None
    if not known:
        mark = storage.mark(new=new)
        with database.begin() as connection:
            statement = inserting(connection, storage_roots).on_conflict_do_nothing()
            connection.execute(statement, {"name": name, "id": mark, "marked_at": utc_now()})
            known = _known(connection, name)
    storage.expect(known)


def require_storage(settings: Settings, database: Engine) -> None:
    """
    Do nothing where the first root is the one that was published to, or a new one; write nothing.

    Raises:
        StorageUnavailable: it is away, or another one.
    """
    storage = Storage(settings)
    with reading(database) as connection:
        storage.expect(_known(connection, settings.storage.roots[0].name))
    storage.require_root()


def _reachable(settings: Settings, database: Engine) -> bool:
    """Tell whether a folder below the first root can be made without harm."""
    root = settings.storage.roots[0]
    if not settings.work_folder.is_relative_to(root.path):
        return True
    try:
        require_storage(settings, database)
    except StorageError:
        return False
    return True


def _known(connection: Connection, name: str) -> str:
    query = select(storage_roots.c.id).where(storage_roots.c.name == name)
    return connection.execute(query).scalar_one_or_none() or ""
