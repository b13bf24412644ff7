"""The address of a bucket: virtual-hosted style on AWS, path style everywhere else.

Source: AWS, "Virtual hosting of general purpose buckets". Bucket names with dots break the TLS wildcard certificate, and most other
stores do not answer to bucket host names, so both use path style.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from clipviewer.domain.sigv4 import Bucket, uri_encode

_HOST_LABEL = re.compile(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]")
_DEFAULT_PORTS = {"http": 80, "https": 443}


def virtual_hosted(name: str, endpoint: str | None) -> bool:
    """Return whether the bucket is part of the host name. ``endpoint`` None means AWS."""
    return endpoint is None and _HOST_LABEL.fullmatch(name) is not None


def bucket_address(name: str, region: str, endpoint: str | None = None) -> Bucket:
    """Return the address of bucket ``name`` on AWS, or at ``endpoint`` (``scheme://host[:port][/path]``).

    The host is normalized as browsers send it: lower case, without the scheme's default port. Raises ``ValueError`` for an invalid
    endpoint.
    """
    if endpoint is None:
        host = f"s3.{region}.amazonaws.com{'.cn' if region.startswith('cn-') else ''}"
        if virtual_hosted(name, None):
            return Bucket("https", f"{name}.{host}", "", region)
        return Bucket("https", host, f"/{uri_encode(name)}", region)
    parts = urlsplit(endpoint)
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname or parts.query or parts.fragment or "@" in parts.netloc:
        raise ValueError("not the address of an endpoint")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    if parts.port not in (None, _DEFAULT_PORTS[parts.scheme]):
        host = f"{host}:{parts.port}"
    return Bucket(parts.scheme, host, f"{parts.path.rstrip('/')}/{uri_encode(name)}", region)
