"""The client for asyncio, over httpx."""

from __future__ import annotations

import asyncio
import json
from types import TracebackType
from typing import (Any, Dict, Iterable, List, Mapping, Optional, Sequence,
                    Type, Union)
from urllib.parse import quote

import httpx

from . import _events
from ._errors import ApiError, Unreachable
from ._events import Event, Receipt, Tokens, usage


class AsyncClient:
    """As Client; url, key, timeout and attempts are the same.  "http" is an
    httpx.AsyncClient of one's own, which stays open."""

    def __init__(self, url: str, *, key: Optional[str] = None,
                 timeout: float = 5.0, attempts: int = 5,
                 http: Optional[httpx.AsyncClient] = None) -> None:
        if attempts < 1:
            raise ValueError('attempts is 1 or more')

        self._url = url.rstrip('/') + '/'
        self._timeout = timeout
        self._attempts = attempts
        self._headers = {'Authorization': f'Bearer {key}'} if key else {}
        self._own = http is None
        self._http = http or httpx.AsyncClient()

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

        body = _events.encode(listed)
        query: Dict[str, Any] = {}

        if wait is not None:
            query = {'wait': wait, 'timeout': int(wait_seconds * 1000)}

        answer = await self.request('POST', 'events', query, body,
                                    extra=wait_seconds if wait else 0.0)

        return _events.receipts(answer, len(listed))

    async def events(self, user_id: str, after: Optional[str] = None,
                     limit: Optional[int] = None) -> Dict[str, Any]:
        return await self.request('GET', f'events/{_quoted(user_id)}',
                                  {'after': after, 'limit': limit})

    async def issue_ticket(self, user_id: str, *,
                           email: Optional[str] = None,
                           permissions: Optional[Iterable[str]] = None,
                           ttl_seconds: Optional[int] = None,
                           metadata: Optional[Mapping[str, Any]] = None
                           ) -> Dict[str, Any]:
        record = {'user_id': user_id, 'email': email,
                  'permissions': None if permissions is None
                  else list(permissions),
                  'ttl_seconds': ttl_seconds, 'metadata': metadata}
        body = {k: v for k, v in record.items() if v is not None}

        return await self.request('POST', 'tickets', {},
                                  json.dumps(body).encode(), repeatable=False)

    async def user(self, user_id: str,
                   wait_online: Optional[float] = None) -> Dict[str, Any]:
        query: Dict[str, Any] = {}

        if wait_online is not None:
            query = {'wait': 'online', 'timeout': int(wait_online * 1000)}

        return await self.request('GET', f'users/{_quoted(user_id)}', query,
                                  extra=wait_online or 0.0)

    async def disconnect(self, user_id: str, *,
                         come_back: bool = True) -> Dict[str, Any]:
        return await self.request('DELETE', f'users/{_quoted(user_id)}',
                                  {} if come_back else {'return': 'no'})

    async def health(self) -> Dict[str, Any]:
        return await self.request('GET', 'health')

    async def request(self, method: str, path: str,
                      query: Optional[Mapping[str, Any]] = None,
                      body: Optional[bytes] = None, *, extra: float = 0.0,
                      repeatable: bool = True) -> Dict[str, Any]:
        params = {k: v for k, v in (query or {}).items() if v is not None}
        headers = dict(self._headers)

        if body is not None:
            headers['Content-Type'] = 'application/json'

        attempt = 0

        while True:
            attempt += 1
            retry_after: Optional[float] = None

            try:
                answer = await self._http.request(
                    method, self._url + path, params=params, content=body,
                    headers=headers, timeout=self._timeout + extra)

                return _events.decode(
                    answer.status_code, answer.headers.get('Content-Type', ''),
                    answer.content, answer.headers.get('Retry-After'))

            except ApiError as error:
                if error.status not in _events.RETRIED \
                        or attempt >= self._attempts:
                    raise

                retry_after = error.retry_after

            except httpx.TransportError as error:
                if not repeatable or attempt >= self._attempts:
                    raise Unreachable(
                        f'{method} {self._url}{path}: '
                        f'{type(error).__name__}: {error}, '
                        f'{attempt} times') from error

            await asyncio.sleep(_events.pause(attempt - 1, retry_after))

    async def aclose(self) -> None:
        if self._own:
            await self._http.aclose()

    async def __aenter__(self) -> 'AsyncClient':
        return self

    async def __aexit__(self, kind: Optional[Type[BaseException]],
                        error: Optional[BaseException],
                        trace: Optional[TracebackType]) -> None:
        await self.aclose()


