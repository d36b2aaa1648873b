"""The records of all images and versions, and the form in which the ledger seals them."""

from typing import TYPE_CHECKING

from haikei.doors import on_demand

if TYPE_CHECKING:
    from haikei.credits.records.comparison import differences
    from haikei.credits.records.record_reading import Lineage, lineage
    from haikei.credits.records.store import (
        background,
        backgrounds,
        backgrounds_with,
        by_code,
        contribute,
        count,
        decide,
        entries_of,
        find_image,
        latest,
        projects,
        published,
        save,
        save_all,
    )

__all__ = [
    "Lineage",
    "background",
    "backgrounds",
    "backgrounds_with",
    "by_code",
    "contribute",
    "count",
    "decide",
    "differences",
    "entries_of",
    "find_image",
    "latest",
    "lineage",
    "projects",
    "published",
    "save",
    "save_all",
]

__getattr__ = on_demand(
    __name__,
    {
        "haikei.credits.records.comparison": ("differences",),
        "haikei.credits.records.record_reading": (
            "Lineage",
            "lineage",
        ),
        "haikei.credits.records.store": (
            "background",
            "backgrounds",
            "backgrounds_with",
            "by_code",
            "contribute",
            "count",
            "decide",
            "entries_of",
            "find_image",
            "latest",
            "projects",
            "published",
            "save",
            "save_all",
        ),
    },
)
