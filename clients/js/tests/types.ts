import { Client, fetchTicket } from '../index.js';
import type { AgentEvent, Gap } from '../index.js';
import { AgUi } from '../agui.js';

const client = new Client('/ws', { ticket: fetchTicket('/ticket'),
                                   thread: 't', share: 'ann' });
const agui = new AgUi();

client.on('event', event => { const n: number = event.seq; void n; });
client.on('gap', (gap: Gap) => { const from: string = gap.from; void from; });
client.on('tool_executing', (event: AgentEvent) => agui.convert(event));
client.on('state', state => { const open: boolean = state === 'open'; void open; });

const undo: () => void = client.on('rejected', ({ code }) => { void code; });

undo();

// @ts-expect-error a ticket is needed
new Client('/ws', {});
// @ts-expect-error a message has a type
client.send({});

async function read(): Promise<void> {
    for await (const event of client.events({ thread: 't' })) {
        client.confirm(event);
    }
}

void read;
void new Client('/ws', async () => 'ticket').connect().position;
