"""The client for asyncio, over httpx."""

from __future__ import annotations

import asyncio
import ssl
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import (Any, Awaitable, Callable, Dict, Iterable, List, Mapping,
                    Optional, Sequence, Tuple, Type, TypeVar, Union)
from weakref import WeakKeyDictionary

try:
    import httpx
except ImportError as missing:
    raise ImportError('AsyncClient needs httpx: pip install ws-mgr[async]') \
        from missing

from . import _events
from ._errors import ApiError, NotJson, Unreachable
from ._events import Line, usage
from ._json import quoted
from ._receipt import Event, Receipt, Tokens
from ._stream import Stream
from ._sync import Client
from ._transport import Where, process

T = TypeVar('T')


class AsyncClient:
    """As Client, with the same arguments.  "http" is an httpx.AsyncClient of
    one's own, which stays open; streams do not go over it.

    Connections belong to an event loop and a process: one AsyncClient may be
    used by several of each.
    """

    def __init__(self, url: str, *, key: Optional[str] = None,
                 timeout: float = 5.0, attempts: int = 5,
                 http: Optional[httpx.AsyncClient] = None,
                 ssl_context: Optional[ssl.SSLContext] = None,
                 headers: Optional[Mapping[str, str]] = None,
                 proxy: Optional[str] = None,
                 unix_socket: Optional[str] = None) -> None:
        if attempts < 1:
            raise ValueError('attempts is 1 or more')

        self._where = Where.of(url, key, headers, ssl_context, proxy,
                               unix_socket)
        self._timeout = timeout
        self._attempts = attempts
        self._given = http
        self._process = process()
        self._opened: WeakKeyDictionary[asyncio.AbstractEventLoop,
                                        httpx.AsyncClient] \
            = WeakKeyDictionary()

        # streams go over its connections
        self._threads = Client(url, key=key, timeout=timeout,
                               attempts=attempts, ssl_context=ssl_context,
                               headers=headers, proxy=proxy,
                               unix_socket=unix_socket)

    def _http(self) -> httpx.AsyncClient:
        """The connections of this process and this loop."""

        if self._given is not None:
            return self._given

        if self._process != process():
            self._process = process()
            self._opened = WeakKeyDictionary()

        loop = asyncio.get_running_loop()
        http = self._opened.get(loop)

        if http is None or http.is_closed:
            where = self._where
            http = httpx.AsyncClient(transport=httpx.AsyncHTTPTransport(
                verify=where.context or True, trust_env=False,
                proxy=None if where.proxy is None else httpx.Proxy(where.proxy),
                uds=where.unix_socket))
            self._opened[loop] = http

        return http

    def emitter(self, user_id: str, thread_id: Optional[str] = None,
                run_id: Optional[str] = None,
                agent_name: Optional[str] = None) -> 'AsyncEmitter':
        return AsyncEmitter(user_id, thread_id, run_id, agent_name,
                            client=self)

    async def post(self, events: Union[Event, Sequence[Event]], *,
                   wait: Optional[str] = None,
                   wait_seconds: float = 5.0) -> List[Receipt]:
        listed = [events] if isinstance(events, dict) else list(events)

        if not listed:
            return []

        return await self._post([_events.line(event) for event in listed],
                                wait, wait_seconds)

    async def _post(self, lines: Sequence[Line], wait: Optional[str] = None,
                    wait_seconds: float = 5.0) -> List[Receipt]:
        query: Dict[str, Any] = {}

        if wait is not None:
            query = {'wait': wait, 'timeout': int(wait_seconds * 1000)}

        answer = await self.request('POST', 'events', query,
                                    _events.encode(lines),
                                    extra=wait_seconds if wait else 0.0)

        return _events.receipts(answer, len(lines))

    def stream(self) -> 'AsyncStream':
        """As Client.stream(), for "async with"."""

        return AsyncStream(self._threads.stream())

    async def events(self, user_id: str, after: Optional[str] = None,
                     limit: Optional[int] = None) -> Dict[str, Any]:
        return await self.request('GET', f'events/{quoted(user_id)}',
                                  {'after': after, 'limit': limit})

    async def issue_ticket(self, user_id: str, *,
                           email: Optional[str] = None,
                           permissions: Optional[Iterable[str]] = None,
                           ttl_seconds: Optional[int] = None,
                           metadata: Optional[Mapping[str, Any]] = None
                           ) -> Dict[str, Any]:
        return await self.request('POST', 'tickets', {}, _events.ticket(
            user_id, email, permissions, ttl_seconds, metadata),
            repeatable=False)

    async def ticket(self, ticket_id: str) -> Dict[str, Any]:
        return await self.request('GET', f'tickets/{quoted(ticket_id)}')

    async def revoke_ticket(self, ticket_id: str) -> Dict[str, Any]:
        return await self.request('DELETE', f'tickets/{quoted(ticket_id)}')

    async def user(self, user_id: str,
                   wait_online: Optional[float] = None) -> Dict[str, Any]:
        query: Dict[str, Any] = {}

        if wait_online is not None:
            query = {'wait': 'online', 'timeout': int(wait_online * 1000)}

        return await self.request('GET', f'users/{quoted(user_id)}', query,
                                  extra=wait_online or 0.0)

    async def disconnect(self, user_id: str, *,
                         come_back: bool = True) -> Dict[str, Any]:
        return await self.request('DELETE', f'users/{quoted(user_id)}',
                                  {} if come_back else {'return': 'no'})

    async def health(self) -> Dict[str, Any]:
        return await self.request('GET', 'health')

    async def request(self, method: str, path: str,
                      query: Optional[Mapping[str, Any]] = None,
                      body: Optional[bytes] = None, *, extra: float = 0.0,
                      repeatable: bool = True) -> Dict[str, Any]:
        params = {k: v for k, v in (query or {}).items() if v is not None}
        headers = dict(self._where.headers)

        if body is not None:
            headers['Content-Type'] = 'application/json'

        attempt = 0

        while True:
            attempt += 1
            retry_after: Optional[float] = None

            try:
                answer = await self._http().request(
                    method, self._where.url + path, params=params, content=body,
                    headers=headers, timeout=self._timeout + extra)

                return _events.decode(
                    answer.status_code, answer.headers.get('Content-Type', ''),
                    answer.content, answer.headers.get('Retry-After'))

            except ApiError as error:
                if error.status not in _events.RETRIED \
                        or attempt >= self._attempts:
                    raise

                retry_after = error.retry_after

            except (OSError, httpx.TransportError) as error:
                if not repeatable or attempt >= self._attempts:
                    raise Unreachable(
                        f'{method} {self._where.url}{path}: '
                        f'{type(error).__name__}: {error}, '
                        f'{attempt} times') from error

            await asyncio.sleep(_events.pause(attempt - 1, retry_after))

    async def aclose(self) -> None:
        """Closes the connections of this loop."""

        if self._given is None:
            await self._http().aclose()

        self._threads.close()

    async def __aenter__(self) -> 'AsyncClient':
        return self

    async def __aexit__(self, kind: Optional[Type[BaseException]],
                        error: Optional[BaseException],
                        trace: Optional[TracebackType]) -> None:
        await self.aclose()


