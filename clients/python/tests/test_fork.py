"""Connections belong to a process: gunicorn --preload, Celery's prefork."""

import asyncio
import json
import os
import signal
import threading
import unittest

from support import API, Page
from ws_mgr import AsyncClient, Client


class Child:
    """A fork that does some work; result() is what the work returned."""

    def __init__(self, work):
        read, write = os.pipe()
        self.pid = os.fork()

        if self.pid:
            os.close(write)
            self.file = os.fdopen(read)
            return

        os.close(read)
        said = None

        try:
            signal.alarm(20)
            said = json.dumps(work())

        except BaseException as error:
            said = json.dumps(f'{type(error).__name__}: {error}')

        finally:
            os.write(write, (said or '').encode())
            os._exit(0)

    def result(self):
        with self.file:
            said = self.file.read()

        os.waitpid(self.pid, 0)
        return json.loads(said) if said else 'nothing: it hangs'


def owners(client, me, n=60):
    """Who the tickets are for that this process asked for itself."""

    got = [client.issue_ticket(me)['ticket_id'] for _ in range(n)]

    return sorted({client.ticket(ticket)['user_id'] for ticket in got})


class Fork(unittest.TestCase):
    def setUp(self):
        self.client = Client(API)
        self.addCleanup(self.client.close)

    def test_children(self):
        """Each gets its own answers, and the parent's connection lives on."""

        self.client.health()
        port = self.client._transport.kept()[0].sock.getsockname()[1]

        children = [Child(lambda me=f'child{i}': owners(self.client, me))
                    for i in range(3)]
        mine = owners(self.client, 'parent')

        self.assertEqual([child.result() for child in children],
                         [[f'child{i}'] for i in range(3)])
        self.assertEqual(mine, ['parent'])
        self.assertEqual(
            self.client._transport.kept()[0].sock.getsockname()[1], port)

    def test_threads_of_children(self):
        self.client.health()

        def work():
            said = []
            threads = [threading.Thread(
                target=lambda i=i: said.append(owners(self.client, f'thread{i}',
                                                      20)))
                       for i in range(4)]

            for t in threads:
                t.start()

            for t in threads:
                t.join()

            return sorted(said)

        children = [Child(work) for _ in range(2)]

        for child in children:
            self.assertEqual(child.result(),
                             [[f'thread{i}'] for i in range(4)])

    def test_a_lock_that_is_held(self):
        """By a thread that the child does not have."""

        with self.client._transport._idle.lock:
            child = Child(lambda: owners(self.client, 'locked', 1))
            self.assertEqual(child.result(), ['locked'])

    def test_grandchild(self):
        self.client.health()

        def work():
            self.client.health()
            inner = Child(lambda: owners(self.client, 'grandchild'))
            mine = owners(self.client, 'child')
            return [inner.result(), mine]

        self.assertEqual(Child(work).result(), [['grandchild'], ['child']])

    def test_stream(self):
        """The parent's stream goes on; the child's is one of its own."""

        page = Page(self.client, 'streams')
        self.addCleanup(page.close)
        agent = self.client.emitter('streams')

        with agent.stream() as stream:
            for n in range(5):
                agent.event('n', n=n)

            def work():
                agent.event('child')
                stream.flush()
                return len(stream.receipts)

            child = Child(work)

            for n in range(5, 10):
                agent.event('n', n=n)

            self.assertEqual(child.result(), 1)

        self.assertEqual(len(stream.receipts), 10)
        got = [page.next() for _ in range(11)]
        self.assertEqual([e['n'] for e in got if e['type'] == 'n'],
                         list(range(10)))
        self.assertEqual(len([e for e in got if e['type'] == 'child']), 1)

    def test_batch(self):
        """Two processes that end one block post its events once."""

        page = Page(self.client, 'batches')
        self.addCleanup(page.close)
        agent = self.client.emitter('batches')

        with agent.batch() as batch:
            agent.event('n', n=1)
            agent.event('n', n=2)

            def work():
                batch.__exit__(None, None, None)
                return len(batch.receipts)

            self.assertEqual(Child(work).result(), 2)

        self.assertEqual([r.duplicate for r in batch.receipts], [True, True])
        agent.event('end')
        self.assertEqual([page.next()['type'] for _ in range(3)],
                         ['n', 'n', 'end'])

    def test_async(self):
        client = AsyncClient(API)

        async def ask(me):
            got = [(await client.issue_ticket(me))['ticket_id']
                   for _ in range(30)]

            async with client.stream() as stream:
                await stream.send({'type': 'x', 'user_id': me})

            said = {(await client.ticket(ticket))['user_id'] for ticket in got}
            return sorted(said) + [len(stream.receipts)]

        loop = asyncio.new_event_loop()
        self.addCleanup(loop.close)
        self.assertEqual(loop.run_until_complete(ask('async')), ['async', 1])

        children = [Child(lambda me=f'async{i}': asyncio.run(ask(me)))
                    for i in range(3)]
        mine = loop.run_until_complete(ask('parent'))

        self.assertEqual([child.result() for child in children],
                         [[f'async{i}', 1] for i in range(3)])
        self.assertEqual(mine, ['parent', 1])

        # another loop of the same process
        self.assertEqual(asyncio.run(ask('again')), ['again', 1])
        loop.run_until_complete(client.aclose())


if __name__ == '__main__':
    unittest.main()
