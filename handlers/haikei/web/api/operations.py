"""
The API's operations, and the OpenAPI document that is made from the same table as its routes.

Tokens of programs are made on the command line, shown once, and kept as a hash.
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from http import HTTPStatus
from importlib.metadata import version
from pathlib import Path
from typing import Any, cast

from pydantic import BaseModel, SecretStr
from pydantic.json_schema import models_json_schema
from sqlalchemy import Engine, Row, insert, select, update

from haikei.database import api_tokens, reading, utc_now
from haikei.errors import TokenError
from haikei.web.api.schemas import MEDIA_TYPE, Problem

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


PREFIX = "/api/v1"
BYTES = "application/octet-stream"
#: The longest key in an address, and the longest idempotency key.
LONGEST_KEY = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request that is allowed and well formed."""

    token: ApiToken
    key: str  #: the one in the address; empty where there is none
    query: BaseModel | None
    body: BaseModel | None
    file: Path | None  #: bytes that were sent


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What is answered."""

    content: BaseModel
    status: int = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One thing that programs can ask for."""

    method: str
    path: str  #: below the prefix; with `{key}` where one thing is meant
    id: str
    summary: str
    scope: ApiScope
    carry_out: Callable[[Call], Reply] = field(repr=False)
    answer: type[BaseModel]
    answers: Mapping[int, str]  #: by status, what it means
    query: type[BaseModel] | None = None
    body: type[BaseModel] | None = None
    takes_file: bool = False
    refusals: tuple[int, ...] = ()  #: beside those that every operation has

    @property
    def changes(self) -> bool:
        """Whether it changes something, so that it can be asked for twice by mistake."""
        return self.method != "GET"

    @property
    def may_refuse(self) -> tuple[int, ...]:
        """Every status of its problems."""
        always = {401, 403, 422, 429, 503}
        reads = {400, 408, 409, 413, 415} if self.changes else set[int]()
        return tuple(sorted(always | reads | set(self.refusals)))


def document(operations: Sequence[Operation]) -> dict[str, Any]:
    """Return the OpenAPI 3.1 document of these operations."""
    models: dict[type[BaseModel], str] = {Problem: "serialization"}
    for one in operations:
        models[one.answer] = "serialization"
        models |= {model: "validation" for model in (one.query, one.body) if model is not None}
    places, schemas = models_json_schema(
        [(model, cast("Any", mode)) for model, mode in models.items()],
        ref_template="#/components/schemas/{model}",
    )
    kept = {name: dict(schema) for name, schema in schemas["$defs"].items()}
    references = {model: reference for (model, _), reference in places.items()}
    paths: dict[str, dict[str, Any]] = {}
    for one in operations:
        # Parameters stand in the operation itself.
        query = kept.pop(references[one.query]["$ref"].rpartition("/")[2]) if one.query else {}
        paths.setdefault(one.path, {})[one.method.lower()] = _described(one, query, references)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Haikei",
            "version": version("haikei"),
            "description": "Hand layouts in, see what becomes of them, and decide about versions.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": PREFIX}],
        "paths": paths,
        "components": {
            "schemas": kept,
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A token of `haikei web token create`.",
                }
            },
        },
    }


def _described(
    one: Operation,
    query: Mapping[str, Any],
    references: Mapping[Any, Mapping[str, Any]],
) -> dict[str, Any]:
    needed = query.get("required", ())
    parameters: list[dict[str, Any]] = []
    for name, schema in query.get("properties", {}).items():
        parameters.append(
            {
                "name": name,
                "in": "query",
                "required": name in needed,
                "schema": _query_schema(schema),
                **({"description": text} if (text := schema.get("description")) else {}),
            }
        )
    if "{key}" in one.path:
        key = {"type": "string", "minLength": 1, "maxLength": LONGEST_KEY, "pattern": "^[^/]+$"}
        parameters.append({"name": "key", "in": "path", "required": True, "schema": key})
    found: dict[str, Any] = {
        "operationId": one.id,
        "summary": one.summary,
        "description": f"Needs a token with the scope `{one.scope.value}`.",
        "security": [{"token": []}],
        "parameters": parameters,
        "responses": {
            **{str(status): _answer(one, text, references) for status, text in one.answers.items()},
            **{str(status): _problem(status) for status in one.may_refuse},
        },
    }
    if one.changes:
        parameters.append(
            {
                "name": "Idempotency-Key",
                "in": "header",
                "required": False,
                "description": "The same key and request get the same answer, for a day.",
                "schema": {
                    "type": "string",
                    "minLength": 1,
                    "maxLength": LONGEST_KEY,
                    "pattern": "^[!-~]+$",
                },
            }
        )
    if one.body is not None:
        content = {"application/json": {"schema": references[one.body]}}
        found["requestBody"] = {"required": True, "content": content}
    elif one.takes_file:
        content = {BYTES: {"schema": {"type": "string", "contentEncoding": "binary"}}}
        found["requestBody"] = {"required": True, "content": content}
    return found


def _query_schema(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return a parameter's schema; in an address there is no null, only nothing."""
    kept = {name: value for name, value in schema.items() if name not in {"title", "description"}}
    kinds = [one for one in kept.pop("anyOf", ()) if one != {"type": "null"}]
    if kinds:
        kept |= kinds[0]
        if kept.get("default", "") is None:
            del kept["default"]
    return kept


def _answer(
    one: Operation, text: str, references: Mapping[Any, Mapping[str, Any]]
) -> dict[str, Any]:
    content = {"application/json": {"schema": references[one.answer]}}
    return {"description": text, "content": content}


def _problem(status: int) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Problem"}
    return {"description": HTTPStatus(status).phrase, "content": {MEDIA_TYPE: {"schema": schema}}}
