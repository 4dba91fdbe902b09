// "ws" from npm: see t/websocket/clients.t for what it is told and tells.

'use strict';

const WebSocket = require(process.env.WS_MGR_CLIENTS + '/node_modules/ws');

const [url, ticket, deflate, ...commands] = process.argv.slice(2);

const socket = new WebSocket(url, ['ws-mgr.v1', 'ticket.' + ticket], {
    perMessageDeflate: deflate === 'deflate' && { threshold: 0 },
});

const heard = [];
let wake = null;

const tell = (...words) => console.log(...words);
const hear = (...words) => { heard.push(words); if (wake) wake(); };

async function next() {
    while (heard.length === 0) {
        await new Promise((resolve) => { wake = resolve; });
    }

    return heard.shift();
}

function pattern(n) {
    return Buffer.from(Array.from({ length: n }, (_, i) => i % 251));
}

socket.on('message', (data, isBinary) => {
    if (isBinary) {
        hear('binary', data.length,
             data.equals(pattern(data.length)) ? 'True' : 'False');
    } else {
        hear('text', data.toString());
    }
});

socket.on('pong', (data) => hear('pong', data.toString()));
socket.on('close', (code, reason) => hear('closed', code, reason.toString()));
socket.on('error', (error) => { tell('error', error.message); process.exit(1); });

socket.on('open', async () => {
    tell('open', socket.protocol, socket.extensions || '-');

    for (const command of commands) {
        const [, what, value] = command.match(/^(\w+):?(.*)$/s);

        if (what === 'text') {
            socket.send(value);
        } else if (what === 'binary') {
            socket.send(pattern(Number(value)));
        } else if (what === 'parts') {
            value.split(',').forEach((part, i, parts) =>
                socket.send(part, { fin: i === parts.length - 1 }));
        } else if (what === 'ping') {
            socket.ping(value);
            tell(...await next());
        } else if (what === 'receive') {
            tell(...await next());
        } else if (what === 'close') {
            const [code, reason] = value.split(',');
            socket.close(Number(code), reason);
            tell(...await next());
        }
    }
});
