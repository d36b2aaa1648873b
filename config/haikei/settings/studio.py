"""The validated shape of a studio's settings file; each field's text is its documentation."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, HttpUrl, SecretStr, model_validator

from haikei.formats import READABLE_ENDINGS
from haikei.names import plain_names
from haikei.settings.model_entry import DataClass, GeneratorEntry, Model
from haikei.settings.naming import Template, WrittenTemplate
from haikei.settings.recipe_entry import Look, Recipe, Route
from haikei.settings.section import (
    LocatedPath,
    RootUrl,
    Seconds,
    Section,
    Slug,
    StateUrl,
    filled,
)
from haikei.settings.sections import (
    Credits,
    LedgerKeeping,
    Notifications,
    PersonEntry,
    Reports,
    Review,
    Signing,
    TouchUpFolder,
    Web,
)
from haikei.settings.show_names import FolderNames, ShowNames


class Studio(Section):
    """Who this is, and where Haikei keeps its own state."""

    name: str = "Studio"
    """The studio's name, as records and reports print it."""
    state: LocatedPath
    """A local folder (never NFS) of this host: the SQLite database, locks and caches."""
    work: LocatedPath | None = None
    """
    A folder that every host sees, for job folders and keys; `state` by default, and with
    PostgreSQL `.haikei/work` on the first storage root.
    """


class PersonFields(Section):
    """Fields of the tracker's people that hold their names; empty where the site has none."""

    family: str = "lastname"
    """The family name: first in Japanese, last in Latin letters."""
    given: str = "firstname"
    """The given name."""
    name_ja: str = "sg_name_ja"
    """The whole name in Japanese script, family name first."""
    name_latin: str = ""
    """The whole name in Latin letters, given name first, where those above are Japanese."""
    name_kana: str = ""
    """The whole name in kana, family name first: its reading."""


class CutFields(Section):
    """
    Fields that say how a cut is to look, the first that is filled counts: a Shot's own, such as
    `sg_season`, then those it can be followed to, such as `sg_sequence.Sequence.sg_season` and
    `project.Project.sg_season`; on Kitsu `season`, `sequence.season`, `project.season`.
    """

    season: tuple[str, ...] = ()
    """The season, for routes that name none."""
    time: tuple[str, ...] = ()
    """The time of day, for routes that name none."""
    weather: tuple[str, ...] = ()
    """The weather, in English or Japanese."""
    location: tuple[str, ...] = ()
    """The place of the story, whose cuts are to look alike."""
    notes: tuple[str, ...] = ()
    """What the storyboard notes of the background, in English or Japanese."""
    colours: tuple[str, ...] = ()
    """What the colour script asks for, in words."""


class Tracker(Section):
    """Where the studio tracks its work."""

    kind: Slug = "shotgrid"
    """The adapter: a name in the entry points `haikei.trackers`."""
    url: RootUrl = HttpUrl("http://127.0.0.1:8770")
    """The site's address; it must be the root of a host."""
    events_url: RootUrl | None = None
    """
    Where the tracker sends events as they happen, where that is not at `url`: the address of
    Kitsu's event stream. Trackers without such a stream leave it alone.
    """
    script: str = "haikei"
    """The script user (ApiUser) Haikei signs in as."""
    key: SecretStr | None = Field(default=None, exclude=True)
    """The script's key: from HAIKEI_TRACKER__KEY, `key_file` or the keyring, never from here."""
    key_file: LocatedPath | None = None
    """A file that holds only the script's key, readable by its owner alone."""
    timeout: Seconds = 30.0
    """Seconds without an answer after which a call is given up."""
    calls_per_minute: Annotated[int, Field(ge=0)] = 0
    """Calls that all processes on all hosts may make together; 0: as many as they need."""
    projects: tuple[str, ...] = ()
    """
    Projects whose events and reviews are heeded, by the name in paths (`tank_name`) or the name
    that people see; letter case and Unicode form do not count. Empty: all.
    """
    layout_types: tuple[str, ...] = ("Layout",)
    """Codes of the PublishedFileTypes that are layouts."""
    touch_up_type: str = "Background Touch-up"
    """Code of the PublishedFileType of a background that an artist has painted over."""
    background_type: str = "Background"
    """Code of the PublishedFileType of a finished background."""
    stage_type: str = "Background Stage"
    """Code of the PublishedFileType of an intermediate generation."""
    layout_step: str = "Layout"
    """Name of the pipeline step whose single assignee drew a layout that names no task."""
    background_step: str = "Background"
    """Name of the pipeline step whose task receives the background."""
    review_status: str = "rev"
    """Status code that a new Version gets."""
    look_status: str = "na"
    """
    Status code that it gets instead where more than `review.unread_limit` of its layout could not
    be read: somebody looks at it before it goes to review.
    """
    episode_field: str = ""
    """
    The field of a Shot that leads to its Episode, such as `sg_episode` or
    `sg_sequence.Sequence.episode`; empty: the tracker has no episodes, and only paths give them.
    """
    no_ai_field: str = ""
    """
    The field of a Shot that keeps its layout from trained models where it is ticked or says `yes`
    or `no-ai`, such as `sg_no_ai`; empty: the site has none.
    """
    person_fields: PersonFields = PersonFields()
    cut_fields: CutFields = CutFields()

    def heeds(self, *names: str) -> bool:
        """Tell whether what happens in the project that has these names is heeded."""
        if not self.projects:
            return True
        return bool(plain_names(self.projects) & plain_names(names))


