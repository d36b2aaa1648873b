"""
What is known of a program or model, and what was asked of it: its record, the
settings, the request.
"""

import json
from typing import Any

from haikei.credits import ImageRecord, SourceType, System
from haikei.reports.document.blocks import Badge, Fact, Item, Lines, Link, Tone
from haikei.reports.document.phrases import DECLARED, LOGGED, NOT_RECORDED, not_recorded
from haikei.reports.report import ReportSource
from haikei.settings import GeneratorEntry, Model, Provided, Settings
from haikei.texts import Bilingual

_SOURCE_TYPES = {
    SourceType.TRAINED: Bilingual("a model trained on captured content", "学習済みモデル"),
    SourceType.COMPOSITE_TRAINED: Bilingual(
        "augmented by a trained model", "学習済みモデルによる加工を含む"
    ),
    SourceType.ALGORITHMIC: Bilingual(
        "an algorithm without training data", "学習データを用いないアルゴリズム"
    ),
}
_IPTC = "http://cv.iptc.org/newscodes/digitalsourcetype/"
_RUNS = {
    "on_prem": Bilingual("on the studio's own machines", "スタジオの自社設備"),
    "cloud": Bilingual("at a cloud service", "クラウドサービス"),
}


def model_of(system: System, settings: Settings) -> Provided | None:
    """Return what the settings say about a system; None where they say nothing."""
    declared: list[Model | GeneratorEntry] = [
        *settings.models.values(),
        *settings.generators.values(),
    ]
    return next(
        (one for one in declared if one.name == system.name and one.version == system.version),
        None,
    )


def system_name(system: System) -> str:
    """Return a system's name and version."""
    return f"{system.name} {system.version}".strip()


def facts_of(system: System, source: ReportSource) -> tuple[Fact, ...]:
    """Return what is known of a system, each fact with how it is known."""
    return (*_logged(system), *_declared(model_of(system, source.settings), system, source))


def _logged(system: System) -> tuple[Fact, ...]:
    kind = _SOURCE_TYPES.get(system.source_type, system.source_type.value)
    link = Link(system.source_type.value, _IPTC + system.source_type.value)
    missing = Bilingual(
        "the model's card said nothing when it ran", "実行時にモデルの記載がありませんでした"
    )
    return (
        Fact("system", Bilingual("Tool", "ツール"), _known(system_name(system), LOGGED)),
        Fact("kind", Bilingual("Kind", "種別"), Lines((kind, link, LOGGED))),
        Fact(
            "weights_sha256",
            Bilingual("Hash of its weights", "重みのハッシュ"),
            _known(system.sha256, LOGGED)
            if system.sha256
            else Bilingual("none: it has no weights", "なし（重みを持たない）")
            if not system.source_type.is_ai
            else not_recorded(missing),
        ),
        Fact(
            "licence",
            Bilingual("Licence", "ライセンス"),
            _known(system.licence, LOGGED) if system.licence else not_recorded(missing),
        ),
        Fact(
            "training_data",
            Bilingual("What it was trained on", "学習データ"),
            _known(system.data, LOGGED)
            if system.data
            else Bilingual("nothing", "なし")
            if not system.source_type.is_ai
            else not_recorded(missing),
        ),
    )


def _declared(model: Provided | None, system: System, source: ReportSource) -> tuple[Fact, ...]:
    if not system.source_type.is_ai:
        return ()
    name = system_name(system)
    if model is None:
        source.advise(
            Bilingual(
                f"Describe {name} under [models] in the settings.",
                f"設定の [models] に {name} を記載してください。",
            )
        )
        return (Fact("declared", Bilingual("Provider, contract", "提供者・契約"), NOT_RECORDED),)
    known = (
        ("provider", model.provider),
        ("contract", model.contract),
        ("data_url", model.data_url),
    )
    for missing, value in known:
        if not value:
            source.advise(
                Bilingual(
                    f"Set {missing} of {name} under [models] in the settings.",
                    f"設定の [models] で {name} の {missing} を記入してください。",
                )
            )
    own = model.provider == source.settings.studio.name
    trains = (
        Badge(Bilingual("yes: stored or trained on", "はい（保存・学習あり）"), Tone.ALERT)
        if model.trains_on_inputs
        else Bilingual("no", "いいえ")
    )
    return (
        Fact(
            "provider",
            Bilingual("Provider", "提供者"),
            Lines((model.provider, Bilingual("the studio itself", "スタジオ自身"), DECLARED))
            if own
            else _set(model.provider),
        ),
        Fact("runs", Bilingual("Where it runs", "実行場所"), Lines((_RUNS[model.runs], DECLARED))),
        Fact(
            "trains_on_inputs",
            Bilingual("Is what it is given stored or trained on?", "入力の保存・学習"),
            Lines((trains, DECLARED)),
        ),
        Fact(
            "contract",
            Bilingual("Contract or terms", "契約・規約"),
            _set(model.contract),
        ),
        Fact(
            "licence_url",
            Bilingual("Licence text", "ライセンス本文"),
            Lines((Link(str(model.licence_url), str(model.licence_url)), DECLARED)),
        ),
        Fact(
            "data_url",
            Bilingual("Disclosure of training data", "学習データの開示"),
            Lines((Link(model.data_url, model.data_url), DECLARED))
            if model.data_url
            else NOT_RECORDED,
        ),
    )


def _known(text: str, badge: Badge) -> Lines:
    items: tuple[Item, ...] = (text, badge)
    return Lines(items)


def _set(text: str) -> Lines | Badge:
    return _known(text, DECLARED) if text else NOT_RECORDED


_LABELS = {
    "stage": Bilingual("Stage", "工程名"),
    "generator": Bilingual("Generator", "ジェネレーター"),
    "model": Bilingual("Model setting", "モデル設定"),
    "prompt": Bilingual("Prompt", "プロンプト"),
    "negative_prompt": Bilingual("Negative prompt", "ネガティブプロンプト"),
    "place": Bilingual("Kind of place", "場所"),
    "seed": Bilingual("Seed", "シード"),
    "size": Bilingual("Size", "サイズ"),
    "options": Bilingual("Options", "オプション"),
    "adjustments": Bilingual("Qualities turned", "調整"),
    "changes": Bilingual("Regions changed", "部分修正"),
    "libraries": Bilingual("Libraries", "ライブラリ"),
    "layout_sha256": Bilingual("Layout, SHA-256", "原図のSHA-256"),
    "previous_sha256": Bilingual("Pixels before, SHA-256", "前工程の画素のSHA-256"),
}


def request_facts(image: ImageRecord) -> tuple[Fact, ...]:
    """Return what the request that made an image asked for; nothing for human work."""
    if not image.request_json:
        return ()
    try:
        request = json.loads(image.request_json)
    except ValueError:
        return (Fact("request", Bilingual("Request", "リクエスト"), image.request_json),)
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
        return Lines(tuple(_line(pair) for pair in pairs))
    return str(value)


def _line(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {_line(one)}" for key, one in sorted(value.items()) if one)
    return " ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
