"""Against a real nginx, and against a fake that fails as a real one does."""

import asyncio
import http.server
import socket
import threading
import unittest
from unittest import mock

from support import API, KEY, KEYED, STRICT, Fake, Page
from ws_mgr import (BadAnswer, Client, Conflict, Denied, InvalidEvent,
                    NotFound, PlaceholderId, Rejected, RunOrder, Unavailable,
                    Unreachable)


class Real(unittest.TestCase):
    def setUp(self):
        self.client = Client(API)
        self.addCleanup(self.client.close)

    def page(self, user):
        page = Page(self.client, user)
        self.addCleanup(page.close)
        return page

    def test_run(self):
        page = self.page('ann')
        agent = self.client.emitter('ann', thread_id='t', run_id='r')

        agent.agent_started('planner')
        agent.agent_thinking('well \u2026')

        with agent.tool('search', {'q': 'x'}) as tool:
            tool.results = [1, 2.5, None]

        agent.progress(50, 'half')
        agent.event('custom', {'a': 1}, extra='yes')
        receipt = agent.agent_completed('done', input_tokens=10,
                                        output_tokens=5, cost=0.25)

        got = [page.next() for _ in range(7)]

        self.assertEqual([e['type'] for e in got],
                         ['agent_started', 'agent_thinking', 'tool_executing',
                          'tool_completed', 'progress', 'custom',
                          'agent_completed'])

        for event in got:
            self.assertEqual((event['user_id'], event['thread_id'],
                              event['run_id'], event['agent_name']),
                             ('ann', 't', 'r', 'planner'))

        self.assertEqual(got[3]['results'], [1, 2.5, None])
        self.assertEqual(got[5]['data'], {'a': 1})
        self.assertEqual((receipt.sockets, receipt.nodes, receipt.duplicate),
                         (1, 1, False))
        self.assertEqual(receipt.id, got[6]['id'])

        user = self.client.user('ann')
        self.assertEqual(user['runs'][0]['tokens'],
                         {'input_tokens': 10, 'output_tokens': 5,
                          'cost': 0.25})

    def test_tool_fails(self):
        page = self.page('bob')
        agent = self.client.emitter('bob', run_id='r')
        agent.agent_started('planner')

        with self.assertRaises(KeyError):
            with agent.tool('search'):
                raise KeyError('x')

        page.next()
        self.assertEqual(page.next()['type'], 'tool_executing')
        completed = page.next()
        self.assertEqual((completed['type'], completed['status'],
                          completed['error_type']),
                         ('tool_completed', 'error', 'KeyError'))
        agent.agent_error(ValueError('no'))
        self.assertEqual(page.next()['error'], 'no')

    def test_batch(self):
        page = self.page('cid')
        agent = self.client.emitter('cid', run_id='r')

        with agent.batch() as batch:
            self.assertTrue(agent.agent_started('planner').pending)

            for i in range(20):
                agent.event('token', {'n': i})

        self.assertEqual(len(batch.receipts), 21)
        seqs = [r.seq for r in batch.receipts]
        self.assertEqual(seqs, list(range(seqs[0], seqs[0] + 21)))
        page.next()
        self.assertEqual([page.next()['data']['n'] for _ in range(20)],
                         list(range(20)))

        with self.assertRaises(KeyError):
            with agent.batch():
                agent.event('never')
                raise KeyError

        agent.event('after')
        self.assertEqual(page.next()['type'], 'after')

    def test_stream(self):
        page = self.page('ned')
        agent = self.client.emitter('ned', run_id='r')

        with agent.stream() as stream:
            held = agent.agent_started('planner')
            self.assertEqual((held.pending, held.seq), (True, None))
            self.assertEqual(page.next()['type'], 'agent_started')

            for n in range(200):
                agent.event('token', n=n)

            self.assertEqual([page.next()['n'] for _ in range(200)],
                             list(range(200)))

        self.assertEqual([r.seq for r in stream.receipts], list(range(1, 202)))
        self.assertEqual(stream.receipts[0].event_id, held.event_id)
        self.assertEqual({r.sockets for r in stream.receipts}, {1})
        self.assertEqual(agent.event('after').seq, 202)

    def test_stream_refuses(self):
        with self.assertRaises(Rejected) as caught:
            with self.client.stream() as stream:
                for n in range(100):
                    stream.send({'type': '' if n in (7, 60) else 'x',
                                 'user_id': 'olga', 'n': n})

        self.assertEqual(sorted(caught.exception.errors), [7, 60])
        self.assertIsInstance(caught.exception.errors[7], InvalidEvent)
        self.assertEqual([r.seq for r in stream.receipts], list(range(1, 99)))
        self.assertEqual(caught.exception.receipts[61].seq, 60)

        with self.assertRaises(Denied):
            with Client(KEYED).stream() as stream:
                stream.send({'type': 'x', 'user_id': 'olga'})

        with self.assertRaises(RuntimeError):
            agent = self.client.emitter('olga')

            with agent.batch(), agent.stream():
                pass

    def test_stream_is_lost(self):
        page = self.page('pia')
        agent = self.client.emitter('pia')

        with agent.stream() as stream:
            for n in range(120):
                agent.event('n', n=n)

                if n % 25 == 3:
                    stream._link.sock.shutdown(socket.SHUT_RDWR)

        self.assertEqual([page.next()['n'] for _ in range(120)],
                         list(range(120)))
        self.assertEqual([r.seq for r in stream.receipts],
                         list(range(1, 121)))
        agent.event('end')
        self.assertEqual(page.next()['type'], 'end', 'each once')

    def test_stream_of_one_who_thinks(self):
        agent = self.client.emitter('quin')

        with mock.patch('ws_mgr._stream.IDLE', 0):
            with agent.stream() as stream:
                agent.event('x')
                link = stream._link
                agent.event('x')
                self.assertIsNot(stream._link, link, 'another request')

        self.assertEqual([r.seq for r in stream.receipts], [1, 2])

    def test_nobody_else(self):
        agent = self.client.emitter('dan')

        for name in ('user_id', 'user_ids', 'run_id', 'thread_id', 'seq'):
            with self.assertRaises(ValueError):
                agent.event('x', **{name: 'eve'})

        with self.assertRaises(AttributeError):
            agent.user_id = 'eve'

        with self.assertRaises(ValueError):
            self.client.emitter('')

    def test_event_id(self):
        event = {'type': 'x', 'user_id': 'eve', 'event_id': 'e1'}

        first = self.client.post(event)[0]
        again = self.client.post(event)[0]

        self.assertEqual((again.id, again.duplicate), (first.id, True))

        with self.assertRaises(Conflict):
            self.client.post({**event, 'other': 1})

    def test_errors(self):
        with self.assertRaises(InvalidEvent) as caught:
            self.client.post({'user_id': 'x'})

        self.assertEqual((caught.exception.status, caught.exception.code,
                          caught.exception.member),
                         (422, 'invalid_event', 'type'))

        with self.assertRaises(PlaceholderId):
            self.client.emitter('undefined').event('x')

        with self.assertRaises(Rejected) as caught:
            self.client.post([{'type': 'x', 'user_id': 'fay'},
                              {'type': '', 'user_id': 'fay'},
                              {'type': 'x', 'user_id': 'fay'}])

        self.assertEqual(sorted(caught.exception.receipts), [0, 2])
        self.assertIsInstance(caught.exception.errors[1], InvalidEvent)

        with self.assertRaises(NotFound):
            self.client.user('nobody at all')

        with self.assertRaises(RunOrder):
            Client(STRICT).emitter('gus', run_id='r').agent_completed('x')

        with self.assertRaises(BadAnswer):
            Client(API.replace('/api/', '/nowhere/')).health()

    def test_key(self):
        with self.assertRaises(Denied):
            Client(KEYED).health()

        self.assertIn('status', Client(KEYED, key=KEY).health())

    def test_wait(self):
        page = self.page('hal')
        receipt = self.client.post({'type': 'x', 'user_id': 'hal'},
                                   wait='sent')[0]

        self.assertEqual([c['state'] for c in receipt.connections], ['sent'])
        page.next()

        waited = []
        thread = threading.Thread(
            target=lambda: waited.append(self.client.user('ida', 10)))
        thread.start()
        self.page('ida')
        thread.join()
        self.assertTrue(waited[0]['online'])

    def test_others(self):
        page = self.page('jim')
        self.client.emitter('jim').event('x')
        page.next()
        self.assertEqual(len(self.client.events('jim')['events']), 1)
        self.assertEqual(self.client.disconnect('jim')['disconnected'], 1)

    def test_threads(self):
        page = self.page('kim')

        def post(who):
            agent = self.client.emitter('kim', thread_id=str(who))

            for n in range(50):
                agent.event('n', n=n)

        threads = [threading.Thread(target=post, args=[i]) for i in range(4)]

        for t in threads:
            t.start()

        got = [page.next() for _ in range(200)]

        for t in threads:
            t.join()

        for i in range(4):
            self.assertEqual([e['n'] for e in got
                              if e['thread_id'] == str(i)], list(range(50)))

    def test_connection_is_kept(self):
        self.client.health()
        link = self.client._transport.kept()[0]
        port = link.sock.getsockname()[1]
        self.client.health()
        self.assertEqual(self.client._transport.kept()[0].sock.getsockname()[1], port)

        # closed behind its back
        link.sock.shutdown(socket.SHUT_RDWR)
        self.client.health()


