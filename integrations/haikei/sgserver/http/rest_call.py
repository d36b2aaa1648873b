"""
One request to the REST interface: who asks, for what, and how rows look in its answers.

Beside rows it serves uploads, the schema, threads, activity and preferences.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import cast

from starlette.responses import JSONResponse, Response

from haikei.sgserver.credentials import Caller
from haikei.sgserver.http.hosting import Hosting
from haikei.sgserver.http.rpc import dispatch
from haikei.sgserver.media.upload_requests import CloudUploads
from haikei.sgserver.media.uploads import Target
from haikei.sgserver.schema.entities import DataType, EntityType, find_path
from haikei.sgserver.values import Fault, Json, Row, bad_request, inspect

LINKS = {DataType.ENTITY, DataType.MULTI_ENTITY}
#: Numbers that travel as text, so that no client's arithmetic changes them.
_EXACT = {DataType.FLOAT, DataType.CURRENCY}


@dataclass(frozen=True, slots=True, kw_only=True)
class RestCall:
    """One request of somebody who has signed in."""

    hosting: Hosting
    uploads: CloudUploads
    caller: Caller
    path: str
    prefix: str  #: `/api/v1` or as the client wrote it
    names: Mapping[str, str]  #: what stands in the path
    query: Mapping[str, str]
    body: Mapping[str, Json]

    def ask(self, method: str, **call: Json) -> Json:
        """Return what the wire method answers."""
        return dispatch(self.hosting.site, self.caller, method, call)

    @property
    def kind(self) -> EntityType:
        """The entity type of the path."""
        return self.type_called(self.names["entity"])

    def type_called(self, word: Json) -> EntityType:
        """
        Return the type that a word such as `Shot`, `shots` or `human_users` means.

        Raises:
            Fault: there is none.
        """
        for kind in self.hosting.site.schema.types.values():
            if isinstance(word, str) and word in {kind.name, collection(kind.name)}:
                return kind
        raise Unknown(f"{inspect(word)} is no entity type of this site.")

    @property
    def number(self) -> int:
        """The row's id of the path."""
        text = self.names["number"]
        if not (text.isascii() and text.isdigit() and len(text) < 10):
            raise Unknown(f"{text!r} is no id of a row.")
        return int(text)

    def fields(self, kind: EntityType, *more: str) -> list[str]:
        """Return the fields that are asked for, as `fields=code,project` or `fields=*`."""
        asked = self.query.get("fields") or self.query.get("options[fields]") or ",".join(more)
        if asked == "*":
            return [name for name, field in kind.fields.items() if name != "id" and field.editable]
        names = [name for name in asked.split(",") if name]
        for name in names:
            if find_path(self.hosting.site.schema, kind, name) is None:
                raise bad_request(f"API read() {kind.name}.{name} doesn't exist.")
        return names

    def shown(self, kind: EntityType, row: Row) -> dict[str, Json]:
        """Return a row as REST shows it: links apart from other values."""
        here = f"{self.prefix}/entity/{collection(kind.name)}/{row['id']}"
        attributes: dict[str, Json] = {}
        relationships: dict[str, Json] = {}
        for name, value in row.items():
            path = find_path(self.hosting.site.schema, kind, name)
            if name in {"type", "id"} or path is None:
                continue
            if path.field.data_type in LINKS:
                links: dict[str, Json] = {"self": f"{here}/relationships/{name}"}
                if isinstance(value, Mapping):
                    far = collection(str(value["type"]))
                    links["related"] = f"{self.prefix}/entity/{far}/{value['id']}"
                relationships[name] = {"data": value, "links": links}
            else:
                exact = path.field.data_type in _EXACT and isinstance(value, int | float)
                attributes[name] = str(float(cast("float", value))) if exact else value
        return {
            "type": row["type"],
            "id": row["id"],
            "attributes": attributes,
            "relationships": relationships,
            "links": {"self": here},
        }


class Unknown(Fault):
    """Nothing stands at that path."""

    def __init__(self, message: str) -> None:
        super().__init__(104, message)


