"""The REST interface beside rows: uploads, the schema, threads, activity, preferences."""

from collections.abc import Mapping
from typing import cast

from starlette.responses import JSONResponse, Response

from haikei.sgserver.http.rest_call import RestCall, Unknown, data, known, whole_number
from haikei.sgserver.media.uploads import Target
from haikei.sgserver.values import Json, bad_request

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
    told = info if isinstance(info, Mapping) else {}
    said = more if isinstance(more, Mapping) else {}
    link = call.uploads.link(str(told.get("upload_id")))
    tags = said.get("tags")
    call.uploads.finish(
        call.caller,
        link,
        Target(type=call.kind.name, id=call.number),
        field=call.names.get("field"),
        image="filmstrip_image" if call.names.get("field") == "filmstrip_image" else "image",
        display_name=str(said["display_name"]) if said.get("display_name") else None,
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
    return data(call, call.ask("schema_entity_read"))


def schema_type(call: RestCall) -> Response:
    types = cast("dict[str, Json]", call.ask("schema_entity_read"))
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
    made = call.ask("schema_field_create", type=call.kind.name, **call.body)
    found = call.ask("schema_field_read", type=call.kind.name, field_name=made)
    return data(call, cast("dict[str, Json]", found)[str(made)], 201)


def schema_update(call: RestCall) -> Response:
    where: dict[str, Json] = {"type": call.kind.name, "field_name": call.names["field"]}
    call.ask("schema_field_update", **where, properties=call.body.get("properties", []))
    return schema_field(call)


def schema_delete(call: RestCall) -> Response:
    call.ask("schema_field_delete", type=call.kind.name, field_name=call.names["field"])
    return Response(status_code=204)
