"""
How many round trips and how long does one background take, against a plain script?

Both publish the same background (a result and two stages, media, thumbnail, upstream link,
credits) into the same tracker, through a proxy that makes every request take longer by the latency:
into the embedded tracker with both of its ways to upload, and into a Kitsu server that is started
for it. The plain script is what a pipeline TD would write with the official client; it asks for
each thing where it needs it. Times are medians over further backgrounds on a warm connection; the
first one of a connection also learns what the site is, and is given beside them.

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
from functools import partial
from pathlib import Path
from typing import Any, Literal, cast

import gazu
import gazu.client
import shotgun_api3
import structlog
from pydantic import SecretStr
from rich.console import Console
from rich.table import Table

from haikei.demo.kitsu_server import ZOU, kitsu_server, lacking
from haikei.trackers import PublishRequest
from haikei.trackers.kitsu.publishing import CREDIT_FIELD
from haikei.trackers.shotgrid.tracker import ShotGridTracker

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from support.kitsu import RunningKitsu  # on the path only from here on
from support.kitsu_bench import KitsuBench  # likewise
from support.servers import Proxy, proxy_before  # likewise
from support.sites import Show, make_show, running_site, site_settings  # likewise

ROOT = Path(__file__).resolve().parents[1]
Uploads = Literal["classic", "cloud"]
STYLES: tuple[Uploads, ...] = ("classic", "cloud")
KITSU = "kitsu"
#: Round trips, at most, and seconds beside the plain script's; of Kitsu's at most as many trips.
TRIPS_MARK = 8
RATIO_MARK, KITSU_RATIO_MARK = 0.5, 0.7


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What one way of publishing took; seconds."""

    site: str  #: a way to upload into the embedded tracker, or Kitsu
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
    parser.add_argument("--only", choices=[*STYLES, KITSU], help="one of the sites")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()

    sites = [given.only] if given.only else [*STYLES, KITSU]
    if KITSU in sites and (missing := lacking(ROOT / ZOU)):
        print(f"Kitsu is left out: {missing} Run `make kitsu`.", file=sys.stderr)
        sites.remove(KITSU)
    figures: list[Figures] = []
    for site in sites:
        ways = measure_kitsu if site == KITSU else partial(measure, cast("Uploads", site))
        figures += ways(latency=given.latency, backgrounds=given.backgrounds)
    marks = {one: judge(one, figures) for one in sites}
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
                    site=uploads,
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


def measure_kitsu(*, latency: float, backgrounds: int) -> list[Figures]:
    """Return the figures of both ways, on one Kitsu server."""
    with (
        tempfile.TemporaryDirectory() as folder,
        kitsu_server(Path(folder) / "kitsu", ROOT / ZOU) as server,
    ):
        running = RunningKitsu(
            url=server.url,
            token=server.token,
            environment=server.environment,
            folder=Path(folder),
        )
        bench = KitsuBench(running, Path(folder))
        # The layout that is waiting stands on the tracker, as an event would have told of it.
        prepared = bench.tracker
        found: list[Figures] = []
        for way, prefix in (("haikei", "h"), ("plain script", "p")):
            taken: list[tuple[int, float]] = []
            with proxy_before(server.url) as proxy:
                ours = bench.opened_with(url=proxy.url)
                theirs = gazu.client.create_client(proxy.url, access_token=server.token)
                for index in range(backgrounds + 1):
                    shot = f"{prefix}{index}"
                    bench.add_cut(shot)
                    ask = bench.files.ask(shot=shot)
                    request = bench.files.background(prepared.context(ask), key=f"job-{shot}")
                    proxy.reset()
                    proxy.delay = latency
                    begun = time.perf_counter()
                    if way == "haikei":
                        context = ours.context(ask)
                        ours.publish(bench.files.background(context, key=f"job-{shot}"))
                    else:
                        plain_kitsu(theirs, request, bench.files.name)
                    taken.append((proxy.count, time.perf_counter() - begun))
                    proxy.delay = 0.0
                ours.close()
                theirs.session.close()
            first, *further = taken
            found.append(
                Figures(
                    site=KITSU,
                    way=way,
                    first_trips=first[0],
                    first_seconds=first[1],
                    trips=max(trips for trips, _ in further),
                    seconds=statistics.median(seconds for _, seconds in further),
                )
            )
        bench.close()
        return found


