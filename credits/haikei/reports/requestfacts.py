"""What was asked of a generator, as its request says."""

import json
from typing import Any

from haikei.credits import ImageRecord
from haikei.reports.document import Fact, Item, Lines
from haikei.reports.words import Words

_LABELS = {
    "stage": Words("Stage", "工程名"),
    "generator": Words("Generator", "ジェネレーター"),
    "model": Words("Model setting", "モデル設定"),
    "prompt": Words("Prompt", "プロンプト"),
    "negative_prompt": Words("Negative prompt", "ネガティブプロンプト"),
    "place": Words("Kind of place", "場所"),
    "seed": Words("Seed", "シード"),
    "size": Words("Size", "サイズ"),
    "options": Words("Options", "オプション"),
    "libraries": Words("Libraries", "ライブラリ"),
    "layout_sha256": Words("Layout, SHA-256", "原図のSHA-256"),
    "previous_sha256": Words("Pixels before, SHA-256", "前工程の画素のSHA-256"),
}


def request_facts(image: ImageRecord) -> tuple[Fact, ...]:
    """Return what the request that made an image asked for; nothing for human work."""
    if not image.request_json:
        return ()
    try:
        request = json.loads(image.request_json)
    except ValueError:
        return (Fact("request", Words("Request", "リクエスト"), image.request_json),)
    if not isinstance(request, dict):
        return ()
    facts: list[Fact] = []
    for key, label in _LABELS.items():
        if key == "size":
            width, height = request.get("width"), request.get("height")
            value = f"{width} × {height}" if width and height else ""
        else:
            value = request.get(key, "")
        if value not in ("", None, [], {}):
            facts.append(Fact(key, label, _shown(value)))
    return tuple(facts)


def _shown(value: Any) -> Lines | str:
    if isinstance(value, list | dict):
        pairs = value.items() if isinstance(value, dict) else value
        lines: list[Item] = [
            " ".join(map(str, pair)) if isinstance(pair, list | tuple) else str(pair)
            for pair in pairs
        ]
        return Lines(tuple(lines))
    return str(value)
