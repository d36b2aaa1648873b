"""A naming rule: layouts are called by show, episode, cut and take, whatever folder they are in."""

import re
from collections.abc import Mapping

#: `port_01_12_LO_t2.psd`: show, episode, cut, take. A shared cut (兼用) is written `12-14`; its
#: layout is the first one's.
_NAME = re.compile(
    r"(?P<show>[a-z]+)_(?P<episode>\d+)_(?P<cut>\d+)(?:-\d+)?_LO_t(?P<take>\d+)\.\w+", re.IGNORECASE
)


class KawaNames:
    """Reads `port_01_12_LO_t2.psd` as project PORT, sequence s01, shot c012, version 2."""

    text = "{show}_{episode}_{cut}_LO_t{take}.{ext}"

    def match(self, relative: str) -> Mapping[str, str] | None:
        """Return what the file's name says; None when it is no layout of ours."""
        found = _NAME.fullmatch(relative.rpartition("/")[2])
        if found is None:
            return None
        return {
            "project": found["show"].upper(),
            "sequence": f"s{int(found['episode']):02d}",
            "shot": f"c{int(found['cut']):03d}",
            "name": "bg",
            "version": found["take"],
        }
