"""What can go wrong.  An answer of the manager that is no success is a problem
document (RFC 9457); its "code" makes the class."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Optional, Type

from ._receipt import Receipt


class WsMgrError(Exception):
    """Everything that this package raises of its own."""


class NotJson(WsMgrError, TypeError, ValueError):
    """A value that JSON does not have, such as a set, NaN or an object within
    itself; the text names the member.  Nothing was sent."""


class Unreachable(WsMgrError):
    """The manager could not be reached, or did not answer in time, as often as
    it was tried.  Whether it took the events is not known: post them again, with
    the same event_id."""


class BadAnswer(WsMgrError):
    """Another server than the manager answered: the URL is wrong."""


class ApiError(WsMgrError):
    """The manager refused.  status, code, title and detail are the problem's;
    member, line and column say where, when a request is malformed."""

    status: int
    code: str
    title: str
    detail: str
    member: Optional[str]
    line: Optional[int]
    column: Optional[int]
    retry_after: Optional[float]

    def __init__(self, problem: Mapping[str, Any], status: int = 0,
                 retry_after: Optional[float] = None) -> None:
        self.status = status or int(problem.get('status') or 0)
        self.code = str(problem.get('code') or '')
        self.title = str(problem.get('title') or '')
        self.detail = str(problem.get('detail') or '')
        self.member = problem.get('member')
        self.line = problem.get('line')
        self.column = problem.get('column')
        self.retry_after = retry_after

        where = f' (member {self.member})' if self.member else ''

        super().__init__(f'{self.status} {self.code}: {self.detail}{where}')

    @staticmethod
    def of(problem: Mapping[str, Any], status: int = 0,
           retry_after: Optional[float] = None) -> 'ApiError':
        kind = _KINDS.get(str(problem.get('code') or ''))

        if kind is None:
            status = status or int(problem.get('status') or 0)
            kind = (Denied if status in (401, 403)
                    else NotFound if status in (404, 410)
                    else RateLimited if status == 429
                    else Unavailable if status in (502, 503, 504)
                    else BadRequest if 400 <= status < 500
                    else ApiError)

        return kind(problem, status, retry_after)


class BadRequest(ApiError):
    """A request that cannot be: an argument of this package's caller."""


class Denied(ApiError):
    """The key is missing or wrong, or the location does not allow it."""


class NotFound(ApiError):
    """No such user, ticket, connection or event."""


class InvalidJson(BadRequest):
    pass


class InvalidEvent(BadRequest):
    """A member is missing, of the wrong type, or the manager's own; or the type
    is one of the manager's own frames."""


class PlaceholderId(BadRequest):
    """The user is a placeholder, such as "undefined"."""


class SchemaError(BadRequest):
    """A known type lacks what it must have, and the location enforces it."""


class RunOrder(BadRequest):
    """The event is out of the order of its run, and the location enforces it."""


class Conflict(BadRequest):
    """The log has another event with that event_id."""


class TooLarge(BadRequest):
    pass


class RateLimited(ApiError):
    pass


class Unavailable(ApiError):
    """Redis cannot be reached, memory is full, or a proxy does not reach the
    manager (then code is empty), as often as it was tried."""


class Rejected(WsMgrError):
    """Some events of several were refused: receipts has those that were not, by
    their place, and errors the others."""

    receipts: Dict[int, Receipt]
    errors: Dict[int, ApiError]

    def __init__(self, receipts: Dict[int, Receipt],
                 errors: Dict[int, ApiError]) -> None:
        self.receipts = receipts
        self.errors = errors

        first: List[str] = [f'event {i}: {e}'
                            for i, e in sorted(errors.items())[:3]]

        super().__init__(f'{len(errors)} of {len(errors) + len(receipts)} '
                         f'events were refused; {"; ".join(first)}')


_KINDS: Dict[str, Type[ApiError]] = {
    'invalid_json': InvalidJson,
    'invalid_event': InvalidEvent,
    'reserved_type': InvalidEvent,
    'placeholder_id': PlaceholderId,
    'schema': SchemaError,
    'run_order': RunOrder,
    'event_id_conflict': Conflict,
    'too_large': TooLarge,
    'rate_limited': RateLimited,
    'unavailable': Unavailable,
    'out_of_memory': Unavailable,
    'ticket_store_unavailable': Unavailable,
    'broadcast_denied': Denied,
}
