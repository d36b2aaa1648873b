"""The embedded tracker as a real server, a show on it, and what the official client sends."""

import hashlib
from collections.abc import Generator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np
import OpenImageIO as oiio
import shotgun_api3
from pydantic import HttpUrl, SecretStr

from haikei.settings import PersonEntry, Settings, Storage, StorageRoot, Studio, Tracker
from haikei.sgserver.http.hosting import SiteOptions
from haikei.sgserver.seeds.demo_studio import seed_demo, seed_empty
from haikei.sgserver.site import Site
from haikei.sgserver.testing import serving
from haikei.show import Place, StoredFile
from haikei.trackers import ContextRequest, LayoutContext, PublishedImage, PublishRequest
from haikei.trackers.shotgrid.tracker import ShotGridTracker
from support.clocks import PATIENCE, eventually

SCRIPT = "haikei"
KEY = "a-key-for-tests-alone"


@dataclass(kw_only=True)
class RunningSite:
    """A site that answers; `site` is the same tracker seen from inside."""

    url: str
    site: Site
    script: str = SCRIPT
    key: str = KEY
    _clients: ExitStack = field(default_factory=ExitStack)

    @property
    def data(self) -> Path:
        """The site's folder."""
        return self.site.data

    def connect(self, *, sudo_as_login: str | None = None) -> shotgun_api3.Shotgun:
        """Return a client of its own that is signed in as the script; it is closed for you."""
        return self.closing(
            shotgun_api3.Shotgun(
                self.url,
                script_name=self.script,
                api_key=self.key,
                sudo_as_login=sudo_as_login,
            )
        )

    def closing(self, client: shotgun_api3.Shotgun) -> shotgun_api3.Shotgun:
        """Close that client when the site ends."""
        client.config.timeout_secs = PATIENCE
        self._clients.callback(client.close)
        return client

    def close_clients(self) -> None:
        """Close every client that was handed out."""
        self._clients.close()


@contextmanager
def running_site(
    tmp_path: Path,
    *,
    seed: Literal["demo", "empty"] = "empty",
    uploads: Literal["classic", "cloud"] = "classic",
    thumbnail_delay: float = 0.0,
    options: SiteOptions | None = None,
    port: int = 0,
) -> Generator[RunningSite]:
    """
    Serve a site below `tmp_path` on a free loopback port while the block runs.

    A second call with the same folder goes on with the same site. `options`, where given, stand
    in place of `uploads` and `thumbnail_delay`.
    """
    chosen = options or SiteOptions(uploads=uploads, thumbnail_delay=thumbnail_delay)
    site = Site.open(tmp_path / "site")
    with closing(site):
        seed_empty(site)
        if seed == "demo":
            seed_demo(site)
        site.add_script(SCRIPT, KEY)
        with serving(site, chosen, port=port) as url:
            running = RunningSite(url=url, site=site)
            try:
                yield running
            finally:
                running.close_clients()


