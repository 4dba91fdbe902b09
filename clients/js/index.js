/**
 * The page's side of ngx_ws_mgr: connects with one-time tickets, comes back by
 * itself, and misses nothing or is told what.  See index.d.ts for what there is.
 */

const FLOOR = 250;              // ms between two attempts, at the very least
const CEILING = 30000;
const SILENCE = 10000;          // ms that a pong may take

/* 4000 to 4499 and all of RFC 6455's own mean "come back" */
const forGood = (code, reason) => code >= 4500 && code < 5000
    || code === 1008 && reason === 'Forbidden';

const parse = text => {
    try {
        return JSON.parse(text);
    } catch {
        return null;
    }
};

export class Client {
    #options;
    #handlers = new Map();
    #queues = new Set();
    #socket = null;
    #state = 'idle';
    #attempts = 0;
    #timer;
    #watch;
    #heard = 0;
    #comeBack = 0;              // what a server_shutdown said
    #own = '';                  // positions: of the user's log,
    #all = '';                  // and of the broadcast log
    #thread;
    #channel;
    #leads = true;
    #letGo;
    #connectionId = null;
    #unload = [];

    constructor(url, options) {
        this.#options = typeof options === 'function' ? { ticket: options }
                                                      : { ...options };
        this.url = url;
        this.#thread = this.#options.thread;
        this.#own = this.#options.position || '';
    }

