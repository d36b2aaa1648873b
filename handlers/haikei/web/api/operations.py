"""The API's operations, and the OpenAPI document that is made from the same table as its routes."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from importlib.metadata import version
from pathlib import Path
from typing import Any, cast

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from haikei.web.api.problems import MEDIA_TYPE
from haikei.web.api.schemas import Problem
from haikei.web.api.tokens import ApiScope, ApiToken

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
