"""Values as JSON text: every value becomes JSON that the manager takes, or
raises NotJson."""

from __future__ import annotations

import json
from typing import Any, Tuple
from urllib.parse import quote

from ._errors import NotJson


def dumps(value: Any) -> bytes:
    """Half of a surrogate pair, as a tokenizer makes it, becomes U+FFFD."""

    try:
        text = json.dumps(value, ensure_ascii=False, separators=(',', ':'),
                          allow_nan=False)

    except (TypeError, ValueError, RecursionError) as error:
        where, why = _fault(value, '', 0)
        raise NotJson(f'{where or "the value"}: {why or error}') from error

    try:
        return text.encode()

    except UnicodeEncodeError:
        pairs = text.encode('utf-16-le', 'surrogatepass')
        return pairs.decode('utf-16-le', 'replace').encode()


def quoted(text: str) -> str:
    """A name as a part of a path.  No name stands for another here, so that
    half of a surrogate pair is refused."""

    try:
        return quote(text, safe='')

    except UnicodeEncodeError as error:
        raise NotJson(f'{text!r} is no text: half of a surrogate pair') \
            from error


#: levels below which no fault is looked for
_DEEP = 50


def _fault(value: Any, where: str, depth: int) -> Tuple[str, str]:
    """The first member that JSON does not have, and why."""

    if depth > _DEEP:
        return where, 'nested too deep, or within itself'

    if isinstance(value, dict):
        members = list(value.items())

        for name, _ in members:
            if not isinstance(name, (str, int, float, bool, type(None))):
                return where, f'a member named by a {type(name).__name__}'

        members = [(f'{where}.{name}' if where else str(name), member)
                   for name, member in members]

    elif isinstance(value, (list, tuple)):
        members = [(f'{where}[{i}]', member) for i, member in enumerate(value)]

    else:
        return where, _why(value)

    for path, member in members:
        found = _fault(member, path, depth + 1)

        if found[1]:
            return found

    return where, ''


def _why(value: Any) -> str:
    try:
        json.dumps(value, allow_nan=False)

    except TypeError:
        return f'a {type(value).__name__} is no value of JSON'

    except ValueError:
        return f'{value!r} is no number of JSON'

    return ''
