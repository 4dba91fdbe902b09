"""The client for threads: keep-alive connections, one for each thread that
posts at the same time."""

from __future__ import annotations

import http.client
import json
import threading
import time
from types import TracebackType
from typing import (Any, Callable, Dict, Iterable, List, Mapping, Optional,
                    Sequence, Type, Union)
from urllib.parse import quote, urlencode, urlsplit

from . import _events
from ._errors import ApiError, Unreachable
from ._events import Event, Receipt, Tokens, usage
from ._stream import Stream


class Client:
    """One manager, or a load balancer in front of several.

    url       of the location with ws_mgr_api
    key       of ws_mgr_api_key, where there is one
    timeout   seconds that one attempt may take, answers that are waited for
              excluded
    attempts  how often a request is made where it can be made again
    pool      connections that are kept open

    May be used by any number of threads at once.
    """

    def __init__(self, url: str, *, key: Optional[str] = None,
                 timeout: float = 5.0, attempts: int = 5,
                 pool: int = 8) -> None:
        parts = urlsplit(url)

        if parts.scheme not in ('http', 'https') or not parts.hostname:
            raise ValueError(f'{url!r} is no http:// or https:// URL')

        if attempts < 1:
            raise ValueError('attempts is 1 or more')

        self._tls = parts.scheme == 'https'
        self._host = parts.hostname
        self._port = parts.port
        self._path = parts.path.rstrip('/') + '/'
        self._timeout = timeout
        self._attempts = attempts
        self._pool = pool
        self._idle: List[http.client.HTTPConnection] = []
        self._lock = threading.Lock()
        self._headers = {'Authorization': f'Bearer {key}'} if key else {}

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

        body = _events.encode(listed)
        query: Dict[str, Any] = {}

        if wait is not None:
            query = {'wait': wait, 'timeout': int(wait_seconds * 1000)}

        answer = self.request('POST', 'events', query, body,
                              extra=wait_seconds if wait else 0.0)

        return _events.receipts(answer, len(listed))

    def stream(self) -> Stream:
        """For "with": events one by one over one request, none of which waits
        for the answer to the one before."""

        return Stream(self)

    def events(self, user_id: str, after: Optional[str] = None,
               limit: Optional[int] = None) -> Dict[str, Any]:
        """The user's log, behind the position "after"."""

        return self.request('GET', f'events/{_quoted(user_id)}',
                            {'after': after, 'limit': limit})

    # --- users, tickets ---

    def issue_ticket(self, user_id: str, *, email: Optional[str] = None,
                     permissions: Optional[Iterable[str]] = None,
                     ttl_seconds: Optional[int] = None,
                     metadata: Optional[Mapping[str, Any]] = None
                     ) -> Dict[str, Any]:
        """For one upgrade of that user: its ticket_id is what the page gets."""

        record = {'user_id': user_id, 'email': email,
                  'permissions': None if permissions is None
                  else list(permissions),
                  'ttl_seconds': ttl_seconds, 'metadata': metadata}
        body = {k: v for k, v in record.items() if v is not None}

        return self.request('POST', 'tickets', {}, json.dumps(body).encode(),
                            repeatable=False)

    def user(self, user_id: str,
             wait_online: Optional[float] = None) -> Dict[str, Any]:
        """Who is online; with wait_online, when the user is, or after so many
        seconds.  NotFound where nobody knows the user, and it is not waited."""

        query: Dict[str, Any] = {}

        if wait_online is not None:
            query = {'wait': 'online', 'timeout': int(wait_online * 1000)}

        return self.request('GET', f'users/{_quoted(user_id)}', query,
                            extra=wait_online or 0.0)

    def disconnect(self, user_id: str, *, come_back: bool = True
                   ) -> Dict[str, Any]:
        """Closes the user's sockets, at all nodes."""

        return self.request('DELETE', f'users/{_quoted(user_id)}',
                            {} if come_back else {'return': 'no'})

    def health(self) -> Dict[str, Any]:
        return self.request('GET', 'health')

    # --- how ---

    def request(self, method: str, path: str,
                query: Optional[Mapping[str, Any]] = None,
                body: Optional[bytes] = None, *, extra: float = 0.0,
                repeatable: bool = True) -> Dict[str, Any]:
        """Any request of the API, tried again where that does no harm."""

        target = self._path + path
        given = {k: v for k, v in (query or {}).items() if v is not None}

        if given:
            target += '?' + urlencode(given)

        attempt = 0

        while True:
            attempt += 1
            retry_after: Optional[float] = None

            try:
                return self._once(method, target, body, extra)

            except ApiError as error:
                if error.status not in _events.RETRIED \
                        or attempt >= self._attempts:
                    raise

                retry_after = error.retry_after

            except (OSError, http.client.HTTPException) as error:
                if not repeatable or attempt >= self._attempts:
                    raise Unreachable(
                        f'{method} {target} at {self._host}: '
                        f'{type(error).__name__}: {error}, '
                        f'{attempt} times') from error

            time.sleep(_events.pause(attempt - 1, retry_after))

    def _once(self, method: str, target: str, body: Optional[bytes],
              extra: float) -> Dict[str, Any]:
        link, kept = self._take()

        try:
            answer = self._exchange(link, method, target, body, extra)

        except (OSError, http.client.HTTPException):
            link.close()

            # one that was kept may have been closed by the other side
            if not kept:
                raise

            link = self._open()

            try:
                answer = self._exchange(link, method, target, body, extra)
            except BaseException:
                link.close()
                raise

        except BaseException:
            link.close()
            raise

        text = answer.read()

        if answer.will_close:
            link.close()
        else:
            self._give(link)

        return _events.decode(answer.status,
                              answer.getheader('Content-Type', ''), text,
                              answer.getheader('Retry-After'))

    def _exchange(self, link: http.client.HTTPConnection, method: str,
                  target: str, body: Optional[bytes],
                  extra: float) -> http.client.HTTPResponse:
        headers = dict(self._headers)

        if body is not None:
            headers['Content-Type'] = 'application/json'

        if link.sock is not None:
            link.sock.settimeout(self._timeout + extra)
        else:
            link.timeout = self._timeout + extra

        link.request(method, target, body, headers)

        return link.getresponse()

    def _open(self) -> http.client.HTTPConnection:
        if self._tls:
            return http.client.HTTPSConnection(self._host, self._port,
                                               timeout=self._timeout)

        return http.client.HTTPConnection(self._host, self._port,
                                          timeout=self._timeout)

    def _take(self) -> 'tuple[http.client.HTTPConnection, bool]':
        with self._lock:
            if self._idle:
                return self._idle.pop(), True

        return self._open(), False

    def _give(self, link: http.client.HTTPConnection) -> None:
        with self._lock:
            if len(self._idle) < self._pool:
                self._idle.append(link)
                return

        link.close()

    def close(self) -> None:
        with self._lock:
            idle, self._idle = self._idle, []

        for link in idle:
            link.close()

    def __enter__(self) -> 'Client':
        return self

    def __exit__(self, kind: Optional[Type[BaseException]],
                 error: Optional[BaseException],
                 trace: Optional[TracebackType]) -> None:
        self.close()


