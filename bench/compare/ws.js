/* "ws" on Node, as plainly as it can be: ws.js PORT.  GET /sub/NAME, POST
   /pub/NAME. */

const http = require('node:http');
const { WebSocketServer } = require('ws');

const channels = new Map();
const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false });

const server = http.createServer((request, response) => {
    const parts = [];

    request.on('data', part => parts.push(part));
    request.on('end', () => {
        const body = Buffer.concat(parts);

        for (const socket of channels.get(request.url.slice(5)) || []) {
            socket.send(body, { binary: false });
        }

        response.writeHead(204).end();
    });
});

server.on('upgrade', (request, stream, head) => {
    sockets.handleUpgrade(request, stream, head, socket => {
        const name = request.url.slice(5);

        channels.set(name, (channels.get(name) || new Set()).add(socket));
        socket.on('close', () => channels.get(name).delete(socket));
    });
});

server.listen({ port: +process.argv[2], host: '127.0.0.1', backlog: 4096 });
