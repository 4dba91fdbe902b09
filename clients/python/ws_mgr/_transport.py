"""Connections to the manager, which belong to the process that opened them."""

from __future__ import annotations

import base64
import http.client
import os
import socket
import ssl
import threading
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Tuple
from urllib.parse import unquote, urlsplit

from . import _events

_forks = 0


def _forked() -> None:
    global _forks
    _forks += 1


if hasattr(os, 'register_at_fork'):
    os.register_at_fork(after_in_child=_forked)


def process() -> Tuple[int, int]:
    """Differs in each process.  The number alone comes back in a container of
    its own, and a fork in C does not say that it was one."""

    return os.getpid(), _forks


class Where(NamedTuple):
    """The manager, and how it is reached: what both clients are told."""

    url: str
    tls: bool
    host: str
    port: Optional[int]
    path: str
    headers: Dict[str, str]
    context: Optional[ssl.SSLContext]
    proxy: Optional[str]
    unix_socket: Optional[str]

    @staticmethod
    def of(url: str, key: Optional[str], headers: Optional[Mapping[str, str]],
           context: Optional[ssl.SSLContext], proxy: Optional[str],
           unix_socket: Optional[str]) -> 'Where':
        parts = urlsplit(url)

        if parts.scheme not in ('http', 'https') or not parts.hostname:
            raise ValueError(f'{url!r} is no http:// or https:// URL')

        if proxy is not None:
            if unix_socket is not None:
                raise ValueError('proxy and unix_socket exclude each other')

            through = urlsplit(proxy)

            if through.scheme != 'http' or not through.hostname:
                raise ValueError('proxy is no http:// URL')

        tls = parts.scheme == 'https'

        if tls and context is None:
            context = ssl.create_default_context()

        sent = dict(headers or {})

        if key:
            sent['Authorization'] = f'Bearer {key}'

        return Where(url.rstrip('/') + '/', tls, parts.hostname, parts.port,
                     parts.path.rstrip('/') + '/', sent,
                     context if tls else None, proxy, unix_socket)


class _Unix(http.client.HTTPConnection):
    """Over a unix socket.  Its class stands behind HTTPSConnection, which calls
    this connect() before it begins TLS."""

    unix_socket: str

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.unix_socket)


class _UnixTls(http.client.HTTPSConnection, _Unix):
    pass


class _Idle(NamedTuple):
    """The connections of one process that are kept open."""

    process: Tuple[int, int]
    lock: threading.Lock
    links: List[http.client.HTTPConnection]


class Transport:
    def __init__(self, where: Where, timeout: float, pool: int) -> None:
        self.where = where
        self._timeout = timeout
        self._pool = pool
        self._idle = _Idle(process(), threading.Lock(), [])
        self._prefix = where.path
        self._extra: Dict[str, str] = {}

        if where.proxy is not None and not where.tls:
            at = f'{_bracketed(where.host)}:{where.port or 80}'
            self._prefix = f'http://{at}{where.path}'
            self._extra = _proxy_login(where.proxy)

    def target(self, path: str) -> str:
        """What the request line names."""

        return self._prefix + path

    @property
    def headers(self) -> Dict[str, str]:
        return {**self.where.headers, **self._extra}

    def once(self, method: str, path: str, body: Optional[bytes],
             extra: float) -> Dict[str, Any]:
        """One attempt, and another where a connection that was kept had been
        closed by the other side."""

        link = self._take()

        if link is None:
            return self._ask(self.open(), method, path, body, extra)

        try:
            return self._ask(link, method, path, body, extra)
        except socket.timeout:
            raise
        except (OSError, http.client.HTTPException):
            return self._ask(self.open(), method, path, body, extra)

    def _ask(self, link: http.client.HTTPConnection, method: str, path: str,
             body: Optional[bytes], extra: float) -> Dict[str, Any]:
        headers = self.headers

        if body is not None:
            headers['Content-Type'] = 'application/json'

        try:
            if link.sock is not None:
                link.sock.settimeout(self._timeout + extra)
            else:
                link.timeout = self._timeout + extra

            link.request(method, self.target(path), body, headers)
            answer = link.getresponse()
            text = answer.read()

        except BaseException:
            link.close()
            raise

        if answer.will_close:
            link.close()
        else:
            self._give(link)

        return _events.decode(answer.status,
                              answer.getheader('Content-Type', ''), text,
                              answer.getheader('Retry-After'))

    def open(self) -> http.client.HTTPConnection:
        """A connection of the caller's own."""

        where = self.where
        host, port = where.host, where.port

        if where.proxy is not None:
            through = urlsplit(where.proxy)
            host, port = str(through.hostname), through.port or 80

        link: http.client.HTTPConnection

        if where.unix_socket is not None:
            link = (_UnixTls(host, port, timeout=self._timeout,
                             context=where.context) if where.tls
                    else _Unix(host, port, timeout=self._timeout))
            link.unix_socket = where.unix_socket

        elif where.tls:
            link = http.client.HTTPSConnection(
                host, port, timeout=self._timeout, context=where.context)

        else:
            link = http.client.HTTPConnection(host, port,
                                              timeout=self._timeout)

        if where.proxy is not None and where.tls:
            link.set_tunnel(where.host, where.port or 443,
                            _proxy_login(where.proxy))

        return link

    # --- connections that are kept ---

    def _mine(self) -> _Idle:
        """Those of this process.  The lock of a parent may be held for ever in
        its child, and its connections are the parent's: the child closes its
        copies of them, which ends nothing."""

        idle = self._idle

        if idle.process != process():
            inherited = idle.links
            idle = self._idle = _Idle(process(), threading.Lock(), [])

            for link in inherited:
                abandon(link)

        return idle

    def kept(self) -> List[http.client.HTTPConnection]:
        return self._mine().links

    def _take(self) -> Optional[http.client.HTTPConnection]:
        idle = self._mine()

        with idle.lock:
            return idle.links.pop() if idle.links else None

    def _give(self, link: http.client.HTTPConnection) -> None:
        idle = self._mine()

        with idle.lock:
            if len(idle.links) < self._pool:
                idle.links.append(link)
                return

        link.close()

    def close(self) -> None:
        idle = self._mine()

        with idle.lock:
            links = list(idle.links)
            idle.links.clear()

        for link in links:
            link.close()


def abandon(link: http.client.HTTPConnection) -> None:
    """Closes a parent's connection in its child: without a word to the other
    side, which TLS would say."""

    if link.sock is not None:
        try:
            os.close(link.sock.detach())
        except OSError:
            pass

        link.sock = None


def _bracketed(host: str) -> str:
    return f'[{host}]' if ':' in host else host


def _proxy_login(proxy: str) -> Dict[str, str]:
    parts = urlsplit(proxy)

    if parts.username is None:
        return {}

    login = f'{unquote(parts.username)}:{unquote(parts.password or "")}'
    word = base64.b64encode(login.encode()).decode()

    return {'Proxy-Authorization': f'Basic {word}'}
