"""Read and write S3's XML."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from typing import TypeAlias
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from clipviewer.storage.embedded.errors import S3Failure

Content: TypeAlias = "str | Iterable[tuple[str, Content]]"

MAX_XML = 8 * 1024 * 1024
_NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def document(root: str, content: Content, namespace: str | None = _NAMESPACE) -> bytes:
    """Return an XML document. Characters that XML cannot represent are dropped."""
    attribute = f' xmlns="{namespace}"' if namespace else ""
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<{root}{attribute}>{_inner(content)}</{root}>'.encode()


def iso_time(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.000Z")


def parse(body: bytes, root: str) -> ElementTree.Element:
    """Return the root element without namespaces. Raises ``S3Failure`` (MalformedXML); document types are refused unread."""
    try:
        text = body.decode()
        if "<!" in text:
            raise S3Failure("MalformedXML")
        element = ElementTree.fromstring(text)  # noqa: S314 - no document type, so no entities
    except (UnicodeDecodeError, ElementTree.ParseError) as error:
        raise S3Failure("MalformedXML") from error
    for each in element.iter():
        each.tag = each.tag.rpartition("}")[2]
    if element.tag != root:
        raise S3Failure("MalformedXML")
    return element


def _inner(content: Content) -> str:
    if isinstance(content, str):
        return escape(_ILLEGAL.sub("", content), {"\r": "&#13;"})
    return "".join(f"<{name}>{_inner(inner)}</{name}>" for name, inner in content)
