"""Network addresses: what counts as one place, and which peers are trusted."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Network = IPv4Network | IPv6Network
LOOPBACK: tuple[Network, ...] = (IPv4Network("127.0.0.0/8"), IPv6Network("::1/128"))


def network_of(address: str) -> str:
    """Return one household or office: an IPv4 address, or the /64 network of an IPv6 address."""
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address):
        return str(parsed.ipv4_mapped or ip_network((parsed, 64), strict=False))
    return str(parsed)


def parse_networks(text: str) -> tuple[Network, ...]:
    """Return the networks in ``text``: addresses and CIDR blocks, separated by commas. Raises ``ValueError``."""
    return tuple(ip_network(part.strip()) for part in text.split(","))


def is_within(address: str, networks: Iterable[Network]) -> bool:
    """Return whether ``address`` lies in one of ``networks``; False for anything that is not an IP address."""
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    return any(parsed in network for network in networks)
