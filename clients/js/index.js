/**
 * The page's side of ngx_ws_mgr: connects with one-time tickets, reconnects by
 * itself, and reports every loss.  index.d.ts lists the interface.
 *
 * A position has two parts: [0] in the user's log, [1] in the broadcast log.
 */

const FLOOR = 250;              // ms between two attempts, at the very least
const CEILING = 30000;
const DEADLINE = 20000;         // ms for a ticket, a handshake and a welcome
const SILENCE = 10000;          // ms that an answer may take
const PATIENCE = 4000;          // ms that a leader may say nothing, and take

const OWN = ['event', 'open', 'state', 'gap', 'reset', 'shutdown', 'error',
             'close', 'rejected'];

const now = () => performance.now();

/* 4000 to 4499 and all codes of RFC 6455 allow a return */
const forGood = (code, reason) => code >= 4500 && code < 5000
    || code === 1008 && reason === 'Forbidden';

const parse = text => {
    try {
        return JSON.parse(text);
    } catch {
        return null;
    }
};

/* of an id: 0 in the user's log, 1 in the broadcast log */
const which = id => +/-b\d+$/.test(id);

const parts = position => {
    const at = ['', ''];

    `${position || ''}`.split(',').forEach(id => { at[which(id)] ||= id; });

    return at;
};

const epoch = id => id.slice(0, id.lastIndexOf('-'));
const sequence = id => +/\d*$/.exec(id)[0];

/* within an epoch the sequence only rises; another epoch is another log */
const sameLog = (a, b) => epoch(a) === epoch(b);
const isAfter = (id, than) => !sameLog(id, than)
    || sequence(id) > sequence(than);

/* a reader at "mine" lacks events of a reader at "theirs", or may lack them */
const lacks = (mine, theirs) => mine.some((id, i) => id
    && (!theirs[i] || isAfter(theirs[i], id)));

/* between two logs the first one's position wins */
const lowest = (a, b) => !a || b && a !== 'start' && (b === 'start'
    || sameLog(a, b) && isAfter(a, b)) ? b : a;

export class Client {
    #options;
    #handlers = new Map();
    #queues = new Set();
    #undo = [];
    #state = 'idle';
    #at = ['', ''];
    #thread;

    #socket = null;
    #attempt;                   // AbortController of the attempt or connection
    #attempts = 0;
    #timer;
    #comeBack = 0;              // ms, as a server_shutdown said
    #asked = '';                // last_event_id of the connection
    #welcome = null;
    #heard = 0;                 // frames of the socket, or words of the leader
    #watch;
    #check;
    #away = false;              // in the back/forward cache, or frozen

    /* a page that shares: a lock makes the leader, a channel has all pages */
    #id = Math.random().toString(36).slice(2);
    #leads = true;
    #channel;
    #queued;                    // AbortController of the wait for the lock
    #letGo;
    #low = ['', ''];            // the lowest position of all followers
    #leader;                    // whose frames this page is in step with
    #greeted;

    constructor(url, options) {
        this.#options = typeof options === 'function' ? { ticket: options }
                                                      : { ...options };
        this.url = url;
        this.#thread = this.#options.thread;
        this.#at = parts(this.#options.position);
    }

