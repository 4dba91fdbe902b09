
/*
 * Copyright (C) the ngx_ws_mgr authors
 *
 * The floor of this kernel: takes GET /sub/uN and POST /pub/uN, parses as
 * little as it can, keeps nothing, checks nothing, and writes.  limit PORT
 */


#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>


#define CHANNELS  (1 << 17)
#define BUFFER    (64 * 1024)


typedef struct {
    int  *fds;
    int   n;
} channel_t;


static channel_t  channels[CHANNELS];
static char       buffer[BUFFER + 1], frame[BUFFER + 16];

static const char  upgraded[] =
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
    "Connection: Upgrade\r\nSec-WebSocket-Accept: x\r\n\r\n";
static const char  taken[] = "HTTP/1.1 204 No Content\r\n\r\n";


static void
publish(channel_t *channel, char *body, size_t len)
{
    int     i;
    size_t  head = len < 126 ? 2 : 4;

    frame[0] = (char) 0x81;
    frame[1] = len < 126 ? (char) len : 126;
    frame[2] = (char) (len >> 8);
    frame[3] = (char) len;
    memcpy(frame + head, body, len);

    for (i = 0; i < channel->n; i++) {
        (void) !send(channel->fds[i], frame, head + len, MSG_NOSIGNAL);
    }
}


static void
serve(int fd)
{
    char       *body, *length;
    ssize_t     n;
    channel_t  *channel;

    n = recv(fd, buffer, BUFFER, 0);

    if (n <= 0) {
        if (n == 0) {
            close(fd);
        }

        return;
    }

    buffer[n] = '\0';

    if (n < 10 || (buffer[0] != 'G' && buffer[0] != 'P')) {
        return;
    }

    channel = &channels[atoi(buffer + (buffer[0] == 'G' ? 10 : 11))
                        & (CHANNELS - 1)];

    if (buffer[0] == 'G') {
        channel->fds = realloc(channel->fds, (channel->n + 1) * sizeof(int));
        channel->fds[channel->n++] = fd;
        (void) !send(fd, upgraded, sizeof(upgraded) - 1, MSG_NOSIGNAL);
        return;
    }

    length = strstr(buffer, "Content-Length: ");
    body = length ? strstr(length, "\r\n\r\n") : NULL;

    if (body) {
        publish(channel, body + 4, atol(length + 16));
        (void) !send(fd, taken, sizeof(taken) - 1, MSG_NOSIGNAL);
    }
}


int
main(int argc, char **argv)
{
    int                  ep, s, fd, i, n, one = 1;
    struct rlimit        limit;
    struct epoll_event   ev, evs[512];
    struct sockaddr_in   sin = { .sin_family = AF_INET };

    (void) argc;

    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);

    s = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    sin.sin_port = htons(atoi(argv[1]));
    sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);

    if (bind(s, (struct sockaddr *) &sin, sizeof(sin)) || listen(s, 4096)) {
        perror("bind");
        return 1;
    }

    ep = epoll_create1(0);
    ev.events = EPOLLIN;
    ev.data.fd = s;
    epoll_ctl(ep, EPOLL_CTL_ADD, s, &ev);

    for ( ;; ) {
        n = epoll_wait(ep, evs, 512, -1);

        for (i = 0; i < n; i++) {
            if (evs[i].data.fd != s) {
                serve(evs[i].data.fd);
                continue;
            }

            while ((fd = accept4(s, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
                setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
                ev.events = EPOLLIN;
                ev.data.fd = fd;
                epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev);
            }
        }
    }
}
