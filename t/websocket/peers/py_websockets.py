#!/usr/bin/python3
"""Debian's python3-websockets: see t/websocket/clients.t for what it is told and tells."""

import asyncio
import sys

import websockets


def tell(*words):
    print(*words, flush=True)


async def receive(socket):
    try:
        message = await socket.recv()
    except websockets.ConnectionClosed as closed:
        tell('closed', closed.rcvd.code if closed.rcvd else 1006,
             closed.rcvd.reason if closed.rcvd else '')
        return

    if isinstance(message, str):
        tell('text', message)
    else:
        tell('binary', len(message), message == pattern(len(message)))


def pattern(n):
    return (bytes(range(251)) * (n // 251 + 1))[:n]


async def main(url, ticket, deflate, *commands):
    protocols = ['ws-mgr.v1', 'ticket.' + ticket]
    deflate = 'deflate' if deflate == 'deflate' else None

    async with websockets.connect(url, subprotocols=protocols,
                                  compression=deflate) as socket:
        tell('open', socket.subprotocol,
             [e.name for e in socket.extensions] or '-')

        for command in commands:
            what, _, value = command.partition(':')

            if what == 'text':
                await socket.send(value)
            elif what == 'binary':
                await socket.send(pattern(int(value)))
            elif what == 'parts':
                await socket.send(value.split(','))
            elif what == 'ping':
                pong = await socket.ping(value)
                await pong
                tell('pong', value)
            elif what == 'receive':
                await receive(socket)
            elif what == 'close':
                code, _, reason = value.partition(',')
                await socket.close(int(code), reason)
                tell('closed', socket.close_code, socket.close_reason)


sys.stdout.reconfigure(encoding='utf-8')
asyncio.run(main(*sys.argv[1:]))
