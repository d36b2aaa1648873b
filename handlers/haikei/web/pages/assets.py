"""Styles, scripts and drawings of the pages; browsers keep them until they change."""

import hashlib
import os
from functools import cache
from pathlib import Path

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope
from typing_extensions import override

FOLDER = Path(__file__).parent / "static"
_FOR_EVER = "public, max-age=31536000, immutable"
#: A browser asks whether it has changed, and is mostly answered in a line.
_ASK = "no-cache"


@cache
def to_asset(name: str) -> str:
    """Return the address of a file, which changes with what is in it."""
    return f"/static/{name}?{_version(name)}"


class Assets(StaticFiles):
    """Serves them."""

    def __init__(self) -> None:
        super().__init__(directory=FOLDER)

    @override
    def file_response(
        self,
        full_path: str | os.PathLike[str],
        stat_result: os.stat_result,
        scope: Scope,
        status_code: int = 200,
    ) -> Response:
        """Return a file, or that it has not changed."""
        answer = super().file_response(full_path, stat_result, scope, status_code)
        name = Path(full_path).relative_to(FOLDER.resolve()).as_posix()
        asked = scope["query_string"].decode("latin-1")
        answer.headers["cache-control"] = _FOR_EVER if asked == _version(name) else _ASK
        return answer


@cache
def _version(name: str) -> str:
    return hashlib.sha256((FOLDER / name).read_bytes()).hexdigest()[:12]
