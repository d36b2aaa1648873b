"""What was measured of an image: where a touch-up changed it, and whether its lines are seen."""

from collections.abc import Iterator

from haikei.credits import BackgroundVersion, ImageRecord
from haikei.measurements import Change, LineRecall
from haikei.reports.document.blocks import (
    Align,
    Block,
    Column,
    Fact,
    Facts,
    Figure,
    Heading,
    Paragraph,
    Picture,
    Table,
)
from haikei.reports.document.phrases import share, steps
from haikei.reports.report import ReportSource
from haikei.texts import Bilingual

_MEASURES = Bilingual("Measures", "測定値")
_NOT_MEASURED = Bilingual(
    "Nothing was measured: there is no touch-up, and the layout's lines were not looked for.",
    "測定値なし：加筆がなく、原図の線の照合も行われていません。",
)
_REGIONS = (
    Column(key="x", title=Bilingual("Left", "左"), align=Align.END),
    Column(key="y", title=Bilingual("Top", "上"), align=Align.END),
    Column(key="width", title=Bilingual("Width", "幅"), align=Align.END),
    Column(key="height", title=Bilingual("Height", "高さ"), align=Align.END),
    Column(key="pixels", title=Bilingual("Changed pixels", "変化した画素数"), align=Align.END),
)
#: Of the largest regions so many are listed.
_LISTED = 12


def measure_blocks(version: BackgroundVersion, source: ReportSource) -> Iterator[Block]:
    """Yield each measure with its method, its parameters and its picture."""
    yield Heading(_MEASURES, anchor="measures")
    nothing = True
    for image, name in zip(version.images, steps(version), strict=True):
        for change in _changes(image):
            nothing = False
            yield Heading(
                Bilingual(f"Where {name.en} changed the picture", f"{name.ja}による変化箇所"),
                level=3,
            )
            yield from _change(change, image, source)
        for recall in _recalls(image):
            nothing = False
            yield Heading(
                Bilingual(f"The layout's lines in {name.en}", f"{name.ja}における原図の線"), level=3
            )
            yield _recall(recall)
    if nothing:
        yield Paragraph(_NOT_MEASURED)


def _changes(image: ImageRecord) -> tuple[Change, ...]:
    """Return the image's measured changes; artists who worked together share one."""
    found = (one.evidence.change for one in image.contributions)
    return tuple(dict.fromkeys(one for one in found if one is not None))


def _recalls(image: ImageRecord) -> tuple[LineRecall, ...]:
    found = (one.evidence.recall for one in image.contributions)
    return tuple(dict.fromkeys(one for one in found if one is not None))


def _change(change: Change, image: ImageRecord, source: ReportSource) -> Iterator[Block]:
    count = len(change.regions)
    yield Facts(
        (
            Fact(
                "area_ppm",
                Bilingual("Changed locally", "局所的な変化"),
                Figure(
                    change.area_ppm,
                    Bilingual(
                        f"{share(change.area_ppm)} of the area, in {count} "
                        f"region{'' if count == 1 else 's'}",
                        f"面積の{share(change.area_ppm)}、{count}か所",
                    ),
                ),
            ),
            Fact(
                "global_milli_de",
                Bilingual("Grade of the whole picture", "全体の色調整"),
                Figure(change.global_milli_de, f"median ΔE00 {change.global_milli_de / 1000:.2f}"),
            ),
            Fact(
                "shift_milli_px",
                Bilingual("Moved by", "位置ずれ"),
                Figure(change.shift_milli_px, f"{change.shift_milli_px / 1000:.2f} px"),
            ),
            Fact("method", Bilingual("Method", "方法"), change.method),
            Fact("parameters", Bilingual("Parameters", "パラメータ"), change.parameters),
            Fact(
                "map_sha256",
                Bilingual("Change map, SHA-256", "変化マップのSHA-256"),
                change.map_sha256,
            ),
        ),
        key="change",
    )
    expected = change_map_path(image.path)
    yield Picture(
        source=source.find_file(expected),
        expected=expected,
        longest=720,
        caption=Bilingual(
            "Change map: what differs from the image before", "変化マップ：前の画像との差"
        ),
    )
    regions = change.regions
    more = len(regions) - _LISTED
    yield Table(
        key="regions",
        columns=_REGIONS,
        rows=((one.x, one.y, one.width, one.height, one.pixels) for one in regions[:_LISTED]),
        caption=Bilingual(
            "Regions in pixels, the largest first"
            + (f"; {more} more are not listed" if more > 0 else ""),
            "領域（画素、大きい順）" + (f"、ほか{more}か所" if more > 0 else ""),
        ),
        empty=Bilingual("No region changed.", "変化した領域はありません。"),
    )


def change_map_path(path: str) -> str:
    """Return where the picture of an image's change map is published, below the storage root."""
    return f"{path.rpartition('.')[0] or path}_change.png"


def _recall(recall: LineRecall) -> Facts:
    seen, near = f"{recall.observed_ppm / 1e6:.3f}", recall.tolerance_px
    return Facts(
        (
            Fact(
                "observed_ppm",
                Bilingual("Lines with an edge near them", "近くに輪郭のある線"),
                Figure(
                    recall.observed_ppm,
                    Bilingual(
                        f"{seen} of line pixels, within {near} px",
                        f"線の画素の{seen}（{near} px以内）",
                    ),
                ),
            ),
            Fact(
                "chance_ppm",
                Bilingual("By chance", "偶然の場合"),
                Figure(
                    recall.chance_ppm,
                    f"{recall.chance_ppm / 1e6:.3f} ± {recall.chance_sd_ppm / 1e6:.3f}",
                ),
            ),
            Fact(
                "lift_ppm",
                Bilingual("Above chance (0 chance, 1 all lines)", "偶然との差（0＝偶然、1＝全線）"),
                Figure(recall.lift_ppm, f"{recall.lift_ppm / 1e6:.3f}"),
            ),
            Fact("method", Bilingual("Method", "方法"), recall.method),
        ),
        key="line_recall",
    )
