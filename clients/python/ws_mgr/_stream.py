"""Streaming publish: a request whose body has no end, a line for each event,
and an answer that has a line for each as well."""

from __future__ import annotations

import http.client
import logging
import time
from collections import deque
from types import TracebackType
from typing import (Any, Callable, Deque, Dict, List, Optional, Sequence, Type,
                    Union)

from . import _events
from ._errors import ApiError, BadRequest, Rejected
from ._events import Line
from ._receipt import Event, Receipt
from ._sink import Sink
from ._transport import Transport, abandon, process

#: posts events by themselves, as often as a client tries it
Post = Callable[[Sequence[Line]], List[Receipt]]

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
    posted is logged.  A stream is for one thread at a time.  A child that a
    fork makes within the block begins with none of its parent's events.
    """

    __slots__ = ('receipts', '_transport', '_post', '_sink', '_errors',
                 '_waiting', '_link', '_answer', '_written', '_process')

    def __init__(self, transport: Transport, post: Post,
                 sink: Optional[Sink] = None) -> None:
        self.receipts: List[Receipt] = []
        self._transport = transport
        self._post = post
        self._sink = sink
        self._errors: Dict[int, ApiError] = {}
        self._waiting: Deque[Line] = deque()
        self._link: Optional[http.client.HTTPConnection] = None
        self._answer: Optional[http.client.HTTPResponse] = None
        self._written = 0.0
        self._process = process()

    def __enter__(self) -> Stream:
        if self._sink is not None:
            self._sink.begin(self.put)

        return self

    def __exit__(self, kind: Optional[Type[BaseException]],
                 error: Optional[BaseException],
                 trace: Optional[TracebackType]) -> None:
        if self._sink is not None:
            self._sink.end()

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

    def send(self, event: Event) -> Receipt:
        """One event, at once.  Waits for an answer only where many are due; the
        receipt that it returns is pending.  Raises NotJson, which is no end of
        the stream."""

        line = _events.line(event)
        self.put(line)
        return line.receipt

    def put(self, line: Line) -> None:
        """One event, encoded."""

        self._own()

        if self._link is None or time.monotonic() - self._written > IDLE:
            self.flush()

        self._waiting.append(line)

        try:
            self._write(line.text + b'\n')

            if len(self._waiting) > WINDOW:
                self._read(WINDOW // 2)

        except Exception as error:
            self._failed(error)

    def flush(self) -> None:
        """Ends the request; returns when every event so far is answered."""

        self._own()

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

    def _own(self) -> None:
        """In a child of fork, where the parent's request is let alone."""

        if self._process == process():
            return

        self._process = process()

        if self._link is not None:
            abandon(self._link)

        # the answer holds the parent's socket too, of which this is a copy
        self._drop()
        self._waiting.clear()
        self._errors.clear()
        self.receipts = []

    def _write(self, line: bytes) -> None:
        if self._link is None:
            self._link = self._transport.open()
            self._link.putrequest('POST', self._transport.target('events'))

            for name, value in self._transport.headers.items():
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
                receipts = self._post([self._waiting[0]])

            except BadRequest as error:
                self._result(error)

            else:
                self._result(receipts[0])
