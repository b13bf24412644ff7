"""Network addresses: what counts as one place, and which peers are trusted."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Network = IPv4Network | IPv6Network


def network_of(address: str) -> str:
    """Return one household or office: an IPv4 address, or the /64 network of an IPv6 address."""
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address):
        return str(parsed.ipv4_mapped or ip_network((parsed, 64), strict=False))
    return str(parsed)


def is_within(address: str, networks: Iterable[Network]) -> bool:
    """Return whether ``address`` lies in one of ``networks``; False for anything that is not an IP address."""
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(parsed, IPv6Address):
        parsed = parsed.ipv4_mapped or parsed
    return any(parsed in network for network in networks)


def with_mapped(networks: Iterable[Network]) -> list[str]:
    """Return the networks, and the IPv6 form of the IPv4 ones (RFC 4291, 2.5.5.2), by which a socket for both knows its peers."""
    mapped = [f"::ffff:{one.network_address}/{96 + one.prefixlen}" for one in networks if isinstance(one, IPv4Network)]
    return [*map(str, networks), *mapped]