@cache
def collection(name: str) -> str:
    """Return the word for rows of a type in paths: `HumanUser` is `human_users`."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
    if words.endswith("y") and words[-2] not in "aeou":
        return f"{words[:-1]}ies"
    return f"{words}es" if words.endswith(("s", "x", "ch")) else f"{words}s"


def whole_number(query: Mapping[str, Json], key: str, default: int) -> int:
    """
    Return a parameter above zero.

    Raises:
        Fault: it is none.
    """
    text = str(query.get(key, default))
    if not (text.isascii() and text.isdigit() and int(text[:9]) > 0 and len(text) < 10):
        raise bad_request(f"API read() invalid integer '{key}': {inspect(text)}")
    return int(text)


def check_members(verb: str, body: Mapping[str, Json], names: Sequence[str]) -> None:
    """
    See that a hash has nothing that would be accepted and ignored.

    Raises:
        Fault: it has.
    """
    for name in body:
        if name not in names:
            raise bad_request(f"API {verb}() unknown parameter {inspect(name)}.")


def known(call: RestCall) -> None:
    """
    See that the row of the path exists.

    Raises:
        Unknown: it does not.
    """
    with call.hosting.site.reading() as (_, reader):
        if not reader.rows(call.kind, [call.number], []):
            raise Unknown(f"{call.kind.name} {call.number} does not exist.")


def data(call: RestCall, found: Json, status: int = 200) -> Response:
    """Return what was asked for, in the envelope of every answer."""
    return JSONResponse({"data": found, "links": {"self": call.path}}, status)


_IMAGES = {"image", "filmstrip_image"}


def upload_link(call: RestCall) -> Response:
    """`GET /entity/versions/12/sg_uploaded_movie/_upload?filename=a.mov`: where to put a file."""
    known(call)
    field = call.names.get("field")
    upload_type = "Thumbnail" if field in _IMAGES else "Attachment"
    if field is not None and field not in call.kind.fields:
        raise Unknown(f"{call.kind.name}.{field} does not exist.")
    if call.query.get("multipart_upload") == "true":
        raise bad_request("Parts of files are taken from the official client only.")
    if not call.query.get("filename"):
        raise bad_request("API upload() missing 'filename'.")
    link = call.uploads.new_link(upload_type, call.query["filename"])
    info: dict[str, Json] = {
        "timestamp": link.timestamp,
        "upload_type": link.upload_type,
        "upload_id": link.upload_id,
        "storage_service": "s3",
        "original_filename": link.filename,
        "multipart_upload": False,
    }
    links: dict[str, Json] = {"upload": link.url, "complete_upload": call.path}
    return JSONResponse({"data": info, "links": links})


def upload_complete(call: RestCall) -> Response:
    """`POST /entity/versions/12/sg_uploaded_movie/_upload`: let the row show the file."""
    info, more = call.body.get("upload_info"), call.body.get("upload_data")
    upload = info if isinstance(info, Mapping) else {}
    options = more if isinstance(more, Mapping) else {}
    link = call.uploads.link(str(upload.get("upload_id")))
    tags = options.get("tags")
    call.uploads.finish(
        call.caller,
        link,
        Target(type=call.kind.name, id=call.number),
        field=call.names.get("field"),
        image="filmstrip_image" if call.names.get("field") == "filmstrip_image" else "image",
        display_name=str(options["display_name"]) if options.get("display_name") else None,
        tags=[str(one) for one in tags] if isinstance(tags, list) else [],
    )
    return Response(status_code=201)


def followers(call: RestCall) -> Response:
    return data(call, call.ask("followers", entity={"type": call.kind.name, "id": call.number}))


def activity(call: RestCall) -> Response:
    bounds: dict[str, Json] = {
        name: whole_number(call.query, name, 1)
        for name in ("min_id", "max_id", "limit")
        if name in call.query
    }
    return data(call, call.ask("activity_stream", type=call.kind.name, id=call.number, **bounds))


def thread(call: RestCall) -> Response:
    return data(call, call.ask("note_thread_contents", note_id=call.number))


def preferences(call: RestCall) -> Response:
    wanted = call.query.get("prefs")
    return data(call, call.ask("preferences_read", prefs=wanted.split(",") if wanted else []))


def schema(call: RestCall) -> Response:
    return data(call, call.ask("schema_entity_read", project=_project(call)))


def schema_type(call: RestCall) -> Response:
    types = cast("dict[str, Json]", call.ask("schema_entity_read", project=_project(call)))
    return data(call, types.get(call.kind.name))


def schema_fields(call: RestCall) -> Response:
    return data(call, call.ask("schema_field_read", type=call.kind.name, project=_project(call)))


def _project(call: RestCall) -> Json:
    number = call.query.get("project_id")
    if number is None:
        return None
    return {"type": "Project", "id": whole_number({"project_id": number}, "project_id", 1)}


def schema_field(call: RestCall) -> Response:
    name = call.names["field"]
    if name not in call.kind.fields:
        raise Unknown(f"{call.kind.name}.{name} does not exist.")
    found = call.ask(
        "schema_field_read", type=call.kind.name, field_name=name, project=_project(call)
    )
    return data(call, cast("dict[str, Json]", found)[name])


def schema_create(call: RestCall) -> Response:
    check_members("schema_field_create", call.body, ("data_type", "properties"))
    made = call.ask("schema_field_create", type=call.kind.name, **call.body)
    found = call.ask("schema_field_read", type=call.kind.name, field_name=made)
    return data(call, cast("dict[str, Json]", found)[str(made)], 201)


def schema_update(call: RestCall) -> Response:
    where: dict[str, Json] = {"type": call.kind.name, "field_name": call.names["field"]}
    check_members("schema_field_update", call.body, ("properties", "project_id"))
    properties = call.body.get("properties", [])
    project = _project(call)
    if number := call.body.get("project_id"):
        project = {"type": "Project", "id": number}
    call.ask("schema_field_update", **where, properties=properties, project=project)
    return schema_field(call)


def schema_delete(call: RestCall) -> Response:
    call.ask("schema_field_delete", type=call.kind.name, field_name=call.names["field"])
    return Response(status_code=204)
