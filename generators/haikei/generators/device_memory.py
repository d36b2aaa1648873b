"""What a generation took: seconds of each stage, and the most memory of its device so far."""

import resource
import sys
from typing import Any

from prometheus_client import Gauge, Histogram

STAGE_SECONDS = Histogram(
    "haikei_stage_seconds",
    "Seconds in which a stage's picture was made",
    ["stage", "generator"],
    buckets=(0.1, 0.5, 1, 2.5, 5, 10, 20, 40, 60, 120, 300, 900, 3600),
)
MEMORY = Gauge(
    "haikei_device_memory_bytes",
    "The most memory that a generation worker has used: of its GPU, else of the process",
    ["device"],
    multiprocess_mode="livemax",
)
_KIB = 1024


def peak_memory(device: str) -> int:
    """Return the bytes that this process has used at most on a device."""
    # Whoever has made a picture on a GPU has loaded torch; nobody loads it for this.
    torch: Any = sys.modules.get("torch")
    if device.startswith("cuda") and torch is not None:
        return int(torch.cuda.max_memory_allocated(device))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _KIB
