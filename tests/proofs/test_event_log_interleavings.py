"""Whatever appears late and whatever is killed where: every layout is announced exactly once."""

import tempfile
from contextlib import ExitStack
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from sqlalchemy import Connection, Engine, event

from haikei.errors import TrackerUnavailable
from haikei.images import Inspector
from support.watching import FollowingStudio, following_studio, poll_all

_LONGEST_WAIT = 250.0  # a hidden event must appear before its deadline, else a query finds it


class _Killed(BaseException):
    """The process is gone."""


class Following(RuleBasedStateMachine):
    """A studio that publishes while its follower is killed and its site stumbles."""

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        self.drawn = 0
        self.expected: set[str] = set()
        self.waited = 0.0

    @initialize()
    def open(self) -> None:
        folder = Path(self.stack.enter_context(tempfile.TemporaryDirectory()))
        self.studio: FollowingStudio = self.stack.enter_context(
            following_studio(folder, inspector=_inspector(), batch=7)
        )
        self.follower = self.studio.follower()
        self.feed = self.studio.feed
        self.publish(hidden=[True, False], twice=False)
        self.poll()

    @rule(hidden=st.lists(st.booleans(), min_size=1, max_size=4), twice=st.booleans())
    def publish(self, *, hidden: list[bool], twice: bool) -> None:
        for late in hidden:
            self.drawn += 1
            path = self.studio.draw(f"c{self.drawn:03d}")
            self.expected.add(str(path))
            self.feed.of_shot(str(path), hidden=late)
            if twice:
                self.feed.of_shot(str(path))

    @rule(count=st.integers(1, 12), lost=st.booleans())
    def happen(self, count: int, *, lost: bool) -> None:
        for _ in range(count):
            self.feed.write()
        if lost:
            self.feed.hide(self.feed.write())

    @precondition(lambda self: self.feed.hidden)
    @rule(data=st.data())
    def appear(self, data: st.DataObject) -> None:
        self.feed.show(data.draw(st.sampled_from(self.feed.hidden)))

    @rule()
    def poll(self) -> None:
        self.follower.poll_once()

    @rule(calls=st.integers(0, 3))
    def stumble(self, calls: int) -> None:
        self.feed.before_each_call = _after(calls, TrackerUnavailable("The site is away."))
        try:
            self.follower.poll_once()
        except TrackerUnavailable:
            assert self.feed.calls
        self.feed.before_each_call = lambda _: None

    @rule(calls=st.integers(0, 3))
    def kill_at_a_call(self, calls: int) -> None:
        self.feed.before_each_call = _after(calls, _Killed())
        try:
            self.follower.poll_once()
        except _Killed:
            self.follower = self.studio.follower()
        self.feed.before_each_call = lambda _: None

    @rule(commits=st.integers(0, 3))
    def kill_at_a_commit(self, commits: int) -> None:
        deadly = _DeadlyCommit(self.studio.database, commits)
        try:
            self.follower.poll_once()
        except _Killed:
            self.follower = self.studio.follower()
        deadly.remove()

    @precondition(lambda self: self.waited < _LONGEST_WAIT)
    @rule(seconds=st.floats(0.1, 10.0))
    def pass_time(self, seconds: float) -> None:
        self.studio.now += seconds
        self.waited += seconds

    @invariant()
    def nothing_is_refused(self) -> None:
        assert self.studio.dead_letters() == []

    def teardown(self) -> None:
        try:
            for hidden in self.feed.hidden:
                self.feed.show(hidden)
            for _ in range(5):
                poll_all(self.follower)
            announced = self.studio.announced()
            assert len(announced) == len(set(announced)) == len(self.expected)
        finally:
            self.stack.close()


class FollowingAndAsking(Following):
    """The same studio, whose follower also asks for what no event may have told."""

    @rule()
    def reconcile(self) -> None:
        self.follower.reconcile()


class _DeadlyCommit:
    """Kill before a commit that writes."""

    def __init__(self, database: Engine, commits: int) -> None:
        self._database = database
        self._left = commits
        event.listen(database, "commit", self._commit)

    def remove(self) -> None:
        event.remove(self._database, "commit", self._commit)

    def _commit(self, _: Connection) -> None:
        if self._left == 0:
            raise _Killed
        self._left -= 1


def _after(calls: int, error: BaseException) -> "_Failing":
    return _Failing(calls, error)


class _Failing:
    def __init__(self, calls: int, error: BaseException) -> None:
        self._left = calls
        self._error = error

    def __call__(self, _: str) -> None:
        if self._left == 0:
            raise self._error
        self._left -= 1


_INSPECTORS: list[Inspector] = []


def _inspector() -> Inspector:
    if not _INSPECTORS:
        _INSPECTORS.append(Inspector())
    return _INSPECTORS[0]


def teardown_module() -> None:
    for inspector in _INSPECTORS:
        inspector.close()


TestFollowing = Following.TestCase
TestFollowing.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
TestFollowingAndAsking = FollowingAndAsking.TestCase
TestFollowingAndAsking.settings = settings(max_examples=15, stateful_step_count=25, deadline=None)
