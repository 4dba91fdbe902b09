"""Streaming publish: a request whose body has no end, a line for each event,
and an answer that has a line for each as well."""

from __future__ import annotations

import http.client
import logging
import time
from collections import deque
from types import TracebackType
from typing import (TYPE_CHECKING, Any, Deque, Dict, List, Optional, Type,
                    Union)

from . import _events
from ._errors import ApiError, BadRequest, Rejected
from ._events import Event, Receipt

if TYPE_CHECKING:
    from ._sync import Client, Emitter

_log = logging.getLogger(__name__)

#: events on their way, at most, before an answer is waited for: their answers
#: are some 200 bytes each, and fit into a socket's buffers
WINDOW = 32

#: seconds without an event after which the next one has a request of its own:
#: the manager ends one that says nothing, after nginx's client_body_timeout
IDLE = 10.0


class Stream:
    """receipts has one for each event, in order; all of them after the block,
    which raises Rejected where some were refused, as Client.post() does.

    Where the connection is lost, what was not answered is posted again, with
    the event_id that it had and before what follows: it is delivered once, and
    in order.  Where the block fails, its error goes on, and what could not be
    posted is logged.  For one thread at a time.
    """

    __slots__ = ('receipts', '_client', '_emitter', '_errors', '_waiting',
                 '_link', '_answer', '_written')

    def __init__(self, client: Client,
                 emitter: Optional[Emitter] = None) -> None:
        self.receipts: List[Receipt] = []
        self._client = client
        self._emitter = emitter
        self._errors: Dict[int, ApiError] = {}
        self._waiting: Deque[Event] = deque()
        self._link: Optional[http.client.HTTPConnection] = None
        self._answer: Optional[http.client.HTTPResponse] = None
        self._written = 0.0

    def __enter__(self) -> Stream:
        if self._emitter is not None:
            if self._emitter._sink is not None:
                raise RuntimeError('a stream within a batch or a stream')

            self._emitter._sink = self.send

        return self

    def __exit__(self, kind: Optional[Type[BaseException]],
                 error: Optional[BaseException],
                 trace: Optional[TracebackType]) -> None:
        if self._emitter is not None:
            self._emitter._sink = None

        try:
            self.flush()

        except Exception:
            if error is None:
                raise

            _log.warning('events of a stream for which a block failed were '
                         'not posted', exc_info=True)

        finally:
            self._drop()

        if error is None and self._errors:
            raise Rejected(self._taken(), self._errors)

    def send(self, event: Event) -> None:
        """One event, at once.  Waits for an answer only where many are due."""

        named = _events.named(event)
        line = _events.dumps(named) + b'\n'

        if self._link is None or time.monotonic() - self._written > IDLE:
            self.flush()

        self._waiting.append(named)

        try:
            self._write(line)

            if len(self._waiting) > WINDOW:
                self._read(WINDOW // 2)

        except Exception as error:
            self._failed(error)

    def flush(self) -> None:
        """Ends the request; returns when every event so far is answered."""

        if self._link is None:
            self._again()
            return

        try:
            self._sock().sendall(b'0\r\n\r\n')
            self._read(0)
            self._drop()

        except Exception as error:
            self._failed(error)

    # --- the request ---

    def _write(self, line: bytes) -> None:
        if self._link is None:
            self._link = self._client._open()
            self._link.putrequest('POST', self._client._path + 'events')

            for name, value in self._client._headers.items():
                self._link.putheader(name, value)

            self._link.putheader('Content-Type', 'application/x-ndjson')
            self._link.putheader('Transfer-Encoding', 'chunked')
            self._link.endheaders()

        self._sock().sendall(b'%x\r\n%b\r\n' % (len(line), line))
        self._written = time.monotonic()

    def _sock(self) -> Any:
        if self._link is None or self._link.sock is None:
            raise http.client.NotConnected()

        return self._link.sock

    def _read(self, left: int) -> None:
        """Answers, until so many events at most have none."""

        while len(self._waiting) > left:

            if self._answer is None:
                assert self._link is not None
                self._answer = self._link.getresponse()

                if self._answer.status != 200:
                    _events.decode(self._answer.status,
                                   self._answer.getheader('Content-Type', ''),
                                   self._answer.read(),
                                   self._answer.getheader('Retry-After'))

            line = self._answer.readline()

            if not line.endswith(b'\n'):
                raise http.client.IncompleteRead(line)

            self._result(_events.result(line))

    def _drop(self) -> None:
        if self._answer is not None:
            self._answer.close()

        if self._link is not None:
            self._link.close()

        self._answer = None
        self._link = None

    # --- what became of them ---

    def _result(self, result: Union[Receipt, ApiError]) -> None:
        self._waiting.popleft()

        if isinstance(result, ApiError):
            self._errors[len(self.receipts) + len(self._errors)] = result
        else:
            self.receipts.append(result)

    def _taken(self) -> Dict[int, Receipt]:
        places = (i for i in range(len(self.receipts) + len(self._errors))
                  if i not in self._errors)

        return dict(zip(places, self.receipts))

    def _failed(self, error: Exception) -> None:
        """The request: it is tried again by others, or the error is told."""

        self._drop()

        if isinstance(error, ApiError):
            again = error.status in _events.RETRIED
        else:
            again = isinstance(error, (OSError, http.client.HTTPException))

        if not again:
            self._waiting.clear()
            raise error

        self._again()

    def _again(self) -> None:
        """Posts what was not answered, as often as a client tries it."""

        while self._waiting:
            try:
                receipts = self._client.post(self._waiting[0])

            except BadRequest as error:
                self._result(error)

            else:
                self._result(receipts[0])
