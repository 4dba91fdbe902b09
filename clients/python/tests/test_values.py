"""Values that are no text and no JSON."""

import asyncio
import math
import unittest

from support import API, Page
from ws_mgr import AsyncClient, Client, NotJson, WsMgrError
from ws_mgr._json import dumps

HALF, OTHER = '\ud83d', '\ude00'


class Values(unittest.TestCase):
    def setUp(self):
        self.client = Client(API)
        self.addCleanup(self.client.close)

    def page(self, user):
        page = Page(self.client, user)
        self.addCleanup(page.close)
        return page

    def test_halves(self):
        for text, becomes in (
            (HALF, '\ufffd'), (OTHER, '\ufffd'), ('a' + HALF + 'b', 'a\ufffdb'),
            (HALF + OTHER, '\U0001f600'), (OTHER + HALF, '\ufffd\ufffd'),
            (HALF + HALF + OTHER, '\ufffd\U0001f600'), ('\u00e4' + HALF,
                                                        '\u00e4\ufffd'),
        ):
            self.assertEqual(dumps([text]), f'["{becomes}"]'.encode(),
                             ascii(text))

    def test_half_is_delivered(self):
        page = self.page('half')
        agent = self.client.emitter('half', run_id='r')
        agent.agent_started('planner')
        page.next()

        with agent.tool('search', {HALF: 1}) as tool:
            tool.results = HALF

        self.assertEqual(page.next()['arguments'], {'\ufffd': 1})
        self.assertEqual(page.next()['results'], '\ufffd')

        with agent.batch() as batch:
            agent.event('token', text=HALF)
            agent.event('token', text=OTHER)

        with agent.stream() as stream:
            agent.event('token', text='a' + HALF)
            agent.event('token', text=OTHER)

        self.assertEqual([page.next()['text'] for _ in range(4)],
                         ['\ufffd', '\ufffd', 'a\ufffd', '\ufffd'])
        self.assertEqual(len(batch.receipts) + len(stream.receipts), 4)

    def test_names_are_no_others(self):
        with self.assertRaises(NotJson):
            self.client.emitter('a' + HALF)

        with self.assertRaises(NotJson):
            self.client.user('a' + HALF)

    def test_what_is_said(self):
        within = []
        within.append(within)
        deep = []

        for _ in range(100000):
            deep = [deep]

        for value, said in (
            ({'a': [1, {2}]}, 'a[1]: a set is no value of JSON'),
            ({'a': {'b': math.nan}}, 'a.b: nan is no number of JSON'),
            ({'a': math.inf}, 'a: inf is no number of JSON'),
            ({'a': {(1, 2): 3}}, 'a: a member named by a tuple'),
            ({'a': b'x'}, 'a: a bytes is no value of JSON'),
            (within, 'nested too deep, or within itself'),
            (deep, 'nested too deep, or within itself'),
            (object(), 'the value: a object is no value of JSON'),
        ):
            with self.assertRaises(NotJson) as caught:
                dumps(value)

            self.assertIn(said, str(caught.exception))
            self.assertIsInstance(caught.exception, WsMgrError)
            self.assertIsInstance(caught.exception, TypeError)

    def test_all_that_posts(self):
        agent = self.client.emitter('values')

        for post in (lambda: self.client.post({'type': 'x', 'user_id': 'values',
                                               'a': {1}}),
                     lambda: agent.event('x', a={1}),
                     lambda: self.client.issue_ticket('values',
                                                      metadata={'a': {1}})):
            with self.assertRaises(NotJson):
                post()

    def test_batch_and_stream_survive(self):
        page = self.page('survivor')
        agent = self.client.emitter('survivor')

        for block in (agent.batch, agent.stream):
            with block() as held:
                agent.event('n', n=1)

                with self.assertRaises(NotJson):
                    agent.event('n', n={1})

                agent.event('n', n=2)

            self.assertEqual(len(held.receipts), 2)
            self.assertEqual([page.next()['n'] for _ in range(2)], [1, 2])

    def test_tool_completes(self):
        page = self.page('tools')
        agent = self.client.emitter('tools', run_id='r')
        agent.agent_started('planner')
        page.next()

        with self.assertRaises(NotJson):
            with agent.tool('search') as tool:
                tool.results = {'found': {1}}

        with self.assertRaises(KeyError):
            with agent.tool('search') as tool:
                tool.results = {'found': {1}}
                raise KeyError

        got = [page.next() for _ in range(4)]
        self.assertEqual([(e['type'], e.get('status'), e.get('error_type'))
                          for e in got],
                         [('tool_executing', None, None),
                          ('tool_completed', 'error', 'NotJson'),
                          ('tool_executing', None, None),
                          ('tool_completed', 'error', 'KeyError')])

    def test_async(self):
        page = self.page('async values')

        async def run():
            async with AsyncClient(API) as client:
                agent = client.emitter('async values', run_id='r')
                await agent.agent_started('planner')

                with self.assertRaises(NotJson):
                    async with agent.tool('search') as tool:
                        tool.results = {1}

                for block in (agent.batch, agent.stream):
                    async with block() as held:
                        await agent.event('n', n=HALF)

                        with self.assertRaises(NotJson):
                            await agent.event('n', n={1})

                        await agent.event('n', n=2)

                    self.assertEqual(len(held.receipts), 2)

        asyncio.run(run())
        got = [page.next() for _ in range(7)]
        self.assertEqual((got[2]['type'], got[2]['error_type']),
                         ('tool_completed', 'NotJson'))
        self.assertEqual([e['n'] for e in got[3:]], ['\ufffd', 2] * 2)


if __name__ == '__main__':
    unittest.main()