#: A valid 1x1 PNG, so that a site can make a thumbnail of it.
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de"
    "0000000c49444154789c63f8ffff3f0005fe02fe0def46b80000000049454e44ae426082"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowFiles:
    """A show's files on disk, and what a job asks of the tracker about them."""

    root: Path
    name: str  #: the project's folder name

    def stored(self, relative: str, content: bytes = PNG) -> StoredFile:
        """Write a file below the storage root."""
        path = self.root / relative
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        digest = hashlib.sha256(content).hexdigest()
        return StoredFile(root="primary", relative=relative, path=path, sha256=digest)

    def layout(self, name: str = "c001_bg_v001.png", content: bytes = PNG) -> StoredFile:
        """Write a layout of the shot."""
        return self.stored(f"{self.name}/s01/c001/layout/{name}", content)

    def ask(
        self,
        *,
        shot: str = "c001",
        sequence: str = "s01",
        project: str = "",
        published_file: int | None = None,
        layout: StoredFile | None = None,
        painted_over: str = "",
    ) -> ContextRequest:
        """Return what the collect step would ask."""
        return ContextRequest(
            place=Place(project=project or self.name, sequence=sequence, shot=shot),
            layout=layout or self.layout(),
            published_file=published_file,
            stream="summer_day",
            painted_over=painted_over,
        )

    def background(
        self, context: LayoutContext, *, key: str = "job-1", version: int = 1, status: str = "rev"
    ) -> PublishRequest:
        """Return a background of the shot, with a result and two stages."""
        folder = f"{self.name}/s01/c001/background/summer_day/v{version:03d}"
        code = f"c001_bg_summer_day_v{version:03d}"
        result = self.stored(f"{folder}/{code}.png", PNG + b"result")
        images = [_image(result, "Background", "c001_bg_summer_day")]
        for stage in ("gen1", "gen2"):
            file = self.stored(f"{folder}/stages/{code}_{stage}.png", PNG + stage.encode())
            images.append(_image(file, "Background Stage", f"c001_bg_summer_day_{stage}"))
        review = self.root / "review.png"
        review.write_bytes(PNG)
        return PublishRequest(
            key=key,
            context=context,
            layout=self.layout(),
            code=code,
            version_number=version,
            description="Summer, day.\nPainted from the layout.",
            status=status,
            review_image=review,
            thumbnail=review,
            images=tuple(images),
            credit_en="Background: Layout Aoi Sato · Painting algorithm painter 1",
            credit_ja="背景：原図 佐藤葵 · 描画アルゴリズム painter 1",
            system="painter 1",
            source_type="algorithmicMedia",
            record_sha256="ab" * 32,
            roles="genzu: Aoi Sato (HumanUser:1)\npainting_algorithm: painter 1",
            ledger_index=0,
            record_link=f"{folder}/{code}.png.json",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Show(ShowFiles):
    """The rows of the show, by what they are; numbers are row ids."""

    sg: shotgun_api3.Shotgun
    settings: Settings
    key: SecretStr
    project: int
    sequence: int
    shot: int
    layout_task: int
    background_task: int
    artist: int

    def at(self, url: str) -> "Show":
        """Return the same show behind another address, such as a proxy's."""
        tracker = self.settings.tracker.model_copy(update={"url": HttpUrl(url)})
        return replace(self, settings=self.settings.model_copy(update={"tracker": tracker}))

    def find(self, entity_type: str, *filters: list[Any], fields: str = "") -> list[dict[str, Any]]:
        """Return rows of the whole site, in order of id; `fields` are separated by spaces."""
        rows = self.sg.find(entity_type, [*filters], fields.split())
        return sorted((cast("dict[str, Any]", row) for row in rows), key=lambda row: int(row["id"]))

    def own(self, entity_type: str, *filters: list[Any], fields: str = "") -> list[dict[str, Any]]:
        """Return rows of the show's project, in order of id."""
        project = {"type": "Project", "id": self.project}
        return self.find(entity_type, ["project", "is", project], *filters, fields=fields)

    def create(self, entity_type: str, **fields: object) -> int:
        """Create a row of the project; return its id."""
        data = {"project": {"type": "Project", "id": self.project}, **fields}
        return int(self.sg.create(entity_type, data)["id"])


@dataclass(slots=True, kw_only=True)
class RunningStudio:
    """A site that is set up, for as many shows as wanted."""

    site: RunningSite
    settings: Settings
    shows: int = 0

    def show(self) -> Show:
        """Make a show of its own name."""
        self.shows += 1
        key = SecretStr(self.site.key)
        return make_show(self.site.connect(), self.settings, key, name=f"umi{self.shows}")


def _image(file: StoredFile, kind: str, name: str) -> PublishedImage:
    return PublishedImage(file=file, type=kind, name=name, description=f"{kind}, {name}.")


@contextmanager
def running_studio(
    folder: Path, *, uploads: Literal["classic", "cloud"]
) -> Generator[RunningStudio]:
    """Run a site that is set up for Haikei, in which shows can be made."""
    with running_site(folder, uploads=uploads, thumbnail_delay=0.0) as site:
        settings = site_settings(site.url, site.script, folder / "projects", folder / "state")
        tracker = ShotGridTracker(settings, SecretStr(site.key))
        tracker.setup(dry_run=False)
        tracker.close()
        yield RunningStudio(site=site, settings=settings)


def heeding(settings: Settings, *projects: str) -> Settings:
    """Return settings by which these projects alone are heeded."""
    tracker = settings.tracker.model_copy(update={"projects": projects})
    return settings.model_copy(update={"tracker": tracker})


def site_settings(url: str, script: str, root: Path, state: Path) -> Settings:
    """Return the settings of the studio that makes the show."""
    return Settings(
        studio=Studio(state=state),
        tracker=Tracker(url=HttpUrl(url), script=script, timeout=PATIENCE),
        storage=Storage(roots=(StorageRoot(name="primary", path=root),)),
        people=(PersonEntry(name="Aoi Sato", name_ja="佐藤葵", logins=("aoi",)),),
    )


def make_show(
    sg: shotgun_api3.Shotgun, settings: Settings, key: SecretStr, *, name: str = "umi"
) -> Show:
    """Make a project, its sequence `s01`, shot `c001` with its two tasks, and the artist."""

    def create(row_type: str, **fields: object) -> int:
        return int(sg.create(row_type, fields)["id"])

    def link(entity_type: str, number: int) -> Mapping[str, object]:
        return {"type": entity_type, "id": number}

    def step(code: str) -> int:
        for found in sg.find("Step", [["code", "is", code], ["entity_type", "is", "Shot"]]):
            return int(found.get("id", 0))
        return create("Step", code=code, entity_type="Shot")

    def person(login: str, full_name: str) -> int:
        for found in sg.find("HumanUser", [["login", "is", login]]):
            return int(found.get("id", 0))
        return create("HumanUser", name=full_name, login=login, sg_status_list="dis")

    root = settings.storage.roots[0].path
    root.mkdir(parents=True, exist_ok=True)
    artist = person("aoi", "葵 佐藤")
    project = create("Project", name=f"{name.title()} no Machi", tank_name=name)
    here = {"project": link("Project", project)}
    sequence = create("Sequence", code="s01", **here)
    shot = create("Shot", code="c001", sg_sequence=link("Sequence", sequence), **here)
    tasks = {
        code: create(
            "Task",
            content=f"{code.lower()} of c001",
            entity=link("Shot", shot),
            step=link("Step", step(code)),
            task_assignees=[link("HumanUser", artist)] if code == "Layout" else [],
            **here,
        )
        for code in ("Layout", "Background")
    }
    return Show(
        sg=sg,
        settings=settings,
        key=key,
        root=root,
        name=name,
        project=project,
        sequence=sequence,
        shot=shot,
        layout_task=tasks["Layout"],
        background_task=tasks["Background"],
        artist=artist,
    )


def link(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row as other rows point to it."""
    return {"type": row["type"], "id": row["id"]}


def number(row: Mapping[str, Any]) -> int:
    """Return a row's id."""
    return int(row["id"])


#: The part of an address by which real clients know that a thumbnail is still being made.
TRANSIENT = "images/status/transient"


def write_image(path: Path, *, width: int = 320, height: int = 180) -> Path:
    """Write a picture with a gradient and noise, in the format of the path's ending."""
    generator = np.random.default_rng(width * height)
    pixels = np.linspace(0.2, 0.8, width, dtype=np.float32)[None, :, None].repeat(height, 0)
    pixels = pixels.repeat(3, 2) + generator.normal(0, 0.02, (height, width, 3)).astype(np.float32)
    buffer = oiio.ImageBuf(np.clip(pixels, 0, 1))
    assert buffer.write(str(path), "uint8"), buffer.geterror()
    return path


def await_thumbnail(
    client: shotgun_api3.Shotgun, entity_type: str, number: int, field: str = "image"
) -> str:
    """Return the address of a row's thumbnail once it is no longer the pending one."""

    def look() -> str | None:
        row: Any = client.find_one(entity_type, [["id", "is", number]], [field])
        address = row[field]
        return address if address and TRANSIENT not in address else None

    return eventually(look, "the thumbnail")
