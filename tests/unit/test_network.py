from __future__ import annotations

from ipaddress import ip_network

import pytest

from clipviewer.domain.network import is_within, network_of, with_mapped


@pytest.mark.parametrize(
    ("address", "inside"),
    [
        ("10.1.2.3", True),
        ("10.2.2.3", False),
        ("::ffff:10.1.2.3", True),
        ("2001:db8::1", True),
        ("2001:db9::1", False),
        ("fe80::1%eth0", False),
        ("testclient", False),
        ("", False),
    ],
)
def test_an_address_is_within_a_network(address: str, inside: bool) -> None:
    assert is_within(address, [ip_network("10.1.0.0/16"), ip_network("2001:db8::/32")]) is inside


def test_ipv4_networks_are_known_by_their_ipv6_form_too() -> None:
    assert with_mapped([ip_network("10.1.0.0/16"), ip_network("::1")]) == ["10.1.0.0/16", "::1/128", "::ffff:10.1.0.0/112"]


def test_an_ipv6_household_is_one_place() -> None:
    assert network_of("2001:db8:1:2::1") == network_of("2001:db8:1:2:ffff::9") != network_of("2001:db8:1:3::1")
    assert network_of("::ffff:192.0.2.1") == network_of("192.0.2.1") == "192.0.2.1"
    assert network_of("unix socket") == "unix socket"
