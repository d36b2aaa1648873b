"""
How soon is a show of 5,000 cuts on the screen, and does making its pictures hold others up?

A generated show is written into a fresh database, or taken from an earlier run's. The real
`haikei web` serves it, and a real Chromium opens it: once with nothing in its cache, then again and
again. In turn it opens a bare page, from Python's `http.server`, with the same number of bytes,
elements and letters, and no styles, scripts or pictures: the ratio says what is ours. At the end
many pictures that nobody has looked at yet are asked for at once, while one more visitor opens
the first page.

    python benchmarks/gallery.py --cuts 5000
"""

import argparse
import gzip
import http.client
import json
import multiprocessing
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from html.parser import HTMLParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.queues import Queue
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
from playwright.sync_api import Browser, Page, sync_playwright
from rich.console import Console
from rich.table import Table
from sqlalchemy import select
from typing_extensions import override

from haikei.database import image_records, open_database, reading
from haikei.images import Picture, write_picture, write_review

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from support.browsers import CHROMIUM_ARGUMENTS  # on the path only from here on
from support.records import save_show  # likewise

PROJECT = "akane"
MARK = 1000.0
PATIENCE = 120.0
VIEW = (1280, 860)
#: Of the generated show: versions a cut, since some have retakes and touch-ups.
VERSIONS_A_CUT = 1.446
#: Pictures that are asked for at once, and connections: eight browsers of six each.
UNSEEN, LANES = 200, 48
#: Milliseconds since the navigation began (Navigation Timing 2, Paint Timing).
TIMES = """
() => new Promise((resolve) => {
  const tell = (paint) => {
    const one = performance.getEntriesByType("navigation")[0];
    resolve([one.responseStart, one.responseEnd, paint, one.domContentLoadedEventEnd,
      one.loadEventEnd, one.transferSize]);
  };
  new PerformanceObserver((list) => {
    const found = list.getEntriesByName("first-contentful-paint")[0];
    if (found) tell(found.startTime);
  }).observe({ type: "paint", buffered: true });
})
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What one server takes for the page, without a browser; medians."""

    server: str
    first_byte_ms: float
    whole_ms: float
    cpu_ms: float  #: of the server's process
    kib: float  #: on the wire
    html_kib: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """What a browser takes to open the page, in milliseconds since one asked for it; medians."""

    page: str
    cache: str  #: `empty` for the first load, else `warm`
    loads: int
    first_byte: float
    last_byte: float
    first_paint: float
    dom_ready: float
    loaded: float
    cpu: float  #: of the page's main thread
    kib: float  #: of the page on the wire


@dataclass(frozen=True, slots=True, kw_only=True)
class Crowd:
    """How long the first page takes, alone and while pictures are made, in milliseconds."""

    pictures: int
    seconds: float  #: until all were made
    alone_p50: float
    among_p50: float
    among_worst: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What was measured."""

    cores: int
    load: float  #: of the machine, before
    cuts: int  #: of the show
    cards: int  #: on its first page
    elements: int
    answers: list[Answer]
    openings: list[Opening]
    ratio_paint: float  #: warm, ours over the bare page
    ratio_ready: float
    ratio_loaded: float
    crowd: Crowd
    reached: bool


def main() -> None:
    """Measure, print the tables, and fail when the mark is missed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").strip().splitlines()[0])
    parser.add_argument("--cuts", type=int, default=5000)
    parser.add_argument("--loads", type=int, default=7, help="of each page, after the first")
    parser.add_argument("--folder", type=Path, help="where the generated show is kept")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    folder = given.folder or Path(tempfile.gettempdir()) / "haikei-benchmark-gallery"
    figures = measure(folder / f"show-{given.cuts}", given.cuts, given.loads)
    if given.json:
        print(json.dumps(asdict(figures), indent=2))
    else:
        show_tables(figures)
    if not figures.reached:
        raise SystemExit(1)