class AsyncEmitter:
    """As Emitter; tool(), batch() and stream() are for "async with"."""

    __slots__ = ('_client', '_builder', '_put')

    def __init__(self, user_id: str, thread_id: Optional[str] = None,
                 run_id: Optional[str] = None,
                 agent_name: Optional[str] = None, *,
                 client: AsyncClient) -> None:
        self._client = client
        self._builder = _events.Builder(user_id, thread_id, run_id, agent_name)
        self._put: Optional[Callable[[Line], Awaitable[None]]] = None

    @property
    def user_id(self) -> str:
        return self._builder.user_id

    @property
    def thread_id(self) -> Optional[str]:
        return self._builder.thread_id

    @property
    def run_id(self) -> Optional[str]:
        return self._builder.run_id

    def _begin(self, put: Callable[[Line], Awaitable[None]]) -> None:
        if self._put is not None:
            raise RuntimeError('a batch or a stream within another')

        self._put = put

    async def _post(self, event: Event) -> Receipt:
        line = _events.line(event)

        if self._put is not None:
            await self._put(line)
            return line.receipt

        return (await self._client._post([line]))[0]

    async def event(self, type: str,
                    data: Optional[Mapping[str, Any]] = None, *,
                    tokens: Optional[Tokens] = None,
                    **members: Any) -> Receipt:
        return await self._post(self._builder.make(type, data, tokens=tokens,
                                                   **members))

    async def agent_started(self, agent_name: str,
                            **members: Any) -> Receipt:
        return await self._post(self._builder.started(agent_name, **members))

    async def agent_thinking(self, thought: str,
                             **members: Any) -> Receipt:
        return await self._post(self._builder.thinking(thought, **members))

    async def tool_executing(self, tool_name: str,
                             arguments: Optional[Mapping[str, Any]] = None,
                             **members: Any) -> Receipt:
        return await self._post(self._builder.executing(tool_name, arguments,
                                                        **members))

    async def tool_completed(self, tool_name: str, results: Any = None,
                             **members: Any) -> Receipt:
        return await self._post(self._builder.completed_tool(
            tool_name, results, **members))

    async def agent_completed(self, final_response: Any = None, *,
                              input_tokens: Optional[int] = None,
                              output_tokens: Optional[int] = None,
                              cost: Optional[float] = None,
                              **members: Any) -> Receipt:
        return await self._post(self._builder.completed(
            final_response, tokens=usage(input_tokens, output_tokens, cost),
            **members))

    async def agent_error(self, error: Union[str, BaseException],
                          **members: Any) -> Receipt:
        return await self._post(self._builder.error(error, **members))

    async def progress(self, percent: Optional[float] = None,
                       message: Optional[str] = None,
                       **members: Any) -> Receipt:
        return await self._post(self._builder.progress(percent, message,
                                                       **members))

    def tool(self, tool_name: str,
             arguments: Optional[Mapping[str, Any]] = None) -> 'AsyncTool':
        return AsyncTool(self, tool_name, arguments)

    def batch(self) -> 'AsyncBatch':
        return AsyncBatch(self)

    def stream(self) -> 'AsyncStream':
        return AsyncStream(self._client._threads.stream(), self)


