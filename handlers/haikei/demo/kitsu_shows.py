"""The demonstration's shows on a Kitsu server: people, cuts, tasks and hours."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Any

import gazu
import gazu.client
from gazu.client import KitsuClient

from haikei.demo.kitsu_server import ADMIN, PASSWORD
from haikei.sgserver.seeds.shows import PEOPLE, SHOWS, SeedCut

_SATURDAY = 5
_A_WEEK = timedelta(days=7)


def seed(url: str) -> None:
    """Add what is missing of the small studio; what is there stays as it is."""
    client = gazu.client.create_client(url)
    fields = {"email": ADMIN, "password": PASSWORD}
    client.tokens = gazu.client.post("auth/login", fields, client=client)
    people = {
        one.login: _person(client, one.login, one.first, one.last, one.name_ja) for one in PEOPLE
    }
    types = {name: _task_type(client, name) for name in ("Layout", "Background")}
    for show in SHOWS:
        project = gazu.project.get_project_by_name(show.name, client=client)
        if project is None:
            project = gazu.project.new_project(show.name, client=client)
            called = {"code": show.tank_name}
            gazu.client.put(f"data/projects/{project['id']}", called, client=client)
        for person in people.values():
            gazu.project.add_person_to_team(project, person, client=client)
        for code, (_, cuts) in show.sequences.items():
            # Both return what is there already under the name.
            sequence = gazu.shot.new_sequence(project, code, client=client)
            for cut in cuts:
                shot = gazu.shot.new_shot(project, sequence, cut.code, client=client)
                _tasks(client, shot, cut, types, people)
    client.session.close()


def _person(client: KitsuClient, login: str, first: str, last: str, name_ja: str) -> Any:
    # zou refuses addresses of hosts that cannot be; this domain is kept for examples.
    address = f"{login}@example.com"
    found = gazu.person.get_person_by_email(address, client=client)
    if found is None:
        found = gazu.person.new_person(
            first, last, address, desktop_login=login, role="supervisor", client=client
        )
        data = {"data": {"name_ja": name_ja}}
        gazu.client.put(f"data/persons/{found['id']}", data, client=client)
    return found


def _task_type(client: KitsuClient, name: str) -> Any:
    for one in gazu.task.all_task_types(client=client):
        if one["name"] == name and one["for_entity"] == "Shot":
            return one
    fields = {"name": name, "short_name": "", "color": "#5e7fb1", "for_entity": "Shot"}
    return gazu.client.post("data/task-types", fields, client=client)


def _tasks(client: KitsuClient, shot: Any, cut: SeedCut, types: Any, people: Any) -> None:
    layout = gazu.task.new_task(shot, types["Layout"], client=client)
    gazu.task.assign_task(layout, people[cut.layout_artist], client=client)
    background = gazu.task.new_task(shot, types["Background"], client=client)
    _log(client, layout, people[cut.layout_artist], cut.layout_minutes, cut.drawn)
    if cut.painter:
        # Kitsu takes hours of those alone who are assigned.
        gazu.task.assign_task(background, people[cut.painter], client=client)
        first = cut.drawn + _A_WEEK
        _log(client, background, people[cut.painter], cut.painter_minutes, first)


def _log(client: KitsuClient, task: Any, person: Any, minutes: Sequence[int], first: date) -> None:
    for day, spent in zip(_weekdays(first), minutes, strict=False):
        gazu.task.set_time_spent(task, person, day.isoformat(), spent, client=client)


def _weekdays(first: date) -> Iterator[date]:
    day = first
    while True:
        if day.weekday() < _SATURDAY:
            yield day
        day += timedelta(days=1)