def measure(folder: Path, cuts: int, loads: int) -> Figures:
    """Return what both pages take, in turn."""
    load = os.getloadavg()[0]
    build(folder, round(cuts * VERSIONS_A_CUT))
    with ExitStack() as stack:
        ours, process = stack.enter_context(served(folder))
        address = f"{ours}/shows/{PROJECT}"
        html = text_of(address)
        counts = Counts()
        counts.feed(html)
        bare, bare_process = stack.enter_context(served_bare(bare_page(html, counts)))
        pages = (("bare", bare, bare_process), ("haikei", address, process))
        answers = answered(pages, loads)
        openings = opened(pages, loads)
        crowd = crowded(ours, folder)
    warm = {one.page: one for one in openings if one.cache == "warm"}
    return Figures(
        cores=len(os.sched_getaffinity(0)),
        load=load,
        cuts=cuts,
        cards=counts.cards,
        elements=counts.elements,
        answers=answers,
        openings=openings,
        ratio_paint=warm["haikei"].first_paint / warm["bare"].first_paint,
        ratio_ready=warm["haikei"].dom_ready / warm["bare"].dom_ready,
        ratio_loaded=warm["haikei"].loaded / warm["bare"].loaded,
        crowd=crowd,
        reached=all(one.loaded < MARK for one in openings if one.page == "haikei"),
    )


def build(folder: Path, versions: int) -> None:
    """Write a show of that many versions with all of its cards' pictures; one that stands stays."""
    database = folder / "state" / "haikei.db"
    if database.exists():
        return
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "projects").mkdir(parents=True)
    (folder / "haikei.toml").write_text(
        '[studio]\nname = "Benchmark"\nstate = "state"\n'
        '[tracker]\nurl = "http://127.0.0.1:9"\nscript = "haikei"\n'
        '[[storage.roots]]\nname = "primary"\npath = "projects"\n',
        encoding="utf-8",
    )
    growing = database.with_suffix(".growing")
    opened_database = open_database(f"sqlite:///{growing}")
    with opened_database.begin() as connection:
        save_show(connection, versions=versions, project=PROJECT, variants=1)
        hashes = list(connection.execute(select(image_records.c.sha256)).scalars())
    opened_database.dispose()
    card = folder / "card.jpg"
    write_review(picture(), card, longest=360)
    for sha256 in hashes:
        kept = folder / "state" / "web-thumbnails" / sha256[:2] / f"{sha256}-360.jpg"
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.hardlink_to(card)
    growing.rename(database)


def picture() -> Picture:
    """Return a picture of the usual size that compresses like a painted one."""
    random = np.random.default_rng(1)
    coarse = random.random((34, 60, 3), dtype=np.float32)
    fine = random.random((1080, 1920, 3), dtype=np.float32)
    pixels = np.kron(coarse, np.ones((32, 32, 1), dtype=np.float32))[:1080, :1920]
    return Picture(pixels=(pixels * 0.96 + fine * 0.04).astype(np.float32))


@contextmanager
def served(folder: Path) -> Generator[tuple[str, int]]:
    """Yield the address and the process of `haikei web`."""
    address = folder / "web.url"
    address.unlink(missing_ok=True)
    with (folder / "web.log").open("wb") as log:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "haikei.cli", "web", "--port=0"),
                *(f"--url-file={address}", "--settings", str(folder / "haikei.toml")),
            ],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    try:
        wait_for(lambda: address.exists() or process.poll() is not None)
        yield address.read_text(encoding="utf-8").strip(), process.pid
    finally:
        process.terminate()
        process.wait(PATIENCE)


@contextmanager
def served_bare(html: bytes) -> Generator[tuple[str, int]]:
    """Yield the address and the process of a server that has one page."""
    context = multiprocessing.get_context("spawn")
    told: Queue[int] = context.Queue()
    process = context.Process(target=serve_bare, args=(html, told), daemon=True)
    process.start()
    try:
        port = told.get(timeout=PATIENCE)
        yield f"http://127.0.0.1:{port}/", process.pid or 0
    finally:
        process.terminate()
        process.join(PATIENCE)


def serve_bare(html: bytes, told: "Queue[int]") -> None:
    """Serve one page."""

    class Bare(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("content-type", "text/html; charset=utf-8")
            self.send_header("content-length", str(len(html)))
            self.end_headers()
            self.wfile.write(html)

        @override
        def log_message(self, format: str, *args: Any) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Bare) as server:
        told.put(server.server_address[1])
        server.serve_forever()


class Counts(HTMLParser):
    """How many elements, cards and letters a page has."""

    def __init__(self) -> None:
        super().__init__()
        self.elements = 0
        self.cards = 0
        self.letters = 0

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements += 1
        self.cards += ("class", "card") in attrs

    @override
    def handle_data(self, data: str) -> None:
        self.letters += len(data)


