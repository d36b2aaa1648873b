"""What travels over HTTP: the wire methods, the REST part, webhooks."""

from typing import TYPE_CHECKING

from haikei.doors import on_demand

if TYPE_CHECKING:
    from haikei.sgserver.http.serving import serve

__all__ = ["serve"]

#: On demand: uploads and pages, which `serve` loads, are handed what stands in this package.
__getattr__ = on_demand(__name__, {"haikei.sgserver.http.serving": ("serve",)})
