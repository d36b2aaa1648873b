"""The database restarts under load, and a host's clock jumps: nothing is lost, nothing doubled."""

import shutil
import subprocess
from collections import Counter
from pathlib import Path
from typing import cast

import pytest

from haikei.jobs import JobState
from haikei.scenes import Scene, SceneKind, draw, save_layout
from support.databases import postgres_url, restart_postgres
from support.studio import SiteRow, Studio, studio

SHOTS = tuple(f"c{number:03d}" for number in range(1, 7))
#: Sets the wall clock of a program ahead by the seconds in a file; the monotonic one goes on.
#: What fakes all of the time (libfaketime) breaks waiting.
SHIFTED_CLOCK = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static int file = -1;

__attribute__((constructor)) static void begin(void) {
    const char *name = getenv("SHIFTED_CLOCK");
    if (name) file = open(name, O_RDONLY | O_CLOEXEC);
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    static int (*usual)(clockid_t, struct timespec *);
    if (!usual) usual = dlsym(RTLD_NEXT, "clock_gettime");
    int failed = usual(clock, now);
    char text[24] = {0};
    if (!failed && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)
        && pread(file, text, sizeof text - 1, 0) > 0)
        now->tv_sec += atol(text);
    return failed;
}

time_t time(time_t *seconds) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (seconds) *seconds = now.tv_sec;
    return now.tv_sec;
}

int gettimeofday(struct timeval *given, void *zone) {
    struct timespec now;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &now);
    given->tv_sec = now.tv_sec;
    given->tv_usec = now.tv_nsec / 1000;
    return 0;
}
"""
JUMP = 3 * 60 * 60


def _draw(here: Studio, *shots: str) -> None:
    for shot in shots:
        path = here.projects / "PORT" / "s01" / shot / "layout" / f"{shot}_bg_v001.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        scene = Scene(kind=SceneKind.VILLAGE, width=192, height=108, seed=int(shot[1:]))
        save_layout(draw(scene), path)


def _wait_for(here: Studio, count: int) -> None:
    here.wait_for(f"{count} backgrounds", lambda: len(here.jobs(JobState.DONE)) >= count)


def _require_once_each(here: Studio) -> None:
    assert {job.state for job in here.jobs()} == {JobState.DONE}
    client = here.connect()
    rows = cast("list[SiteRow]", client.find("Version", [], ["entity", "sg_haikei_key"]))
    client.close()
    assert Counter(row["entity"]["name"] for row in rows) == Counter(SHOTS)
    assert len({row["sg_haikei_key"] for row in rows}) == len(SHOTS)
    here.call("ledger", "verify")


@pytest.mark.timeout(900)
@pytest.mark.xdist_group("bad hours")
def test_a_database_server_that_crashes_and_restarts_under_load_costs_no_job(
    tmp_path: Path,
) -> None:
    database = f'[database]\nurl = "{postgres_url()}"\n'
    with studio(tmp_path / "studio", extra_settings=database) as here:
        here.cast([("PORT", "s01", shot) for shot in SHOTS])
        here.start()
        _draw(here, *SHOTS[:3])
        _wait_for(here, 1)
        restart_postgres("immediate")
        _draw(here, *SHOTS[3:5])
        _wait_for(here, 2)
        restart_postgres("fast")
        _draw(here, *SHOTS[5:])
        _wait_for(here, len(SHOTS))
        here.stop()

        _require_once_each(here)


@pytest.mark.timeout(900)
@pytest.mark.skipif(shutil.which("cc") is None, reason="there is no C compiler")
def test_a_clock_that_jumps_forward_and_back_costs_no_job(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with studio(tmp_path / "studio") as here:
        here.cast([("PORT", "s01", shot) for shot in SHOTS])
        ahead, library = here.folder / "clock", here.folder / "clock.so"
        ahead.write_text("+0")
        source = library.with_suffix(".c")
        source.write_text(SHIFTED_CLOCK)
        subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
        with monkeypatch.context() as shifted:
            shifted.setenv("LD_PRELOAD", str(library))
            shifted.setenv("SHIFTED_CLOCK", str(ahead))
            here.start()
        _draw(here, *SHOTS[:2])
        _wait_for(here, 2)
        _draw(here, *SHOTS[2:4])
        here.wait_for("jobs", lambda: len(here.jobs()) == 4)
        ahead.write_text(f"{JUMP:+d}")
        _wait_for(here, 4)
        _draw(here, SHOTS[4])
        here.wait_for("jobs", lambda: len(here.jobs()) == 5)
        ahead.write_text(f"{-JUMP:+d}")
        _draw(here, SHOTS[5])  # the one before may have been quicker than the clock
        # The studio's certificate is not valid yet at such a time: nobody signs with it.
        here.wait_for("a lane held", lambda: here.said('"lane_held"'))
        ahead.write_text("+0")
        _wait_for(here, 6)
        here.stop()

        _require_once_each(here)
