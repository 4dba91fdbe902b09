"""The client for threads: keep-alive connections, one for each thread that
posts at the same time."""

from __future__ import annotations

import http.client
import ssl
import time
from types import TracebackType
from typing import (Any, Dict, Iterable, List, Mapping, Optional, Sequence,
                    Type, Union)
from urllib.parse import urlencode

from . import _events
from ._errors import ApiError, NotJson, Unreachable
from ._events import Line, usage
from ._json import quoted
from ._receipt import Event, Receipt, Tokens
from ._sink import Sink
from ._stream import Stream
from ._transport import Transport, Where


class Client:
    """One manager, or a load balancer in front of several.

    url          of the location with ws_mgr_api
    key          of ws_mgr_api_key, where there is one
    timeout      seconds that one attempt may take, answers that are waited for
                 excluded
    attempts     how often a request is made where it can be made again
    pool         connections that are kept open
    ssl_context  for https: a private authority, a certificate of one's own
    headers      sent with each request
    proxy        an http:// URL; the environment's proxies are not used
    unix_socket  a path in place of the URL's host and port

    May be used by any number of threads at once, and after a fork: connections
    belong to the process that opened them.
    """

    def __init__(self, url: str, *, key: Optional[str] = None,
                 timeout: float = 5.0, attempts: int = 5, pool: int = 8,
                 ssl_context: Optional[ssl.SSLContext] = None,
                 headers: Optional[Mapping[str, str]] = None,
                 proxy: Optional[str] = None,
                 unix_socket: Optional[str] = None) -> None:
        if attempts < 1:
            raise ValueError('attempts is 1 or more')

        self._where = Where.of(url, key, headers, ssl_context, proxy,
                               unix_socket)
        self._attempts = attempts
        self._transport = Transport(self._where, timeout, pool)

    # --- events ---

    def emitter(self, user_id: str, thread_id: Optional[str] = None,
                run_id: Optional[str] = None,
                agent_name: Optional[str] = None) -> 'Emitter':
        return Emitter(user_id, thread_id, run_id, agent_name, client=self)

    def post(self, events: Union[Event, Sequence[Event]], *,
             wait: Optional[str] = None,
             wait_seconds: float = 5.0) -> List[Receipt]:
        """Posts one event or several, in that order; a receipt for each.

        With wait 'sent' it returns when the kernel of each socket's node has the
        bytes, with 'confirmed' when a client has confirmed, or after
        wait_seconds; the receipts' connections say how far each is.  Raises
        Rejected where some of several were refused.
        """

        listed = [events] if isinstance(events, dict) else list(events)

        if not listed:
            return []

        return self._post([_events.line(event) for event in listed], wait,
                          wait_seconds)

    def _post(self, lines: Sequence[Line], wait: Optional[str] = None,
              wait_seconds: float = 5.0) -> List[Receipt]:
        query: Dict[str, Any] = {}

        if wait is not None:
            query = {'wait': wait, 'timeout': int(wait_seconds * 1000)}

        answer = self.request('POST', 'events', query, _events.encode(lines),
                              extra=wait_seconds if wait else 0.0)

        return _events.receipts(answer, len(lines))

    def stream(self) -> Stream:
        """For "with": events one by one over one request, none of which waits
        for the answer to the one before."""

        return Stream(self._transport, self._post)

    def events(self, user_id: str, after: Optional[str] = None,
               limit: Optional[int] = None) -> Dict[str, Any]:
        """The user's log, behind the position "after"."""

        return self.request('GET', f'events/{quoted(user_id)}',
                            {'after': after, 'limit': limit})

    # --- users, tickets ---

    def issue_ticket(self, user_id: str, *, email: Optional[str] = None,
                     permissions: Optional[Iterable[str]] = None,
                     ttl_seconds: Optional[int] = None,
                     metadata: Optional[Mapping[str, Any]] = None
                     ) -> Dict[str, Any]:
        """For one upgrade of that user: its ticket_id is what the page gets."""

        return self.request('POST', 'tickets', {}, _events.ticket(
            user_id, email, permissions, ttl_seconds, metadata),
            repeatable=False)

    def ticket(self, ticket_id: str) -> Dict[str, Any]:
        """The record of a ticket, which is not used up by this.  NotFound where
        it was used, was revoked, or has ended."""

        return self.request('GET', f'tickets/{quoted(ticket_id)}')

    def revoke_ticket(self, ticket_id: str) -> Dict[str, Any]:
        """Nobody gets in with that ticket from here on."""

        return self.request('DELETE', f'tickets/{quoted(ticket_id)}')

    def user(self, user_id: str,
             wait_online: Optional[float] = None) -> Dict[str, Any]:
        """Who is online; with wait_online, when the user is, or after so many
        seconds.  NotFound where nobody knows the user, and it is not waited."""

        query: Dict[str, Any] = {}

        if wait_online is not None:
            query = {'wait': 'online', 'timeout': int(wait_online * 1000)}

        return self.request('GET', f'users/{quoted(user_id)}', query,
                            extra=wait_online or 0.0)

    def disconnect(self, user_id: str, *, come_back: bool = True
                   ) -> Dict[str, Any]:
        """Closes the user's sockets, at all nodes."""

        return self.request('DELETE', f'users/{quoted(user_id)}',
                            {} if come_back else {'return': 'no'})

    def health(self) -> Dict[str, Any]:
        return self.request('GET', 'health')

    # --- how ---

    def request(self, method: str, path: str,
                query: Optional[Mapping[str, Any]] = None,
                body: Optional[bytes] = None, *, extra: float = 0.0,
                repeatable: bool = True) -> Dict[str, Any]:
        """Any request of the API, tried again where that does no harm."""

        target = path
        given = {k: v for k, v in (query or {}).items() if v is not None}

        if given:
            target += '?' + urlencode(given)

        attempt = 0

        while True:
            attempt += 1
            retry_after: Optional[float] = None

            try:
                return self._transport.once(method, target, body, extra)

            except ApiError as error:
                if error.status not in _events.RETRIED \
                        or attempt >= self._attempts:
                    raise

                retry_after = error.retry_after

            except (OSError, http.client.HTTPException) as error:
                if not repeatable or attempt >= self._attempts:
                    raise Unreachable(
                        f'{method} {self._where.url}{target}: '
                        f'{type(error).__name__}: {error}, '
                        f'{attempt} times') from error

            time.sleep(_events.pause(attempt - 1, retry_after))

    def close(self) -> None:
        self._transport.close()

    def __enter__(self) -> 'Client':
        return self

    def __exit__(self, kind: Optional[Type[BaseException]],
                 error: Optional[BaseException],
                 trace: Optional[TracebackType]) -> None:
        self.close()


