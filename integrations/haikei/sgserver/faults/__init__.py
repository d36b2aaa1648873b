"""Bad days of a tracker, on purpose: rules of what goes wrong, and the acting by them."""

from haikei.sgserver.faults.bad_days import BadDays
from haikei.sgserver.faults.fault_board import FaultBoard
from haikei.sgserver.faults.fault_rules import FaultKind, FaultRule, read_faults, rules_of

__all__ = ["BadDays", "FaultBoard", "FaultKind", "FaultRule", "read_faults", "rules_of"]
