from dataclasses import dataclass

from haikei.sources.watch.scan import Settling, Stamp

PATH = "/show/c001.png"
HALF, WHOLE = Stamp(100, 1, 7), Stamp(200, 2, 7)


@dataclass(slots=True)
class Clock:
    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_file_is_due_only_after_the_settle_time() -> None:
    clock = Clock()
    settling = Settling(clock)
    settling.look(PATH, WHOLE, wait=2.0, hinted=True)

    clock.now += 1.9
    early = settling.due(10)
    clock.now += 0.2

    assert early == []
    assert settling.due(10) == [PATH]


def test_two_equal_looks_settle_a_file() -> None:
    clock = Clock()
    settling = Settling(clock)
    settling.look(PATH, WHOLE, wait=2.0, hinted=False)
    clock.now += 2.0
    settling.due(10)

    settled = settling.confirm(PATH, WHOLE, wait=2.0)

    assert settled is not None
    assert (settled.stamp, settled.since, settled.hinted) == (WHOLE, 1000.0, False)
    assert len(settling) == 0


def test_a_change_in_size_time_or_identity_starts_the_wait_anew() -> None:
    for changed in (Stamp(101, 1, 7), Stamp(100, 2, 7), Stamp(100, 1, 8)):
        clock = Clock()
        settling = Settling(clock)
        settling.look(PATH, HALF, wait=2.0, hinted=True)
        clock.now += 2.0
        settling.due(10)

        first = settling.confirm(PATH, changed, wait=2.0)
        clock.now += 1.9
        early = settling.due(10)
        clock.now += 0.2

        assert (first, early, settling.due(10)) == (None, [], [PATH])


def test_a_look_between_the_two_that_sees_a_change_moves_the_second_one() -> None:
    clock = Clock()
    settling = Settling(clock)
    settling.look(PATH, HALF, wait=2.0, hinted=True)
    clock.now += 1.0
    settling.look(PATH, WHOLE, wait=2.0, hinted=True)
    settling.look(PATH, WHOLE, wait=2.0, hinted=True)

    clock.now += 1.5
    early = settling.due(10)
    clock.now += 0.6

    assert early == []
    assert settling.due(10) == [PATH]


def test_a_hint_after_a_scan_counts_as_an_event_that_was_not_lost() -> None:
    clock = Clock()
    settling = Settling(clock)
    settling.look(PATH, WHOLE, wait=0.0, hinted=False)
    settling.look(PATH, WHOLE, wait=0.0, hinted=True)
    settling.due(10)

    settled = settling.confirm(PATH, WHOLE, wait=0.0)

    assert settled is not None
    assert settled.hinted


def test_a_doubted_file_comes_back_with_its_doubt_until_it_changes() -> None:
    clock = Clock()
    settling = Settling(clock)
    settling.look(PATH, HALF, wait=0.0, hinted=True)
    settling.due(10)
    settled = settling.confirm(PATH, HALF, wait=0.0)
    assert settled is not None

    settling.doubt(settled, wait=10.0)
    clock.now += 10.0
    assert settling.due(10) == [PATH]
    again = settling.confirm(PATH, HALF, wait=0.0)
    assert again is not None
    assert (again.doubts, again.since) == (1, 1000.0)

    settling.doubt(again, wait=10.0)
    settling.look(PATH, WHOLE, wait=0.0, hinted=True)
    settling.due(10)
    repaired = settling.confirm(PATH, WHOLE, wait=0.0)
    assert repaired is not None
    assert repaired.doubts == 0


def test_a_file_that_is_gone_is_never_due() -> None:
    clock = Clock()
    settling = Settling(clock)
    settling.look(PATH, HALF, wait=1.0, hinted=True)

    settling.forget(PATH)
    settling.forget(PATH)
    clock.now += 5.0

    assert settling.due(10) == []


def test_the_oldest_wait_is_told_even_while_the_file_keeps_changing() -> None:
    clock = Clock()
    settling = Settling(clock)
    assert settling.oldest == 0.0
    for size in range(5):
        settling.look(PATH, Stamp(size, size, 7), wait=2.0, hinted=True)
        clock.now += 1.0

    assert settling.oldest == 5.0
    assert settling.restless


def test_the_oldest_wait_is_told_however_many_files_came_and_went_meanwhile() -> None:
    clock = Clock()
    settling = Settling(clock)
    settling.look(PATH, WHOLE, wait=2.0, hinted=True)

    for number in range(5000):
        clock.now += 1.0
        settling.look(f"/show/{number}.png", WHOLE, wait=2.0, hinted=True)
        settling.forget(f"/show/{number}.png")

    assert settling.oldest == 5000.0
    settling.forget(PATH)
    assert settling.oldest == 0.0


def test_due_files_are_handed_out_in_portions_the_longest_waiting_first() -> None:
    clock = Clock()
    settling = Settling(clock)
    for number in range(5):
        settling.look(f"/show/{number}.png", WHOLE, wait=1.0, hinted=True)
        clock.now += 0.1
    clock.now += 5.0

    assert settling.due(2) == ["/show/0.png", "/show/1.png"]
    assert settling.due(9) == ["/show/2.png", "/show/3.png", "/show/4.png"]