class AsyncEmitter:
    """As Emitter; tool() and batch() are for "async with"."""

    __slots__ = ('_client', '_builder', '_held')

    def __init__(self, user_id: str, thread_id: Optional[str] = None,
                 run_id: Optional[str] = None,
                 agent_name: Optional[str] = None, *,
                 client: AsyncClient) -> None:
        self._client = client
        self._builder = _events.Builder(user_id, thread_id, run_id, agent_name)
        self._held: Optional[List[Event]] = None

    user_id = property(lambda self: self._builder.user_id)
    thread_id = property(lambda self: self._builder.thread_id)
    run_id = property(lambda self: self._builder.run_id)

    async def _post(self, event: Event) -> Optional[Receipt]:
        if self._held is not None:
            self._held.append(event)
            return None

        return (await self._client.post(event))[0]

    async def event(self, type: str,
                    data: Optional[Mapping[str, Any]] = None, *,
                    tokens: Optional[Tokens] = None,
                    **members: Any) -> Optional[Receipt]:
        return await self._post(self._builder.make(type, data, tokens=tokens,
                                                   **members))

    async def agent_started(self, agent_name: str,
                            **members: Any) -> Optional[Receipt]:
        return await self._post(self._builder.started(agent_name, **members))

    async def agent_thinking(self, thought: str,
                             **members: Any) -> Optional[Receipt]:
        return await self._post(self._builder.thinking(thought, **members))

    async def tool_executing(self, tool_name: str,
                             arguments: Optional[Mapping[str, Any]] = None,
                             **members: Any) -> Optional[Receipt]:
        return await self._post(self._builder.executing(tool_name, arguments,
                                                        **members))

    async def tool_completed(self, tool_name: str, results: Any = None,
                             **members: Any) -> Optional[Receipt]:
        return await self._post(self._builder.completed_tool(
            tool_name, results, **members))

    async def agent_completed(self, final_response: Any = None, *,
                              input_tokens: Optional[int] = None,
                              output_tokens: Optional[int] = None,
                              cost: Optional[float] = None,
                              **members: Any) -> Optional[Receipt]:
        return await self._post(self._builder.completed(
            final_response, tokens=usage(input_tokens, output_tokens, cost),
            **members))

    async def agent_error(self, error: Union[str, BaseException],
                          **members: Any) -> Optional[Receipt]:
        return await self._post(self._builder.error(error, **members))

    async def progress(self, percent: Optional[float] = None,
                       message: Optional[str] = None,
                       **members: Any) -> Optional[Receipt]:
        return await self._post(self._builder.progress(percent, message,
                                                       **members))

    def tool(self, tool_name: str,
             arguments: Optional[Mapping[str, Any]] = None) -> 'AsyncTool':
        return AsyncTool(self, tool_name, arguments)

    def batch(self) -> 'AsyncBatch':
        return AsyncBatch(self)


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
        if error is None:
            await self._emitter.tool_completed(self._name, self.results)
            return

        await self._emitter.tool_completed(
            self._name, self.results, status='error', error=str(error),
            error_type=type(error).__name__)


class AsyncBatch:
    __slots__ = ('receipts', '_emitter')

    def __init__(self, emitter: AsyncEmitter) -> None:
        self.receipts: List[Receipt] = []
        self._emitter = emitter

    async def __aenter__(self) -> 'AsyncBatch':
        if self._emitter._held is not None:
            raise RuntimeError('a batch within a batch')

        self._emitter._held = []
        return self

    async def __aexit__(self, kind: Optional[Type[BaseException]],
                        error: Optional[BaseException],
                        trace: Optional[TracebackType]) -> None:
        held, self._emitter._held = self._emitter._held, None

        if error is None and held:
            self.receipts = await self._emitter._client.post(held)


def _quoted(text: str) -> str:
    return quote(text, safe='')
