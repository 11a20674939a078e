"""Keep a process from connecting to places inside the network that nobody has named.

An address is judged when it is connected to, after names were looked up and redirects followed:
whatever a library does before, it ends here.
"""

import sys
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

_NAT64 = IPv6Network("64:ff9b::/96")
"""Networks that speak IPv6 alone reach IPv4 addresses through it (RFC 6052), private ones too."""

_EVENTS = frozenset({"socket.connect", "socket.sendto", "socket.sendmsg"})


class PrivatePlaceError(ConnectionError):
    """A private place was to be connected to, and the operator has not allowed it."""

    def __init__(self) -> None:
        super().__init__("private address refused")


def is_allowed(host: str, networks: Iterable[str]) -> bool:
    """Say whether an address is public, or lies in one of the networks that were named."""
    try:
        address = _unmapped(host.partition("%")[0])
    except ValueError:  # a name, which would be looked up where nobody can see the answer
        return False
    if any(address in ip_network(network, strict=False) for network in networks):
        return True
    return address.is_global and not address.is_multicast


def guard_connections(networks: Iterable[str]) -> None:
    """Refuse from now on, in this whole process and for good."""
    allowed = tuple(networks)

    def judge(event: str, arguments: tuple[object, ...]) -> None:
        if event not in _EVENTS:
            return
        place = arguments[1]
        if not (isinstance(place, tuple) and is_allowed(str(place[0]), allowed)):
            raise PrivatePlaceError

    sys.addaudithook(judge)


def _unmapped(host: str) -> IPv4Address | IPv6Address:
    address = ip_address(host)
    if isinstance(address, IPv6Address):
        if address in _NAT64:
            return IPv4Address(int(address) & 0xFFFF_FFFF)
        return address.ipv4_mapped or address.sixtofour or address
    return address