class AsyncTool:
    __slots__ = ('results', '_emitter', '_name', '_arguments')

    def __init__(self, emitter: AsyncEmitter, tool_name: str,
                 arguments: Optional[Mapping[str, Any]]) -> None:
        self.results: Any = None
        self._emitter = emitter
        self._name = tool_name
        self._arguments = arguments

    async def __aenter__(self) -> 'AsyncTool':
        await self._emitter.tool_executing(self._name, self._arguments)
        return self

    async def __aexit__(self, kind: Optional[Type[BaseException]],
                        error: Optional[BaseException],
                        trace: Optional[TracebackType]) -> None:
        emitter = self._emitter
        failed = emitter._builder.failed_tool

        try:
            await emitter._post(
                emitter._builder.completed_tool(self._name, self.results)
                if error is None
                else failed(self._name, self.results, error))

        except NotJson as unfit:
            # the tool has completed, whatever its results are
            await emitter._post(failed(self._name, None, error or unfit))

            if error is None:
                raise


class AsyncBatch:
    __slots__ = ('receipts', '_emitter', '_held')

    def __init__(self, emitter: AsyncEmitter) -> None:
        self.receipts: List[Receipt] = []
        self._emitter = emitter
        self._held: List[Line] = []

    async def _hold(self, line: Line) -> None:
        self._held.append(line)

    async def __aenter__(self) -> 'AsyncBatch':
        self._held = []
        self._emitter._begin(self._hold)
        return self

    async def __aexit__(self, kind: Optional[Type[BaseException]],
                        error: Optional[BaseException],
                        trace: Optional[TracebackType]) -> None:
        self._emitter._put = None

        if error is None and self._held:
            self.receipts = await self._emitter._client._post(self._held)


class AsyncStream:
    """As Stream.  A thread of its own sends and reads, so that the loop waits
    for nobody: httpx reads an answer only when it has sent all of a request."""

    __slots__ = ('_stream', '_emitter', '_thread')

    def __init__(self, stream: Stream,
                 emitter: Optional[AsyncEmitter] = None) -> None:
        self._stream = stream
        self._emitter = emitter
        self._thread: Optional[Tuple[Tuple[int, int], ThreadPoolExecutor]] \
            = None

    @property
    def receipts(self) -> List[Receipt]:
        return self._stream.receipts

    async def _run(self, work: Callable[..., T], *arguments: Any) -> T:
        """One after the other, in the order in which they are called."""

        if self._thread is None or self._thread[0] != process():
            self._thread = (process(), ThreadPoolExecutor(
                1, thread_name_prefix='ws_mgr.stream'))

        return await asyncio.get_running_loop().run_in_executor(
            self._thread[1], work, *arguments)

    async def send(self, event: Event) -> Receipt:
        line = _events.line(event)
        await self._put(line)
        return line.receipt

    async def _put(self, line: Line) -> None:
        await self._run(self._stream.put, line)

    async def flush(self) -> None:
        await self._run(self._stream.flush)

    async def __aenter__(self) -> 'AsyncStream':
        if self._emitter is not None:
            self._emitter._begin(self._put)

        self._stream.__enter__()
        return self

    async def __aexit__(self, kind: Optional[Type[BaseException]],
                        error: Optional[BaseException],
                        trace: Optional[TracebackType]) -> None:
        if self._emitter is not None:
            self._emitter._put = None

        try:
            await self._run(self._stream.__exit__, kind, error, trace)

        finally:
            if self._thread is not None:
                self._thread[1].shutdown(wait=False)
                self._thread = None
