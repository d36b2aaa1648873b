"""Which names in the settings mean nothing that the tracker or the register knows."""

from collections.abc import Iterator

from haikei.checkup import Finding
from haikei.credits import Person
from haikei.names import fits
from haikei.settings import PathTemplate, Settings
from haikei.trackers import Directory, ListedProject


def template_findings(settings: Settings) -> Iterator[Finding]:
    """Yield where what paths need that are written comes from, where a watched path is silent."""
    written = (settings.storage.background, settings.storage.stage, settings.storage.touch_up)
    needed = frozenset[str]().union(*(PathTemplate(text).required for text in written))
    for index, folder in enumerate(settings.watch.folders):
        if folder.naming:
            continue
        tokens = PathTemplate(folder.template).tokens
        told = "sequence" in tokens or any(
            "sequence" not in PathTemplate(show.sequence_code).tokens for show in settings.shows
        )
        for number, route in enumerate(settings.routes):
            if route.sequence != "*" and not told:
                yield Finding(
                    ok=False,
                    subject=f"routes[{number}].sequence",
                    message=f"A route is chosen by what paths say, and watch.folders[{index}] "
                    "says no sequence.",
                    advice="Put {sequence} into its template, or leave the sequence out.",
                )
        missing = sorted(needed & {"episode", "sequence"} - tokens)
        if missing:
            names = " and ".join(missing)
            yield Finding(
                ok=True,
                subject=f"watch.folders[{index}].template",
                message=f"The tracker gives the {names} that [storage] needs; a layout of a shot "
                f"that has none there is refused before anything is made.",
            )


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
