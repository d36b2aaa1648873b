"""Which people a file names, and how: everyone with a name, but for those who asked not to be."""

from collections.abc import Iterable

from haikei.credits import Contribution, Person, Role, printed_person
from haikei.provenance.filemarks import NamedPerson

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
        if not isinstance(person, Person) or not printed_person(person).en:
            continue
        people.setdefault(person.id, person)
        held = roles.setdefault(person.id, [])
        if contribution.role.value not in held:
            held.append(contribution.role.value)
    return tuple(_named(person, tuple(roles[key])) for key, person in people.items())


def creators(contributions: Iterable[Contribution]) -> tuple[str, ...]:
    """Return the names of those who drew or painted; systems and the unnamed are not among them."""
    names = [
        printed_person(contribution.actor).en
        for contribution in contributions
        if isinstance(contribution.actor, Person)
        and contribution.role in _CREATING
        and not contribution.actor.opt_out
    ]
    return tuple(dict.fromkeys(filter(None, names)))


def _named(person: Person, roles: tuple[str, ...]) -> NamedPerson:
    name = printed_person(person)
    # Where there is no name in Japanese script of its own, the marks say none.
    japanese = name.ja if person.opt_out or person.name_ja.strip() else ""
    return NamedPerson(
        name=name.en, name_ja=japanese, roles=roles, id="" if person.opt_out else person.id
    )
