/**
 * The agent events as events of AG-UI 1.0 (docs.ag-ui.com).  An adapter serves
 * one stream, since it pairs calls of tools and knows which runs are open.
 */

const KEPT = 1000;              // ended runs whose late events are recognised

export class AgUi {
    #runs = new Map();          // open ones: run_id to { threadId, calls }
    #ended = new Set();
    #n = 0;

    /**
     * The AG-UI events of one event; none for an event without counterpart or
     * without a run, and for what follows the end of a run.  A run that was
     * joined midway starts here, and each event names its "runId": an AG-UI
     * consumer takes one run at a time.
     */
    convert(event) {
        const data = { ...event.data, ...event };
        const make = STEPS[event.type];
        const runId = event.run_id;

        if (!make || !runId || this.#ended.has(runId)) return [];

        const run = this.#runs.get(runId) || this.#start(event);
        const id = String(event.ws?.id || event.id || ++this.#n);
        const out = [...run.started, ...make(data, id, run)];

        run.started = [];
        if (ENDS.includes(event.type)) this.#end(runId);

        return stamped(out, runId, event.ws?.ts ?? event.ts);
    }

    /**
     * Ends the runs that are open, with RUN_ERROR: after a "reset" or a "gap"
     * nobody knows what became of them, after "rejected" nothing more comes.
     */
    end(message) {
        return [...this.#runs.keys()].flatMap(runId => {
            this.#end(runId);

            return stamped([{ type: 'RUN_ERROR', message: text(message) }],
                           runId, Date.now());
        });
    }

    #start(event) {
        const threadId = text(event.thread_id);
        const run = {
            threadId, runId: event.run_id, calls: new Map(),
            started: [{ type: 'RUN_STARTED', threadId }],
        };

        this.#runs.set(event.run_id, run);

        return run;
    }

    #end(runId) {
        this.#runs.delete(runId);
        this.#ended.add(runId);

        if (this.#ended.size > KEPT) {
            this.#ended.delete(this.#ended.values().next().value);
        }
    }
}

const text = value => typeof value === 'string' ? value
    : JSON.stringify(value ?? '').replace(/^""$/, '');

const stamped = (list, runId, ts) => list.map(event => ({
    ...Number.isInteger(ts) && { timestamp: ts }, ...event, runId }));

const failed = data => [{
    type: 'RUN_ERROR',
    message: text(data.error ?? data.reason ?? data.message) || data.type,
    ...typeof data.code === 'string' && { code: data.code },
}];

const call = (toolCallId, data) => [
    { type: 'TOOL_CALL_START', toolCallId,
      toolCallName: text(data.tool_name) || 'tool' },
    { type: 'TOOL_CALL_ARGS', toolCallId,
      delta: JSON.stringify(data.arguments ?? {}) },
    { type: 'TOOL_CALL_END', toolCallId },
];

const ENDS = ['agent_completed', 'agent_failed', 'agent_error', 'agent_death'];

const STEPS = {
    agent_started: () => [],

    agent_thinking: (data, messageId) => [
        { type: 'REASONING_START', messageId },
        { type: 'REASONING_MESSAGE_START', messageId, role: 'reasoning' },
        { type: 'REASONING_MESSAGE_CONTENT', messageId,
          delta: text(data.thought ?? data.reasoning) },
        { type: 'REASONING_MESSAGE_END', messageId },
        { type: 'REASONING_END', messageId },
    ],

    tool_executing: (data, id, run) => {
        run.calls.set(data.tool_name,
                      [...run.calls.get(data.tool_name) || [], id]);

        return call(id, data);
    },

    tool_completed: (data, id, run) => {
        const open = (run.calls.get(data.tool_name) || []).shift();

        return [
            ...open ? [] : call(id, data),
            { type: 'TOOL_CALL_RESULT', toolCallId: open || id,
              messageId: `${id}-result`, role: 'tool',
              content: text(data.results ?? data.result) },
        ];
    },

    agent_completed: (data, messageId, run) => {
        const delta = text(data.final_response ?? data.result ?? data.status);

        return [
            ...delta ? [
                { type: 'TEXT_MESSAGE_START', messageId, role: 'assistant' },
                { type: 'TEXT_MESSAGE_CONTENT', messageId, delta },
                { type: 'TEXT_MESSAGE_END', messageId },
            ] : [],
            { type: 'RUN_FINISHED', threadId: run.threadId },
        ];
    },

    agent_failed: failed,
    agent_error: failed,
    agent_death: failed,
};
