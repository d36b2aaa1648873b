"""The wire methods: one name, one call, one answer."""

from haikei.sgserver.caller import Caller
from haikei.sgserver.site import Site
from haikei.sgserver.values import Json


def dispatch(site: Site, caller: Caller | None, method: str, call: Json) -> Json:
    """
    Return what goes into `results` for one wire method.

    `caller` is None for the one method that needs nobody (`info`). `call` is the second of the
    request's `params`, None when there is none.

    Raises:
        Fault: it is refused.
    """
    raise AssertionError("unreachable")
