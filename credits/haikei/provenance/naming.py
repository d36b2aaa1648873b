"""Which people a file names, and how: everyone with a name, but for those who asked not to be."""

from collections.abc import Iterable

from haikei.credits import Contribution, Person, Role
from haikei.provenance.filemarks import NamedPerson

WITHHELD = "(name withheld at the artist’s request)"
WITHHELD_JA = "（本人の希望により非表示）"
#: Roles whose holders made what is seen; others chose, ran, checked or asked.
_CREATING = frozenset(
    {
        Role.LAYOUT,
        Role.GENZU,
        Role.GENZU_CLEAN_UP,
        Role.ART_SETTING,
        Role.ART_BOARD,
        Role.TOUCH_UP,
        Role.BACKGROUND,
    }
)


def named_people(contributions: Iterable[Contribution]) -> tuple[NamedPerson, ...]:
    """Return the humans among the contributors, each once with all roles, in order."""
    roles: dict[str, list[str]] = {}
    people: dict[str, Person] = {}
    for contribution in contributions:
        person = contribution.actor
        if not isinstance(person, Person) or not (person.name or person.opt_out):
            continue
        people.setdefault(person.id, person)
        held = roles.setdefault(person.id, [])
        if contribution.role.value not in held:
            held.append(contribution.role.value)
    return tuple(_named(person, tuple(roles[key])) for key, person in people.items())


def creators(contributions: Iterable[Contribution]) -> tuple[str, ...]:
    """Return the names of those who drew or painted; systems and the unnamed are not among them."""
    names = [
        contribution.actor.name
        for contribution in contributions
        if isinstance(contribution.actor, Person)
        and contribution.role in _CREATING
        and contribution.actor.name
        and not contribution.actor.opt_out
    ]
    return tuple(dict.fromkeys(names))


def _named(person: Person, roles: tuple[str, ...]) -> NamedPerson:
    if person.opt_out:
        return NamedPerson(name=WITHHELD, name_ja=WITHHELD_JA, roles=roles, id="")
    return NamedPerson(name=person.name, name_ja=person.name_ja, roles=roles, id=person.id)
