/**
 * The five agent events as AG-UI events (docs.ag-ui.com), for those who use
 * that: one adapter for each stream, since calls of tools are paired.
 */

export class AgUi {
    #calls = new Map();         // "run tool": ids of calls that are open
    #n = 0;

    /** The AG-UI events of one event; none for one that has no counterpart. */
    convert(event) {
        const data = { ...event.data, ...event };
        const { run_id: runId, thread_id: threadId, ts: timestamp } = event;
        const call = `${runId} ${data.tool_name}`;
        const id = `${event.id || ++this.#n}`;
        const stamped = list => list.map(e => ({ timestamp, ...e }));

        switch (event.type) {
        case 'agent_started':
            return stamped([{ type: 'RUN_STARTED', threadId, runId }]);

        case 'agent_thinking':
            return stamped([
                { type: 'THINKING_TEXT_MESSAGE_START' },
                { type: 'THINKING_TEXT_MESSAGE_CONTENT',
                  delta: text(data.thought ?? data.reasoning) },
                { type: 'THINKING_TEXT_MESSAGE_END' },
            ]);

        case 'tool_executing':
            this.#calls.set(call, [...this.#calls.get(call) || [], id]);

            return stamped([
                { type: 'TOOL_CALL_START', toolCallId: id,
                  toolCallName: data.tool_name },
                { type: 'TOOL_CALL_ARGS', toolCallId: id,
                  delta: JSON.stringify(data.arguments ?? {}) },
                { type: 'TOOL_CALL_END', toolCallId: id },
            ]);

        case 'tool_completed': {
            const open = this.#calls.get(call) || [];
            const toolCallId = open.shift() || id;

            return stamped([
                { type: 'TOOL_CALL_RESULT', toolCallId, messageId: id,
                  role: 'tool', content: text(data.results ?? data.result) },
            ]);
        }

        case 'agent_completed':
            return stamped([
                { type: 'TEXT_MESSAGE_START', messageId: id,
                  role: 'assistant' },
                { type: 'TEXT_MESSAGE_CONTENT', messageId: id,
                  delta: text(data.final_response ?? data.result
                              ?? data.status) },
                { type: 'TEXT_MESSAGE_END', messageId: id },
                { type: 'RUN_FINISHED', threadId, runId },
            ]);

        case 'agent_error':
            return stamped([
                { type: 'RUN_ERROR',
                  message: text(data.error ?? data.reason ?? 'error') },
            ]);

        default:
            return [];
        }
    }
}

const text = value => typeof value === 'string' ? value
    : JSON.stringify(value ?? '');
