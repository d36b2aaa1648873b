"""What pixels can honestly say: where a touch-up changed a picture, and whose lines are in it."""

from haikei.measure.change import RELATED, MeasuredChange, measure_change, write_change_map
from haikei.measure.grading import METHOD, Parameters, ciede2000, lab_of
from haikei.measure.registration import Placement, line_recall
from haikei.measure.resaving import as_resaved

__all__ = [
    "METHOD",
    "RELATED",
    "MeasuredChange",
    "Parameters",
    "Placement",
    "as_resaved",
    "ciede2000",
    "lab_of",
    "line_recall",
    "measure_change",
    "write_change_map",
]
