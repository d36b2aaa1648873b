"""The seam to wherever people are told of something."""

from typing import Protocol

from haikei.notify.message import Message


class Channel(Protocol):
    """A way to people."""

    @property
    def name(self) -> str:
        """What it is called in the tables: the same from start to start."""
        ...

    def send(self, message: Message) -> None:
        """
        Send a message.

        Raises:
            NotificationUnsent: it cannot be reached, or refuses.
        """
        ...
