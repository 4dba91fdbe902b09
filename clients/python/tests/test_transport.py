"""Ways to the manager: TLS, proxies, unix sockets, headers; and what stands in
between and answers in its place."""

import asyncio
import base64
import http.server
import os
import select
import socket
import socketserver
import ssl
import threading
import unittest
from unittest import mock
from urllib.parse import urlsplit

from support import API
from ws_mgr import (AsyncClient, Client, Denied, NotFound, RateLimited,
                    Unavailable, Unreachable)

TLS = os.environ['WS_MGR_TLS']
CA = os.environ['WS_MGR_CA']
UNIX = os.environ['WS_MGR_UNIX']


class Proxy(socketserver.StreamRequestHandler):
    """CONNECT, and requests whose target is a whole URL."""

    rbufsize = 0        # nothing behind the header is read here
    seen = []

    def handle(self):
        line = self.rfile.readline().decode()
        head = []

        while not head or head[-1] not in ('\r\n', ''):
            head.append(self.rfile.readline().decode())

        Proxy.seen.append((line.split()[0], line.split()[1], head))
        method, target, _ = line.split()

        if method == 'CONNECT':
            host, _, port = target.rpartition(':')
            rest = b''
            self.wfile.write(b'HTTP/1.1 200 OK\r\n\r\n')
        else:
            url = urlsplit(target)
            host, port = url.hostname, url.port
            rest = (f'{method} {url.path} HTTP/1.1\r\n'
                    + ''.join(head)).encode()

        with socket.create_connection((host.strip('[]'), int(port))) as other:
            other.sendall(rest)
            mine = self.connection

            while True:
                for ready in select.select([mine, other], [], [], 10)[0]:
                    data = ready.recv(65536)

                    if not data:
                        return

                    (other if ready is mine else mine).sendall(data)


class Ways(unittest.TestCase):
    def check(self, url, **options):
        """A request, a stream and their async sisters."""

        with Client(url, **options) as client:
            self.assertIn('status', client.health())

            with client.stream() as stream:
                stream.send({'type': 'x', 'user_id': 'ways'})

            self.assertEqual(len(stream.receipts), 1)

        async def run():
            async with AsyncClient(url, **options) as client:
                self.assertIn('status', await client.health())

                async with client.stream() as stream:
                    await stream.send({'type': 'x', 'user_id': 'ways'})

                return stream.receipts

        self.assertEqual(len(asyncio.run(run())), 1)

    def test_tls(self):
        self.check(TLS, ssl_context=ssl.create_default_context(cafile=CA))

        for kind in (Client, AsyncClient):
            with self.assertRaises(Unreachable) as caught:
                client = kind(TLS, attempts=1)

                if kind is Client:
                    client.health()
                else:
                    asyncio.run(client.health())

            self.assertIn('CERTIFICATE_VERIFY_FAILED', str(caught.exception))

    def test_unix_socket(self):
        self.check('http://localhost/api/', unix_socket=UNIX)

    def test_unix_socket_tls(self):
        with Client(TLS, unix_socket='/nowhere', attempts=1) as client:
            with self.assertRaises(Unreachable) as caught:
                client.health()

        self.assertIn('FileNotFoundError', str(caught.exception))

    def test_proxy(self):
        server = socketserver.ThreadingTCPServer(('127.0.0.1', 0), Proxy)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        proxy = f'http://me:p%40ss@127.0.0.1:{server.server_address[1]}'
        word = base64.b64encode(b'me:p@ss').decode()

        Proxy.seen = []
        self.check(API, proxy=proxy)
        plain = Proxy.seen
        Proxy.seen = []
        self.check(TLS, proxy=proxy,
                   ssl_context=ssl.create_default_context(cafile=CA))

        for seen, method in ((plain, None), (Proxy.seen, 'CONNECT')):
            self.assertEqual(len(seen), 4)

            for said, target, head in seen:
                self.assertIn(f'proxy-authorization: basic {word}'.lower(),
                              ''.join(head).lower())
                self.assertTrue(said == method if method
                                else target.startswith(API))

    def test_no_proxy_of_the_environment(self):
        with mock.patch.dict(os.environ, HTTP_PROXY='http://127.0.0.1:1',
                             http_proxy='http://127.0.0.1:1',
                             ALL_PROXY='http://127.0.0.1:1'):
            self.check(API)

    def test_refused(self):
        for options in ({'proxy': 'socks5://x'}, {'attempts': 0},
                        {'proxy': 'http://x', 'unix_socket': '/x'}):
            for kind in (Client, AsyncClient):
                with self.assertRaises(ValueError):
                    kind(API, **options)

        for kind in (Client, AsyncClient):
            with self.assertRaises(ValueError):
                kind('ws://127.0.0.1/api')


