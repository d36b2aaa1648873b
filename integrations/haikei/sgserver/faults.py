"""What the tracker answers when it will not do what was asked, in the words of the real site."""


class Fault(Exception):
    """
    A refusal that the client shows to its user; it never leaves the server as anything else.

    Args:
        code: 102 not signed in, 103 a wrong request, 104 a request that cannot be carried out.
        message: one sentence in the words of the real site.
    """

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class AuthenticationFault(Fault):
    """Nobody is known by this name and secret."""

    def __init__(self, message: str) -> None:
        super().__init__(102, message)


def bad_request(message: str) -> Fault:
    """Return the fault for a request that is wrong in itself."""
    return Fault(103, message)


def failed(message: str) -> Fault:
    """Return the fault for a request that is well formed and cannot be carried out."""
    return Fault(104, message)
