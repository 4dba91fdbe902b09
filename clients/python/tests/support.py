"""A real nginx, whose API location WS_MGR_API is and whose socket location
WS_MGR_WS (t/project/client_python.t starts it), and a fake one."""

import http.server
import json
import os
import time

import websocket

API = os.environ['WS_MGR_API']
WS = os.environ['WS_MGR_WS']
STRICT = os.environ['WS_MGR_STRICT']
KEYED = os.environ['WS_MGR_KEYED']
KEY = os.environ['WS_MGR_KEY']


class Page:
    """A browser's socket."""

    def __init__(self, client, user):
        ticket = client.issue_ticket(user)['ticket_id']
        self.socket = websocket.create_connection(
            WS, subprotocols=['ws-mgr.v1', f'ticket.{ticket}'], timeout=5)
        self.next()

    def next(self):
        return json.loads(self.socket.recv())

    def close(self):
        self.socket.close()


class Fake(http.server.BaseHTTPRequestHandler):
    """Fails as its script says, then takes what comes."""

    protocol_version = 'HTTP/1.1'
    script = []
    seen = []

    def do_POST(self):
        if 'Content-Length' not in self.headers:
            self.close_connection = True
            return

        body = json.loads(
            self.rfile.read(int(self.headers['Content-Length'])))
        Fake.seen.append((time.monotonic(), body['event_id']))
        what = Fake.script.pop(0) if Fake.script else 200

        if what == 'close':
            self.close_connection = True
            return

        if what == 'silent':
            time.sleep(1)
            self.close_connection = True
            return

        text = {'events': [{'event_id': body['event_id'], 'stored': True}]} \
            if what == 200 else {'status': what, 'code': 'unavailable'}
        text = json.dumps(text).encode()

        self.send_response(what)
        self.send_header('Content-Type', 'application/json')
        self.send_header('Content-Length', str(len(text)))

        if what == 503:
            self.send_header('Retry-After', '1')

        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *args):
        pass