def bare_page(html: str, counts: Counts) -> bytes:
    """Return a page with as many bytes, elements and letters, the bytes left over in attributes."""
    head = '<!doctype html><html lang="en"><head><title>bare</title></head><body>'
    letters = "x" * (counts.letters // counts.elements)
    frame = '<p title=""></p>\n'
    room = (len(html.encode()) - len(head)) // (counts.elements - 4)
    filling = "y" * max(0, room - len(frame) - len(letters))
    body = "".join(f'<p title="{filling}">{letters}</p>\n' for _ in range(counts.elements - 4))
    return (head + body).encode()


def answered(pages: Sequence[tuple[str, str, int]], times: int) -> list[Answer]:
    """Ask both servers in turn, without a browser."""
    found: dict[str, list[tuple[float, float, float, int, int]]] = {}
    for _ in range(times + 1):
        for name, address, process in pages:
            found.setdefault(name, []).append(asked(address, process))
    return [
        Answer(
            server=name,
            first_byte_ms=statistics.median(one[0] for one in some[1:]),
            whole_ms=statistics.median(one[1] for one in some[1:]),
            cpu_ms=statistics.median(one[2] for one in some[1:]),
            kib=some[-1][3] / 1024,
            html_kib=some[-1][4] / 1024,
        )
        for name, some in found.items()
    ]


def asked(address: str, process: int) -> tuple[float, float, float, int, int]:
    """Return milliseconds to the first and last byte and on processors, and both sizes."""
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(parts.netloc, timeout=PATIENCE)
    connection.connect()
    before, started = cpu_ms(process), time.perf_counter()
    connection.request("GET", parts.path, headers={"accept-encoding": "gzip"})
    answer = connection.getresponse()
    first = answer.read(1)
    first_byte = time.perf_counter() - started
    body = first + answer.read()
    whole = time.perf_counter() - started
    connection.close()
    assert answer.status == http.client.OK, answer.status
    packed = answer.headers.get("content-encoding") == "gzip"
    html = gzip.decompress(body) if packed else body
    return first_byte * 1000, whole * 1000, cpu_ms(process) - before, len(body), len(html)


def cpu_ms(process: int) -> float:
    """Return what a process has had of processors (`man 5 proc_pid_stat`)."""
    fields = Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * 1000 / os.sysconf("SC_CLK_TCK")


def opened(pages: Sequence[tuple[str, str, int]], loads: int) -> list[Opening]:
    """Open both pages in a browser in turn: at first, then with what it has kept."""
    found: dict[tuple[str, str], list[list[float]]] = {}
    with sync_playwright() as playwright:
        system = shutil.which("chromium")
        browser = playwright.chromium.launch(executable_path=system, args=CHROMIUM_ARGUMENTS)
        with ExitStack() as stack:
            tabs = {name: stack.enter_context(a_tab(browser)) for name, *_ in pages}
            for number in range(loads + 1):
                for name, address, _ in pages:
                    cache = "warm" if number else "empty"
                    found.setdefault((name, cache), []).append(loaded(tabs[name], address))
        browser.close()
    openings: list[Opening] = []
    for (name, cache), some in found.items():
        first, last, paint, ready, load, size, cpu = (
            statistics.median(each) for each in zip(*some, strict=True)
        )
        openings.append(
            Opening(
                page=name,
                cache=cache,
                loads=len(some),
                first_byte=first,
                last_byte=last,
                first_paint=paint,
                dom_ready=ready,
                loaded=load,
                cpu=cpu,
                kib=size / 1024,
            )
        )
    return openings


@contextmanager
def a_tab(browser: Browser) -> Generator[Page]:
    """Yield a tab with a cache of its own, started and warmed up on an empty page."""
    context = browser.new_context(viewport={"width": VIEW[0], "height": VIEW[1]})
    page = context.new_page()
    page.goto("data:text/html,<p>empty")
    yield page
    context.close()


def loaded(page: Page, address: str) -> list[float]:
    """Open a page; return its times, its bytes, and what its main thread computed."""
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})
    page.goto(address, wait_until="load", timeout=PATIENCE * 1000)
    times = [float(one) for one in page.evaluate(TIMES)]
    metrics: list[dict[str, Any]] = session.send("Performance.getMetrics")["metrics"]
    named = {one["name"]: float(one["value"]) for one in metrics}
    session.detach()
    return [*times, named["TaskDuration"] * 1000]


