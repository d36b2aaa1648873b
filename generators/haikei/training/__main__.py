"""
Train the network that reads layouts, from scenes that are drawn for it.

    python -m haikei.training --folder training

A run that was stopped goes on where it was: drawn scenes and the last epoch are kept in the folder.
"""

import argparse
import logging
import os
from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from haikei.reading.network import WEIGHTS
from haikei.training.canvas import Lesson
from haikei.training.examples import draw_examples, load_examples
from haikei.training.lessons import draw_lesson, map_of

EPOCHS_OF_LETTERS, EPOCHS_AGAIN = 9, 5  #: from nothing, and from letters that are there
LEARNT, HELD = 1_000_000, 9_000_000  #: numbers of the first lesson, and of the first one held out


def main() -> None:
    """Draw, learn, calibrate, save."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[1])
    parser.add_argument("--folder", type=Path, default=Path("training"))
    parser.add_argument("--scenes", type=int, default=4000)
    parser.add_argument("--held-out", type=int, default=200)
    parser.add_argument("--written", type=int, default=8000, help="sheets to learn letters from")
    parser.add_argument(
        "--letters-only", action="store_true", help="learn letters anew; the rest stays as it is"
    )
    parser.add_argument(
        "--more-letters", action="store_true", help="learn letters on from those of the file"
    )
    parser.add_argument(
        "--keep", type=float, default=0.0, help="the part of the former letters that stays"
    )
    parser.add_argument("--first-written", type=int, default=0, help="number of the first sheet")
    parser.add_argument("--epochs", type=int, default=24)
    parser.add_argument("--minutes", type=float, default=120.0, help="to learn, at most")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--start", type=Path, help="weights to learn on from; letters stay theirs")
    parser.add_argument("--rate", type=float, default=1.6e-3, help="the highest rate of learning")
    parser.add_argument("--output", type=Path, default=WEIGHTS)
    asked = parser.parse_args()
    if asked.keep and not asked.more_letters:
        parser.error("--keep goes with --more-letters: without it no former letters are learnt on.")
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    log = logging.getLogger("haikei.training")
    if asked.letters_only or asked.more_letters:
        _learn_letters_alone(asked)
        return
    asked.folder.mkdir(parents=True, exist_ok=True)
    preview(asked.folder / "scenes.png", range(HELD, HELD + 24))
    for name, first, count in (("learnt", LEARNT, asked.scenes), ("held", HELD, asked.held_out)):
        log.info("drawing %d scenes into %s", count, asked.folder / name)
        draw_examples(asked.folder / name, count, first=first, workers=asked.workers)

    # torch is needed from here on only.
    import torch

    from haikei.training.fitting import calibrate, fit, judge, save_network
    from haikei.training.writing import kept_letters

    torch.set_num_threads(asked.workers)
    learnt, held = load_examples(asked.folder / "learnt"), load_examples(asked.folder / "held")
    network = fit(
        learnt,
        held,
        folder=asked.folder,
        epochs=asked.epochs,
        minutes=asked.minutes,
        seed=asked.seed,
        start=asked.start,
        highest=asked.rate,
    )
    calibrate(network, held)
    score = judge(network, held)
    note = {
        "scenes": str(len(learnt)),
        "held out": str(len(held)),
        "accuracy by area": f"{score.accuracy:.3f}",
        "with a hint": f"{score.hinted:.3f}",
    }
    letters = _letters(asked) if asked.start is None else kept_letters(asked.start)
    save_network(network, letters, asked.output, note=note)
    log.info("%s: %s", asked.output, note)


def _letters(
    asked: argparse.Namespace, start: Mapping[str, NDArray[np.float16]] | None = None
) -> dict[str, NDArray[np.float16]]:
    """Draw sheets with writing on them, and learn letters from them."""
    from haikei.training.writing import fit_letters, letter_weights, written_sheets

    logging.getLogger("haikei.training").info("drawing %d sheets with writing", asked.written)
    numbers = range(asked.first_written, asked.first_written + asked.written)
    sheets = written_sheets(numbers, workers=asked.workers)
    epochs = EPOCHS_OF_LETTERS if start is None else EPOCHS_AGAIN
    learnt = letter_weights(fit_letters(sheets, epochs=epochs, seed=asked.seed, start=start))
    if start is None:
        return learnt
    # The mean of what was learnt one after the other knows both better (Izmailov et al., 2018).
    return {
        name: (asked.keep * start[name].astype(np.float32) + (1 - asked.keep) * weights).astype(
            np.float16
        )
        for name, weights in learnt.items()
    }


def _learn_letters_alone(asked: argparse.Namespace) -> None:
    """Put newly learnt letters beside the weights of a file, which stay what they are."""
    import torch

    from haikei.training.fitting import kept_network, save_network
    from haikei.training.writing import kept_letters

    torch.set_num_threads(asked.workers)
    file = asked.start or WEIGHTS
    network, note = kept_network(file)
    start = kept_letters(file) if asked.more_letters else None
    save_network(network, _letters(asked, start), asked.output, note=note)


def preview(file: Path, seeds: range) -> None:
    """Write a sheet of lessons: each drawing above the map of its kinds."""
    tiles = [_tile(draw_lesson(seed)) for seed in seeds]
    rows = [np.hstack(tiles[at : at + 6]) for at in range(0, len(tiles), 6)]
    cv2.imwrite(str(file), np.vstack(rows)[..., ::-1])


def _tile(lesson: Lesson) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    drawing = (lesson.picture() * 255).astype(np.uint8)
    size = (320, 180)
    pair = [
        cv2.resize(drawing, size, interpolation=cv2.INTER_AREA),
        cv2.resize(map_of(lesson.kinds), size, interpolation=cv2.INTER_NEAREST),
    ]
    return np.asarray(np.vstack(pair), np.uint8)


if __name__ == "__main__":
    main()
