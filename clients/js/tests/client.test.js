import assert from 'node:assert/strict';
import { mock, test } from 'node:test';

import { AgUi } from '../agui.js';
import { Client } from '../index.js';

/* a socket that the test is the other end of */
class Socket {
    static all = [];

    constructor(url, protocols) {
        this.url = new URL(url);
        this.protocols = protocols;
        this.readyState = 1;
        this.sent = [];
        Socket.all.push(this);
    }

    send(text) { this.sent.push(JSON.parse(text)); }
    close(code) { this.readyState = 3; this.closed = code ?? 1005; }
    say(frame) { this.onmessage({ data: JSON.stringify(frame) }); }
    end(code, reason = '') { this.readyState = 3; this.onclose({ code, reason }); }

    welcome(more) {
        this.say({ type: 'connection_established', connection_id: 'c',
                   user_id: 'ann', position: 'e-0', resumed: false,
                   heartbeat_ms: 0, ...more });
    }
}

const turn = () => new Promise(resolve => setImmediate(resolve));

async function open(options = {}) {
    let n = 0;

    Socket.all = [];

    const client = new Client('ws://x/ws', {
        ticket: async () => `t${++n}`, WebSocket: Socket, ...options });

    client.heard = [];
    client.told = [];
    client.on('event', e => client.heard.push(e.id));

    for (const type of ['gap', 'reset', 'close', 'rejected', 'error']) {
        client.on(type, () => client.told.push(type));
    }

    client.connect();
    await turn();

    return client;
}

const last = () => Socket.all.at(-1);

test('connects with a ticket in the subprotocol, a new one each time',
async t => {
    mock.timers.enable({ apis: ['setTimeout', 'setInterval', 'Date'] });
    t.after(() => mock.timers.reset());

    const client = await open();

    assert.deepEqual(last().protocols, ['ws-mgr.v1', 'ticket.t1']);
    assert.equal(last().url.search, '');
    last().welcome();
    assert.equal(client.state, 'open');
    assert.equal(client.connectionId, 'c');

    last().end(1006);
    assert.equal(client.state, 'waiting');
    mock.timers.tick(30250);
    await turn();
    assert.deepEqual(last().protocols, ['ws-mgr.v1', 'ticket.t2']);
    assert.equal(last().url.searchParams.get('last_event_id'), 'e-0',
                 'from where it was welcomed');
    client.close();
});

test('comes back from the last event, of both logs; repeats nothing',
async t => {
    mock.timers.enable({ apis: ['setTimeout', 'setInterval', 'Date'] });
    t.after(() => mock.timers.reset());

    const client = await open();

    last().welcome({ broadcast_position: 'f-b3' });

    for (const id of ['e-1', 'e-2', 'e-2', 'e-1', 'f-b4', 'f-b4', 'e-5']) {
        last().say({ type: 'x', id });
    }

    assert.deepEqual(client.heard, ['e-1', 'e-2', 'f-b4', 'e-5']);
    assert.equal(client.position, 'e-5,f-b4');
    last().end(4001);
    mock.timers.tick(30250);
    await turn();
    assert.equal(last().url.searchParams.get('last_event_id'), 'e-5,f-b4');
    last().welcome({ position: 'e-9', resumed: true });
    last().say({ type: 'x', id: 'e-5' });
    last().say({ type: 'x', id: 'e-6' });
    assert.deepEqual(client.heard.slice(4), ['e-6']);
    client.close();
});

test('tells gaps and resets, and goes on from there', async () => {
    const client = await open();

    last().welcome();
    last().say({ type: 'x', id: 'e-1' });
    last().say({ type: 'gap', from: 'e-1', to: 'e-7', reason: 'evicted' });
    last().say({ type: 'x', id: 'e-7' });
    last().say({ type: 'x', id: 'e-8' });
    last().say({ type: 'stream_reset', position: 'g-0', reason: 'x' });
    last().say({ type: 'x', id: 'g-1' });
    assert.deepEqual(client.heard, ['e-1', 'e-8', 'g-1']);
    assert.deepEqual(client.told, ['gap', 'reset']);
    assert.equal(client.position, 'g-1');
    client.close();
});

