"""Haikei's own pictures, which may stand in the very tree that is watched."""

from pathlib import PurePosixPath

from haikei.settings import PathTemplate, Storage

#: What the picture that shows a touch-up's changes is called after the touch-up's own name.
_CHANGE_MAP = "_change"


class Outputs:
    """Tells what Haikei published itself, by path, so that it is neither read nor refused."""

    def __init__(self, storage: Storage) -> None:
        self._prefix = f"{storage.roots[0].path.absolute()}/"
        self._templates = tuple(
            PathTemplate(text)
            for text in dict.fromkeys((storage.background, storage.stage, storage.touch_up))
        )

    def hold(self, path: str) -> bool:
        """Tell whether a path is one at which backgrounds, stages or touch-ups are published."""
        if not path.startswith(self._prefix):
            return False
        relative = PurePosixPath(path[len(self._prefix) :])
        if relative.stem.endswith(_CHANGE_MAP):
            relative = relative.with_stem(relative.stem.removesuffix(_CHANGE_MAP))
        return any(template.match(relative) is not None for template in self._templates)
