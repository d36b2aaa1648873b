"""A show with pictures on the disk, seen through Haikei's pages; and a page as browsers read it."""

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
from typing_extensions import override

from haikei.credits import BackgroundVersion, ImageRecord
from haikei.files import sha256_of
from haikei.images import Picture, write_picture
from haikei.web.pages import Pages
from support.records import a_background, a_chain
from support.web import URL, Web, web_of

Attributes = dict[str, str]


@dataclass(slots=True)
class Page(HTMLParser):
    """The elements of a page, with their attributes, and all of its text."""

    elements: list[tuple[str, Attributes]] = field(default_factory=list[tuple[str, Attributes]])
    text: str = ""

    def __post_init__(self) -> None:
        HTMLParser.__init__(self)

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    @override
    def handle_data(self, data: str) -> None:
        self.text += f" {' '.join(data.split())}" if data.strip() else ""

    def all(self, tag: str, **wanted: str) -> list[Attributes]:
        """Return the attributes of all elements of this kind that have these values."""
        return [
            found
            for name, found in self.elements
            if name == tag and all(found.get(key) == value for key, value in wanted.items())
        ]

    def attribute(self, name: str) -> list[str]:
        """Return every value of an attribute."""
        return [found[name] for _, found in self.elements if name in found]


def read(html: str) -> Page:
    """Return a page's elements."""
    page = Page()
    page.feed(html)
    page.close()
    return page


@contextmanager
def pages_of(folder: Path, *, base_url: str = URL, **sections: Any) -> Generator[Web]:
    """Yield a studio's web application with Haikei's own pages."""
    with web_of(
        folder, pages=lambda context: Pages(context).routes(), base_url=base_url, **sections
    ) as web:
        yield web


def get(web: Web, address: str, headers: Mapping[str, str] | None = None) -> Page:
    """Return a page that is there."""
    answer = web.client.get(address, headers=dict(headers or {}))
    assert answer.status_code == 200, answer.text
    return read(answer.text)


def csrf(page: Page) -> str:
    """Return what the page's forms carry."""
    return page.all("input", name="csrf")[0]["value"]


def with_pictures(root: Path, told: BackgroundVersion) -> BackgroundVersion:
    """Return the version with a file for each of its images, each in a colour of its own."""
    hashes: dict[str, str] = {}
    images: list[ImageRecord] = []
    for number, image in enumerate(told.images):
        path = root / image.path
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = np.full((90, 160, 3), (number + 1) / 5, dtype=np.float32)
        pixels[:, : 30 * (number + 1)] = (0.2, 0.5, 0.3)
        write_picture(Picture(pixels=pixels), path, bits=8, attributes={"Software": image.key})
        hashes[image.sha256] = sha256_of(path)
        ingredients = tuple(
            replace(one, sha256=hashes.get(one.sha256, one.sha256)) for one in image.ingredients
        )
        images.append(replace(image, sha256=hashes[image.sha256], ingredients=ingredients))
    return replace(told, images=tuple(images))


def a_version(
    shot: str = "c001", *, images: Sequence[ImageRecord] | None = None, version: int = 1
) -> BackgroundVersion:
    """Return a version whose paths lie below a storage root."""
    chain = a_chain(shot) if images is None else images
    return a_background(shot, images=chain, version=version)
