"""A studio in one process with everything real but the tracker, the art, and the job engine."""

import dataclasses
import threading
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol

import numpy as np
import OpenImageIO as oiio
from sqlalchemy import Engine

from haikei.events import LayoutPublished
from haikei.files import sha256_of
from haikei.generators.production import Production
from haikei.images import read_picture
from haikei.jobs.background.tasks import BackgroundHandlers
from haikei.jobs.engine.dispatch import Dispatcher
from haikei.jobs.engine.retries import Gate
from haikei.jobs.table import JobStore
from haikei.jobs.tools import Tools
from haikei.jobs.touchup.handle import TouchUpHandlers
from haikei.settings import Settings
from support.jobs import (
    FlatGenerator,
    MemoryEngine,
    announce,
    put_layout,
    studio_database,
    studio_settings,
)
from support.tracker import MemoryTracker


class House:
    """
    The studio below `folder`.

    Args:
        sections: parts of the settings that differ from the usual ones.
    """

    def __init__(self, folder: Path, **sections: object) -> None:
        self.settings: Settings = studio_settings(folder, **sections)
        self.database: Engine = studio_database(self.settings)
        self.tracker = MemoryTracker()
        self.generator = FlatGenerator()
        self.stop = threading.Event()
        self.tools = Tools(
            self.settings,
            self.database,
            self.stop,
            production=Production(self.settings, generators={"flat": self.generator}),
            open_tracker=lambda _: self.tracker,
        )
        self.engine = MemoryEngine()
        gate = Gate(2)
        self.engine.handlers = {
            **BackgroundHandlers(self.tools, gate).handlers(),
            **TouchUpHandlers(self.tools, gate).handlers(),
        }
        self.dispatcher = Dispatcher(self.settings, self.database, self.engine, ahead=50)
        self.store = JobStore(self.database)

    def work(self) -> None:
        """Dispatch and do everything that waits."""
        while self.dispatcher.tick() or self.engine.queue:
            self.engine.run()

    def publish(self, shot: str = "c001") -> str:
        """Announce a layout, do all work, and return its job's key."""
        announce(self.database, put_layout(self.settings, shot))
        self.work()
        return self.key

    @property
    def key(self) -> str:
        """The newest job's."""
        return self.store.list()[0].key

    @property
    def files(self) -> list[Path]:
        """Every file below the storage root, with the layouts left out."""
        root = self.settings.storage.roots[0].path
        found = (path for path in root.rglob("*") if path.is_file())
        return sorted(
            path for path in found if "layout" not in path.parts and ".haikei" not in path.parts
        )

    def replace_layout(self, event: LayoutPublished, content: bytes) -> LayoutPublished:
        """Put other bytes where a layout lies, and return the event that tells of them."""
        event.layout.write_bytes(content)
        return dataclasses.replace(event, sha256=sha256_of(event.layout))

    def as_tga(self, event: LayoutPublished) -> LayoutPublished:
        """Put the same drawing in its place as a TGA file, and return the event of it."""
        picture = read_picture(event.layout)
        path = event.layout.with_suffix(".tga")
        event.layout.unlink()
        spec = oiio.ImageSpec(picture.width, picture.height, 3, "uint8")
        output = oiio.ImageOutput.create(str(path))
        assert output is not None
        assert output.open(str(path), spec)
        assert output.write_image(np.ascontiguousarray(picture.pixels))
        output.close()
        return dataclasses.replace(event, layout=path, sha256=sha256_of(path))


class OpenHouse(Protocol):
    """Opens a house whose settings differ in these sections."""

    def __call__(self, **sections: object) -> House: ...


def opening(stack: ExitStack, folder: Path) -> OpenHouse:
    """Return what opens houses in one folder; they are closed with the stack."""

    def make(**sections: object) -> House:
        house = House(folder, **sections)
        stack.callback(house.database.dispose)
        stack.callback(house.tools.close)
        return house

    return make