    get state() { return this.#state; }
    get connectionId() { return this.#welcome?.connection_id ?? null; }
    get leads() { return this.#leads; }
    get position() { return this.#at.filter(Boolean).join(','); }

    connect() {
        if (this.#state !== 'idle' && this.#state !== 'closed') return this;

        const leave = () => {
            this.#away = true;
            this.#leave();
        };
        const back = () => this.#away && this.#join();

        this.#listen('online', () => {
            this.#attempts = 0;
            if (this.#state === 'connecting') this.#drop();
            this.#soon();
        });
        this.#listen('offline', () => this.#attempt
            && this.#ended({ code: 1006, reason: 'offline' }));
        this.#listen('visibilitychange', () => this.#check?.());
        this.#listen('pagehide', leave);
        this.#listen('freeze', leave);
        this.#listen('pageshow', back);
        this.#listen('resume', back);
        this.#set('waiting');
        this.#join();

        return this;
    }

    close() {
        this.#part();
        this.#set('closed');
        this.#drop(1000);
        this.#undo.splice(0).forEach(undo => undo());
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

    /** False: there is no connection, and the message was not sent. */
    send(message) {
        if (this.#state !== 'open') return false;

        return this.#write(JSON.stringify(message));
    }

    confirm(event) {
        return this.send({ type: 'event_confirmation',
                           id: event.ws?.id ?? event.id,
                           status: 'confirmed' });
    }

    show(thread) {
        if (thread !== this.#thread && this.#channel) {
            this.#thread = thread;
            this.#leave();
            this.#join();
            return false;
        }

        this.#thread = thread;
        return this.send({ type: 'thread_switched', thread_id: thread });
    }

    #write(text) {
        if (!this.#leads) this.#channel.postMessage({ send: text });
        else if (this.#socket?.readyState === 1) this.#socket.send(text);
        else return false;

        return true;
    }

    /* one handler's fault does not reach the others */

    #emit(type, detail) {
        const set = this.#handlers.get(type);

        if (type === 'error' && !set?.size) console.warn('ws_mgr:', detail);

        [...set || []].forEach(handler => {
            const failed = error => type === 'error'
                ? console.warn('ws_mgr:', error) : this.#emit('error', error);

            try {
                handler(detail)?.catch?.(failed);
            } catch (error) {
                failed(error);
            }
        });
    }

    #set(state) {
        if (state !== this.#state) {
            this.#state = state;
            this.#tell();
            this.#emit('state', state);
        }
    }

    /* "freeze" and "resume" do not bubble: they are caught on their way down */

    #listen(type, handler) {
        const target = globalThis;

        target.addEventListener?.(type, handler, true);
        this.#undo.push(() => target.removeEventListener?.(type, handler,
                                                           true));
    }

    /* --- which page has the socket --- */

    /* Pages of one name and one thread share, since a socket shows one thread.
       A page that steals the lock does so from a leader that hangs. */

    #join(steal) {
        const { share } = this.#options;

        this.#away = false;

        if (!share || !globalThis.navigator?.locks
            || !globalThis.BroadcastChannel)
        {
            return this.#open();
        }

        const name = `ws_mgr:${share}:${JSON.stringify(this.#thread) ?? ''}`;
        const queued = this.#queued = new AbortController();
        const isCurrent = () => this.#queued === queued;

        this.#leads = false;
        this.#leader = this.#greeted = null;
        this.#channel = new BroadcastChannel(name);
        this.#channel.onmessage = ({ data }) => isCurrent()
            && (this.#leads ? this.#asLeader(data) : this.#asFollower(data));
        this.#ask();
        this.#watchOver(PATIENCE, PATIENCE * (1 + Math.random()),
                        () => this.#ask(), () => {
                            this.#leave();
                            this.#join(true);
                        });

        navigator.locks.request(
            name, steal ? { steal } : { signal: queued.signal },
            () => isCurrent() && new Promise(letGo => {
                this.#letGo = letGo;
                this.#leads = true;
                this.#unwatch();
                this.#open();
            }),
        ).catch(() => {
            if (!isCurrent()) return;
            this.#leave();              // the lock was stolen
            this.#join();
        });
    }

    /* the next page may lead */