class Emitter:
    """Posts the events of one run of an agent, for one user, who cannot be
    changed.  Each method posts at once and returns the event's receipt; within
    batch() it collects, within stream() it sends, and returns None."""

    __slots__ = ('_client', '_builder', '_sink')

    def __init__(self, user_id: str, thread_id: Optional[str] = None,
                 run_id: Optional[str] = None,
                 agent_name: Optional[str] = None, *,
                 client: Client) -> None:
        self._client = client
        self._builder = _events.Builder(user_id, thread_id, run_id, agent_name)
        self._sink: Optional[Callable[[Event], None]] = None

    user_id = property(lambda self: self._builder.user_id)
    thread_id = property(lambda self: self._builder.thread_id)
    run_id = property(lambda self: self._builder.run_id)

    def _post(self, event: Event) -> Optional[Receipt]:
        if self._sink is not None:
            self._sink(event)
            return None

        return self._client.post(event)[0]

    def event(self, type: str, data: Optional[Mapping[str, Any]] = None, *,
              tokens: Optional[Tokens] = None,
              **members: Any) -> Optional[Receipt]:
        """Any event of this run."""

        return self._post(self._builder.make(type, data, tokens=tokens,
                                             **members))

    def agent_started(self, agent_name: str,
                      **members: Any) -> Optional[Receipt]:
        return self._post(self._builder.started(agent_name, **members))

    def agent_thinking(self, thought: str,
                       **members: Any) -> Optional[Receipt]:
        return self._post(self._builder.thinking(thought, **members))

    def tool_executing(self, tool_name: str,
                       arguments: Optional[Mapping[str, Any]] = None,
                       **members: Any) -> Optional[Receipt]:
        return self._post(self._builder.executing(tool_name, arguments,
                                                  **members))

    def tool_completed(self, tool_name: str, results: Any = None,
                       **members: Any) -> Optional[Receipt]:
        return self._post(self._builder.completed_tool(tool_name, results,
                                                       **members))

    def agent_completed(self, final_response: Any = None, *,
                        input_tokens: Optional[int] = None,
                        output_tokens: Optional[int] = None,
                        cost: Optional[float] = None,
                        **members: Any) -> Optional[Receipt]:
        return self._post(self._builder.completed(
            final_response, tokens=usage(input_tokens, output_tokens, cost),
            **members))

    def agent_error(self, error: Union[str, BaseException],
                    **members: Any) -> Optional[Receipt]:
        return self._post(self._builder.error(error, **members))

    def progress(self, percent: Optional[float] = None,
                 message: Optional[str] = None,
                 **members: Any) -> Optional[Receipt]:
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

        return Stream(self._client, self)


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
        if error is None:
            self._emitter.tool_completed(self._name, self.results)
            return

        self._emitter.tool_completed(
            self._name, self.results, status='error', error=str(error),
            error_type=type(error).__name__)


class Batch:
    """receipts are there after the block; nothing is posted where it fails."""

    __slots__ = ('receipts', '_emitter', '_held')

    def __init__(self, emitter: Emitter) -> None:
        self.receipts: List[Receipt] = []
        self._emitter = emitter
        self._held: List[Event] = []

    def __enter__(self) -> 'Batch':
        if self._emitter._sink is not None:
            raise RuntimeError('a batch within a batch or a stream')

        self._held = []
        self._emitter._sink = self._held.append
        return self

    def __exit__(self, kind: Optional[Type[BaseException]],
                 error: Optional[BaseException],
                 trace: Optional[TracebackType]) -> None:
        self._emitter._sink = None

        if error is None and self._held:
            self.receipts = self._emitter._client.post(self._held)


def _quoted(text: str) -> str:
    return quote(text, safe='')
