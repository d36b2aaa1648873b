"""Where a server's name leads: never to this machine or its cloud, to private nets if declared."""

import ipaddress
import socket
from dataclasses import dataclass

#: Where clouds tell a machine its secrets, besides link-local addresses.
_CLOUD = frozenset(
    ipaddress.ip_address(one)
    for one in ("fd00:ec2::254", "fd20:ce::254", "100.100.100.200", "192.0.0.192", "168.63.129.16")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """Where a name leads, as far as that is nothing that only this machine should ask."""

    fault: str = ""  #: why it must not be asked; else empty
    private: bool = False  #: whether that is only for an address of a private net
    public: bool = False  #: whether any of its addresses is one of the internet


def destination(host: str, port: int | None, *, private: bool) -> Destination:
    """
    Look a name up and return where it leads.

    Args:
        host: the name, or an address.
        port: that will be asked.
        private: whether an address of a private net is meant.
    """
    try:
        found = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return Destination(fault=f"{host} has no address.")
    public = False
    for *_, where in found:
        address = ipaddress.ip_address(str(where[0]).partition("%")[0])
        address = getattr(address, "ipv4_mapped", None) or address
        barred = address.is_loopback or address.is_link_local or address.is_unspecified
        if barred or address.is_multicast or address in _CLOUD:
            return Destination(fault=f"{host} leads to {address}, which nothing outside may be.")
        if not address.is_global and not private:
            return Destination(
                fault=f"{host} leads to the private address {address}.", private=True
            )
        public = public or address.is_global
    return Destination(public=public)
