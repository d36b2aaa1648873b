"""
A plugin of shotgunEvents: layouts that are published in the tracker are handed to Haikei.

For studios that run the daemon already and let it decide what is handed in. It retries an event
whose callback raises, and Haikei answers what it knows, so that nothing is made twice.
"""
# pyright: basic

import os

from haikei.client import Client, ClientError, ServerAway

LAYOUT_TYPES = frozenset({"Layout"})


def registerCallbacks(reg):  # noqa: N802 - the daemon's name for it
    """Tell the daemon what to call."""
    reg.registerCallback(
        os.environ["SGDAEMON_HAIKEI_NAME"],
        os.environ["SGDAEMON_HAIKEI_KEY"],
        hand_in,
        {"Shotgun_PublishedFile_New": None},
        None,
    )


def hand_in(sg, logger, event, args):
    """Hand a layout in that was published."""
    entity = event["meta"]
    fields = ["path", "published_file_type.PublishedFileType.code"]
    row = sg.find_one("PublishedFile", [["id", "is", entity["entity_id"]]], fields)
    if row is None or row["published_file_type.PublishedFileType.code"] not in LAYOUT_TYPES:
        return
    path = (row["path"] or {}).get("local_path")
    if not path:
        logger.warning("PublishedFile %s has no path here", row["id"])
        return
    try:
        found = Client().submit(path)
    except ServerAway:
        raise  # the daemon tries the event again
    except ClientError as error:
        logger.error("Haikei did not take %s: %s", path, error)  # noqa: TRY400 - it says all
    else:
        logger.info("Haikei took %s (%s)", path, found.key)
