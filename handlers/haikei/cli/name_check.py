"""Which names, in the settings or a command, mean nothing that the tracker or records know."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import structlog
from sqlalchemy import Connection, case, func, select

from haikei.checkup import Finding
from haikei.credits import Person, Scope, records
from haikei.database import backgrounds
from haikei.errors import CreditError, HaikeiError
from haikei.names import fits, nearest_names, plain_name, plain_names, same_name
from haikei.settings import PathTemplate, Settings
from haikei.show import Place
from haikei.trackers import Directory, ListedProject

log = structlog.get_logger()

_ANYWAY = "--anyway keeps the name as it is written, for what will be made."


def template_findings(settings: Settings) -> Iterator[Finding]:
    """Yield where what paths need that are written comes from, where a watched path is silent."""
    written = (settings.storage.background, settings.storage.stage, settings.storage.touch_up)
    needed = frozenset[str]().union(*(PathTemplate(text).required for text in written))
    for index, folder in enumerate(settings.watch.folders):
        if folder.naming:
            continue
        tokens = PathTemplate(folder.template).tokens
        missing = sorted(needed & {"episode", "sequence"} - tokens)
        if missing:
            names = " and ".join(missing)
            yield Finding(
                ok=True,
                subject=f"watch.folders[{index}].template",
                message=f"The tracker gives the {names} that [storage] needs; a layout of a shot "
                f"that has none there is refused before anything is made.",
            )


def episode_findings(settings: Settings, connection: Connection) -> Iterator[Finding]:
    """Yield what paths and records leave out about episodes, in shows that have some."""
    versions = backgrounds.c
    counted = connection.execute(
        select(
            versions.project,
            func.count(case((versions.episode == "", 1))).label("without"),
            func.count(case((versions.episode != "", 1))).label("within"),
        ).group_by(versions.project)
    ).all()
    shows = {row.project for row in counted if row.within}
    shows |= {show.project for show in settings.shows if show.episodes}
    named = [
        name
        for name in ("background", "stage", "touch_up")
        if "episode" not in PathTemplate(getattr(settings.storage, name)).tokens
    ]
    if shows and named:
        twice = _same_cuts(connection)
        advice = "Write {episode} into it; what is published already stays where it is."
        yield Finding(
            ok=not twice,
            subject=", ".join(f"storage.{name}" for name in named),
            message=f"No {{episode}} is in it, and {', '.join(sorted(shows))} has episodes: cuts "
            f"that are called alike in two of them share a folder and its version numbers"
            + (f", as {', '.join(twice)} do." if twice else "."),
            advice=advice if twice else "",
        )
    for row in counted:
        if row.within and row.without:
            yield Finding(
                ok=True,
                subject=f"records of {row.project}",
                message=f"{row.without} versions name no episode, as they were made before Haikei "
                f"kept one or their shots had none: reports and lists by --episode leave them out, "
                f"those by --project or --sequence hold them.",
            )


_MOST_NAMED = 3


def _same_cuts(connection: Connection) -> list[str]:
    """Return some cuts whose name is in more than one episode of their show."""
    versions = backgrounds.c
    place = (versions.project, versions.sequence, versions.shot)
    query = (
        select(*place)
        .where(versions.episode != "")
        .group_by(*place)
        .having(func.count(versions.episode.distinct()) > 1)
        .order_by(*place)
    )
    return ["/".join(row) for row in connection.execute(query.limit(_MOST_NAMED))]


def project_findings(settings: Settings, directory: Directory) -> Iterator[Finding]:
    """
    Yield a finding for each rule about projects that no project of the tracker falls under.

    Routes and staff are matched before the tracker is asked, by the name in paths: a rule of
    theirs that is another name of a project is named as well.
    """
    wrong = 0
    for key, pattern, in_paths in _project_rules(settings):
        meant = [one for one in directory.projects if fits(pattern, _names(one))]
        if any(not in_paths or fits(pattern, (one.path_name,)) for one in meant):
            continue
        wrong += 1
        if meant:
            names = ", ".join(one.path_name for one in meant)
            message = f"{pattern!r} is what people see; paths say {names}."
            advice = f"Write {names} in {key}."
        else:
            message = f"{pattern!r} fits no project of the tracker."
            advice = f"Correct it in {key}."
        yield Finding(ok=False, subject=key, message=message, advice=advice)
    if not wrong:
        yield Finding(ok=True, subject="names of projects", message="Each rule fits a project.")


def people_findings(
    settings: Settings, directory: Directory, register: tuple[Person, ...]
) -> Iterator[Finding]:
    """Yield a finding for each entry of `[[people]]` that means nobody, or several people."""
    known = {one.person.id: one.names for one in directory.people}
    for person in register:
        known[person.id] = (*known.get(person.id, ()), person.name, person.name_ja)
    wrong = 0
    for index, entry in enumerate(settings.people):
        meant = [id_ for id_, names in known.items() if entry.means(id_, names)]
        if len(meant) == 1:
            continue
        wrong += 1
        subject = f"people[{index}] {entry.name}"
        if meant:
            message = f"It means several people: {', '.join(meant)}."
            advice = "Give the entry the id of the one who is meant."
        else:
            message = "It means nobody whom the tracker or the register of credits knows."
            advice = "Give the entry the person's id in the tracker, such as HumanUser:12."
        yield Finding(ok=False, subject=subject, message=message, advice=advice)
    if not wrong:
        yield Finding(ok=True, subject="names of people", message="Each entry means one person.")


def _project_rules(settings: Settings) -> Iterator[tuple[str, str, bool]]:
    """Yield the key, the pattern and whether only names in paths count, of each rule."""
    for pattern in settings.policy.no_ai_projects:
        yield "policy.no_ai_projects", pattern, False
    for pattern in settings.policy.no_ai_layouts:
        yield "policy.no_ai_layouts", pattern, False
    for index, route in enumerate(settings.routes):
        if route.project != "*":
            yield f"routes[{index}].project", route.project, True
    for index, show in enumerate(settings.shows):
        yield f"shows[{index}].project", show.project, True
    for index, entry in enumerate(settings.credits.staff):
        if entry.project != "*":
            yield f"credits.staff[{index}].project", entry.project, True


def _names(project: ListedProject) -> tuple[str, ...]:
    return (project.id, project.path_name, project.title)


def known_place(
    connection: Connection,
    settings: Settings,
    named: Place,
    *,
    image: str = "",
    anyway: bool = False,
    more: Iterable[Place] = (),
    can_insist: bool = True,
) -> Place:
    """
    Return the place that names mean, in whatever spelling, as records have it.

    The tracker is asked for a project that nothing is recorded of, by any name of it. One that it
    knows is taken before its first job; sequences, shots and images are those of records and jobs.

    Args:
        connection: to the studio's database.
        settings: the studio's.
        named: its project by the name in paths, the name that people see or its id in the tracker;
            a name that is empty stands for all of them.
        image: the SHA-256 of a file that is meant; empty for none.
        anyway: take what nothing is known of as it is written.
        more: what is known as well, such as projects of jobs that found no place.
        can_insist: whether the command has `--anyway`.

    Raises:
        CreditError: nothing is known of it; near names are listed.
    """
    cuts = (*more, *records.known_cuts(connection))
    project = named.project
    shows = {plain_name(one.project): one.project for one in cuts}
    name = shows.get(plain_name(project))
    unasked = ""
    if name is None:
        listed: tuple[ListedProject, ...] = ()
        try:
            listed = _listed(settings)
        except HaikeiError as error:
            unasked = f" The tracker could not be asked: {error.message}"
        meant = [one for one in listed if plain_name(project) in plain_names(_names(one))]
        if len(meant) > 1:
            ids = ", ".join(one.id for one in meant)
            raise CreditError(f"Several shows are called {project!r}: {ids}.", advice="Give the id")
        if meant:
            path_name = meant[0].path_name
            name = shows.get(plain_name(path_name), path_name)
        else:
            shows.update({plain_name(text): text for one in listed for text in _names(one)})
    if name is None:
        if not anyway:
            raise _unknown("show", project, shows.values(), unasked, can_insist=can_insist)
        name = project
    within = [one for one in cuts if one.project == name]
    episodes = {one.episode for one in within}
    episode = _known("episode", named.episode, episodes, name, anyway=anyway)
    within = [one for one in within if episode in {"", one.episode}]
    sequences = {one.sequence for one in within}
    sequence = _known("sequence", named.sequence, sequences, name, anyway=anyway)
    shots = {one.shot for one in within if sequence in {"", one.sequence}}
    shot = _known("shot", named.shot, shots, name, anyway=anyway)
    if image and not anyway and not records.is_known_file(connection, image):
        raise CreditError(
            f"No image with the SHA-256 {image[:12]}… is recorded.",
            advice=f"Check it, or name a Version with --of. {_ANYWAY}",
        )
    return Place(project=name, episode=episode, sequence=sequence, shot=shot)


def known_project(
    connection: Connection, settings: Settings, project: str, more: Iterable[str] = ()
) -> str:
    """
    Return the project that a name means, in whatever spelling.

    Args:
        connection: to the studio's database.
        settings: the studio's.
        project: its name in paths, its title, or its id in the tracker.
        more: names that are known as well, such as those of jobs that found no place.

    Raises:
        CreditError: neither records nor jobs nor the tracker know it; near names are listed.
    """
    place = Place(project=project, sequence="", shot="")
    also = [Place(project=one, sequence="", shot="") for one in more]
    return known_place(connection, settings, place, more=also, can_insist=False).project


def recorded_scope(
    connection: Connection, settings: Settings, scope: Scope, *, ask_tracker: bool = True
) -> Scope:
    """
    Return a part of a show as records spell it, whatever name, letter case or form it was given in.

    Of what nothing is recorded the name stays as it is. The tracker is asked for a show by its
    title or id only where no recorded one has the name.

    Raises:
        CreditError: several shows of the tracker have the name.
    """
    cuts = records.known_cuts(connection)
    shows = {one.project for one in cuts}
    project = _spelt(scope.project, shows)
    if project not in shows and ask_tracker:
        project = _by_tracker(settings, scope.project, shows)
    within = [one for one in cuts if one.project == project]
    episode = _spelt(scope.episode, (one.episode for one in within))
    within = [one for one in within if episode in {"", one.episode}]
    sequence = _spelt(scope.sequence, (one.sequence for one in within))
    shots = (one.shot for one in within if sequence in {"", one.sequence})
    shot = _spelt(scope.shot, shots)
    return replace(scope, project=project, episode=episode, sequence=sequence, shot=shot)


def _spelt(name: str, known: Iterable[str]) -> str:
    found = sorted(set(known))
    return name if name in found else next((one for one in found if same_name(one, name)), name)


def _by_tracker(settings: Settings, project: str, shows: Collection[str]) -> str:
    try:
        listed = _listed(settings)
    except HaikeiError as error:
        log.warning("show_not_looked_up", show=project, reason=error.message)
        return project
    meant = [one for one in listed if plain_name(project) in plain_names(_names(one))]
    if len(meant) > 1:
        ids = ", ".join(one.id for one in meant)
        raise CreditError(f"Several shows are called {project!r}: {ids}.", advice="Give the id")
    names = (name for one in meant for name in _names(one))
    return next((found for name in names if (found := _spelt(name, shows)) in shows), project)


def place_of_layout(settings: Settings, layout: Path, project: str) -> Place | None:
    """
    Return where a layout belongs as its path says, in a project that is named; None for nowhere.

    Raises:
        SettingsError: a naming rule cannot be loaded.
    """
    from haikei.sources.watch import try_path
    from haikei.storage import Storage

    published = Storage(settings).place_of(layout)
    place = try_path(layout, settings).place or (published.place if published else None)
    if not project:
        return place
    if place is None:
        return Place(project=project, sequence="", shot="")
    return replace(place, project=project)


def project_of_layout(settings: Settings, layout: Path, project: str) -> tuple[str, ...]:
    """
    Return every name of the project of a layout that no job is about; none where it is not known.

    Where the path and an order name two projects, the names of both count: the rules of neither
    are passed by. The tracker is asked only where there are rules about AI in projects.

    Args:
        settings: the studio's.
        layout: its absolute path.
        project: as it was ordered; empty for what the path says.

    Raises:
        CreditError: the tracker knows no project of that name; near names are listed.
        TrackerError: the tracker does not answer, or refuses, so that rules cannot be applied.
        SettingsError: a naming rule cannot be loaded.
    """
    place = place_of_layout(settings, layout, "")
    projects = tuple(filter(None, (project, place.project if place is not None else "")))
    rules = (*settings.policy.no_ai_projects, *settings.policy.no_ai_layouts)
    if not projects or not rules:
        return projects
    listed = _listed(settings)
    meant = [one for one in listed if plain_names(_names(one)) & plain_names(projects)]
    names = tuple(name for one in meant for name in _names(one))
    if listed and project and plain_name(project) not in plain_names(names):
        raise _unknown(
            "show", project, (text for one in listed for text in _names(one)), can_insist=False
        )
    return (*projects, *names)


def _listed(settings: Settings) -> tuple[ListedProject, ...]:
    from haikei.trackers import load_tracker

    tracker = load_tracker(settings)
    try:
        listed = tracker.parts.directory
        return () if listed is None else listed.read().projects
    finally:
        tracker.close()


def _known(what: str, name: str, known: Iterable[str], project: str, *, anyway: bool) -> str:
    spelt = {plain_name(one): one for one in known if one}
    if not name or anyway or plain_name(name) in spelt:
        return spelt.get(plain_name(name), name)
    raise _unknown(f"{what} of {project}", name, spelt.values())


def _unknown(
    what: str, name: str, known: Iterable[str], unasked: str = "", *, can_insist: bool = True
) -> CreditError:
    names = {plain_name(one): one for one in known if one}
    near = nearest_names(name, names.values()) or [names[one] for one in sorted(names)[:5]]
    hint = ", ".join(dict.fromkeys(near)) or "none"
    return CreditError(
        f"Nothing is known of a {what} called {name!r}; near ones: {hint}.{unasked}",
        advice="Correct the name." + (f" {_ANYWAY}" if can_insist else ""),
    )
