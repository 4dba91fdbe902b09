"""Events as they are posted, and what the manager answers: no input or output
here, so that both clients share it."""

from __future__ import annotations

import json
import random
import uuid
from typing import (Any, Dict, Iterable, List, Mapping, NamedTuple, Optional,
                    Sequence, Union)

from ._errors import ApiError, BadAnswer, NotJson, Rejected
from ._json import dumps
from ._receipt import Event, Receipt, Tokens

#: answers after which the same request is made again
RETRIED = (429, 502, 503, 504)

BACKOFF = 0.1
BACKOFF_MAX = 5.0


class Line(NamedTuple):
    """One event as it is sent, and sent again."""

    event_id: str
    text: bytes

    @property
    def receipt(self) -> Receipt:
        return Receipt.held(self.event_id)


def line(event: Event) -> Line:
    """The event with an event_id, its own or a new one.  Raises NotJson."""

    named: Event = {'event_id': uuid.uuid4().hex, **event}

    return Line(str(named['event_id']), dumps(named))


def encode(lines: Sequence[Line]) -> bytes:
    """The body of one request."""

    if len(lines) == 1:
        return lines[0].text

    return b'{"events":[' + b','.join(one.text for one in lines) + b']}'


def ticket(user_id: str, email: Optional[str],
           permissions: Optional[Iterable[str]],
           ttl_seconds: Optional[int],
           metadata: Optional[Mapping[str, Any]]) -> bytes:
    """The body that asks for a ticket."""

    record = {'user_id': user_id, 'email': email,
              'permissions': None if permissions is None
              else list(permissions),
              'ttl_seconds': ttl_seconds, 'metadata': metadata}

    return dumps({k: v for k, v in record.items() if v is not None})


def decode(status: int, content_type: str, body: bytes,
           retry_after: Optional[str] = None) -> Dict[str, Any]:
    """The answer's JSON, or an ApiError."""

    try:
        answer = json.loads(body) if body else {}
    except ValueError:
        answer = None

    if isinstance(answer, dict) and (status < 300 or 'code' in answer):
        if status >= 300:
            raise ApiError.of(answer, status, seconds(retry_after))

        return answer

    text = f'{status} {content_type}: {body[:80]!r} is no answer of the manager'

    if status in RETRIED or status in (401, 403):
        # nginx itself, or a proxy in front of it
        raise ApiError.of({'detail': text}, status, seconds(retry_after))

    raise BadAnswer(text + '; is the URL the one of ws_mgr_api?')


def outcome(result: Mapping[str, Any]) -> Union[Receipt, ApiError]:
    """Of one event among several."""

    if 'code' in result and 'stored' not in result:
        return ApiError.of(result)

    return Receipt.of(result)


def result(line: bytes) -> Union[Receipt, ApiError]:
    """Of one event of a stream."""

    try:
        answer = json.loads(line)
    except ValueError:
        answer = None

    if not isinstance(answer, dict):
        raise BadAnswer(f'{line[:80]!r} is no result of an event')

    return outcome(answer)


def receipts(answer: Mapping[str, Any], n: int) -> List[Receipt]:
    """Of all n events; Rejected where some were refused."""

    results = answer.get('events')

    if not isinstance(results, list) or len(results) != n:
        raise BadAnswer(f'an answer for {n} events has none for each')

    taken: Dict[int, Receipt] = {}
    refused: Dict[int, ApiError] = {}

    for i, answered in enumerate(results):
        result = outcome(answered)

        if isinstance(result, ApiError):
            refused[i] = result
        else:
            taken[i] = result

    if refused:
        raise Rejected(taken, refused)

    return [taken[i] for i in range(n)]


def seconds(text: Optional[str]) -> Optional[float]:
    """Of Retry-After, where it is a number."""

    try:
        return max(float(text), 0.0) if text else None
    except ValueError:
        return None


