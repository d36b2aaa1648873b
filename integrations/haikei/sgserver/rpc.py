"""The wire methods: one name, one call, one answer."""

from collections.abc import Callable, Mapping

from haikei.sgserver import answering, editing, following, searching, summaries, threads
from haikei.sgserver.caller import Caller
from haikei.sgserver.faults import AuthenticationFault, bad_request
from haikei.sgserver.requests import names_of
from haikei.sgserver.site import Site
from haikei.sgserver.values import Json

#: What the site says it is; clients decide by it what they may ask.
VERSION = (8, 78, 0)
#: What a client may read of the site's preferences.
PREFERENCES: dict[str, Json] = {
    "date_component_order": "year_month_day",
    "duration_units": "days",
    "format_currency_fields_decimal_options": "$1,000.99",
    "format_date_fields": "2026-01-31",
    "format_number_fields": "1,000",
    "format_time_hour_fields": "24",
    "hours_per_day": 8.0,
    "support_local_storage": True,
    "view_master_settings": "",
}

Method = Callable[[Site, Caller, Mapping[str, Json]], Json]

_METHODS: dict[str, Method] = {
    "read": answering.read,
    "create": answering.create,
    "update": answering.update,
    "delete": answering.delete,
    "revive": answering.revive,
    "summarize": summaries.summarize,
    "schema_entity_read": editing.schema_entity_read,
    "schema_read": editing.schema_read,
    "schema_field_read": editing.schema_field_read,
    "schema_field_create": editing.schema_field_create,
    "schema_field_update": editing.schema_field_update,
    "schema_field_delete": editing.schema_field_delete,
    "follow": following.follow,
    "unfollow": following.unfollow,
    "followers": following.followers,
    "following": following.following,
    "update_project_last_accessed_by_current_user": following.update_project_last_accessed,
    "note_thread_contents": threads.note_thread_contents,
    "query_display_name_cache": searching.query_display_name_cache,
}


def dispatch(site: Site, caller: Caller | None, method: str, call: Json) -> Json:
    """
    Return what goes into `results` for one wire method.

    `caller` is None for the one method that needs nobody (`info`). `call` is the second of the
    request's `params`, None when there is none.

    Raises:
        Fault: it is refused.
    """
    if method == "info":
        return info()
    if caller is None:
        raise AuthenticationFault("Missing or invalid authentication arguments")
    if method == "batch":
        return site.batch(caller, call)
    if method == "get_session_token":
        return {"session_id": site.new_session(caller)}
    parameters = call if isinstance(call, Mapping) else {}
    if method == "preferences_read":
        wanted = names_of(parameters, "prefs")
        return {k: v for k, v in PREFERENCES.items() if not wanted or k in wanted}
    found = _METHODS.get(method)
    if found is None:
        raise bad_request(f"API {method}() is not available on this site.")
    return found(site, caller, parameters)


def info() -> dict[str, Json]:
    """Return what anybody may know of the site; where uploads go is the server's to add."""
    return {
        "version": list(VERSION),
        "full_version": [*VERSION, 0],
        "user_authentication_method": "default",
        "s3_uploads_enabled": False,
        "s3_direct_uploads_enabled": False,
        "s3_enabled_upload_types": {
            "Version": ["sg_uploaded_movie"],
            "*": ["this_file"],
            "Attachment": "*",
        },
        "api_max_entities_per_page": 500,
    }
