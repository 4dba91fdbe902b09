/** An event, as an agent backend posted it, with the server's members. */
export interface AgentEvent {
    /** Its position: what a client that comes back asks for. */
    id: string;
    seq: number;
    /** Milliseconds since 1970. */
    ts: number;
    /** The event stands for so many, up to "seq": their texts are joined. */
    merged?: number;
    /** The server's members, where the posted "id" and "seq" pass. */
    ws?: { id: string; seq: number; ts: number; merged?: number };
    type: string;
    user_id: string;
    thread_id?: string | null;
    run_id?: string | null;
    event_id?: string | null;
    data?: Record<string, unknown>;
    [member: string]: unknown;
}

export interface Welcome {
    type: 'connection_established';
    connection_id: string;
    user_id: string;
    position: string;
    broadcast_position?: string;
    /** The position behind which the connection reads. */
    from?: string;
    /** Nothing that was asked for is missing; false also where not known. */
    complete?: boolean;
    resumed: boolean;
    replayed: number;
    server_time: number;
    heartbeat_ms: number;
    max_message_bytes: number;
}

/** Events between the two positions are gone: fetch again what they told. */
export interface Gap {
    type: 'gap';
    from: string;
    to: string;
    reason: string;
}

/** The log's past is lost: fetch again what the page shows. */
export interface Reset {
    type: 'stream_reset';
    position: string;
    reason: string;
}

export interface Shutdown {
    type: 'server_shutdown';
    reconnect_after_ms: number;
    reason: string;
}

export interface ErrorFrame {
    type: 'error';
    code: string;
    message: string;
    ref?: unknown;
}

export interface Closed {
    code: number;
    reason: string;
}

/**
 * idle: not begun; waiting: for the next attempt; connecting; open; closed: by
 * close(), or for good by the server.
 */
export type State = 'idle' | 'waiting' | 'connecting' | 'open' | 'closed';

export interface Handlers {
    event: AgentEvent;
    open: Welcome;
    state: State;
    gap: Gap;
    reset: Reset;
    shutdown: Shutdown;
    /**
     * A message was refused, no ticket or connection could be had, or a handler
     * threw. Without a handler of "error", console.warn tells.
     */
    error: ErrorFrame | Error;
    /** A connection ended; the next one is being made, unless "rejected". */
    close: Closed;
    /** The server does not want us back. */
    rejected: Closed;
}

export interface Options {
    /**
     * A new ticket for each attempt: it is good once. The signal is aborted
     * where the attempt ends first.
     */
    ticket: (signal: AbortSignal) => Promise<string> | string;
    /** The thread that this page shows. */
    thread?: string | null;
    /**
     * Where the page left off, of an earlier life: client.position. "start":
     * with all that the log holds.
     */
    position?: string;
    /**
     * Tabs with the same name and thread share one socket, where the browser
     * has Web Locks; a name for each user.
     */
    share?: string;
    /** In place of the global one. */
    WebSocket?: unknown;
}

export class Client {
    constructor(url: string | URL, options: Options | Options['ticket']);

    readonly url: string | URL;
    readonly state: State;
    /** Of the socket, or null. */
    readonly connectionId: string | null;
    /** False where another tab has the socket. */
    readonly leads: boolean;
    /** To go on from in another life of the page. */
    readonly position: string;

    connect(): this;
    /** Ends it, and every iterator. */
    close(): void;

    /**
     * Also by an event's type, unless that is one of these names: then "event"
     * has it. A handler that throws is reported as "error". Returns what undoes
     * it.
     */
    on<K extends keyof Handlers>(type: K, handler: (detail: Handlers[K]) => void):
        () => void;
    on(type: string, handler: (event: AgentEvent) => void): () => void;

    /** All events from now on, or those of one thread, till close(). */
    events(filter?: { thread?: string }): AsyncGenerator<AgentEvent, void>;
    [Symbol.asyncIterator](): AsyncGenerator<AgentEvent, void>;

    /** False: there is no connection, and it was not sent. */
    send(message: { type: string; [member: string]: unknown }): boolean;
    /** The event was handled; an agent that waits for that is told. */
    confirm(event: AgentEvent): boolean;
    /**
     * The thread that is shown from now on, also after a reconnect. Where tabs
     * share, this one goes over to the socket of that thread.
     */
    show(thread: string | null): boolean;
}

/** POSTs to a URL of one's own, which answers {"ticket_id": …}. */
export function fetchTicket(url: string | URL, init?: RequestInit):
    (signal?: AbortSignal) => Promise<string>;
