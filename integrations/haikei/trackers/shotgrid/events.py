"""What a ShotGrid site's event types and fields mean: a row of its log, or a webhook's delivery."""

from haikei.trackers.contract.feed import EventKind

#: The field in which people decide about a Version.
STATUS = "sg_status_list"
#: Fields whose late change can make a PublishedFile a complete layout or touch-up.
_COMPLETING = frozenset({"path", "published_file_type", "entity", "upstream_published_files"})
#: Fields of a Version in which people decide or write.
_DECIDING = frozenset({"", STATUS, "notes", "open_notes"})
_WRITTEN = frozenset({"New", "Change"})
_CONVERSATION = {"Note": EventKind.NOTE_CHANGED, "Reply": EventKind.REPLY_CHANGED}


def kind_of_event(
    event_type: str, *, entity_type: str, attribute: str, in_create: bool
) -> EventKind:
    """
    Return what a row of the event log reports.

    Args:
        event_type: such as `Shotgun_PublishedFile_New`.
        entity_type: of the row that it is about.
        attribute: the field that a `_Change` is about; where it is empty, any field may be.
        in_create: the change is part of the row's creation, which is a storm of them.
    """
    action = event_type.rpartition("_")[2]
    late = action == "Change" and not in_create
    if entity_type == "PublishedFile":
        if event_type == "Shotgun_PublishedFile_New":
            return EventKind.FILE_PUBLISHED
        known = event_type == "Shotgun_PublishedFile_Change"
        if known and late and (not attribute or attribute in _COMPLETING):
            return EventKind.FILE_CHANGED
    elif entity_type == "Version" and late and attribute in {"", STATUS}:
        return EventKind.VERSION_CHANGED
    elif entity_type in _CONVERSATION and action in _WRITTEN:
        return _CONVERSATION[entity_type]
    return EventKind.OTHER


def kind_of_delivery(*, entity_type: str, operation: str, attribute: str) -> EventKind:
    """
    Return what a webhook's delivery reports.

    Args:
        entity_type: of the row that it is about.
        operation: `create`, `update`, `delete` or `revive`.
        attribute: the field that an update is about; empty when that is not in the body.
    """
    if entity_type in _CONVERSATION:
        return _CONVERSATION[entity_type]
    if operation == "delete":
        return EventKind.OTHER
    if entity_type == "PublishedFile":
        return EventKind.FILE_PUBLISHED if operation == "create" else EventKind.FILE_CHANGED
    if entity_type == "Version" and attribute in _DECIDING:
        return EventKind.VERSION_CHANGED
    return EventKind.OTHER