class StorageRoot(Section):
    """One place where files are published."""

    name: str
    """The code of the tracker's LocalStorage for this place."""
    path: LocatedPath
    """Where it is mounted on this machine."""


class Storage(Section):
    """Where published files stand."""

    roots: Annotated[tuple[StorageRoot, ...], AfterValidator(filled)]
    """Every mounted place that files may come from or go to; the first one receives backgrounds."""
    layout: Template = "{project}/{sequence}/{shot}/layout/{shot}_{name}_v{version:03d}.{ext}"
    """Where a layout stands, below any root."""
    background: WrittenTemplate = (
        "{project}/{sequence}/{shot}/background/{season}_{time}/v{version:03d}/"
        "{shot}_bg_{season}_{time}_v{version:03d}.{ext}"
    )
    """Where a finished background goes, below the first root."""
    stage: WrittenTemplate = (
        "{project}/{sequence}/{shot}/background/{season}_{time}/v{version:03d}/stages/"
        "{shot}_bg_{season}_{time}_v{version:03d}_{stage}.{ext}"
    )
    """Where each intermediate generation goes, below the first root."""
    touch_up: WrittenTemplate = (
        "{project}/{sequence}/{shot}/background/{season}_{time}/v{version:03d}/"
        "{shot}_bg_{season}_{time}_v{version:03d}.{ext}"
    )
    """Where a background that an artist has painted over goes, below the first root."""
    format: Literal["png", "tif", "exr"] = "png"
    """File format of the finished background."""
    bits: Literal[8, 16] = 16
    """Bits a channel of a finished PNG or TIFF; OpenEXR holds half floats."""
    colour_space: str = ""
    """
    For OpenEXR: a space of linear light, by its name in the configuration of OpenColorIO, such as
    `ACEScg`; empty: linear Rec.709.
    """
    ocio_config: LocatedPath | None = None
    """The studio's own configuration of OpenColorIO; else the ACES one that is built into it."""
    reserve_mib: Annotated[int, Field(ge=0)] = 512
    """Free space below which nothing more is published, in MiB."""

    @model_validator(mode="after")
    def _names_spaces_of_light_alone(self) -> Self:
        if (self.colour_space or self.ocio_config) and self.format != "exr":
            message = 'colour_space and ocio_config are for format = "exr"; PNG and TIFF hold sRGB'
            raise ValueError(message)
        if self.ocio_config and not self.colour_space:
            message = "ocio_config is given, but no colour_space in it"
            raise ValueError(message)
        return self


class WatchMode(StrEnum):
    """How a folder's changes are noticed."""

    AUTO = "auto"
    NATIVE = "native"
    POLLING = "polling"


class WatchFolder(Section):
    """One folder tree in which layouts land."""

    path: LocatedPath
    """The top of the tree."""
    template: Template = "{project}/{sequence}/{shot}/layout/{shot}_{name}_v{version:03d}.{ext}"
    """What a layout's path below it looks like; `how-to/names.md` lists what it may hold."""
    naming: str = ""
    """A rule of the studio's own (entry points `haikei.naming`), in place of the template."""