    #part() {
        this.#tell('waiting');
        this.#queued?.abort();
        this.#letGo?.();
        this.#channel?.close();
        this.#queued = this.#letGo = this.#channel = null;
        this.#leads = true;
    }

    #leave() {
        this.#part();
        this.#drop();
    }

    #ask() {
        this.#channel.postMessage(
            this.#leader ? { ask: true }
                         : { hello: true, position: this.position });
    }

    #say(what) {
        if (this.#leads) this.#channel?.postMessage({ by: this.#id, ...what });
    }

    #tell(state = this.#state) {
        this.#say({ state, position: this.position, welcome: this.#welcome });
    }

    #asLeader(data) {
        if (data.send) this.#write(data.send);
        if (data.ask || data.hello) this.#tell();
        if (!data.hello) return;

        const theirs = parts(data.position);

        if (lacks(theirs, this.#at)) {
            this.#low = theirs.map((id, i) => lowest(id, this.#low[i]));
            if (this.#socket) this.#again();
        }
    }

    /* A page that joins is in step once it has asked for nothing, or lacks
       nothing, or the leader has connected from its position or below. */

    #asFollower({ by, frame, asked, told, detail, state, position, welcome }) {
        if (!by) return;

        this.#heard = now();

        if (told) {
            if (told === 'rejected') this.close();
            return this.#emit(told, detail);
        }

        if (by !== this.#leader) {
            const inStep = frame
                ? frame.type === 'connection_established'
                  && (asked && !frame.resumed
                      || !lacks(this.#at, parts(asked)))
                : !lacks(this.#at, parts(position));

            if (!inStep) {
                if (by !== this.#greeted) {
                    this.#greeted = by;
                    this.#leader = null;
                    this.#ask();
                }

                return;
            }

            this.#leader = by;
        }

        if (frame) return this.#frame(frame, asked);

        this.#at = this.#at.map((id, i) => id || parts(position)[i]);

        const isNew = welcome?.connection_id !== this.connectionId;

        this.#welcome = welcome;
        this.#set(state);
        if (welcome && isNew) this.#emit('open', welcome);
    }

    /* --- the socket --- */

    async #open() {
        if (this.#state === 'closed' || !this.#leads || this.#away
            || this.#attempt)
        {
            return;
        }

        clearTimeout(this.#timer);

        if (globalThis.navigator?.onLine === false) {
            return this.#set('waiting');
        }

        const attempt = this.#attempt = new AbortController();

        this.#timer = setTimeout(() => this.#fail(
            new Error(`not connected within ${DEADLINE / 1000} s`)), DEADLINE);

        try {
            this.#set('connecting');

            const ticket = await this.#options.ticket(attempt.signal);

            if (this.#attempt === attempt) this.#dial(ticket);
        } catch (error) {
            if (this.#attempt === attempt) this.#fail(error);
        }
    }

    #dial(ticket) {
        if (typeof ticket !== 'string') {
            throw new TypeError('the ticket is not a string');
        }

        const url = new URL(this.url, globalThis.location?.href);
        const Socket = this.#options.WebSocket || globalThis.WebSocket;
        const asked = this.#asked = this.#low
            .map((id, i) => lowest(id, this.#at[i])).filter(Boolean).join();

        url.protocol = url.protocol.replace('http', 'ws');
        if (asked) url.searchParams.set('last_event_id', asked);
        if (this.#thread) url.searchParams.set('thread', this.#thread);

        const socket = this.#socket = new Socket(
            url.href, ['ws-mgr.v1', `ticket.${ticket}`]);

        socket.onmessage = ({ data }) => {
            if (this.#socket !== socket) return;

            const frame = parse(data);

            this.#heard = now();

            if (frame) {
                this.#say({ frame, asked });
                this.#frame(frame, asked);
            }
        };
        socket.onclose = event => this.#socket === socket && this.#ended(event);
    }

    /* an event is what carries "seq", or "ws" where foreign ids pass */

    #frame(frame, asked) {
        if (frame.seq !== undefined || frame.ws) return this.#event(frame);

        switch (frame.type) {
        case 'connection_established':
            return this.#welcomed(frame, parts(asked));

        case 'gap':
            return this.#moved(frame.to) && this.#emit('gap', frame);

        case 'stream_reset':
            return this.#moved(frame.position) && this.#emit('reset', frame);

        case 'server_shutdown':
            if (this.#leads) this.#comeBack = frame.reconnect_after_ms;
            return this.#emit('shutdown', frame);

        case 'pong':
        case 'heartbeat':
            parts(frame.position).forEach((id, i) => {
                if (id && sameLog(id, this.#at[i]) && this.#isNew(id)) {
                    this.#at[i] = id;
                }
            });
            return;

        case 'error':
            return this.#emit('error', frame);
        }

        if (!OWN.includes(frame.type)) this.#emit(frame.type, frame);
    }

    #welcomed(frame, asked) {
        const from = parts(frame.from);
        const ends = [frame.position, frame.broadcast_position];

        /* without a position, what others asked for is not for this page */
        this.#at = this.#at.map((id, i) => {
            const start = from[i] || ends[i] || '';

            return !id ? asked[i] ? ends[i] || '' : start
                : from[i] && (id === 'start'
                              || frame.resumed && isAfter(from[i], id))
                    ? from[i] : id;
        });
        this.#welcome = frame;

        if (this.#leads) {
            this.#attempts = this.#comeBack = 0;
            this.#low = ['', ''];
            clearTimeout(this.#timer);
            this.#watchOver(frame.heartbeat_ms, SILENCE,
                            () => this.#write('{"type":"ping"}'),
                            () => this.#ended({ code: 1006,
                                                reason: 'silent' }));
        }

        this.#set('open');
        if (this.#leads && this.#thread !== undefined) this.show(this.#thread);
        this.#emit('open', frame);
    }

    #event(event) {
        const { id, merged } = event.ws || event;

        if (!id || !this.#isNew(id)) return;

        const mine = this.#at[which(id)];

        /* the first of its parts were delivered already */
        if (merged && sameLog(id, mine)
            && sequence(mine) > sequence(id) - merged)
        {
            if (this.#leads) return this.#again();

            this.#leader = null;
            return this.#ask();
        }

        this.#move(id);
        this.#emit('event', event);
        if (!OWN.includes(event.type)) this.#emit(event.type, event);
        this.#queues.forEach(queue => queue.put(event));
    }

    #move(id) { this.#at[which(id)] = id; }
    #isNew(id) { return isAfter(id, this.#at[which(id)]); }

    /* of pages that share, some are behind the gap and some are not */

    #moved(id) {
        if (this.#channel && !this.#isNew(id)) return false;

        this.#move(id);
        return true;
    }

    /* A connection that says nothing is asked, and left if nothing comes: pages
       cannot see protocol pings.  Timers of hidden pages are late, and after a
       freeze they run before the messages that wait: whoever comes late asks
       once more. */

    #watchOver(every, wait, ask, fail) {
        const step = Math.min(every, wait) / 2;
        let last = now(), asked = 0, spared = false;

        this.#unwatch();
        if (!every) return;

        this.#heard = last;
        this.#check = () => {
            const at = now(), late = at - last > 2 * step;

            last = at;
            clearTimeout(this.#watch);
            this.#watch = setTimeout(this.#check, step);

            if (asked && this.#heard >= asked) {
                asked = 0;
                spared = false;
            }

            if (asked ? at - asked <= wait : at - this.#heard < every) return;
            if (asked && (!late || spared)) return fail();

            spared = asked > 0;
            asked = at;
            ask();
        };
        this.#watch = setTimeout(this.#check, step);
    }

    #unwatch() {
        clearTimeout(this.#watch);
        this.#check = null;
    }

    #drop(code) {
        const socket = this.#socket;

        this.#unwatch();
        clearTimeout(this.#timer);
        this.#attempt?.abort();
        this.#attempt = this.#socket = this.#welcome = null;
        socket?.close(code);

        if (this.#state !== 'closed') this.#set('waiting');
    }

    #again() {
        this.#drop();
        this.#soon();
    }

    #fail(error) {
        this.#drop();
        this.#emit('error', error);
        this.#later();
    }

    #ended({ code, reason }) {
        const detail = { code, reason };

        this.#drop();
        this.#say({ told: 'close', detail });
        this.#emit('close', detail);

        if (!forGood(code, reason)) return this.#later();

        this.#say({ told: 'rejected', detail });
        this.close();
        this.#emit('rejected', detail);
    }

    /* full jitter above a floor, on every path; or as the server said */

    #later() {
        const most = Math.min(CEILING, FLOOR * 2 ** ++this.#attempts);
        const wait = this.#comeBack || FLOOR + Math.random() * most;

        this.#comeBack = 0;
        this.#wait(wait);
    }

    #soon() { this.#wait(FLOOR * (1 + Math.random())); }

    #wait(ms) {
        if (this.#state !== 'waiting' || !this.#leads || this.#away) return;

        clearTimeout(this.#timer);
        this.#timer = setTimeout(() => this.#open(), ms);
    }
}

/** A ticket provider: POSTs to a URL of one's own, which answers a ticket. */
export const fetchTicket = (url, init) => async signal => {
    const answer = await fetch(url, { method: 'POST', cache: 'no-store',
                                      signal, ...init });

    if (!answer.ok) throw new Error(`no ticket: ${answer.status}`);

    const { ticket_id } = await answer.json();

    return ticket_id;
};
