#!/usr/bin/env python3
"""The agent backend of the demo: agent.py SOCKET API PARENT.

Answers nginx on the unix socket SOCKET: /ticket gives the page a ticket for
the user that it says it is (a demo: yours asks for a password), /drop ends a
connection of that user as an operator would, and /agent takes what the page
said on its socket.  What it then does it posts to API, a step at a time.  Ends
with the process PARENT, which has started it."""

import json
import os
import random
import socketserver
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

sys.path.insert(0, str(Path(__file__).resolve().parent.parent
                       / 'clients' / 'python'))

from ws_mgr import Client, WsMgrError  # noqa: E402

STEP = 0.45

PLACES = ('Lisbon', 'Oslo', 'Kyoto', 'Quito', 'Nairobi', 'Reykjavik')


def work(client, user, thread, question):
    """What an agent does, with what it costs."""

    run = f'run-{time.time_ns():x}'
    agent = client.emitter(user, thread_id=thread, run_id=run)
    place = random.choice(PLACES)

    agent.agent_started('travel-planner', question=question)
    time.sleep(STEP)
    agent.agent_thinking(f'“{question}”: somewhere warm, or far away? '
                         'I will look at a few places.')
    time.sleep(STEP)

    for tool, arguments, result in (
            ('search_flights', {'to': place, 'max_price': 400},
             {'found': random.randint(3, 40), 'from_price': 129}),
            ('check_weather', {'place': place},
             {'degrees': random.randint(8, 31), 'sky': 'clear'}),
            ('find_hotels', {'place': place, 'nights': 3},
             [{'name': 'Harbour View', 'stars': 4}])):
        with agent.tool(tool, arguments) as call:
            for percent in (25, 60, 90):
                time.sleep(STEP / 3)
                agent.progress(percent, tool)

            call.results = result

        time.sleep(STEP)

    agent.agent_completed(f'How about three days in {place}? There is a flight '
                          'for 129 and a room with a view of the harbour.',
                          input_tokens=random.randint(900, 1500),
                          output_tokens=random.randint(60, 140), cost=0.0042)


class Handler(BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get('Content-Length', 0)))
        url = urlsplit(self.path)
        query = {k: v[0] for k, v in parse_qs(url.query).items()}
        client = self.server.client

        try:
            if url.path == '/ticket':
                ticket = client.issue_ticket(query.get('user', 'guest'))
                return self.answer(200, {'ticket_id': ticket['ticket_id']})

            if url.path == '/drop':
                return self.answer(200, client.request(
                    'DELETE', f'connections/{query.get("id", "")}'))

            if url.path == '/agent':
                message = json.loads(body)
                threading.Thread(
                    target=work, daemon=True,
                    args=(client, self.headers['X-WS-User'],
                          message.get('thread_id'),
                          str(message.get('text', ''))[:200])).start()
                return self.answer(202, {})

        except (WsMgrError, ValueError) as error:
            return self.answer(502, {'error': str(error)})

        self.answer(404, {})

    def answer(self, status, document):
        text = json.dumps(document).encode()
        self.send_response(status)
        self.send_header('Content-Type', 'application/json')
        self.send_header('Content-Length', str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def address_string(self):
        return 'nginx'

    def log_message(self, *args):
        pass


class Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True


def main():
    path, api, parent = sys.argv[1:4]

    if os.path.exists(path):
        os.unlink(path)

    os.umask(0)             # nginx's workers are other users

    with Server(path, Handler) as server:
        server.client = Client(api)
        threading.Thread(target=server.serve_forever, daemon=True).start()

        while os.getppid() == int(parent):
            time.sleep(0.5)

    os.unlink(path)


if __name__ == '__main__':
    main()