def plain_kitsu(client: Any, request: PublishRequest, show: str) -> None:
    """Publish as a script with gazu does that asks for each thing where it needs it."""
    project = gazu.project.get_project_by_name(show, client=client)
    sequence = gazu.shot.get_sequence_by_name(project, "s01", client=client)
    shot = gazu.shot.get_shot_by_name(sequence, request.context.shot.name, client=client)
    task_type = gazu.task.get_task_type_by_name("Background", client=client)
    task = gazu.task.get_task_by_entity(shot, task_type, client=client)
    status = gazu.task.get_task_status_by_short_name(request.status, client=client)
    gazu.files.get_all_preview_files_for_task(task, client=client)  # which version is next
    _, preview = gazu.task.publish_preview(
        task,
        status,
        comment=f"{request.code}\n{request.description}\n{request.credit_en}",
        preview_file_path=str(request.review_image),
        client=client,
    )
    credits_of = {
        "credit_en": request.credit_en,
        "credit_ja": request.credit_ja,
        "system": request.system,
        "source_type": request.source_type,
    }
    gazu.files.update_preview(preview, {"data": credits_of}, client=client)
    me = gazu.client.get_current_user(client=client)
    (file_status, *_) = gazu.client.fetch_all("file-status", client=client)
    for image in request.images:
        kind = gazu.files.get_output_type_by_name(image.type, client=client)
        fields = {
            "name": image.name,
            "revision": request.version_number,
            "description": image.description,
            "entity_id": shot["id"],
            "task_type_id": task_type["id"],
            "output_type_id": kind["id"],
            "file_status_id": file_status["id"],
            "person_id": me["id"],
            "path": str(image.file.path),
            "data": credits_of,
        }
        gazu.client.post("data/output-files", fields, client=client)
    gazu.shot.update_shot_data(shot, {CREDIT_FIELD: request.credit_en}, client=client)


def judge(site: str, figures: list[Figures]) -> dict[str, Any]:
    """Return the ratio of both ways, and whether the marks are reached."""
    ours, plain = (one for one in figures if one.site == site)
    ratio = ours.seconds / plain.seconds
    trips = plain.trips if site == KITSU else TRIPS_MARK
    longest = KITSU_RATIO_MARK if site == KITSU else RATIO_MARK
    return {
        "trips": ours.trips,
        "trips_mark": trips,
        "ratio": round(ratio, 3),
        "ratio_mark": longest,
        "reached": ours.trips <= trips and ratio <= longest,
    }


def show_table(figures: list[Figures], marks: dict[str, dict[str, Any]], *, latency: float) -> None:
    """Print what was measured."""
    table = Table(title=f"One background at {latency * 1000:.0f} ms a request")
    for heading in ("site", "way", "trips", "seconds", "first: trips", "first: seconds"):
        table.add_column(heading, justify="left" if heading in {"site", "way"} else "right")
    for one in figures:
        table.add_row(
            one.site,
            one.way,
            str(one.trips),
            f"{one.seconds:.2f}",
            str(one.first_trips),
            f"{one.first_seconds:.2f}",
        )
    console = Console()
    console.print(table)
    for site, mark in marks.items():
        verdict = "reached" if mark["reached"] else "missed"
        console.print(
            f"{site}: {mark['trips']} trips (mark {mark['trips_mark']}), "
            f"{mark['ratio']:.2f}x the plain script's time (mark {mark['ratio_mark']}): {verdict}"
        )


if __name__ == "__main__":
    main()