class Async(unittest.TestCase):
    def test_all(self):
        from ws_mgr import AsyncClient

        page = Page(Client(API), 'liz')
        self.addCleanup(page.close)

        async def run():
            async with AsyncClient(API) as client:
                agent = client.emitter('liz', run_id='r')

                await agent.agent_started('planner')

                async with agent.tool('search') as tool:
                    tool.results = {'n': 3}

                async with agent.batch() as batch:
                    for i in range(5):
                        await agent.event('n', n=i)

                await agent.agent_completed('done')

                with self.assertRaises(PlaceholderId):
                    await client.emitter('null').event('x')

                with self.assertRaises(NotFound):
                    await client.user('nobody at all')

                return batch.receipts

        receipts = asyncio.run(run())
        got = [page.next() for _ in range(9)]

        self.assertEqual([e['type'] for e in got],
                         ['agent_started', 'tool_executing', 'tool_completed']
                         + ['n'] * 5 + ['agent_completed'])
        self.assertEqual([r.id for r in receipts], [e['id'] for e in got[3:8]])


class Failing(unittest.TestCase):
    def setUp(self):
        self.server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Fake)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f'http://127.0.0.1:{self.server.server_port}/api'
        Fake.seen = []

    def tearDown(self):
        self.server.shutdown()
        self.server.server_close()

    def test_tried_again(self):
        Fake.script = ['close', 503, 'silent', 200]
        client = Client(self.url, timeout=0.5)
        client.emitter('ann').event('x')

        self.assertEqual(len({event_id for _, event_id in Fake.seen}), 1,
                         'with the same event_id')
        self.assertEqual(len(Fake.seen), 4)

        at = [when for when, _ in Fake.seen]
        self.assertGreaterEqual(at[2] - at[1], 1.0, 'after Retry-After')
        self.assertGreater(at[1] - at[0], 0.04, 'not at once')

    def test_given_up(self):
        Fake.script = [503] * 9

        with self.assertRaises(Unavailable) as caught:
            Client(self.url, attempts=2).emitter('ann').event('x')

        self.assertEqual(caught.exception.retry_after, 1.0)
        self.assertEqual(len(Fake.seen), 2)

    def test_stream_tried_again(self):
        """The fake does not know streams: each ends without an answer."""

        Fake.script = [503, 'close', 200]

        with Client(self.url, timeout=0.5).stream() as stream:
            stream.send({'type': 'x', 'user_id': 'ann', 'event_id': 'e1'})
            stream.send({'type': 'x', 'user_id': 'ann', 'event_id': 'e2'})

        self.assertEqual([event_id for _, event_id in Fake.seen],
                         ['e1', 'e1', 'e1', 'e2'])
        self.assertEqual([r.event_id for r in stream.receipts], ['e1', 'e2'])

    def test_stream_of_a_block_that_fails(self):
        """The block's error goes on; what is not posted is logged."""

        Fake.script = [503]

        with self.assertLogs('ws_mgr', 'WARNING') as logged:
            with self.assertRaises(KeyError):
                with Client(self.url, attempts=1).stream() as stream:
                    stream.send({'type': 'x', 'user_id': 'ann'})
                    raise KeyError

        self.assertIn('not posted', logged.output[0])

    def test_stream_given_up(self):
        """What raises is posted when it is tried the next time."""

        Fake.script = [503, 503]
        stream = Client(self.url, attempts=1, timeout=0.5).stream()
        stream.send({'type': 'x', 'user_id': 'ann', 'event_id': 'e1'})

        for _ in range(2):
            with self.assertRaises(Unavailable):
                stream.flush()

        stream.send({'type': 'x', 'user_id': 'ann', 'event_id': 'e2'})
        stream.flush()
        self.assertEqual([r.event_id for r in stream.receipts], ['e1', 'e2'])

    def test_nobody_there(self):
        self.server.server_close()

        with self.assertRaises(Unreachable):
            Client(self.url, attempts=2).emitter('ann').event('x')


if __name__ == '__main__':
    unittest.main()