class Watch(Section):
    """How the file system is watched."""

    folders: tuple[WatchFolder, ...] = ()
    """The folder trees in which layouts land."""
    touch_ups: tuple[TouchUpFolder, ...] = ()
    """The folder trees in which artists' paint-overs land."""
    mode: WatchMode = WatchMode.AUTO
    """`native` for local disks, `polling` for network mounts, `auto` to tell them apart."""
    settle: Annotated[float, Field(ge=0)] = 2.0
    """Seconds that a file's size and time must stand still before it counts as complete."""
    folder_pass: Seconds = 10.0
    """Seconds between looks at the times of all folders."""
    full_walk: Seconds = 300.0
    """Seconds between full walks of the tree."""
    extensions: tuple[str, ...] = READABLE_ENDINGS
    """File endings that can be layouts; all other files are left alone."""
    ignore: tuple[str, ...] = (".*", "~$*", "*.tmp", "*.part", "*.filepart", "*.lock", "*~")
    """File and folder names that are never layouts."""
    max_mib: Annotated[int, Field(gt=0)] = 4096
    """The most memory that reading one file may take, in MiB; its own process is held to it."""
    max_megapixels: Annotated[int, Field(gt=0)] = 128
    """The largest picture that is read, in millions of pixels; A3 at 600 dpi has 70."""
    max_cpu_seconds: Annotated[int, Field(gt=0)] = 120
    """The most processor time that reading one file may take, in seconds."""


class Events(Section):
    """How the tracker's event log is followed."""

    enabled: bool = True
    """Follow the event log."""
    live: bool = True
    """
    Let the tracker's stream of events, where it has one, wake whoever reads the event log; what
    happened is read from the log in any case.
    """
    poll: Seconds = 2.0
    """Seconds between looks at the event log, when nothing waits."""
    batch: Annotated[int, Field(ge=1, le=500)] = 500
    """Rows read in one call."""
    overlap: Seconds = 300.0
    """Seconds back from the newest row that are read again, since rows become visible late."""
    gap_deadline: Seconds = 300.0
    """Seconds, counted only while the site answers, after which a missing id is given up."""
    reconcile_every: Seconds = 900.0
    """Seconds between queries for layouts that no event announced."""
    reconcile_days: Annotated[int, Field(ge=1)] = 2
    """Days back that such a query reaches."""


class Unnamed(StrEnum):
    """What to do with a layout for which nobody is named."""

    REFUSE = "refuse"
    ALLOW = "allow"


class BlankSheets(StrEnum):
    """What happens with a layout on which nothing is drawn."""

    ASK = "ask"
    PAINT = "paint"


class Reservations(StrEnum):
    """What happens with a layout whose file reserves it against use by models."""

    HEED = "heed"
    IGNORE = "ignore"


class ShowRule(Section):
    """What a show asks of the trained models that make its pictures; every rule that fits holds."""

    projects: Annotated[tuple[str, ...], AfterValidator(filled)]
    """Projects, as in `no_ai_projects`."""
    data_classes: tuple[DataClass, ...] = ()
    """Of what kind their training data may be. Empty: any."""
    providers: tuple[str, ...] = ()
    """
    Who may have made them, or run them. Empty: anybody, on the studio's own machines; a model at a
    cloud service runs only where a rule names its provider.
    """
    approved: bool = False
    """Each must be approved for the show before, with `haikei models approve`."""
    stand_ins: bool = False
    """Their pictures may only be stand-ins: recipes that say so themselves (`stand_in`)."""


class Policy(Section):
    """What must not happen."""

    unnamed_layouts: Unnamed = Unnamed.REFUSE
    """Whether a layout for which the tracker names no artist may be used."""
    blank_sheets: BlankSheets = BlankSheets.ASK
    """Whether a sheet on which nothing is drawn is asked about, or painted as it is."""
    no_ai_projects: tuple[str, ...] = ()
    """
    Projects, as shell patterns, in which no trained model may run: by the name in paths, the name
    that people see or the tracker's id (`Project:12`), in any letter case and Unicode form.
    """
    shows: tuple[ShowRule, ...] = ()
    reservations: Reservations = Reservations.HEED
    """
    Whether a layout is kept from trained models where its file says no-AI, or reserves it against
    data mining (`plus:DataMining`, `cawg.training-mining`).
    """
    no_ai_layouts: tuple[str, ...] = ()
    """
    Projects, likewise, that take no layout whose file says that a trained model made it. Those of
    `no_ai_projects` never do.
    """
    allow_non_commercial: bool = False
    """Allow models whose licence forbids commercial use."""

    @property
    def has_show_rules(self) -> bool:
        """Whether anything here depends on the show."""
        return bool(self.no_ai_projects or self.no_ai_layouts or self.shows)


