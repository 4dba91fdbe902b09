/* What the adapter gives, by the judges of AG-UI: @ag-ui/core's schemas, and
   the order that @ag-ui/client verifies. */

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';

import { AgUi } from '../agui.js';

const types = list => list.map(event => event.type);
const STARTED = ['RUN_STARTED'];
const REASONING = ['REASONING_START', 'REASONING_MESSAGE_START',
                   'REASONING_MESSAGE_CONTENT', 'REASONING_MESSAGE_END',
                   'REASONING_END'];
const CALL = ['TOOL_CALL_START', 'TOOL_CALL_ARGS', 'TOOL_CALL_END'];
const ANSWER = ['TEXT_MESSAGE_START', 'TEXT_MESSAGE_CONTENT',
                'TEXT_MESSAGE_END', 'RUN_FINISHED'];

/* without npm's packages the shapes alone are tested, which t/ tells */
const packages = process.env.WS_MGR_CLIENTS;
const judge = packages ? await (async () => {
    const require = createRequire(packages + '/');
    const { EventSchemas } = require('@ag-ui/core/schemas');
    const { verifyEvents } = require('@ag-ui/client');
    const { from, lastValueFrom, toArray } = require('rxjs');

    return async events => {
        for (const event of events) {
            assert.deepEqual(EventSchemas.parse(event), event);
        }

        await lastValueFrom(from(events).pipe(verifyEvents(false), toArray()));

        return true;
    };
})() : async () => true;

function stream() {
    const agui = new AgUi();
    const all = [];
    let n = 0;

    return {
        all, agui,
        of(type, more) {
            const out = agui.convert({
                type, id: `e-${++n}`, seq: n, ts: 5, run_id: 'r',
                thread_id: 't', ...more });

            all.push(...out);

            return out;
        },
    };
}

test('the judge refuses what is wrong', { skip: !packages }, async () => {
    await assert.rejects(judge([{ type: 'THINKING_TEXT_MESSAGE_START' }]));
    await assert.rejects(judge([{ type: 'TEXT_MESSAGE_END', messageId: 'x' }]));
    await assert.rejects(judge([{ type: 'RUN_STARTED', threadId: null,
                                  runId: 'r' }]));
});

test('a run, calls of tools paired', async () => {
    const { all, of } = stream();

    assert.deepEqual(of('agent_started', { agent_name: 'a' }),
        [{ timestamp: 5, type: 'RUN_STARTED', threadId: 't', runId: 'r' }]);
    assert.deepEqual(types(of('agent_thinking', { data: { reasoning: 'x' } })),
                     REASONING);
    assert.equal(all.at(-3).delta, 'x');

    const first = of('tool_executing', { tool_name: 's', arguments: { q: 1 } });
    const second = of('tool_executing', { tool_name: 's' });

    assert.deepEqual(types(first), CALL);
    assert.equal(first[1].delta, '{"q":1}');
    assert.deepEqual(of('tool_completed', { tool_name: 's', results: [1] }),
        [{ timestamp: 5, type: 'TOOL_CALL_RESULT', messageId: 'e-5-result',
           toolCallId: first[0].toolCallId, role: 'tool', content: '[1]',
           runId: 'r' }]);
    assert.equal(of('tool_completed', { tool_name: 's', data: { result: 'x' } })
        [0].toolCallId, second[0].toolCallId);
    assert.deepEqual(of('progress'), []);
    assert.deepEqual(types(of('agent_completed', { final_response: 'done' })),
                     ANSWER);
    assert.deepEqual(of('agent_thinking', { thought: 'late' }), [],
                     'nothing after the end');
    assert.ok(await judge(all));
});

for (const type of ['agent_failed', 'agent_error', 'agent_death']) {
    test(`${type} ends the run`, async () => {
        const { all, of } = stream();

        of('agent_started');
        of('tool_executing', { tool_name: 's' });
        assert.deepEqual(of(type, { error: 'no' }), [{
            timestamp: 5, type: 'RUN_ERROR', message: 'no', runId: 'r' }]);
        assert.deepEqual(of('tool_completed', { tool_name: 's' }), []);
        assert.ok(await judge(all));
    });
}

test('a run that was joined midway, with as little as an event may have',
async () => {
    const { all, of } = stream();
    const bare = { thread_id: null, ts: undefined, id: undefined };

    assert.deepEqual(types(of('tool_completed', bare)),
                     [...STARTED, ...CALL, 'TOOL_CALL_RESULT']);
    assert.deepEqual(types(of('tool_executing', { ...bare, tool_name: 7 })),
                     CALL);
    assert.deepEqual(types(of('agent_thinking', bare)), REASONING);
    assert.deepEqual(of('agent_thinking', { run_id: null }), [],
                     'no run: not an event of AG-UI');
    assert.deepEqual(types(of('agent_completed', bare)), ['RUN_FINISHED']);
    assert.ok(await judge(all));

    const other = stream();

    other.of('agent_error', { data: { code: 5 } });
    assert.deepEqual(types(other.all), [...STARTED, 'RUN_ERROR']);
    assert.ok(await judge(other.all));
});

test('runs that overlap are told apart, each valid by itself', async () => {
    const { all, of } = stream();

    for (const type of ['agent_started', 'agent_thinking', 'agent_completed']) {
        for (const run_id of ['r1', 'r2']) of(type, { run_id });
    }

    for (const run of ['r1', 'r2']) {
        const own = all.filter(event => event.runId === run);

        assert.equal(own.at(-1).type, 'RUN_FINISHED');
        assert.ok(await judge(own));
    }
});

test('end() ends what is open, once', async () => {
    const { all, agui, of } = stream();

    of('agent_started');
    all.push(...agui.end('the log was reset'));
    assert.equal(all.at(-1).type, 'RUN_ERROR');
    assert.equal(all.at(-1).message, 'the log was reset');
    assert.deepEqual(agui.end('again'), []);
    assert.deepEqual(of('agent_completed', { final_response: 'late' }), []);
    assert.ok(await judge(all));
});

test('foreign ids are passed over for those of "ws"', async () => {
    const { all, agui } = stream();

    all.push(...agui.convert({
        type: 'agent_completed', id: 'x', seq: 'y', run_id: 'r', result: 'z',
        ws: { id: 'e-9', seq: 9, ts: 7 } }));
    assert.equal(all[1].messageId, 'e-9');
    assert.equal(all[1].timestamp, 7);
    assert.ok(await judge(all));
});