class Between(http.server.BaseHTTPRequestHandler):
    """nginx, or a balancer, that answers in the manager's place."""

    protocol_version = 'HTTP/1.1'
    script = []
    seen = []

    def do_GET(self):
        Between.seen.append(dict(self.headers))
        status, kind, text = (Between.script.pop(0) if Between.script
                              else (200, 'application/json', '{"status":"x"}'))
        self.send_response(status)
        self.send_header('Content-Type', kind)
        self.send_header('Content-Length', str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *args):
        pass


class InBetween(unittest.TestCase):
    HTML = 'text/html', '<html><h1>Bad Gateway</h1></html>'

    def setUp(self):
        self.server = http.server.ThreadingHTTPServer(('127.0.0.1', 0),
                                                      Between)
        threading.Thread(target=self.server.serve_forever,
                         daemon=True).start()
        self.addCleanup(self.server.server_close)
        self.addCleanup(self.server.shutdown)
        self.url = f'http://127.0.0.1:{self.server.server_port}/api'
        Between.seen = []

    def ask(self, kind, **options):
        if kind is Client:
            with Client(self.url, **options) as client:
                return client.health()

        async def run():
            async with AsyncClient(self.url, **options) as client:
                return await client.health()

        return asyncio.run(run())

    def test_html_is_tried_again(self):
        for kind in (Client, AsyncClient):
            for status in (429, 502, 503, 504):
                for answer in (self.HTML, ('application/json',
                                           '{"message":"no"}')):
                    Between.script = [(status, *answer)] * 2
                    Between.seen = []
                    self.assertEqual(self.ask(kind), {'status': 'x'})
                    self.assertEqual(len(Between.seen), 3)

    def test_html_to_the_end(self):
        for kind in (Client, AsyncClient):
            for status, raised in ((502, Unavailable), (429, RateLimited),
                                   (401, Denied), (403, Denied)):
                Between.script = [(status, *self.HTML)] * 2

                with self.assertRaises(raised) as caught:
                    self.ask(kind, attempts=2)

                self.assertEqual((caught.exception.status,
                                  caught.exception.code), (status, ''))
                self.assertIn('Bad Gateway', caught.exception.detail)

    def test_headers(self):
        for kind in (Client, AsyncClient):
            self.ask(kind, key='secret', headers={'X-Trace': '7'})
            self.assertEqual((Between.seen[-1]['Authorization'],
                              Between.seen[-1].get('X-Trace')
                              or Between.seen[-1].get('x-trace')),
                             ('Bearer secret', '7'))


class Tickets(unittest.TestCase):
    def test_look_and_revoke(self):
        with Client(API) as client:
            ticket = client.issue_ticket('eve', metadata={'a': 1})['ticket_id']
            self.assertEqual(client.ticket(ticket)['user_id'], 'eve')
            client.revoke_ticket(ticket)

            with self.assertRaises(NotFound):
                client.ticket(ticket)

    def test_look_and_revoke_async(self):
        async def run():
            async with AsyncClient(API) as client:
                ticket = (await client.issue_ticket('eve'))['ticket_id']
                self.assertEqual((await client.ticket(ticket))['user_id'],
                                 'eve')
                await client.revoke_ticket(ticket)

                with self.assertRaises(NotFound):
                    await client.ticket(ticket)

        asyncio.run(run())


if __name__ == '__main__':
    unittest.main()