for (const [code, reason, back] of [
    [1000, '', true], [1001, '', true], [1006, '', true], [1009, '', true],
    [1008, 'Invalid ticket', true], [1008, 'Ticket expired', true],
    [1008, 'Ticket already used', true], [1008, 'Forbidden', false],
    [1012, '', true], [1013, 'Try again later', true], [4001, '', true],
    [4002, '', true], [4003, '', true], [4005, '', true], [4499, '', true],
    [4501, '', false], [4502, '', false], [4508, '', false],
]) {
    test(`close ${code} ${reason}: ${back ? 'comes back' : 'for good'}`,
    async t => {
        mock.timers.enable({ apis: ['setTimeout', 'setInterval', 'Date'] });
        t.after(() => mock.timers.reset());

        const client = await open();

        last().welcome();
        last().end(code, reason);
        mock.timers.tick(30250);
        await turn();
        assert.equal(Socket.all.length, back ? 2 : 1);
        assert.equal(client.state, back ? 'connecting' : 'closed');
        assert.equal(client.told.includes('rejected'), !back);
        client.close();
    });
}

test('waits at random above a floor, longer each time; or as it was told',
async t => {
    mock.timers.enable({ apis: ['setTimeout', 'setInterval', 'Date'] });
    t.after(() => mock.timers.reset());
    t.mock.method(Math, 'random', () => 0);

    const client = await open();

    for (let i = 0; i < 5; i++) {
        last().end(1006);
        mock.timers.tick(249);
        await turn();
        assert.equal(Socket.all.length, i + 1, 'not below the floor');
        mock.timers.tick(1);
        await turn();
        assert.equal(Socket.all.length, i + 2, 'at the floor');
    }

    Math.random.mock.mockImplementation(() => 0.999);
    last().end(1006);
    mock.timers.tick(250 + 8000);
    await turn();
    assert.equal(Socket.all.length, 6, 'spread over more and more');
    mock.timers.tick(22000);
    await turn();
    assert.equal(Socket.all.length, 7);

    last().welcome();
    last().say({ type: 'server_shutdown', reconnect_after_ms: 4210 });
    last().end(1012);
    mock.timers.tick(4209);
    await turn();
    assert.equal(Socket.all.length, 7);
    mock.timers.tick(1);
    await turn();
    assert.equal(Socket.all.length, 8, 'when the server said');
    client.close();
});

test('a ticket that cannot be had is told, and tried for again', async t => {
    mock.timers.enable({ apis: ['setTimeout', 'setInterval', 'Date'] });
    t.after(() => mock.timers.reset());

    let n = 0;
    const client = await open({ ticket: () => {
        if (!n++) throw new Error('no');
        return 'good';
    } });

    assert.deepEqual(client.told, ['error']);
    assert.equal(Socket.all.length, 0);
    mock.timers.tick(1000);
    await turn();
    assert.equal(last().protocols[1], 'ticket.good');
    client.close();
});

test('asks a silent connection, and leaves one that does not answer',
async t => {
    mock.timers.enable({ apis: ['setTimeout', 'setInterval', 'Date'],
                         now: 1e6 });
    t.after(() => mock.timers.reset());

    const client = await open();

    last().welcome({ heartbeat_ms: 10000 });

    for (let i = 0; i < 4; i++) {
        mock.timers.tick(5000);
        last().say({ type: 'heartbeat', ts: 1 });
    }

    assert.deepEqual(last().sent, [], 'one that speaks is not asked');
    for (let i = 0; i < 3; i++) mock.timers.tick(5000);

    assert.equal(last().sent[0].type, 'ping');
    last().say({ type: 'pong' });
    mock.timers.tick(5000);
    assert.equal(client.state, 'open');

    for (let i = 0; i < 8; i++) mock.timers.tick(5000);

    await turn();
    assert.ok(client.told.includes('close'));
    assert.notEqual(client.state, 'open');
    client.close();
});

