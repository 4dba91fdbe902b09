"""Events as they are posted, and what the manager answers: no input or output
here, so that both clients share it."""

from __future__ import annotations

import json
import random
import uuid
from dataclasses import dataclass, field
from typing import Any, Dict, List, Mapping, Optional, Sequence, Union

from ._errors import ApiError, BadAnswer, Rejected

Event = Dict[str, Any]

#: answers after which the same request is made again
RETRIED = (429, 502, 503, 504)

BACKOFF = 0.1
BACKOFF_MAX = 5.0


@dataclass(frozen=True)
class Tokens:
    """Token usage of an event; the manager adds it up per run."""

    input_tokens: int = 0
    output_tokens: int = 0
    cost: float = 0.0

    def members(self) -> Dict[str, Any]:
        return {'input_tokens': self.input_tokens,
                'output_tokens': self.output_tokens, 'cost': self.cost}


@dataclass(frozen=True)
class Receipt:
    """What became of one event.  sockets is how many of the user's were told of
    it at the node that took it, nodes how many nodes heard of it; None where
    that is not known.  connections is there where it was waited for."""

    event_id: Optional[str]
    id: Optional[str]
    seq: Optional[int]
    duplicate: bool
    sockets: Optional[int]
    nodes: Optional[int]
    connections: Optional[List[Dict[str, str]]] = None
    answer: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @staticmethod
    def of(answer: Mapping[str, Any]) -> 'Receipt':
        return Receipt(answer.get('event_id'), answer.get('id'),
                       answer.get('seq'), bool(answer.get('duplicate')),
                       answer.get('sockets'), answer.get('nodes'),
                       answer.get('connections'), answer)


def named(event: Event) -> Event:
    """The event with an event_id, its own or a new one."""

    return {'event_id': uuid.uuid4().hex, **event}


def dumps(body: Any) -> bytes:
    return json.dumps(body, ensure_ascii=False, separators=(',', ':'),
                      allow_nan=False).encode()


def encode(events: Sequence[Event]) -> bytes:
    """The body, in which each event has an event_id."""

    body = [named(e) for e in events]

    return dumps(body[0] if len(body) == 1 else {'events': body})


def decode(status: int, content_type: str, body: bytes,
           retry_after: Optional[str] = None) -> Dict[str, Any]:
    """The answer's JSON, or an ApiError."""

    try:
        answer = json.loads(body) if body else {}
    except ValueError:
        answer = None

    if not isinstance(answer, dict):
        raise BadAnswer(f'{status} {content_type}: {body[:80]!r} is no JSON of '
                        'the manager; is the URL the one of ws_mgr_api?')

    if status >= 300:
        if 'code' not in answer:
            raise BadAnswer(f'{status}: no problem document; is the URL the '
                            'one of ws_mgr_api?')

        raise ApiError.of(answer, status, seconds(retry_after))

    return answer


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