class Emitter:
    """Posts the events of one run of an agent, for one user, who cannot be
    changed.  Each method posts at once and returns the event's receipt; within
    batch() it collects, within stream() it sends, and the receipt is pending."""

    __slots__ = ('_client', '_builder', '_sink')

    def __init__(self, user_id: str, thread_id: Optional[str] = None,
                 run_id: Optional[str] = None,
                 agent_name: Optional[str] = None, *,
                 client: Client) -> None:
        self._client = client
        self._builder = _events.Builder(user_id, thread_id, run_id, agent_name)
        self._sink = Sink()

    @property
    def user_id(self) -> str:
        return self._builder.user_id

    @property
    def thread_id(self) -> Optional[str]:
        return self._builder.thread_id

    @property
    def run_id(self) -> Optional[str]:
        return self._builder.run_id

    def _post(self, event: Event) -> Receipt:
        line = _events.line(event)

        if self._sink.put is not None:
            self._sink.put(line)
            return line.receipt

        return self._client._post([line])[0]

    def event(self, type: str, data: Optional[Mapping[str, Any]] = None, *,
              tokens: Optional[Tokens] = None,
              **members: Any) -> Receipt:
        """Any event of this run."""

        return self._post(self._builder.make(type, data, tokens=tokens,
                                             **members))

    def agent_started(self, agent_name: str,
                      **members: Any) -> Receipt:
        return self._post(self._builder.started(agent_name, **members))

    def agent_thinking(self, thought: str,
                       **members: Any) -> Receipt:
        return self._post(self._builder.thinking(thought, **members))

    def tool_executing(self, tool_name: str,
                       arguments: Optional[Mapping[str, Any]] = None,
                       **members: Any) -> Receipt:
        return self._post(self._builder.executing(tool_name, arguments,
                                                  **members))

    def tool_completed(self, tool_name: str, results: Any = None,
                       **members: Any) -> Receipt:
        return self._post(self._builder.completed_tool(tool_name, results,
                                                       **members))

    def agent_completed(self, final_response: Any = None, *,
                        input_tokens: Optional[int] = None,
                        output_tokens: Optional[int] = None,
                        cost: Optional[float] = None,
                        **members: Any) -> Receipt:
        return self._post(self._builder.completed(
            final_response, tokens=usage(input_tokens, output_tokens, cost),
            **members))

    def agent_error(self, error: Union[str, BaseException],
                    **members: Any) -> Receipt:
        return self._post(self._builder.error(error, **members))

    def progress(self, percent: Optional[float] = None,
                 message: Optional[str] = None,
                 **members: Any) -> Receipt:
        return self._post(self._builder.progress(percent, message, **members))

    def tool(self, tool_name: str,
             arguments: Optional[Mapping[str, Any]] = None) -> 'Tool':
        """For "with": what is executing is completed, whatever happens."""

        return Tool(self, tool_name, arguments)

    def batch(self) -> 'Batch':
        """For "with": all that is emitted within is one request, in order."""

        return Batch(self)

    def stream(self) -> Stream:
        """For "with": what is emitted within is sent at once, over one request,
        and its receipts are there after the block."""

        return Stream(self._client._transport, self._client._post,
                      self._sink)