    get state() { return this.#state; }
    get connectionId() { return this.#connectionId; }
    get leads() { return this.#leads; }
    get position() {
        return [this.#own, this.#all].filter(Boolean).join(',');
    }

    connect() {
        if (this.#state !== 'idle' && this.#state !== 'closed') return this;

        this.#listen('online', () => this.#soon());
        this.#listen('offline', () => this.#socket?.close());
        this.#listen('pagehide', () => this.#drop());
        this.#listen('pageshow', event => event.persisted && this.#soon());
        this.#set('waiting');

        if (this.#options.share && globalThis.navigator?.locks
            && globalThis.BroadcastChannel)
        {
            this.#share(`ws_mgr:${this.#options.share}`);
        } else {
            this.#open();
        }

        return this;
    }

    close() {
        this.#set('closed');
        this.#drop(1000);
        this.#letGo?.();
        this.#channel?.close();
        this.#unload.splice(0).forEach(undo => undo());
        this.#queues.forEach(queue => queue.end());
    }

    on(type, handler) {
        const set = this.#handlers.get(type) || new Set();

        this.#handlers.set(type, set.add(handler));
        return () => set.delete(handler);
    }

    /** All events from now on, or those of one thread. */
    async *events({ thread } = {}) {
        const held = [];
        let wake, ended = this.#state === 'closed';
        const queue = {
            put: event => {
                if (thread === undefined || event.thread_id === thread) {
                    held.push(event);
                    wake?.();
                }
            },
            end: () => { ended = true; wake?.(); },
        };

        this.#queues.add(queue);

        try {
            for (;;) {
                while (held.length) yield held.shift();
                if (ended) return;
                await new Promise(resolve => { wake = resolve; });
            }
        } finally {
            this.#queues.delete(queue);
        }
    }

    [Symbol.asyncIterator]() { return this.events(); }

    /** False: there is no connection, and it was not sent. */
    send(message) {
        if (!this.#leads) {
            this.#channel.postMessage({ send: message });
            return true;
        }

        if (this.#socket?.readyState !== 1) return false;

        this.#socket.send(JSON.stringify(message));
        return true;
    }

    confirm(event) {
        return this.send({ type: 'event_confirmation', id: event.id,
                           status: 'confirmed' });
    }

    show(thread) {
        this.#thread = thread;
        return this.send({ type: 'thread_switched', thread_id: thread });
    }

    #emit(type, detail) {
        this.#handlers.get(type)?.forEach(handler => handler(detail));
    }

    #set(state) {
        if (state !== this.#state) {
            this.#state = state;
            this.#emit('state', state);
        }
    }

    #listen(type, handler) {
        const target = globalThis;

        target.addEventListener?.(type, handler);
        this.#unload.push(() => target.removeEventListener?.(type, handler));
    }

    /* one tab has the socket, the others hear of it; where it goes, the lock
       is the next one's, which knows how far all have come */

    #share(name) {
        this.#leads = false;
        this.#channel = new BroadcastChannel(name);
        this.#channel.onmessage = ({ data }) => {
            if (data.send && this.#leads) this.send(data.send);
            if (data.frame && !this.#leads) this.#frame(data.frame);
            if (data.state && !this.#leads) this.#set(data.state);
            if (data.hello && this.#leads) this.#tell();
        };
        this.#channel.postMessage({ hello: true });

        navigator.locks.request(name, () => new Promise(resolve => {
            if (this.#state === 'closed') return resolve();

            this.#letGo = resolve;
            this.#leads = true;
            this.#open();
        }));
    }

    #tell() { this.#channel?.postMessage({ state: this.#state }); }

    async #open() {
        clearTimeout(this.#timer);

        if (this.#state === 'closed' || !this.#leads) return;
        if (globalThis.navigator?.onLine === false) return this.#set('waiting');

        this.#set('connecting');

        let ticket;

        try {
            ticket = await this.#options.ticket();
        } catch (error) {
            this.#emit('error', error);
            return this.#later();
        }

        if (this.#state !== 'connecting' || this.#socket) return;

        const url = new URL(this.url, globalThis.location?.href);

        url.protocol = url.protocol.replace('http', 'ws');

        if (this.position) {
            url.searchParams.set('last_event_id', this.position);
        }

        const Socket = this.#options.WebSocket || globalThis.WebSocket;
        const socket = new Socket(url.href, ['ws-mgr.v1', `ticket.${ticket}`]);

        this.#socket = socket;
        socket.onmessage = ({ data }) => {
            this.#heard = Date.now();

            const frame = parse(data);

            if (frame && this.#socket === socket) {
                this.#channel?.postMessage({ frame });
                this.#frame(frame);
            }
        };
        socket.onclose = event => this.#socket === socket && this.#ended(event);
    }

    #frame(frame) {
        switch (frame.type) {
        case 'connection_established':
            this.#attempts = 0;
            this.#connectionId = frame.connection_id;
            this.#own = this.#own || frame.position;
            this.#all = this.#all || frame.broadcast_position || '';

            if (this.#leads) {
                this.#watchOver(frame.heartbeat_ms);
                if (this.#thread !== undefined) this.show(this.#thread);
                this.#set('open');
                this.#tell();
            }

            return this.#emit('open', frame);

        case 'gap':
            this.#move(frame.to);
            return this.#emit('gap', frame);

        case 'stream_reset':
            this.#move(frame.position);
            return this.#emit('reset', frame);

        case 'server_shutdown':
            this.#comeBack = frame.reconnect_after_ms;
            return this.#emit('shutdown', frame);

        case 'error':
            return this.#emit('error', frame);

        case 'pong':
        case 'heartbeat':
            return;
        }

        if (this.#isNew(frame.id)) {
            this.#move(frame.id);
            this.#emit('event', frame);
            this.#emit(frame.type, frame);
            this.#queues.forEach(queue => queue.put(frame));
        }
    }

    #move(id) {
        if (/-b/.test(id)) this.#all = id;
        else this.#own = id;
    }

    /* within an epoch seq only rises; another epoch is another log */

    #isNew(id) {
        if (!id) return false;

        const [epoch, seq] = id.split('-');
        const [was, last] = (/^b/.test(seq) ? this.#all : this.#own).split('-');

        return epoch !== was
            || +seq.replace('b', '') > +last.replace('b', '');
    }

    /* a connection that says nothing is asked, and left if it does not answer:
       pages cannot see protocol pings */

    #watchOver(every) {
        clearInterval(this.#watch);

        if (!every) return;

        const socket = this.#socket;
        let asked = 0;

        this.#watch = setInterval(() => {
            const silent = Date.now() - this.#heard;

            if (silent < every) asked = 0;
            else if (!asked) {
                asked = Date.now();
                this.send({ type: 'ping', ts: asked });
            } else if (Date.now() - asked > SILENCE) {
                socket.close();
                this.#ended({ code: 1006, reason: 'silent' });
            }
        }, Math.min(every, SILENCE) / 2);
    }

    #drop(code) {
        const socket = this.#socket;

        clearTimeout(this.#timer);
        clearInterval(this.#watch);
        this.#socket = null;
        this.#connectionId = null;
        socket?.close(code);

        if (this.#state !== 'closed') this.#set('waiting');
    }

    #ended({ code, reason }) {
        this.#drop();
        this.#emit('close', { code, reason });

        if (this.#state === 'closed') return;
        if (!forGood(code, reason)) return this.#later();

        this.close();
        this.#emit('rejected', { code, reason });
    }

    /* full jitter above a floor, on every path; or what the server said */

    #later() {
        const most = Math.min(CEILING, FLOOR * 2 ** ++this.#attempts);
        const wait = this.#comeBack || FLOOR + Math.random() * most;

        this.#comeBack = 0;
        clearTimeout(this.#timer);
        this.#timer = setTimeout(() => this.#open(), wait);
        if (this.#state !== 'closed') this.#set('waiting');
        this.#tell();
    }

    #soon() {
        if (this.#state !== 'waiting' || !this.#leads) return;

        clearTimeout(this.#timer);
        this.#timer = setTimeout(() => this.#open(),
                                 FLOOR * (1 + Math.random()));
    }
}

/** A ticket provider: POSTs to a URL of one's own, which answers a ticket. */
export const fetchTicket = (url, init) => async () => {
    const answer = await fetch(url, { method: 'POST', cache: 'no-store',
                                      ...init });

    if (!answer.ok) throw new Error(`no ticket: ${answer.status}`);

    const { ticket_id } = await answer.json();

    return ticket_id;
};
