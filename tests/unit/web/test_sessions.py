"""Sessions that only this studio can have written."""

import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haikei.errors import StateError
from haikei.web.security.requests import REMEMBERED, RateLimit
from haikei.web.security.sessions import Sessions, session_key


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


def sessions(clock: Clock, key: bytes = b"k" * 32) -> Sessions:
    return Sessions(key, hours=12, secure=False, clock=clock)


def test_a_session_is_read_as_it_was_written() -> None:
    one = sessions(Clock())
    session = one.begin(login="mori", name="森 健", person_id="HumanUser:14")

    assert one.read(one.write(session)) == session


def test_a_session_ends() -> None:
    clock = Clock()
    one = sessions(clock)
    cookie = one.write(one.begin(login="mori"))

    clock.now += 12 * 3600

    assert one.read(cookie) is None


def test_a_session_of_another_studio_is_nothing() -> None:
    clock = Clock()
    cookie = sessions(clock, b"x" * 32).write(sessions(clock).begin(login="mori"))

    assert sessions(clock).read(cookie) is None


@given(at=st.integers(0, 400), letter=st.sampled_from("aZ0-_.="))
def test_a_changed_cookie_is_nothing(at: int, letter: str) -> None:
    one = sessions(Clock())
    cookie = one.write(one.begin(login="mori"))
    place = at % len(cookie)
    changed = cookie[:place] + letter + cookie[place + 1 :]

    assert changed == cookie or one.read(changed) is None


@given(cookie=st.text(max_size=200))
def test_any_text_can_be_read_as_a_cookie(cookie: str) -> None:
    assert sessions(Clock()).read(cookie) is None


def test_forms_of_two_sessions_differ() -> None:
    one = sessions(Clock())

    assert one.csrf(one.begin()) != one.csrf(one.begin())


def test_a_renewed_session_keeps_its_forms() -> None:
    clock = Clock()
    one = sessions(clock)
    session = one.begin()
    clock.now += 7 * 3600

    renewed = one.renew(session)

    assert one.is_aging(session)
    assert not one.is_aging(renewed)
    assert one.csrf(renewed) == one.csrf(session)


def test_the_key_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    key = session_key(tmp_path / "keys")

    assert session_key(tmp_path / "keys") == key
    assert len(key) == 32
    (file,) = (tmp_path / "keys").iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_damaged_key_is_not_used(tmp_path: Path) -> None:
    session_key(tmp_path)
    (tmp_path / "web-sessions.key").write_bytes(b"")

    with pytest.raises(StateError, match="damaged"):
        session_key(tmp_path)


def test_a_limit_lets_through_what_it_says_and_fills_up_again() -> None:
    clock = Clock()
    limit = RateLimit(60, monotonic=clock)

    assert [limit.take("a") for _ in range(60)] == [0.0] * 60
    assert limit.take("a") == pytest.approx(1.0)
    assert limit.take("b") == 0.0
    clock.now += 1
    assert limit.take("a") == 0.0
    assert limit.take("a") > 0


def test_a_limit_remembers_a_bounded_number_of_names() -> None:
    limit = RateLimit(1, monotonic=Clock())
    for number in range(REMEMBERED + 1):
        limit.take(str(number))

    assert limit.take(str(REMEMBERED)) > 0
    assert limit.take("0") == 0.0
