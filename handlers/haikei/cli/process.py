"""How a long-running command lives: it stops when asked to, and dies with its supervisor."""

import ctypes
import os
import signal
import sys
import threading
from types import FrameType
from typing import Annotated

import typer

SupervisedOption = Annotated[
    int, typer.Option("--supervised-by", hidden=True, help="Process id of the supervisor.")
]

_PR_SET_PDEATHSIG = 1


def stop_on_signals() -> threading.Event:
    """Return an event that SIGTERM and SIGINT set; a second one ends the process at once."""
    stop = threading.Event()

    def ask(number: int, _: FrameType | None) -> None:
        if stop.is_set():
            os._exit(128 + number)
        stop.set()

    signal.signal(signal.SIGTERM, ask)
    signal.signal(signal.SIGINT, ask)
    return stop


def die_with(supervisor: int) -> None:
    """
    Let the kernel kill this process when its supervisor dies, however it dies.

    Args:
        supervisor: the supervisor's process id; 0 when there is none.
    """
    if not supervisor or not sys.platform.startswith("linux"):
        return
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != supervisor:
        # It died before the kernel was asked.
        os._exit(1)
