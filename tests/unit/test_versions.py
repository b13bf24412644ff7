"""Dependencies are newer than the versions with known advisories."""

from importlib.metadata import version

import pytest
from packaging.version import Version


@pytest.mark.parametrize(
    ("package", "lowest"),
    [
        ("reflex", "0.8.15"),
        ("granian", "2.7.4"),
        ("python-engineio", "4.13.2"),
        ("starlette", "1.3.1"),
        ("python-multipart", "0.0.27"),
        ("PyJWT", "2.13.0"),
        ("urllib3", "2.7.0"),
    ],
)
def test_no_installed_version_has_a_known_advisory(package: str, lowest: str) -> None:
    assert Version(version(package)) >= Version(lowest)