class Device(Section):
    """Something that makes pixels, one worker process each."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9:]+$")] = "cpu"
    """`cpu`, `cuda:0`, `mps` …"""
    concurrency: Annotated[int, Field(ge=1, le=64)] = 1
    """Pictures made at once on it."""
    batch: Annotated[int, Field(ge=1, le=64)] = 1
    """Pictures of one recipe and size that a model computes in one call, where so many wait."""
    labels: tuple[Slug, ...] = ()
    """What it can do that others cannot, such as `24gb`; recipes ask for one by `device_label`."""

    @property
    def in_work(self) -> int:
        """Pictures in work at once: as many are read and written as are computed."""
        return 3 * max(self.concurrency, self.batch)


class Engine(Section):
    """How jobs are run."""

    kind: Slug = "dbos"
    """The job engine: a name in the entry points `haikei.engines`."""
    devices: Annotated[tuple[Device, ...], AfterValidator(filled)] = (Device(),)
    """Where pictures are made."""
    warm_mib: Annotated[int, Field(ge=0)] = 0
    """Memory of a device in which models stay loaded, in MiB; 0: half of what it has."""
    parallel: Annotated[int, Field(ge=1, le=64)] = 8
    """Jobs that may be in their tracker and file steps at once."""
    attempts: Annotated[int, Field(ge=1, le=1000)] = 40
    """
    Tries of one step, for errors that can pass. What the whole site lacks is waited for, however
    long it lasts.
    """
    backoff: Seconds = 1.0
    """Seconds before the second try; doubled before each further one, up to two minutes."""
    poll: Annotated[float, Field(ge=0.02, le=10)] = 0.2
    """Seconds between looks at whether something has changed."""


class Database(Section):
    """Where all of the studio's state is kept: events, jobs, records, the ledger, the engine's."""

    url: StateUrl | None = Field(default=None, repr=False)
    """
    `postgresql://user@host/name`, which several hosts may share; by default a SQLite file in
    `studio.state`. A password belongs into HAIKEI_DATABASE__URL or `~/.pgpass`.
    """


class Log(Section):
    """What is written to the log."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    """The least severe line that is written."""
    format: Literal["auto", "console", "json"] = "auto"
    """`auto` writes colours to a terminal and JSON anywhere else."""
    traces: HttpUrl | None = None
    """An OpenTelemetry collector (OTLP over HTTP) that gets a trace of each job."""


class Settings(Section):
    """Everything that a studio may set."""

    studio: Studio
    tracker: Tracker = Tracker()
    storage: Storage
    watch: Watch = Watch()
    events: Events = Events()
    recipes: dict[Slug, Recipe] = Field(default_factory=dict)
    """Recipes by name; the built-in ones need not be repeated."""
    routes: tuple[Route, ...] = (Route(),)
    looks: tuple[Look, ...] = ()
    shows: tuple[ShowNames, ...] = ()
    models: dict[Slug, Model] = Field(default_factory=dict)
    generators: dict[Slug, GeneratorEntry] = Field(default_factory=dict)
    people: tuple[PersonEntry, ...] = ()
    policy: Policy = Policy()
    database: Database = Database()
    engine: Engine = Engine()
    signing: Signing = Signing()
    ledger: LedgerKeeping = LedgerKeeping()
    credits: Credits = Credits()
    review: Review = Review()
    web: Web = Web()
    notifications: Notifications = Notifications()
    reports: Reports = Reports()
    log: Log = Log()

    @property
    def database_url(self) -> str:
        """The address of all of the studio's state, as SQLAlchemy reads it."""
        return self.database.url or f"sqlite:///{self.studio.state / 'haikei.db'}"

    @property
    def many_hosts(self) -> bool:
        """Whether processes on several hosts may share the state."""
        return not self.database_url.startswith("sqlite")

    @property
    def work_folder(self) -> Path:
        """Where job folders and keys are: every host of the studio sees it."""
        if self.studio.work is not None:
            return self.studio.work
        if self.many_hosts:
            return self.storage.roots[0].path / ".haikei" / "work"
        return self.studio.state

    @property
    def folder_names(self) -> FolderNames:
        """What folders are called where the tracker has other names."""
        return FolderNames(self.shows)

    def route(
        self, *, project: str, sequence: str, shot: str, may_be_of_any: bool = False
    ) -> Route | None:
        """
        Return the first route that takes a layout of that place.

        With `may_be_of_any`, where none does and no sequence is known yet, it is the first that
        takes the shot in one of its sequences: the tracker may say so later.
        """
        for route in self.routes:
            if route.fits(project, sequence, shot):
                return route
        for route in self.routes if may_be_of_any and not sequence else ():
            if route.model_copy(update={"sequence": "*"}).fits(project, sequence, shot):
                return route
        return None