test('sends, confirms, shows a thread, also after a reconnect', async t => {
    mock.timers.enable({ apis: ['setTimeout', 'setInterval', 'Date'] });
    t.after(() => mock.timers.reset());

    const client = await open({ thread: 'a' });

    last().welcome();
    assert.deepEqual(last().sent,
                     [{ type: 'thread_switched', thread_id: 'a' }]);
    client.show('b');
    client.confirm({ id: 'e-1' });
    assert.deepEqual(last().sent.at(-1), { type: 'event_confirmation',
                                           id: 'e-1', status: 'confirmed' });
    last().end(1006);
    assert.equal(client.send({ type: 'x' }), false, 'not sent: told');
    mock.timers.tick(30250);
    await turn();
    last().welcome();
    assert.deepEqual(last().sent,
                     [{ type: 'thread_switched', thread_id: 'b' }]);
    client.close();
});

test('iterates: all, or those of a thread, till it is closed', async () => {
    const client = await open();
    const all = [], some = [];
    const reading = [
        (async () => { for await (const e of client) all.push(e.id); })(),
        (async () => {
            for await (const e of client.events({ thread: 'a' })) some.push(e.id);
        })(),
    ];

    last().welcome();
    await turn();
    last().say({ type: 'x', id: 'e-1', thread_id: 'a' });
    last().say({ type: 'x', id: 'e-2', thread_id: 'b' });
    await turn();
    last().say({ type: 'x', id: 'e-3', thread_id: 'a' });
    await turn();
    client.close();
    await Promise.all(reading);
    assert.deepEqual(all, ['e-1', 'e-2', 'e-3']);
    assert.deepEqual(some, ['e-1', 'e-3']);
});

test('by type, and no more when it is undone', async () => {
    const client = await open();
    const heard = [];
    const undo = client.on('tool_executing', e => heard.push(e.id));

    last().welcome();
    last().say({ type: 'tool_executing', id: 'e-1' });
    last().say({ type: 'other', id: 'e-2' });
    undo();
    last().say({ type: 'tool_executing', id: 'e-3' });
    assert.deepEqual(heard, ['e-1']);
    client.close();
});

test('text that is no JSON does no harm', async () => {
    const client = await open();

    last().onmessage({ data: '{' });
    last().welcome();
    assert.equal(client.state, 'open');
    client.close();
});

test('AG-UI: the five events, calls of tools paired', () => {
    const agui = new AgUi();
    const of = (type, more) => agui.convert(
        { type, id: `e-${++of.n}`, ts: 5, run_id: 'r', thread_id: 't', ...more });

    of.n = 0;

    assert.deepEqual(of('agent_started', { agent_name: 'a' }),
        [{ timestamp: 5, type: 'RUN_STARTED', threadId: 't', runId: 'r' }]);
    assert.deepEqual(of('agent_thinking', { data: { reasoning: 'x' } })
        .map(e => [e.type, e.delta]),
        [['THINKING_TEXT_MESSAGE_START', undefined],
         ['THINKING_TEXT_MESSAGE_CONTENT', 'x'],
         ['THINKING_TEXT_MESSAGE_END', undefined]]);

    const first = of('tool_executing', { tool_name: 's', arguments: { q: 1 } });
    const second = of('tool_executing', { tool_name: 's' });

    assert.equal(first[1].delta, '{"q":1}');
    assert.deepEqual(of('tool_completed', { tool_name: 's', results: [1] }),
        [{ timestamp: 5, type: 'TOOL_CALL_RESULT', messageId: 'e-5',
           toolCallId: first[0].toolCallId, role: 'tool', content: '[1]' }]);
    assert.equal(of('tool_completed', { tool_name: 's', data: { result: 'x' } })
        [0].toolCallId, second[0].toolCallId);
    assert.deepEqual(of('agent_completed', { final_response: 'done' })
        .map(e => e.type), ['TEXT_MESSAGE_START', 'TEXT_MESSAGE_CONTENT',
                            'TEXT_MESSAGE_END', 'RUN_FINISHED']);
    assert.deepEqual(of('agent_error', { error: 'no' }),
        [{ timestamp: 5, type: 'RUN_ERROR', message: 'no' }]);
    assert.deepEqual(of('progress'), []);
});
