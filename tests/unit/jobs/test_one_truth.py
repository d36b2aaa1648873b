"""Whatever happens to a show, all that speaks of it says the same of who made what with what."""

from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import HealthCheck, Phase, example, given, settings

from support.acts import (
    Act,
    Answer,
    Approve,
    Convert,
    Erase,
    HandInAgain,
    Name,
    OptOut,
    Paint,
    Publish,
    Rename,
    Respell,
    Retake,
    histories,
)
from support.histories import Show
from support.testimony import check_everywhere

#: Every kind of act, each in a place where it once led to something that is not so.
_EVENTFUL: list[Act] = [
    Publish(artists=(0, 1), sign="a1111", declared=True, trained=False),
    Publish(artists=(2,), sign="iptc", declared=False, trained=False),
    Paint(cut=0, artists=(3,), share=0, insist=False),
    Paint(cut=0, artists=(3,), share=0, insist=True),
    HandInAgain(cut=0, artist=4, insist=False),
    Approve(cut=0, by=5),
    HandInAgain(cut=0, artist=5, insist=True),
    Rename(person=0),
    OptOut(person=1),
    Erase(person=2),
    Retake(cut=1, by=0),
    Paint(cut=1, artists=(2, 0), share=100, insist=False, by_hand=True),
    Publish(artists=(1,), sign="c2pa", declared=True, trained=False),
    Paint(cut=2, artists=(3,), share=20, insist=False),
]
#: Questions and their answers, other spellings, and files that show nothing new.
_ASKING: list[Act] = [
    Publish(artists=(0, 1), sign="comfyui", declared=True, trained=True, asked=True),
    Publish(artists=(2,), sign="", declared=False, trained=False),
    Convert(cut=0, artist=3, bits=8, known=True),
    Respell(person=1),
    Name(cut=0, artist=1, by=4),
    Paint(cut=0, artists=(3, 5), share=30, insist=False, comfyui=True),
    Answer(person=1, deny=False, accept=False),
    Answer(person=3, deny=True, accept=True),
    Respell(person=5),
    Convert(cut=0, artist=4, bits=16, known=False),
    HandInAgain(cut=0, artist=3, insist=True),
    Answer(person=2, deny=True, accept=True),
    Retake(cut=1, by=5),
    Erase(person=1),
]


# The long run, with many more histories, is in tests/proofs.
@settings(
    max_examples=2,
    deadline=None,
    derandomize=True,
    database=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=[HealthCheck.too_slow],
)
@given(acts=histories(most=3))
@example(acts=_EVENTFUL)
@example(acts=_ASKING)
def test_ledger_marks_tracker_reports_and_bundle_say_the_same_of_any_history(
    acts: list[Act],
) -> None:
    with ExitStack() as stack, TemporaryDirectory() as folder:
        show = Show(stack, Path(folder))
        show.play(acts)
        check_everywhere(show, files=False)
