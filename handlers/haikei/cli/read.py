"""`haikei read FILE`: what stands on a layout sheet, and how much of its drawing can be read."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from haikei.cli.output import STDOUT, JsonOption, print_json, say, to_stdout, warn
from haikei.cli.startup import SettingsOption, load_settings

if TYPE_CHECKING:
    from haikei.images import Picture
    from haikei.reading import Reading
    from haikei.sheets import Area, SheetFrame, SheetReading, TraceRoles


def read(
    file: Annotated[Path, typer.Argument(help="The layout.", exists=True, dir_okay=False)],
    place: Annotated[
        str, typer.Option(help="What kind of place it is: port, station, village, hills …")
    ] = "",
    overlay: Annotated[
        Path | None,
        typer.Option(help="Write the sheet with all that was found marked on it; - for a pipe."),
    ] = None,
    ink: Annotated[
        Path | None,
        typer.Option(help="Write the drawing alone, as generators get it; - for a pipe."),
    ] = None,
    trace: Annotated[
        list[str] | None,
        typer.Option(help="What lines of a colour mean, such as red=shadow; may be repeated."),
    ] = None,
    settings: SettingsOption = None,
    *,
    ocr: Annotated[
        bool, typer.Option("--ocr", help="Read texts too; needs the extra haikei[ocr].")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Say what stands on a layout sheet, how much of its drawing is read, and what is unsure."""
    from haikei.images import DEFAULT_LIMITS, Limits, Picture, read_picture
    from haikei.reading import read_layout
    from haikei.settings import settings_path
    from haikei.sheets import draw_overlay, read_texts, with_texts

    if overlay == STDOUT and ink == STDOUT:
        raise typer.BadParameter("one picture goes to a pipe, not two", param_hint="--ink")
    loaded = None
    if settings is not None or settings_path().exists():
        loaded = load_settings(settings)
    limits = DEFAULT_LIMITS if loaded is None else Limits.from_settings(loaded.watch)
    # The process that decodes may have another folder.
    picture = read_picture(file.absolute(), limits=limits)
    reading = read_layout(picture.pixels, place, _go_on, roles=_roles(trace or []))
    sheet = reading.sheet
    if ocr:
        sheet = with_texts(sheet, read_texts(picture.pixels), file_name=file.name)
    if overlay is not None:
        _write(Picture(pixels=draw_overlay(picture.pixels, sheet)), overlay, as_json=as_json)
    if ink is not None:
        _write(_on_paper(sheet), ink, as_json=as_json)
    if as_json:
        print_json(_plain(file, reading, sheet))
    else:
        _show(reading, sheet, warn if STDOUT in {overlay, ink} else say)


def _go_on() -> None:
    return


def _roles(given: list[str]) -> "TraceRoles":
    from haikei.sheets import TraceColour, TraceRole, TraceRoles

    roles: dict[str, TraceRole] = {}
    for one in given:
        colour, _, role = one.partition("=")
        if colour not in set(TraceColour) or role not in set(TraceRole):
            raise typer.BadParameter(
                f"{one!r} is not COLOUR=ROLE with a colour of {', '.join(TraceColour)} "
                f"and a role of {', '.join(TraceRole)}",
                param_hint="--trace",
            )
        roles[colour] = TraceRole(role)
    return TraceRoles(**roles)


def _write(picture: "Picture", path: Path, *, as_json: bool) -> None:
    from haikei.images import write_picture

    with to_stdout(path, as_json=as_json) as target:
        if not target.parent.is_dir():
            raise typer.BadParameter(f"there is no folder {target.parent}")
        named = target.with_suffix(".png") if path == STDOUT else target
        write_picture(picture, named, bits=8)


def _on_paper(sheet: "SheetReading") -> "Picture":
    import numpy as np

    from haikei.images import Picture

    plane = np.float32(1) - sheet.ink
    return Picture(pixels=np.repeat(plane[..., None], 3, axis=2))


def _show(reading: "Reading", sheet: "SheetReading", tell: Callable[[str], None]) -> None:
    height, width = sheet.size
    paper = sheet.paper
    tell(f"Sheet     {width} x {height} pixels, {paper.tint.value} paper")
    for frame in sheet.frames:
        name = f" {frame.name}" if frame.name else ""
        hand = "printed" if frame.printed else "by hand"
        tell(
            f"Frame     {frame.use.value}{name}: {frame.width:.0f} x {frame.height:.0f}, "
            f"ratio {frame.ratio:.2f}, turned by {frame.rotation:.1f} degrees, {hand}"
        )
    if not sheet.frames:
        tell("Frame     none: all of the sheet is the picture")
    if sheet.pegs:
        tell(f"Pegs      {len(sheet.pegs)} holes, {'black' if sheet.pegs[0].dark else 'white'}")
    for trace in sheet.traces:
        tell(
            f"Traces    {trace.colour.value}: {trace.role.value}, {trace.share:.2%} of the picture"
        )
    for inside, where in ((True, "on the picture"), (False, "in the margin")):
        count = sum(1 for note in sheet.notes if note.inside is inside)
        if count:
            tell(f"Notes     {count} {where}")
    for note in sheet.notes:
        if note.text:
            tell(f"Text      {note.text} (score {note.score:.2f})")
    if paper.specks:
        tell(f"Dust      {paper.specks} specks removed")
    tell(f"Unread    {reading.unread:.0%} of the picture, by the {reading.reader} reader")
    for doubt in sheet.doubts:
        tell(f"Unsure    {doubt}")


def _plain(file: Path, reading: "Reading", sheet: "SheetReading") -> dict[str, object]:
    height, width = sheet.size
    return {
        "file": file,
        "width": width,
        "height": height,
        "area": None if sheet.area is None else _box(sheet.area),
        "frames": [_frame(one) for one in sheet.frames],
        "pegs": [
            {"shape": one.shape.value, "dark": one.dark, "box": _box(one.box)} for one in sheet.pegs
        ],
        "paper": {
            "tint": sheet.paper.tint.value,
            "colour": list(sheet.paper.colour),
            "specks": sheet.paper.specks,
        },
        "traces": [
            {"colour": one.colour.value, "role": one.role.value, "share": round(one.share, 5)}
            for one in sheet.traces
        ],
        "notes": [
            {
                "kind": one.kind.value,
                "inside": one.inside,
                "box": _box(one.box),
                "text": one.text or None,
                "score": one.score if one.text else None,
            }
            for one in sheet.notes
        ],
        "drawn_in": None if sheet.drawn_in is None else sheet.drawn_in.value,
        "unread": round(reading.unread, 4),
        "reader": reading.reader,
        "doubts": list(sheet.doubts),
    }


def _frame(frame: "SheetFrame") -> dict[str, object]:
    return {
        "name": frame.name or None,
        "use": frame.use.value,
        "corners": [[one.x, one.y] for one in frame.corners],
        "ratio": round(frame.ratio, 3),
        "rotation": round(frame.rotation, 2),
        "printed": frame.printed,
        "score": frame.score,
    }


def _box(area: "Area") -> list[int]:
    return [area.left, area.top, area.right, area.bottom]
