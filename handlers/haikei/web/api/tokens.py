"""Tokens of programs: made on the command line, shown once, kept as a hash."""

import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from pydantic import SecretStr
from sqlalchemy import Engine, Row, insert, select, update

from haikei.database import api_tokens, reading, utc_now
from haikei.errors import TokenError

_TOKEN = re.compile(r"haikei_([0-9a-f]{12})_([A-Za-z0-9_-]{43})")
_NOBODY = "0" * 64
#: How old the note of a token's last use may be.
_USED = timedelta(minutes=5)
_columns = api_tokens.c


class ApiScope(StrEnum):
    """What a token is good for; none includes another."""

    SUBMIT = "submit"  #: hand files in
    READ = "read"  #: see jobs and versions
    DECIDE = "decide"  #: decide about versions


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiToken:
    """One token, without what opens anything."""

    id: str
    name: str
    scopes: frozenset[ApiScope]
    login: str  #: whose decisions are taken with it; empty: each decision may name somebody
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    used_at: datetime | None  #: to within minutes

    def is_good(self, now: datetime) -> bool:
        """Tell whether it opens anything."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


class Tokens:
    """The studio's tokens."""

    def __init__(self, database: Engine) -> None:
        self._database = database

    def create(
        self, name: str, scopes: Iterable[ApiScope], *, login: str = "", days: int | None = None
    ) -> tuple[ApiToken, SecretStr]:
        """
        Make a token; what is returned beside it is shown to a person once, and nowhere kept.

        Args:
            name: what uses it, for lists and logs.
            scopes: what it is good for.
            login: whose decisions are taken with it.
            days: how long it lasts; None for ever.

        Raises:
            TokenError: it has no name, or is good for nothing.
        """
        good_for, name = frozenset(scopes), name.strip()
        if not name or len(name) > 80 or not name.isprintable():
            raise TokenError(
                f"{name[:80]!r} is no name for a token.",
                advice="Name the program in 80 characters.",
            )
        if not good_for:
            raise TokenError("A token without a scope opens nothing.", advice="Give a scope.")
        id_, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
        now = utc_now()
        made = ApiToken(
            id=id_,
            name=name,
            scopes=good_for,
            login=login,
            created_at=now,
            expires_at=None if days is None else now + timedelta(days=days),
            revoked_at=None,
            used_at=None,
        )
        row = {
            "id": id_,
            "sha256": _digest(secret),
            "name": name,
            "scopes": " ".join(sorted(good_for)),
            "login": login,
            "created_at": now,
            "expires_at": made.expires_at,
        }
        with self._database.begin() as connection:
            connection.execute(insert(api_tokens), row)
        return made, SecretStr(f"haikei_{id_}_{secret}")

    def all(self) -> tuple[ApiToken, ...]:
        """Return every token, the oldest first."""
        with reading(self._database) as connection:
            rows = connection.execute(select(api_tokens).order_by(_columns.created_at, _columns.id))
            return tuple(_token(row) for row in rows)

    def revoke(self, id_: str) -> ApiToken:
        """
        Let a token open nothing any more, from the next request on.

        Raises:
            TokenError: there is none of this id.
        """
        with self._database.begin() as connection:
            connection.execute(
                update(api_tokens)
                .where(_columns.id == id_, _columns.revoked_at.is_(None))
                .values(revoked_at=utc_now())
            )
            row = connection.execute(select(api_tokens).where(_columns.id == id_)).first()
        if row is None:
            raise TokenError(
                f"There is no token {id_!r}.", advice="See `haikei web token list` for their ids."
            )
        return _token(row)

    def check(self, shown: str, now: datetime) -> ApiToken | None:
        """Return the token that was shown; None when it is none that opens anything."""
        found = _TOKEN.fullmatch(shown)
        id_, secret = found.groups() if found else ("", "")
        with reading(self._database) as connection:
            row = connection.execute(select(api_tokens).where(_columns.id == id_)).first()
        # As long for an id that nobody has as for a wrong secret.
        same = hmac.compare_digest(_digest(secret), _NOBODY if row is None else row.sha256)
        if row is None or not same:
            return None
        token = _token(row)
        if not token.is_good(now):
            return None
        if token.used_at is None or now - token.used_at > _USED:
            with self._database.begin() as connection:
                connection.execute(
                    update(api_tokens).where(_columns.id == token.id).values(used_at=now)
                )
        return token


def _digest(secret: str) -> str:
    # 256 random bits need no slow hash: nobody can try them all.
    return hashlib.sha256(secret.encode()).hexdigest()


def _token(row: Row[Any]) -> ApiToken:
    return ApiToken(
        id=row.id,
        name=row.name,
        scopes=frozenset(ApiScope(one) for one in row.scopes.split()),
        login=row.login,
        created_at=row.created_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
        used_at=row.used_at,
    )
