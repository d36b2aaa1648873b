"""Who works here, as credits and notices name them."""

from typing import Literal

from haikei.settings.section import Section


class PersonEntry(Section):
    """One artist, as credits name them."""

    name: str
    """The name in Latin letters."""
    name_ja: str = ""
    """The name in Japanese script."""
    logins: tuple[str, ...] = ()
    """Tracker logins and full names by which this person is recognised."""
    consent: bool = True
    """False: layouts by this person are never given to a generator."""
    opt_out: str = ""
    """Where it is recorded that this person does not want to be named, such as a letter's date."""
    employer: str = ""
    """Who employs this person, as credits group painters of other studios."""
    union: str = ""
    """The guild whose agreement covers this person, such as `TAG 839`; empty for none."""
    classification: str = ""
    """The person's classification under that agreement."""
    pays: Literal["", "employee", "work_for_hire", "freelance"] = ""
    """How the rights in the work come to the studio, for the copyright helper."""


class StaffEntry(Section):
    """Someone whose part is in no single image, such as an art director."""

    role: Literal[
        "art_director",
        "assistant_art_director",
        "art_setting",
        "art_board",
        "background",
        "background_check",
        "pipeline",
    ]
    """What they do."""
    name: str
    """The name in Latin letters."""
    name_ja: str = ""
    """The name in Japanese script."""
    project: str = "*"
    """Project names, as a shell pattern."""
    sequence: str = "*"
    """Sequence names, as a shell pattern."""
