import assert from 'node:assert/strict';
import { mock, test } from 'node:test';

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
    event(id, more) {
        this.say({ id, seq: +id.replace(/.*-b?/, ''), ts: 1, type: 'x', ...more });
    }
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
    mock.timers.enable({ apis: ['setTimeout'] });
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
    mock.timers.enable({ apis: ['setTimeout'] });
    t.after(() => mock.timers.reset());

    const client = await open();

    last().welcome({ broadcast_position: 'f-b3' });

    for (const id of ['e-1', 'e-2', 'e-2', 'e-1', 'f-b4', 'f-b4', 'e-5']) {
        last().event(id);
    }

    assert.deepEqual(client.heard, ['e-1', 'e-2', 'f-b4', 'e-5']);
    assert.equal(client.position, 'e-5,f-b4');
    last().end(4001);
    mock.timers.tick(30250);
    await turn();
    assert.equal(last().url.searchParams.get('last_event_id'), 'e-5,f-b4');
    last().welcome({ position: 'e-9', resumed: true });
    last().event('e-5');
    last().event('e-6');
    assert.deepEqual(client.heard.slice(4), ['e-6']);
    client.close();
});

test('tells gaps and resets, and goes on from there', async () => {
    const client = await open();

    last().welcome();
    last().event('e-1');
    last().say({ type: 'gap', from: 'e-1', to: 'e-7', reason: 'evicted' });
    last().event('e-7');
    last().event('e-8');
    last().say({ type: 'stream_reset', position: 'g-0', reason: 'x' });
    last().event('g-1');
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
        mock.timers.enable({ apis: ['setTimeout'] });
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
    mock.timers.enable({ apis: ['setTimeout'] });
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
    mock.timers.enable({ apis: ['setTimeout'] });
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

/* timers that fire when the test says so, and a clock that they share */
function clock(t) {
    let time = 1000;

    mock.timers.enable({ apis: ['setTimeout'] });
    t.mock.method(performance, 'now', () => time);
    t.after(() => mock.timers.reset());

    return {
        tick: ms => { time += ms; mock.timers.tick(ms); },
        /* a timer that is due fires, but that much later */
        late: (ms, by) => { time += by; mock.timers.tick(ms); },
    };
}

test('asks a silent connection, and leaves one that does not answer',
async t => {
    const { tick } = clock(t);
    const client = await open();

    last().welcome({ heartbeat_ms: 10000 });

    for (let i = 0; i < 4; i++) {
        tick(5000);
        last().say({ type: 'heartbeat', ts: 1 });
    }

    assert.deepEqual(last().sent, [], 'one that speaks is not asked');
    tick(5000);
    tick(5000);
    assert.deepEqual(last().sent, [{ type: 'ping' }]);
    last().say({ type: 'pong' });
    tick(5000);
    assert.equal(client.state, 'open');

    for (let i = 0; i < 4; i++) tick(5000);

    assert.deepEqual(client.told, ['close']);
    assert.equal(client.state, 'waiting');
    client.close();
});

test('a hidden page, whose timers fire once a minute, keeps its socket',
async t => {
    const { late } = clock(t);
    const client = await open();
    const socket = last();

    socket.welcome({ heartbeat_ms: 25000 });

    for (let i = 0; i < 60; i++) {
        socket.sent.length = 0;
        late(5000, 60000);
        if (socket.sent.length) socket.say({ type: 'pong' });
    }

    assert.deepEqual(client.told, []);
    assert.equal(client.state, 'open');
    assert.equal(Socket.all.length, 1, 'in an hour');

    for (let i = 0; i < 4; i++) late(5000, 60000);

    assert.deepEqual(client.told, ['close'], 'one that is dead is noticed');
    client.close();
});

test('what waited while a page was frozen counts as heard', async t => {
    const { tick, late } = clock(t);
    const client = await open();
    const socket = last();

    socket.welcome({ heartbeat_ms: 10000 });
    tick(5000);
    tick(5000);
    assert.equal(socket.sent.length, 1, 'asked');
    late(5000, 600000);                     /* frozen; timers come first */
    assert.equal(client.state, 'open');
    socket.say({ type: 'pong' });
    for (let i = 0; i < 2; i++) tick(5000);
    assert.deepEqual(client.told, []);
    client.close();
});

test('one deadline for a ticket, a handshake and a welcome', async t => {
    const { tick } = clock(t);
    let signal;
    let dead = true;
    const client = await open({ ticket: s => {
        signal = s;
        return dead ? new Promise(() => {}) : 't';
    } });
    const next = async () => { tick(30250); await turn(); };

    assert.equal(client.state, 'connecting');
    tick(19999);
    assert.equal(client.state, 'connecting');
    tick(1);
    assert.equal(client.state, 'waiting');
    assert.equal(signal.aborted, true, 'the ticket is no longer waited for');
    assert.deepEqual(client.told, ['error']);

    dead = false;
    await next();
    assert.equal(Socket.all.length, 1);
    tick(20000);
    assert.equal(last().readyState, 3, 'no welcome: let go');
    assert.deepEqual(client.told, ['error', 'error']);

    await next();
    assert.equal(Socket.all.length, 2);
    last().welcome();
    tick(60000);
    assert.equal(client.state, 'open', 'no deadline for what is open');
    client.close();
});

test('what the constructor of a socket throws is told, and tried again',
async t => {
    const { tick } = clock(t);
    let n = 0;
    const client = await open({ WebSocket: class extends Socket {
        constructor(...all) {
            if (!n++) throw new SyntaxError('no');
            super(...all);
        }
    } });

    assert.deepEqual(client.told, ['error']);
    assert.equal(client.state, 'waiting');
    tick(750);
    await turn();
    last().welcome();
    assert.equal(client.state, 'open');
    client.close();
});

test('a ticket that is no text is told, and not sent', async t => {
    clock(t);
    const client = await open({ ticket: async () => undefined });

    assert.deepEqual(client.told, ['error']);
    assert.equal(Socket.all.length, 0);
    client.close();
});

/* globalThis as a page has it */
function page(t) {
    const target = new EventTarget();

    for (const name of ['addEventListener', 'removeEventListener']) {
        globalThis[name] = target[name].bind(target);
        t.after(() => { delete globalThis[name]; });
    }

    return type => target.dispatchEvent(new Event(type));
}

test('offline: let go at once; online: opened at once', async t => {
    const { tick } = clock(t);
    const happens = page(t);
    const client = await open();

    last().welcome();
    for (let i = 0; i < 8; i++) {           /* a long back-off */
        last().end(1006);
        tick(30250);
        await turn();
    }
    last().welcome();
    happens('offline');
    assert.equal(last().readyState, 3);
    assert.equal(client.state, 'waiting');

    const n = Socket.all.length;

    tick(1);
    happens('online');
    tick(500);
    await turn();
    assert.equal(Socket.all.length, n + 1);

    happens('online');                      /* while it connects */
    assert.equal(last().readyState, 3, 'begun on the former network');
    tick(500);
    await turn();
    assert.equal(Socket.all.length, n + 2);
    client.close();
});

for (const [gone, back] of [['pagehide', 'pageshow'], ['freeze', 'resume']]) {
    test(`${gone}: let go, and not opened until ${back}`, async t => {
        const { tick } = clock(t);
        const happens = page(t);
        const client = await open();

        last().welcome();
        happens(gone);
        assert.equal(last().readyState, 3);
        happens('online');
        tick(60000);
        await turn();
        assert.equal(Socket.all.length, 1);
        happens(back);
        await turn();
        assert.equal(Socket.all.length, 2);
        last().welcome();
        happens(back);
        assert.equal(client.state, 'open', 'once');
        client.close();
    });
}

test('a handler that throws takes nothing from the others', async t => {
    const { tick } = clock(t);
    const warned = t.mock.method(console, 'warn', () => {});
    const client = await open();
    const heard = [];
    const errors = [];
    const fault = () => { throw new Error('handler'); };

    client.on('error', error => errors.push(error.message));
    client.on('event', fault);
    client.on('event', async () => fault());
    client.on('event', e => heard.push(e.id));
    client.on('x', fault);
    client.on('x', e => heard.push(e.id));
    for (const type of ['state', 'open', 'close']) client.on(type, fault);

    last().welcome();
    last().event('e-1');
    await turn();
    assert.deepEqual(heard, ['e-1', 'e-1']);
    assert.deepEqual(errors, Array(5).fill('handler'));
    assert.equal(warned.mock.callCount(), 0);

    client.on('error', fault);
    last().end(1006);
    assert.equal(warned.mock.callCount(), 2, 'one of "error" is warned of');
    tick(30250);
    await turn();
    assert.equal(Socket.all.length, 2, 'and it still reconnects');
    client.close();
});

test('without a handler of "error" the console tells', async t => {
    const warned = t.mock.method(console, 'warn', () => {});
    const client = new Client('ws://x/ws', {
        WebSocket: Socket, ticket: () => { throw new Error('none'); } });

    client.connect();
    await turn();
    assert.equal(warned.mock.callCount(), 1);
    assert.match(String(warned.mock.calls[0].arguments[1]), /none/);
    client.close();
});

test('an event is what carries seq, or ws; never by its type', async () => {
    const client = await open();
    const frames = [];

    client.on('heartbeat', e => frames.push(e));
    client.on('ask_pending', e => frames.push(e));
    last().welcome();

    const types = ['gap', 'stream_reset', 'server_shutdown', 'error',
                   'heartbeat', 'connection_established', 'open', 'state'];

    types.forEach((type, i) => last().event(`e-${i + 1}`, { type }));
    assert.equal(client.heard.length, types.length);
    assert.deepEqual(client.told, [], 'and is none of our own notices');
    assert.equal(client.state, 'open');
    assert.equal(client.position, 'e-8');
    assert.deepEqual(frames.map(f => f.id), ['e-5']);

    last().say({ type: 'agui', id: 'theirs', seq: 'theirs',
                 ws: { id: 'e-9', seq: 9, ts: 1 } });
    assert.equal(client.position, 'e-9');
    client.confirm({ id: 'theirs', ws: { id: 'e-9' } });
    assert.equal(last().sent.at(-1).id, 'e-9');

    last().say({ type: 'ask_pending', id: 'e-20' });
    assert.deepEqual(frames.length, 2, "the manager's own, by its type");
    assert.equal(client.position, 'e-9');
    assert.equal(client.heard.length, types.length + 1);
    client.close();
});

test('reads from where the welcome says', async t => {
    const { tick } = clock(t);
    const client = await open();
    const next = async () => {
        last().end(1006);
        tick(30250);
        await turn();
    };
    const asked = () => last().url.searchParams.get('last_event_id');

    last().welcome({ position: 'e-9', from: 'e-3', broadcast_position: 'f-b2' });
    assert.equal(client.position, 'e-3,f-b2');
    last().event('e-4');
    await next();
    assert.equal(asked(), 'e-4,f-b2', 'a cut in a replay loses nothing');
    last().welcome({ position: 'e-9', from: 'e-4', resumed: true });
    last().event('e-5');
    last().say({ type: 'heartbeat', position: 'e-8' });
    assert.equal(client.position, 'e-8,f-b2', 'all up to there was sent');
    last().say({ type: 'pong', position: 'e-7' });
    assert.equal(client.position, 'e-8,f-b2');
    await next();
    last().welcome({ position: 'g-9', from: 'g-8', resumed: true });
    assert.equal(client.position, 'g-8,f-b2', 'another epoch, unbroken');
    await next();
    last().welcome({ position: 'h-9', from: 'h-5', resumed: false });
    assert.equal(client.position, 'g-8,f-b2', 'a gap will tell');
    last().say({ type: 'gap', from: 'g-8', to: 'h-5', reason: 'unknown' });
    assert.equal(client.position, 'h-5,f-b2');
    assert.ok(client.told.includes('gap'));
    client.close();
});

test('begins at the start where it is asked to', async () => {
    const client = await open({ position: 'start' });

    assert.equal(last().url.searchParams.get('last_event_id'), 'start');
    last().welcome({ position: 'e-9', from: 'e-0' });
    assert.equal(client.position, 'e-0');
    last().event('e-1');
    assert.deepEqual(client.heard, ['e-1']);
    client.close();
});

test('a merged event of which it has the first is asked for anew',
async t => {
    const { tick } = clock(t);
    const client = await open();

    last().welcome({ position: 'e-0' });
    last().event('e-3', { merged: 3 });
    assert.deepEqual(client.heard, ['e-3'], 'one that follows directly');
    last().event('e-6', { merged: 4 });
    assert.deepEqual(client.heard, ['e-3']);
    tick(500);
    await turn();
    assert.equal(last().url.searchParams.get('last_event_id'), 'e-3');
    client.close();
});

test('sends, confirms, shows a thread, also after a reconnect', async t => {
    mock.timers.enable({ apis: ['setTimeout'] });
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
    last().event('e-1', { thread_id: 'a' });
    last().event('e-2', { thread_id: 'b' });
    await turn();
    last().event('e-3', { thread_id: 'a' });
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
    last().event('e-1', { type: 'tool_executing' });
    last().event('e-2', { type: 'other' });
    undo();
    last().event('e-3', { type: 'tool_executing' });
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
