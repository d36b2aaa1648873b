"""Models stay in memory while there is room, and the one that was used longest ago leaves first."""

from dataclasses import dataclass, field

import pytest

from haikei.errors import GeneratorUnavailable
from haikei.generators.diffusers.warm import WarmModels


@dataclass(slots=True)
class Memory:
    """A device whose memory is counted."""

    room: int
    taken: int = 0
    most: int = 0
    loads: list[str] = field(default_factory=list[str])

    def load(self, name: str, size: int) -> "Weights":
        self.loads.append(name)
        if self.taken + size > self.room:
            message = f"no memory for {name}"
            raise GeneratorUnavailable(message)
        self.taken += size
        self.most = max(self.most, self.taken)
        return Weights(self, size)


@dataclass(slots=True)
class Weights:
    """Something that takes memory."""

    memory: Memory
    size: int

    def close(self) -> None:
        self.memory.taken -= self.size


def use(warm: WarmModels, memory: Memory, name: str, size: int, *, told: int | None = None) -> None:
    found = warm.get(name, lambda: memory.load(name, size), size=size if told is None else told)
    assert found.size == size


def test_three_recipes_in_turn_load_each_model_once() -> None:
    memory, warm = Memory(100), WarmModels(lambda: 90)

    for _ in range(33):
        for name in ("one", "two", "three"):
            use(warm, memory, name, 30)

    assert memory.loads == ["one", "two", "three"]


def test_the_one_that_was_used_longest_ago_leaves_before_another_is_loaded() -> None:
    memory, warm = Memory(100), WarmModels(lambda: 60)
    for name in ("one", "two", "one", "three", "one", "two"):
        use(warm, memory, name, 30)

    assert memory.loads == ["one", "two", "three", "two"]
    assert memory.most == 60


def test_a_model_that_takes_more_than_the_limit_stays_alone() -> None:
    memory, warm = Memory(100), WarmModels(lambda: 60)
    for name, size in (("one", 20), ("large", 80), ("large", 80), ("one", 20)):
        use(warm, memory, name, size)

    assert memory.loads == ["one", "large", "one"]
    assert memory.most == 80


def test_what_takes_more_than_its_files_say_makes_others_leave_after() -> None:
    memory, warm = Memory(100), WarmModels(lambda: 60)
    use(warm, memory, "one", 30)
    use(warm, memory, "two", 50, told=10)

    assert memory.taken == 50


def test_a_device_with_less_memory_than_was_thought_is_emptied_and_tried_once_more() -> None:
    memory, warm = Memory(50), WarmModels(lambda: 1000)
    use(warm, memory, "one", 30)
    use(warm, memory, "two", 40)

    assert memory.loads == ["one", "two", "two"]
    with pytest.raises(GeneratorUnavailable, match="no memory for three"):
        use(warm, memory, "three", 60)
    assert memory.taken == 0
