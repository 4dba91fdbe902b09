#!/usr/bin/python3
"""Debian's python3-websocket: see t/websocket/clients.t for what it is told and tells."""

import struct
import sys

import websocket
from websocket import ABNF


def tell(*words):
    print(*words, flush=True)


def pattern(n):
    return (bytes(range(251)) * (n // 251 + 1))[:n]


def receive(socket):
    opcode, data = socket.recv_data()

    if opcode == ABNF.OPCODE_TEXT:
        tell('text', data.decode())
    elif opcode == ABNF.OPCODE_BINARY:
        tell('binary', len(data), data == pattern(len(data)))
    elif opcode == ABNF.OPCODE_CLOSE:
        tell('closed', *struct.unpack('!H', data[:2]), data[2:].decode())


def parts(socket, parts):
    for i, part in enumerate(parts):
        opcode = ABNF.OPCODE_CONT if i else ABNF.OPCODE_TEXT
        socket.send_frame(ABNF.create_frame(part, opcode,
                                            int(i == len(parts) - 1)))


def main(url, ticket, _, *commands):
    socket = websocket.create_connection(
        url, subprotocols=['ws-mgr.v1', 'ticket.' + ticket], timeout=20)

    tell('open', socket.subprotocol, '-')

    for command in commands:
        what, _, value = command.partition(':')

        if what == 'text':
            socket.send(value)
        elif what == 'binary':
            socket.send_binary(pattern(int(value)))
        elif what == 'parts':
            parts(socket, value.split(','))
        elif what == 'ping':
            socket.ping(value)
            opcode, data = socket.recv_data(control_frame=True)
            tell({ABNF.OPCODE_PONG: 'pong'}.get(opcode, opcode),
                 data.decode())
        elif what == 'receive':
            receive(socket)
        elif what == 'close':
            code, _, reason = value.partition(',')
            socket.send_close(int(code), reason.encode())
            receive(socket)


sys.stdout.reconfigure(encoding='utf-8')
main(*sys.argv[1:])
