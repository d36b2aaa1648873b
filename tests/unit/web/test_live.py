"""Server-sent events: what changes is told to every page, and again to who missed it."""

import asyncio
import json
from collections.abc import AsyncGenerator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, insert, update

from haikei.database import jobs, reviews, utc_now
from haikei.web.context import BEHIND, Broadcaster
from support.clocks import PATIENCE, eventually
from support.jobs import studio_database, studio_settings


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Engine]:
    one = studio_database(studio_settings(tmp_path))
    yield one
    one.dispose()


def add_job(database: Engine, key: str, *, at: datetime | None = None) -> None:
    now = at or utc_now()
    with database.begin() as connection:
        connection.execute(
            insert(jobs).values(
                key=key,
                event_key=key,
                state="running",
                step="generate",
                project="akane",
                shot="c001",
                season="winter",
                time="night",
                progress=0.25,
                created_at=now,
                updated_at=now,
            )
        )


def change_job(database: Engine, key: str, progress: float) -> None:
    with database.begin() as connection:
        connection.execute(
            update(jobs).where(jobs.c.key == key).values(progress=progress, updated_at=utc_now())
        )


class Page:
    """A page that is open."""

    def __init__(self, live: Broadcaster, last: str = "") -> None:
        self._stream: AsyncGenerator[bytes] = live.stream(last)

    async def event(self) -> dict[str, str]:
        """Return the next event's fields; heartbeats are passed over."""
        async with asyncio.timeout(PATIENCE):
            async for message in self._stream:
                lines = [line.partition(": ") for line in message.decode().strip().splitlines()]
                found = {name: value for name, _, value in lines}
                if "event" in found:
                    return found
        raise AssertionError("the stream ended")

    async def end(self) -> bool:
        """Tell whether the stream ends."""
        async with asyncio.timeout(PATIENCE):
            async for _ in self._stream:
                pass
        return True

    async def close(self) -> None:
        await self._stream.aclose()


def test_every_page_is_told_what_changes(database: Engine) -> None:
    async def scene() -> None:
        live = Broadcaster(database, poll=0.01)
        looking = asyncio.create_task(live.run())
        pages = [Page(live), Page(live)]
        waiting = [asyncio.create_task(page.event()) for page in pages]
        await asyncio.to_thread(eventually, lambda: live.clients == 2)
        await asyncio.to_thread(add_job, database, "job-1")

        for told in await asyncio.gather(*waiting):
            data = json.loads(told["data"])
            assert told["event"] == "job"
            assert (data["job"], data["shot"], data["progress"]) == ("job-1", "c001", 0.25)
        live.stop()
        assert await pages[0].end()
        await looking
        assert await pages[1].end()

    asyncio.run(scene())


def test_a_review_is_told_too(database: Engine) -> None:
    async def scene() -> None:
        live = Broadcaster(database, poll=0.01)
        looking = asyncio.create_task(live.run())
        page = Page(live)
        waiting = asyncio.create_task(page.event())
        await asyncio.to_thread(eventually, lambda: live.clients)
        with database.begin() as connection:
            connection.execute(
                insert(reviews).values(
                    version_id=5,
                    background_key="job-1",
                    status="apr",
                    decision="approve",
                    updated_at=utc_now(),
                )
            )

        told = await waiting
        assert told["event"] == "review"
        assert json.loads(told["data"]) == {"background": "job-1", "decision": "approve"}
        live.stop()
        await looking

    asyncio.run(scene())


def test_who_was_cut_off_is_told_what_was_missed(database: Engine) -> None:
    async def scene() -> None:
        live = Broadcaster(database, poll=0.01)
        moment = utc_now() - timedelta(minutes=5)
        add_job(database, "before", at=moment - timedelta(minutes=1))
        add_job(database, "after", at=moment + timedelta(minutes=1))
        last = int((moment - datetime.fromtimestamp(0, UTC)) / timedelta(microseconds=1))

        page = Page(live, str(last))
        told = await page.event()
        await page.close()

        assert json.loads(told["data"])["job"] == "after"
        assert int(told["id"]) > last

    asyncio.run(scene())


@pytest.mark.parametrize("last", ["1", str(10**15)])
def test_who_was_away_for_long_loads_the_page_anew(database: Engine, last: str) -> None:
    async def scene() -> None:
        page = Page(Broadcaster(database), last)
        assert (await page.event())["event"] == "reload"
        await page.close()

    asyncio.run(scene())


@pytest.mark.parametrize("last", ["", "x", "-5", "٣", "9" * 40])
def test_an_id_that_we_never_gave_is_passed_over(database: Engine, last: str) -> None:
    async def scene() -> None:
        live = Broadcaster(database, poll=0.01, heartbeat=0.01)
        stream = live.stream(last)
        found = [await anext(stream), await anext(stream)]
        await stream.aclose()
        assert found == [b"retry: 2000\n\n", b": \n\n"]

    asyncio.run(scene())


def test_a_page_that_does_not_listen_is_cut_off_and_the_others_are_served(
    database: Engine,
) -> None:
    async def scene() -> None:
        live = Broadcaster(database, poll=0.001)
        looking = asyncio.create_task(live.run())
        deaf = live.stream("")
        assert await anext(deaf) == b"retry: 2000\n\n"
        stuck = asyncio.create_task(anext(deaf))
        await asyncio.to_thread(eventually, lambda: live.clients)
        with database.begin() as connection:
            now = utc_now()
            connection.execute(
                insert(jobs),
                [
                    {"key": f"job-{n}", "event_key": "e", "state": "waiting", "created_at": now}
                    | {"updated_at": now}
                    for n in range(BEHIND + 10)
                ],
            )
        await asyncio.to_thread(eventually, lambda: not live.clients)
        with pytest.raises(StopAsyncIteration):
            await stuck
        live.stop()
        await looking

    asyncio.run(asyncio.wait_for(scene(), PATIENCE))


def test_a_page_that_goes_is_forgotten(database: Engine) -> None:
    async def scene() -> None:
        live = Broadcaster(database, clients=1)
        stream = live.stream("")
        await anext(stream)
        assert live.is_full
        await stream.aclose()
        assert not live.is_full

    asyncio.run(scene())


def test_the_same_state_is_told_once_and_a_new_one_again(database: Engine) -> None:
    async def scene() -> None:
        live = Broadcaster(database, poll=0.001)
        looking = asyncio.create_task(live.run())
        page = Page(live)
        waiting = asyncio.create_task(page.event())
        await asyncio.to_thread(eventually, lambda: live.clients)
        await asyncio.to_thread(add_job, database, "job-1")
        first = json.loads((await waiting)["data"])
        await asyncio.to_thread(change_job, database, "job-1", 0.5)
        second = json.loads((await page.event())["data"])

        assert (first["progress"], second["progress"]) == (0.25, 0.5)
        live.stop()
        await looking

    asyncio.run(scene())
