"""Roles are a closed list with names in two languages."""

from haikei.credits import Role
from haikei.presets import ROLES


def test_every_role_has_names_and_a_place_in_the_roll() -> None:
    assert set(ROLES) == {role.value for role in Role}
    for words in ROLES.values():
        assert all((words.en, words.ja, words.short_en, words.short_ja))


def test_tools_are_said_to_be_tools() -> None:
    for role in Role:
        assert ("tool" in ROLES[role.value].en) == role.is_tool
        assert ("ツール" in ROLES[role.value].ja) == role.is_tool


def test_only_models_are_called_ai_generation() -> None:
    assert "AI" not in ROLES[Role.PAINTING_ALGORITHM.value].en
    assert "AI" not in ROLES[Role.PAINTING_ALGORITHM.value].ja