def pause(attempt: int, retry_after: Optional[float]) -> float:
    """Seconds before another attempt: at random, so that not all publishers
    come back at once, and not before the manager wants it."""

    longest = min(BACKOFF * 2 ** attempt, BACKOFF_MAX)

    return (retry_after or 0.0) + random.uniform(longest / 2, longest)


class Builder:
    """Makes the events of one user, thread and run; who that is cannot be
    changed, so nobody sends as somebody else by mistake."""

    __slots__ = ('_user_id', '_thread_id', '_run_id', '_agent_name')

    def __init__(self, user_id: str, thread_id: Optional[str] = None,
                 run_id: Optional[str] = None,
                 agent_name: Optional[str] = None) -> None:
        if not isinstance(user_id, str) or not user_id:
            raise ValueError('user_id is a text and not empty')

        try:
            user_id.encode()
        except UnicodeEncodeError as error:
            raise NotJson(f'user_id {user_id!r} is no text: half of a '
                          'surrogate pair') from error

        self._user_id = user_id
        self._thread_id = thread_id
        self._run_id = run_id
        self._agent_name = agent_name

    @property
    def user_id(self) -> str:
        return self._user_id

    @property
    def thread_id(self) -> Optional[str]:
        return self._thread_id

    @property
    def run_id(self) -> Optional[str]:
        return self._run_id

    def make(self, type: str, data: Optional[Mapping[str, Any]] = None, *,
             tokens: Optional[Tokens] = None, **members: Any) -> Event:
        """An event; a member that is None is left out."""

        for name in ('user_id', 'thread_id', 'run_id', 'id', 'seq', 'ts',
                     'user_ids'):
            if name in members:
                raise ValueError(f'{name} is not an event\'s to say here')

        event: Event = {'type': type, 'user_id': self._user_id,
                        'thread_id': self._thread_id, 'run_id': self._run_id,
                        'agent_name': self._agent_name, **members}

        if data is not None:
            event['data'] = dict(data)

        if tokens is not None:
            event['token_usage'] = tokens.members()

        return {k: v for k, v in event.items() if v is not None}

    def started(self, agent_name: str, **members: Any) -> Event:
        self._agent_name = agent_name
        return self.make('agent_started', **members)

    def thinking(self, thought: str, **members: Any) -> Event:
        return self.make('agent_thinking', thought=thought, **members)

    def executing(self, tool_name: str,
                  arguments: Optional[Mapping[str, Any]] = None,
                  **members: Any) -> Event:
        return self.make('tool_executing', tool_name=tool_name,
                         arguments=arguments, **members)

    def completed_tool(self, tool_name: str, results: Any,
                       **members: Any) -> Event:
        return self.make('tool_completed', tool_name=tool_name,
                         results=results if results is not None else {},
                         **members)

    def failed_tool(self, tool_name: str, results: Any,
                    error: BaseException) -> Event:
        return self.completed_tool(tool_name, results, status='error',
                                   error=str(error),
                                   error_type=type(error).__name__)

    def completed(self, final_response: Any, **members: Any) -> Event:
        return self.make('agent_completed',
                         final_response='' if final_response is None
                         else final_response, **members)

    def error(self, error: Union[str, BaseException], **members: Any) -> Event:
        if isinstance(error, BaseException):
            members.setdefault('error_type', type(error).__name__)

        return self.make('agent_error', error=str(error), **members)

    def progress(self, percent: Optional[float] = None,
                 message: Optional[str] = None, **members: Any) -> Event:
        """Only the latest matters to a page that lags."""

        members.setdefault('class', 'latest')
        return self.make('progress', percent=percent, message=message,
                         **members)


def usage(input_tokens: Optional[int], output_tokens: Optional[int],
          cost: Optional[float]) -> Optional[Tokens]:
    if input_tokens is None and output_tokens is None and cost is None:
        return None

    return Tokens(input_tokens or 0, output_tokens or 0, cost or 0.0)
