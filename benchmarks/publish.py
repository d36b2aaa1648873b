"""
How many round trips and how long does one background take, against a plain script?

Both publish the same background (a result and two stages, media, thumbnail, upstream link,
credits) into the same embedded tracker, through a proxy that makes every request take longer by
the latency. The plain script is what a pipeline TD would write with the official client; it asks
for each thing where it needs it. Times are medians over further backgrounds on a warm connection;
the first one of a connection also learns what the site is, and is given beside them.

    python benchmarks/publish.py --latency 0.1 --backgrounds 5
"""

import argparse
import json
import logging
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, cast

import shotgun_api3
import structlog
from pydantic import SecretStr
from rich.console import Console
from rich.table import Table

from haikei.trackers import PublishRequest
from haikei.trackers.shotgrid.tracker import ShotGridTracker

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from support.servers import Proxy, proxy_before  # on the path only from here on
from support.sites import Show, make_show, running_site, site_settings  # likewise

Uploads = Literal["classic", "cloud"]
STYLES: tuple[Uploads, ...] = ("classic", "cloud")
TRIPS_MARK = 8
RATIO_MARK = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What one way of publishing took; seconds."""

    uploads: Uploads
    way: str
    first_trips: int
    first_seconds: float
    trips: int  #: the most that one further background took
    seconds: float


def main() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    """Measure, print the table, and fail when a mark is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--latency", type=float, default=0.1, help="seconds added to a request")
    parser.add_argument("--backgrounds", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()

    figures = [
        found
        for uploads in STYLES
        for found in measure(uploads, latency=given.latency, backgrounds=given.backgrounds)
    ]
    marks: dict[Uploads, dict[str, Any]] = {one: judge(one, figures) for one in STYLES}
    if given.json:
        print(json.dumps({"runs": [asdict(one) for one in figures], "marks": marks}, indent=2))
    else:
        show_table(figures, marks, latency=given.latency)
    if not all(mark["reached"] for mark in marks.values()):
        raise SystemExit(1)


def measure(uploads: Uploads, *, latency: float, backgrounds: int) -> list[Figures]:
    """Return the figures of both ways, in one site."""
    with (
        tempfile.TemporaryDirectory() as folder,
        running_site(Path(folder), uploads=uploads) as site,
    ):
        root = Path(folder) / "projects"
        settings = site_settings(site.url, site.script, root, Path(folder) / "state")
        show = make_show(site.connect(), settings, SecretStr(site.key))
        setup = ShotGridTracker(settings, show.key)
        setup.setup(dry_run=False)
        setup.close()
        found: list[Figures] = []
        for way, publish in (("haikei", with_haikei), ("plain script", with_plain_script)):
            with proxy_before(site.url) as proxy:
                proxy.delay = latency
                taken = publish(show, proxy, site.script, backgrounds + 1)
            first, *further = taken
            found.append(
                Figures(
                    uploads=uploads,
                    way=way,
                    first_trips=first[0],
                    first_seconds=first[1],
                    trips=max(trips for trips, _ in further),
                    seconds=statistics.median(seconds for _, seconds in further),
                )
            )
        return found


def with_haikei(show: Show, proxy: Proxy, _script: str, number: int) -> list[tuple[int, float]]:
    """Publish with the adapter; return trips and seconds of each background."""
    tracker = ShotGridTracker(show.at(proxy.url).settings, show.key)

    def one(shot: str) -> None:
        context = tracker.context(show.ask(shot=shot))
        tracker.publish(show.background(context, key=f"job-{shot}"))

    try:
        return timed(show, proxy, "h", number, one)
    finally:
        tracker.close()


def with_plain_script(
    show: Show, proxy: Proxy, script: str, number: int
) -> list[tuple[int, float]]:
    """Publish with the official client as it comes; return trips and seconds of each."""
    prepared = ShotGridTracker(show.settings, show.key)
    connected: list[shotgun_api3.Shotgun] = []

    def one(shot: str) -> None:
        if not connected:
            key = show.key.get_secret_value()
            connected.append(shotgun_api3.Shotgun(proxy.url, script_name=script, api_key=key))
        plain_publish(connected[0], requests[shot])

    # What the script must know of the background, but not of the tracker, is made beforehand.
    requests: dict[str, PublishRequest] = {}
    for index in range(number):
        make_shot(show, f"p{index}")
        context = prepared.context(show.ask(shot=f"p{index}"))
        requests[f"p{index}"] = show.background(context, key=f"job-p{index}")
    prepared.close()
    try:
        return timed(show, proxy, "p", number, one)
    finally:
        for client in connected:
            client.close()


def timed(
    show: Show, proxy: Proxy, prefix: str, number: int, one: Callable[[str], None]
) -> list[tuple[int, float]]:
    """Run once for each of so many shots; return trips and seconds."""
    taken: list[tuple[int, float]] = []
    for index in range(number):
        make_shot(show, f"{prefix}{index}")
        proxy.reset()
        begun = time.perf_counter()
        one(f"{prefix}{index}")
        taken.append((proxy.count, time.perf_counter() - begun))
    return taken


def make_shot(show: Show, code: str) -> None:
    """Make a shot with a layout task, a background task, and a published layout."""
    if show.find("Shot", ["code", "is", code]):
        return
    shot = show.create("Shot", code=code, sg_sequence={"type": "Sequence", "id": show.sequence})
    link = {"type": "Shot", "id": shot}
    for task in (show.layout_task, show.background_task):
        (row,) = show.find("Task", ["id", "is", task], fields="content step task_assignees")
        wanted = {name: row[name] for name in ("content", "step", "task_assignees")}
        show.create("Task", entity=link, **wanted)
    layout = show.layout()
    (kind,) = show.find("PublishedFileType", ["code", "is", "Layout"])
    show.create(
        "PublishedFile",
        code=layout.path.name,
        entity=link,
        published_file_type=kind,
        path={"local_path": str(layout.path)},
        path_cache=layout.relative,
    )


def plain_publish(sg: shotgun_api3.Shotgun, request: PublishRequest) -> None:
    """Publish as a script does that asks for each thing where it needs it."""

    def find(entity_type: str, *filters: list[Any]) -> dict[str, Any]:
        found = sg.find_one(entity_type, [*filters], ["code"])
        return cast("dict[str, Any]", found)

    project = find("Project", ["tank_name", "is", "umi"])
    here = ["project", "is", project]
    shot = find("Shot", here, ["code", "is", request.context.shot.name])
    task = find("Task", ["entity", "is", shot], ["step.Step.code", "is", "Background"])
    user = find("HumanUser", ["login", "is", "aoi"])
    sg.find("Version", [here, ["entity", "is", shot]], ["code"])
    layout = find("PublishedFile", ["entity", "is", shot], ["code", "is", request.layout.path.name])
    version = sg.create(
        "Version",
        {
            "project": project,
            "code": request.code,
            "entity": shot,
            "sg_task": task,
            "user": user,
            "description": request.description,
            "sg_status_list": request.status,
            "sg_path_to_frames": str(request.images[0].file.path),
        },
    )
    sg.upload("Version", version["id"], str(request.review_image), field_name="sg_uploaded_movie")
    sg.upload_thumbnail("Version", version["id"], str(request.thumbnail))
    for image in request.images:
        kind = find("PublishedFileType", ["code", "is", image.type])
        file = sg.create(
            "PublishedFile",
            {
                "project": project,
                "entity": shot,
                "task": task,
                "version": version,
                "code": image.file.path.name,
                "name": image.name,
                "version_number": request.version_number,
                "published_file_type": kind,
                "path": {"local_path": str(image.file.path)},
            },
        )
        sg.upload_thumbnail("PublishedFile", file["id"], str(request.thumbnail))
        sg.create(
            "PublishedFileDependency",
            {"published_file": file, "dependent_published_file": layout},
        )
    sg.update(
        "Version",
        version["id"],
        {
            "sg_haikei_credit": request.credit_en,
            "sg_haikei_credit_ja": request.credit_ja,
            "sg_haikei_system": request.system,
            "sg_haikei_source_type": request.source_type,
        },
    )


def judge(uploads: Uploads, figures: list[Figures]) -> dict[str, Any]:
    """Return the ratio of both ways, and whether the marks are reached."""
    ours, plain = (one for one in figures if one.uploads == uploads)
    ratio = ours.seconds / plain.seconds
    return {
        "trips": ours.trips,
        "ratio": round(ratio, 3),
        "reached": ours.trips <= TRIPS_MARK and ratio <= RATIO_MARK,
    }


def show_table(
    figures: list[Figures], marks: dict[Uploads, dict[str, Any]], *, latency: float
) -> None:
    """Print what was measured."""
    table = Table(title=f"One background at {latency * 1000:.0f} ms a request")
    for heading in ("uploads", "way", "trips", "seconds", "first: trips", "first: seconds"):
        table.add_column(heading, justify="left" if heading in {"uploads", "way"} else "right")
    for one in figures:
        table.add_row(
            one.uploads,
            one.way,
            str(one.trips),
            f"{one.seconds:.2f}",
            str(one.first_trips),
            f"{one.first_seconds:.2f}",
        )
    console = Console()
    console.print(table)
    for uploads, mark in marks.items():
        verdict = "reached" if mark["reached"] else "missed"
        console.print(
            f"{uploads}: {mark['trips']} trips (mark {TRIPS_MARK}), "
            f"{mark['ratio']:.2f}x the plain script's time (mark {RATIO_MARK}): {verdict}"
        )


if __name__ == "__main__":
    main()
