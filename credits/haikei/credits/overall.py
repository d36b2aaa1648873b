"""What a picture that was made in steps is as a whole: the one term that marks and laws ask for."""

from collections.abc import Sequence

from haikei.credits.maker import SourceType, System
from haikei.credits.record import ImageRecord

_AI = frozenset(source for source in SourceType if source.is_ai)
_DRAWN = frozenset({SourceType.DIGITAL_CREATION, SourceType.PRINT, SourceType.HUMAN_EDITS})


def is_ai(image: ImageRecord) -> bool:
    """Tell whether a trained model made any of an image's pixels in its own step."""
    if image.source_type in _AI:
        return True
    for one in image.contributions:
        if isinstance(one.actor, System) and one.actor.source_type in _AI:
            return True
    return False


def overall_source_type(images: Sequence[ImageRecord]) -> SourceType:
    """
    Return the one term for a picture that was made in steps, the layout's first.

    A human drawing that a trained model worked on is never called less than that, whatever was
    done to it afterwards. Source: IPTC Digital Source Type, `compositeWithTrainedAlgorithmicMedia`
    is an "augmentation, correction or enhancement using a Generative AI model".
    """
    if not any(map(is_ai, images)):
        return images[-1].source_type
    drawn = any(image.source_type in _DRAWN for image in images)
    return SourceType.COMPOSITE_TRAINED if drawn else SourceType.TRAINED
