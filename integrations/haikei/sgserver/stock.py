"""The schema every site ships with: ShotGrid's own types, fields, values and links."""

from dataclasses import replace

from haikei.sgserver import stock_people, stock_production, stock_publishing, stock_site
from haikei.sgserver.declaring import CUSTOM_SLOTS
from haikei.sgserver.entities import EntityType, Schema
from haikei.sgserver.fields import DataType


def stock_schema() -> Schema:
    """
    Return the shipped schema.

    Names, data types, values and links follow the schema that the official client's tests carry
    (`tests/mockgun/schema.pickle`) and what present-day sites have added to it.
    """
    types = [
        stock_production.PROJECT,
        stock_production.EPISODE,
        stock_production.SEQUENCE,
        stock_production.SHOT,
        stock_production.ASSET,
        stock_production.TASK,
        stock_production.TASK_DEPENDENCY,
        stock_production.TASK_TEMPLATE,
        stock_production.STEP,
        stock_production.TIME_LOG,
        stock_publishing.VERSION,
        stock_publishing.PUBLISHED_FILE,
        stock_publishing.PUBLISHED_FILE_TYPE,
        stock_publishing.PUBLISHED_FILE_DEPENDENCY,
        stock_publishing.NOTE,
        stock_publishing.REPLY,
        stock_publishing.ATTACHMENT,
        stock_publishing.PLAYLIST,
        stock_publishing.PLAYLIST_VERSION_CONNECTION,
        stock_people.HUMAN_USER,
        stock_people.API_USER,
        stock_people.GROUP,
        stock_people.DEPARTMENT,
        stock_people.PERMISSION_RULE_SET,
        stock_site.STATUS,
        stock_site.LOCAL_STORAGE,
        stock_site.TAG,
        stock_site.EVENT_LOG_ENTRY,
        stock_site.ACTION_MENU_ITEM,
        stock_site.PAGE,
        *(stock_production.custom_entity(name) for name in CUSTOM_SLOTS),
    ]
    return Schema(_reachable(types))


def _reachable(types: list[EntityType]) -> list[EntityType]:
    """Let the links that may point anywhere name every type there is."""
    every = tuple(sorted(kind.name for kind in types))
    result: list[EntityType] = []
    for kind in types:
        open_links = [
            replace(field, valid_types=every)
            for field in kind.fields.values()
            if field.data_type is DataType.ENTITY and not field.valid_types
        ]
        wider = kind
        for field in open_links:
            wider = wider.with_field(field)
        result.append(wider)
    return result