def crowded(url: str, folder: Path) -> Crowd:
    """Ask for many pictures that were never looked at; open the first page all the while."""
    unseen = forget(folder)
    alone = [asked_for(url, "/") for _ in range(20)]
    begin = time.perf_counter()
    lanes = [
        threading.Thread(target=fetch, args=(url, unseen[lane::LANES])) for lane in range(LANES)
    ]
    for lane in lanes:
        lane.start()
    among: list[float] = []
    while any(lane.is_alive() for lane in lanes):
        among.append(asked_for(url, "/"))
        time.sleep(0.02)
    return Crowd(
        pictures=len(unseen),
        seconds=time.perf_counter() - begin,
        alone_p50=statistics.median(alone),
        among_p50=statistics.median(among),
        among_worst=max(among),
    )


def forget(folder: Path) -> list[str]:
    """Let some images have a file and no picture; return the pictures' addresses."""
    source = folder / "source.png"
    if not source.exists():
        write_picture(picture(), source, bits=8)
    database = open_database(f"sqlite:///{folder / 'state' / 'haikei.db'}")
    with reading(database) as connection:
        columns = image_records.c
        query = (
            select(columns.sha256, columns.path)
            .where(columns.path.endswith(".png"))
            .order_by(columns.ledger_seq)
            .limit(UNSEEN)
        )
        rows = [(str(sha256), str(path)) for sha256, path in connection.execute(query)]
    database.dispose()
    for sha256, path in rows:
        published = folder / "projects" / path
        published.parent.mkdir(parents=True, exist_ok=True)
        if not published.exists():
            published.hardlink_to(source)
        kept = folder / "state" / "web-thumbnails" / sha256[:2] / f"{sha256}-360.jpg"
        kept.unlink(missing_ok=True)
    return [f"/pictures/{sha256}/360.jpg" for sha256, _ in rows]


def fetch(url: str, paths: Sequence[str]) -> None:
    """Ask for some addresses, one after the other."""
    for path in paths:
        asked_for(url, path)


def asked_for(url: str, path: str) -> float:
    """Return the milliseconds of one answer."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=PATIENCE)
    started = time.perf_counter()
    connection.request("GET", path)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    assert answer.status == http.client.OK, f"{path}: {answer.status}"
    return (time.perf_counter() - started) * 1000


def text_of(address: str) -> str:
    """Return a page's HTML."""
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(parts.netloc, timeout=PATIENCE)
    connection.request("GET", parts.path)
    text = connection.getresponse().read().decode()
    connection.close()
    return text


def wait_for(stands: Callable[[], bool]) -> None:
    """Wait until it is so."""
    end = time.monotonic() + PATIENCE
    while not stands():
        if time.monotonic() > end:
            sys.exit("`haikei web` does not start; see web.log in the benchmark's folder.")
        time.sleep(0.05)


def show_tables(figures: Figures) -> None:
    """Print what was measured."""
    console = Console()
    shown = f"{figures.cards:,} of {figures.cuts:,} cuts, {figures.elements:,} elements"
    title = f"{shown}, {figures.cores} cores"
    table = Table(title=f"{title}, load {figures.load:.1f}: the server alone, medians")
    for name in ("server", "first byte ms", "whole ms", "CPU ms", "KiB sent", "KiB of HTML"):
        table.add_column(name, justify="left" if name == "server" else "right")
    for one in figures.answers:
        numbers = (one.first_byte_ms, one.whole_ms, one.cpu_ms, one.kib, one.html_kib)
        table.add_row(one.server, *(f"{number:.0f}" for number in numbers))
    console.print(table)
    table = Table(title="In Chromium, milliseconds since one asked, medians")
    names = ("first byte", "last byte", "first paint", "DOM ready", "loaded", "CPU", "KiB sent")
    for name in ("page", "cache", "loads", *names):
        table.add_column(name, justify="left" if name in {"page", "cache"} else "right")
    for each in figures.openings:
        moments = (each.first_byte, each.last_byte, each.first_paint, each.dom_ready, each.loaded)
        cells = (f"{number:.0f}" for number in (*moments, each.cpu, each.kib))
        table.add_row(each.page, each.cache, str(each.loads), *cells)
    console.print(table)
    crowd = figures.crowd
    console.print(
        f"Warm, over the bare page: first paint {figures.ratio_paint:.2f}, DOM ready "
        f"{figures.ratio_ready:.2f}, loaded {figures.ratio_loaded:.2f}.\n"
        f"The first page takes {crowd.alone_p50:.0f} ms alone; while {crowd.pictures} pictures are "
        f"made in {crowd.seconds:.1f} s, {crowd.among_p50:.0f} ms, at worst "
        f"{crowd.among_worst:.0f} ms.\n"
        f"Mark: loaded in under {MARK:.0f} ms: {'reached' if figures.reached else 'MISSED'}."
    )


if __name__ == "__main__":
    main()
