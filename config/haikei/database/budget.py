"""A budget of calls that all processes of a studio share: a bucket of tokens in the database."""

import time
from collections.abc import Callable
from functools import cache

from sqlalchemy import Engine, select

from haikei.database.connection import database_now, inserting, open_database, writing_one_row
from haikei.database.schema import call_budgets

#: Seconds' worth of calls that may be made at once after a pause.
_BURST = 10.0
_LONGEST_NAP = 5.0


class CallBudget:
    """
    Lets so many calls through in a minute, of all processes together.

    Args:
        database: the studio's own.
        name: of what is called.
        per_minute: calls.
        sleep: waits so many seconds.
    """

    def __init__(
        self,
        database: Engine,
        name: str,
        per_minute: int,
        *,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._database = database
        self._name = name
        self._rate = per_minute / 60.0
        self._most = max(1.0, self._rate * _BURST)
        self._sleep = sleep

    def take(self) -> None:
        """Return when one call may be made."""
        while (wait := self._try()) > 0:
            self._sleep(min(wait, _LONGEST_NAP))

    def _try(self) -> float:
        """Take a token and return 0, or return the seconds until there may be one."""
        mine = call_budgets.c.name == self._name
        with writing_one_row(self._database) as connection:
            now = database_now(connection).timestamp()
            fresh = {"name": self._name, "tokens": self._most, "filled_at": now}
            connection.execute(
                inserting(connection, call_budgets)
                .values(fresh)
                .on_conflict_do_nothing(index_elements=["name"])
            )
            row = connection.execute(select(call_budgets).where(mine).with_for_update()).one()
            passed = max(0.0, now - row.filled_at)
            tokens = min(self._most, row.tokens + passed * self._rate)
            taken = tokens >= 1.0
            connection.execute(
                call_budgets.update()
                .where(mine)
                .values(tokens=tokens - 1.0 if taken else tokens, filled_at=now)
            )
        return 0.0 if taken else (1.0 - tokens) / self._rate


def shared_budget(url: str, name: str, per_minute: int) -> Callable[[], None] | None:
    """Return what waits until a call may be made; None where as many may as are needed."""
    return CallBudget(_opened(url), name[:120], per_minute).take if per_minute else None


@cache
def _opened(url: str) -> Engine:
    # One for all adapters of the process, as long as that lives.
    return open_database(url)
