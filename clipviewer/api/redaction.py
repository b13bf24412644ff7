"""Keep passwords, cookies, tokens and signatures out of every log line and traceback."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any

from clipviewer.domain.redaction import redact


class RedactSecrets(logging.Filter):
    """Rewrites each record in place; drops none."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.args:
            record.args = _redacted(record.args)
        message = record.getMessage()
        hidden = redact(message)
        if hidden != message:
            record.msg, record.args = hidden, ()
        if record.exc_info and not record.exc_text:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
        if record.exc_text:
            record.exc_text = redact(record.exc_text)
        if record.stack_info:
            record.stack_info = redact(record.stack_info)
        return True


def install_redaction(handlers: Iterable[logging.Handler] | None = None) -> None:
    """Add the filter to ``handlers``, or to every handler of every existing logger. Idempotent."""
    for handler in handlers if handlers is not None else _all_handlers():
        if not any(isinstance(present, RedactSecrets) for present in handler.filters):
            handler.addFilter(RedactSecrets())


def _redacted(args: Any) -> Any:
    """Redact the strings among the arguments, one by one: a custom formatter such as uvicorn's may need the others as they are."""
    if isinstance(args, tuple):
        return tuple(redact(value) if isinstance(value, str) else value for value in args)
    return args


def _all_handlers() -> list[logging.Handler]:
    known = [logging.getLogger(), *(item for item in logging.Logger.manager.loggerDict.values() if isinstance(item, logging.Logger))]
    last = [logging.lastResort] if logging.lastResort else []
    return [*(handler for logger in known for handler in logger.handlers), *last]
