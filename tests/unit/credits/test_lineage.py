"""The graph is walked by content hash, and what is wrong with it is told."""

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import Engine

from haikei.credits import ImageRecord, Ingredient, Relation
from haikei.credits.records.record_reading import Edge, lineage
from support.records import (
    MORI,
    a_background,
    a_chain,
    a_generation,
    a_layout,
    a_show,
    a_touch_up,
    save_background,
    save_show,
    sha256_of,
)


def _save(database: Engine, *images: ImageRecord, shot: str = "c001") -> None:
    with database.begin() as connection:
        save_background(connection, a_background(shot, images=images))


def _keys(images: Sequence[ImageRecord]) -> list[str]:
    return [image.key for image in images]


def test_an_image_has_all_that_it_was_made_from(database: Engine) -> None:
    chain = a_chain()
    _save(database, *chain)
    with database.begin() as connection:
        found = lineage(connection, chain[-1].sha256)
        middle = lineage(connection, chain[1].sha256)

    assert found.images == chain
    assert (found.missing, found.circular) == ((), ())
    assert set(found.edges) == {
        Edge(image=image.sha256, ingredient=one.sha256, relation=one.relation)
        for image in chain
        for one in image.ingredients
    }
    assert middle.images == chain[:2]


def test_what_was_made_from_it_is_followed_when_asked(database: Engine) -> None:
    chain = a_chain()
    second = a_touch_up(parent=chain[-1], stage="t2", artists=(MORI,))
    other = a_generation("other", layout=chain[0])
    _save(database, *chain, second)
    _save(database, chain[0], other, shot="c002")
    with database.begin() as connection:
        below = lineage(connection, chain[0].sha256, descendants=True)
        alone = lineage(connection, chain[0].sha256)

    assert {*below.images} == {*chain, second, other}
    assert _keys(below.images)[0] == chain[0].key
    assert alone.images == chain[:1]


def test_a_parent_without_a_record_is_told(database: Engine) -> None:
    made = a_generation(layout=a_layout("never saved"))
    _save(database, made)
    with database.begin() as connection:
        found = lineage(connection, made.sha256)
        unknown = lineage(connection, sha256_of("unknown"))

    assert found.images == (made,)
    assert found.missing == (a_layout("never saved").sha256,)
    assert (unknown.images, unknown.missing) == ((), (sha256_of("unknown"),))


def test_a_circle_is_told_and_not_walked_for_ever(database: Engine) -> None:
    layout, first, second = a_chain(touch_up_by=())
    wrong = replace(
        first,
        ingredients=(
            *first.ingredients,
            Ingredient(sha256=second.sha256, relation=Relation.PARENT),
        ),
    )
    self_made = replace(
        a_layout("self"),
        ingredients=(Ingredient(sha256=a_layout("self").sha256, relation=Relation.INPUT),),
    )
    after = a_touch_up(parent=second)
    _save(database, layout, wrong, second, after)
    _save(database, self_made, shot="c002")
    with database.begin() as connection:
        found = lineage(connection, after.sha256, descendants=True)
        alone = lineage(connection, self_made.sha256, descendants=True)

    assert set(found.circular) == {first.sha256, second.sha256}
    assert {*_keys(found.images)} == {*_keys((layout, wrong, second, after))}
    assert alone.circular == (self_made.sha256,)


def test_bytes_that_are_recorded_twice_are_one_image(database: Engine) -> None:
    layout = a_layout()
    again = replace(layout, key="another place/layout")
    _save(database, layout)
    _save(database, again, a_generation(layout=again), shot="c002")
    with database.begin() as connection:
        found = lineage(connection, a_generation().sha256)

    assert _keys(found.images) == [layout.key, a_generation().key]


def test_every_image_of_a_show_stands_after_its_ingredients(database: Engine) -> None:
    with database.begin() as connection:
        save_show(connection, versions=40)
        for version in a_show(versions=40):
            found = lineage(connection, version.final.sha256)
            place = {image.sha256: n for n, image in enumerate(found.images)}
            assert all(place[edge.ingredient] < place[edge.image] for edge in found.edges)
            assert not found.missing + found.circular