class Tool:
    """Set results within the block; an exception is told, and goes on."""

    __slots__ = ('results', '_emitter', '_name', '_arguments')

    def __init__(self, emitter: Emitter, tool_name: str,
                 arguments: Optional[Mapping[str, Any]]) -> None:
        self.results: Any = None
        self._emitter = emitter
        self._name = tool_name
        self._arguments = arguments

    def __enter__(self) -> 'Tool':
        self._emitter.tool_executing(self._name, self._arguments)
        return self

    def __exit__(self, kind: Optional[Type[BaseException]],
                 error: Optional[BaseException],
                 trace: Optional[TracebackType]) -> None:
        emitter = self._emitter
        failed = emitter._builder.failed_tool

        try:
            emitter._post(
                emitter._builder.completed_tool(self._name, self.results)
                if error is None
                else failed(self._name, self.results, error))

        except NotJson as unfit:
            # the tool has completed, whatever its results are
            emitter._post(failed(self._name, None, error or unfit))

            if error is None:
                raise


class Batch:
    """receipts are there after the block; nothing is posted where it fails."""

    __slots__ = ('receipts', '_emitter', '_held')

    def __init__(self, emitter: Emitter) -> None:
        self.receipts: List[Receipt] = []
        self._emitter = emitter
        self._held: List[Line] = []

    def __enter__(self) -> 'Batch':
        self._held = []
        self._emitter._sink.begin(self._held.append)
        return self

    def __exit__(self, kind: Optional[Type[BaseException]],
                 error: Optional[BaseException],
                 trace: Optional[TracebackType]) -> None:
        self._emitter._sink.end()

        if error is None and self._held:
            self.receipts = self._emitter._client._post(self._held)
