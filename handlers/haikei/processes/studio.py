"""Which processes a studio's settings ask for."""

from pathlib import Path

from haikei.processes.supervisor import Child
from haikei.settings import Settings


def studio_processes(settings: Settings, file: Path) -> list[Child]:
    """Return the processes that these settings ask for."""
    where = ("--settings", str(file))
    children = [
        Child(name="steps", arguments=("worker", "--role", "steps", *where)),
        *(
            Child(
                name=f"generate {device.name}",
                arguments=("worker", "--role", "generate", "--device", device.name, *where),
            )
            for device in settings.engine.devices
        ),
    ]
    children.append(Child(name="review", arguments=("review", *where)))
    if settings.watch.folders or settings.watch.touch_ups:
        children.append(Child(name="watch", arguments=("watch", *where)))
    if settings.events.enabled:
        children.append(Child(name="events", arguments=("events", *where)))
    if settings.web.enabled:
        children.append(Child(name="web", arguments=("web", *where)))
    return children
