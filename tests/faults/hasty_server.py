"""``python -m tests.faults.hasty_server``: the product's command with short deadlines for clients."""

from __future__ import annotations

import sys
from functools import partial

from clipviewer import cli, server
from clipviewer.api.connections import ConnectionLimits

HEADER_SECONDS, BODY_SECONDS = 2, 3

if __name__ == "__main__":
    server.ConnectionLimits = partial(ConnectionLimits, header_seconds=HEADER_SECONDS, body_seconds=BODY_SECONDS)  # type: ignore[misc]
    sys.exit(cli.main())
