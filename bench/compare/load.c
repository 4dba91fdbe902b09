
/*
 * Copyright (C) the ngx_ws_mgr authors
 *
 * A load for servers that bring events to sockets: opens sockets, posts, and
 * checks that each event arrives at each of its sockets once and in order.
 * One thread, epoll.
 *
 *     load to=ours|plain at=ADDRESS:PORT [NAME=VALUE …]
 *
 * "ours": a ticket from /api/tickets, /ws, /api/events; "plain": GET /sub/NAME,
 * POST /pub/NAME, as of nchan.
 *
 *     sockets=1     in all, spread over the users
 *     users=1       1: all sockets are one user's
 *     base=0        number of the first user
 *     everyone=0    1: events are for all sockets at once
 *     posters=16    connections that post, each to its own part of the users
 *     posts=10000   as fast as they are answered; or
 *     rate=0        a second, from when each is due, whoever is late
 *     warm=0        posts before those that are measured
 *     batch=1       events in a body, for one user after the other (ours)
 *     stream=0      above 0: each poster has one request without an end, a line
 *                   of it for each event, and up to so many lines that are not
 *                   answered yet (ours); what is due at once is one write
 *     size=300      bytes of an event
 *     from=127.0.0.1  address to connect from, for more than 28,000 sockets
 *     pids=         whose CPU is counted
 *     idle=0        1: nothing is posted; the memory of pids is looked at
 *     late=0        1: a ticket is issued just before it is used, not all of
 *                   them first, so that the memory is that of the sockets
 *                   and of tickets that were used
 *     hold=0        1: says "ready" when the sockets are open, and goes on with
 *                   a line from its input
 *
 * Prints one line of JSON.  Ends with 1 where an event was lost, repeated or
 * out of order.
 */


#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>


#define BUFFER   (256 * 1024)
#define BODY     (64 * 1024)
#define PATIENCE 5                          /* s without any progress */


typedef struct {
    int       fd;
    int       is_poster;
    int       user;                         /* of a poster: the next one's */
    int       waits;                        /* for an answer */
    char     *out;                          /* lines, not written yet */
    size_t    nout;
    uint32_t *next;                         /* of each poster: number due */
    char     *in;                           /* what is not whole yet */
    size_t    len;
    size_t    room;
} peer_t;


static struct {
    const char *to, *at, *from, *pids;
    long  sockets, users, everyone, posters, posts, rate, batch, size, idle;
    long  hold, base, stream, late, warm;
} conf = { "ours", NULL, "127.0.0.1", "", 1, 1, 0, 16, 10000, 0, 1, 300, 0,
           0, 0, 0, 0, 0 };

static struct sockaddr_in  address;
static peer_t             *sockets, *posters;
static uint32_t           *posted;          /* numbers given out: user, poster */
static char              (*tickets)[44];
static long                sent, answered, refused, delivered, due;
static long                lost, repeated, disordered;
static uint32_t           *took;            /* us, of each delivery */
static size_t              ntook, room;
static int                 ep;
static char                buffer[BUFFER];


static void
die(const char *format, ...)
{
    va_list  args;

    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fprintf(stderr, "\n");
    exit(2);
}


static uint64_t
now_us(void)
{
    struct timespec  ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);

    return (uint64_t) ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}


/* of the servers: the number in /proc/PID/NAME that the format finds */

static uint64_t
sum_of(const char *name, const char *format)
{
    char         path[64], line[128], *end;
    FILE        *file;
    uint64_t     sum, n;
    const char  *pids;

    for (sum = 0, pids = conf.pids; *pids; pids = end + (*end == ',')) {
        snprintf(path, sizeof(path), "/proc/%ld/%s", strtol(pids, &end, 10),
                 name);
        file = fopen(path, "r");

        if (file == NULL) {
            die("no %s", path);
        }

        do {
            if (fgets(line, sizeof(line), file) == NULL) {
                die("%s: no \"%s\"", path, format);
            }
        } while (sscanf(line, format, &n) != 1);

        sum += n;
        fclose(file);
    }

    return sum;
}


/* ns that their threads ran */

static uint64_t
cpu(void)
{
    return sum_of("schedstat", "%lu");
}


static uint64_t
pss(void)
{
    return 1024 * sum_of("smaps_rollup", "Pss: %lu");
}


/* with data that the sockets were sent: on the loopback one for each send() */

static uint64_t
segments(void)
{
    long             i;
    uint64_t         n;
    socklen_t        len;
    struct tcp_info  info;

    for (i = 0, n = 0; i < conf.sockets; i++) {
        len = sizeof(info);

        if (getsockopt(sockets[i].fd, IPPROTO_TCP, TCP_INFO, &info, &len)) {
            die("TCP_INFO: %s", strerror(errno));
        }

        n += info.tcpi_data_segs_in;
    }

    return n;
}


static int
dial(int block)
{
    int                 fd, one = 1;
    struct sockaddr_in  local;

    fd = socket(AF_INET, SOCK_STREAM, 0);

    memset(&local, 0, sizeof(local));
    local.sin_family = AF_INET;
    inet_pton(AF_INET, conf.from, &local.sin_addr);

    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof(one));

    if (fd < 0 || bind(fd, (struct sockaddr *) &local, sizeof(local))
        || connect(fd, (struct sockaddr *) &address, sizeof(address)))
    {
        die("connect: %s", strerror(errno));
    }

    if (!block) {
        fcntl(fd, F_SETFL, O_NONBLOCK);
    }

    return fd;
}


static void
put(int fd, const char *data, size_t len)
{
    ssize_t  n;

    while (len) {
        n = write(fd, data, len);

        if (n < 0 && errno == EAGAIN) {
            continue;
        }

        if (n <= 0) {
            die("write: %s", strerror(errno));
        }

        data += n;
        len -= n;
    }
}


/* an answer with a body, while nothing else is going on */

static int
take(int fd, char *out, size_t size)
{
    char    *body, *p;
    size_t   len, want;
    ssize_t  n;

    for (len = 0, want = 0; ; ) {
        n = read(fd, out + len, size - len - 1);

        if (n <= 0) {
            die("read: %s", n ? strerror(errno) : "closed");
        }

        len += n;
        out[len] = '\0';
        body = strstr(out, "\r\n\r\n");

        if (body == NULL) {
            continue;
        }

        p = strcasestr(out, "content-length:");
        want = body + 4 - out + (p && p < body ? strtoul(p + 15, NULL, 10) : 0);

        if (len >= want) {
            return atoi(out + 9);
        }
    }
}


static void
watch(peer_t *peer)
{
    struct epoll_event  ev = { .events = EPOLLIN, .data.ptr = peer };

    peer->in = NULL;
    peer->len = peer->room = 0;
    epoll_ctl(ep, EPOLL_CTL_ADD, peer->fd, &ev);
}


static void
name_of(char *name, int user)
{
    sprintf(name, "u%ld", conf.everyone && strcmp(conf.to, "ours")
                          ? 0 : conf.base + user);
}


static void
issue_ticket(int fd, long i)
{
    char  name[32], text[64], *p;

    name_of(name, i % conf.users);
    sprintf(text, "{\"user_id\":\"%s\"}", name);
    dprintf(fd, "POST /api/tickets HTTP/1.1\r\nHost: x\r\n"
                "Content-Type: application/json\r\n"
                "Content-Length: %zu\r\n\r\n%s", strlen(text), text);

    if (take(fd, buffer, BUFFER) != 201
        || (p = strstr(buffer, "\"ticket_id\":\"")) == NULL)
    {
        die("ticket: %s", buffer);
    }

    sprintf(tickets[i], "%.43s", p + 13);
}


static void
upgrade(peer_t *peer, const char *ticket)
{
    char     name[32], *p;
    ssize_t  n;

    name_of(name, peer->user);
    peer->fd = dial(1);

    dprintf(peer->fd,
            "GET %s%s HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\n"
            "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n%s%s%s\r\n",
            ticket ? "/ws" : "/sub/", ticket ? "" : name,
            ticket ? "Sec-WebSocket-Protocol: ws-mgr.v1, ticket." : "",
            ticket ? ticket : "", ticket ? "\r\n" : "");

    /* a welcome that comes along is passed over */

    p = buffer;
    *p = '\0';

    while (strstr(buffer, "\r\n\r\n") == NULL) {
        n = read(peer->fd, p, buffer + 4095 - p);

        if (n <= 0) {
            die("upgrade: closed");
        }

        p += n;
        *p = '\0';
    }

    if (atoi(buffer + 9) != 101) {
        die("upgrade: %s", buffer);
    }

    fcntl(peer->fd, F_SETFL, O_NONBLOCK);
}


static void
open_sockets(int issuer)
{
    long  i;

    for (i = 0; i < conf.sockets; i++) {
        sockets[i].user = i % conf.users;

        if (issuer >= 0) {
            issue_ticket(issuer, i);
        }

        upgrade(&sockets[i], tickets ? tickets[i] : NULL);
    }
}


static size_t
event_of(char *p, peer_t *poster, uint64_t at)
{
    int        n;
    long       pad, k;
    char       name[32];
    uint32_t  *number;

    k = poster - posters;
    number = &posted[(conf.everyone ? 0 : poster->user) * conf.posters + k];

    name_of(name, poster->user);

    n = sprintf(p, "{\"type\":\"b\",\"user_id\":\"%s\",\"by\":%ld,"
                   "\"n\":%u,\"at\":%lu,\"pad\":\"",
                conf.everyone ? "*" : name, k, (*number)++, at);
    pad = conf.size - n - 2;

    if (pad > 0) {
        memset(p + n, 'x', pad);
        n += pad;
    }

    return n + sprintf(p + n, "\"}");
}


static void
post(peer_t *poster, uint64_t at)
{
    static char   body[BODY + 512], head[512];
    size_t        len, n;
    long          i, of;
    char          name[32];

    of = conf.everyone ? conf.sockets
                       : conf.sockets / conf.users;
    name_of(name, poster->user);

    for (len = 0, i = 0; i < conf.batch; i++) {
        len += event_of(body + len, poster, at);

        if (conf.batch > 1) {
            body[len++] = '\n';
        }

        due += of;
        poster->user = (poster->user + conf.posters) % conf.users;
    }

    n = !strcmp(conf.to, "ours")
        ? (size_t) sprintf(head, "POST /api/events HTTP/1.1\r\nHost: x\r\n"
                       "Content-Type: application/%s\r\nContent-Length: %zu"
                       "\r\n\r\n", conf.batch > 1 ? "x-ndjson" : "json", len)
        : (size_t) sprintf(head, "POST /pub/%s HTTP/1.1\r\nHost: x\r\n"
                       "Content-Type: application/json\r\n"
                       "Content-Length: %zu\r\n\r\n", name, len);

    memmove(body + n, body, len);
    memcpy(body, head, n);
    put(poster->fd, body, n + len);

    sent++;
    poster->waits = 1;
}


static void
keep(peer_t *peer, const char *data, size_t len)
{
    if (len > peer->room) {
        peer->room = len + 4096;
        peer->in = realloc(peer->in, peer->room);
    }

    if (len) {
        memmove(peer->in, data, len);
    }

    peer->len = len;
}


/* --- streams: a line goes as a chunk of the request, RFC 9112 section 7.1 --- */

static void
begin_stream(peer_t *poster)
{
    const char  head[] = "POST /api/events HTTP/1.1\r\nHost: x\r\n"
                         "Content-Type: application/x-ndjson\r\n"
                         "Transfer-Encoding: chunked\r\n\r\n";

    poster->out = malloc(BODY);
    put(poster->fd, head, sizeof(head) - 1);
}


static void
flush(peer_t *poster)
{
    if (poster->nout) {
        put(poster->fd, poster->out, poster->nout);
        poster->nout = 0;
    }
}


static void
line(peer_t *poster, uint64_t at)
{
    char    *p, size[9];
    size_t   len;

    if (poster->nout + conf.size + 300 > BODY) {
        flush(poster);
    }

    p = poster->out + poster->nout;
    len = event_of(p + 8, poster, at);

    sprintf(size, "%06zx\r\n", len + 1);
    memcpy(p, size, 8);
    memcpy(p + 8 + len, "\n\r\n", 3);
    poster->nout += 8 + len + 3;

    due += conf.sockets / conf.users;
    poster->user = (poster->user + conf.posters) % conf.users;

    sent++;
    poster->waits++;
}


/* results, a line each, between the heads of the answer and of its chunks */

static void
results(peer_t *poster, char *p, char *last)
{
    char  *end;

    for ( /* void */ ; p < last; p = end + 1) {
        end = memchr(p, '\n', last - p);

        if (end == NULL) {
            break;
        }

        if (p < end && *p == '{') {

            if (memmem(p, end - p, "\"stored\":true", 13) == NULL
                && refused++ == 0)
            {
                fprintf(stderr, "%.*s\n", (int) (end - p), p);
            }

            answered++;
            poster->waits--;
        }
    }

    keep(poster, p, last - p);
}


/* whole answers in the data; what is left is kept */

static void
answers(peer_t *poster, char *p, char *last)
{
    char  *body, *length;

    while (p < last) {
        body = memmem(p, last - p, "\r\n\r\n", 4);

        if (body == NULL) {
            break;
        }

        length = memmem(p, body - p, "Content-Length: ", 16);
        body += 4 + (length ? atol(length + 16) : 0);

        if (body > last) {
            break;
        }

        if (p[9] != '2') {
            refused++;

            if (refused == 1) {
                fprintf(stderr, "%.*s\n", (int) (body - p), p);
            }
        }

        answered++;
        poster->waits = 0;
        p = body;
    }

    keep(poster, p, last - p);
}


static void
event(peer_t *peer, const char *p, size_t len)
{
    char      *n, *at, *by;
    uint64_t   us;
    uint32_t   number, *next;

    by = memmem(p, len, "\"by\":", 5);
    n = memmem(p, len, "\"n\":", 4);
    at = memmem(p, len, "\"at\":", 5);

    if (by == NULL || n == NULL || at == NULL) {
        return;                             /* a welcome */
    }

    number = strtoul(n + 4, NULL, 10);
    next = &peer->next[strtoul(by + 5, NULL, 10) % conf.posters];

    if (number != *next) {
        if (number < *next) {
            repeated++;
        } else {
            disordered++;
        }
    }

    *next = number + 1;
    delivered++;

    us = now_us() - strtoull(at + 5, NULL, 10);

    if (ntook < room) {
        took[ntook++] = us;
    }
}


static void
frames(peer_t *peer, char *p, char *last)
{
    size_t    head, len;
    uint8_t  *u;

    while (last - p >= 2) {
        u = (uint8_t *) p;
        head = u[1] < 126 ? 2 : u[1] == 126 ? 4 : 10;

        if ((size_t) (last - p) < head) {
            break;
        }

        len = u[1] < 126 ? u[1] : u[1] == 126 ? (size_t) u[2] << 8 | u[3]
              : (size_t) u[6] << 24 | u[7] << 16 | u[8] << 8 | u[9];

        if ((size_t) (last - p) < head + len) {
            break;
        }

        if ((u[0] & 15) == 1) {
            event(peer, p + head, len);
        } else if ((u[0] & 15) == 8) {
            die("a socket was closed: %d", u[head] << 8 | u[head + 1]);
        }

        p += head + len;
    }

    keep(peer, p, last - p);
}


static void
readable(peer_t *peer)
{
    ssize_t  n;

    if (peer->len) {
        memcpy(buffer, peer->in, peer->len);
    }

    n = read(peer->fd, buffer + peer->len, BUFFER - peer->len);

    if (n == 0 || (n < 0 && errno != EAGAIN)) {
        die("%s: %s", peer->is_poster ? "poster" : "socket",
            n ? strerror(errno) : "closed");
    }

    if (n > 0) {
        (!peer->is_poster ? frames : conf.stream ? results : answers)
            (peer, buffer, buffer + peer->len + n);
    }
}


static int
compare(const void *a, const void *b)
{
    uint32_t  x = *(uint32_t *) a, y = *(uint32_t *) b;

    return x < y ? -1 : x > y;
}


/* when the next one is */

static uint64_t
due_at(uint64_t begun)
{
    return conf.rate ? begun + (uint64_t) sent * 1000000 / conf.rate
                     : now_us();
}


/* all that is due, as far as there are posters that do not wait */

static void
post_due(uint64_t begun)
{
    long      k;
    uint64_t  at;

    for (k = 0; k < conf.posters && sent < conf.posts; k++) {

        if (posters[k].waits) {
            continue;
        }

        at = due_at(begun);

        if (at > now_us()) {
            break;
        }

        post(&posters[k], at);
    }
}


/* the same of streams, in turn: one that has to wait lets all others wait */

static void
stream_due(uint64_t begun)
{
    long      k;
    uint64_t  at;

    while (sent < conf.posts) {
        at = due_at(begun);
        k = sent % conf.posters;

        if (at > now_us() || posters[k].waits == conf.stream) {
            break;
        }

        line(&posters[k], at);
    }

    for (k = 0; k < conf.posters; k++) {
        flush(&posters[k]);
    }
}


/* till all is answered and heard; what does not come in PATIENCE is lost */

static uint64_t
run(void)
{
    int                  i, n;
    long                 total;
    uint64_t             begun, moved;
    struct epoll_event   ev[512];

    total = conf.posts;
    begun = moved = now_us();

    while (answered < total || delivered < due) {

        (conf.stream ? stream_due : post_due)(begun);

        n = epoll_wait(ep, ev, 512, conf.rate && sent < total ? 0 : 200);

        for (i = 0; i < n; i++) {
            readable(ev[i].data.ptr);
        }

        if (n) {
            moved = now_us();

        } else if (now_us() - moved > PATIENCE * 1000000) {
            break;
        }
    }

    lost = due - delivered + repeated;

    return now_us() - begun;
}


static void
settings(int argc, char **argv)
{
    int    i;
    char  *value, text[64];

    struct { const char *name; long *number; } numbers[] = {
        { "sockets", &conf.sockets }, { "users", &conf.users },
        { "everyone", &conf.everyone }, { "posters", &conf.posters },
        { "posts", &conf.posts }, { "rate", &conf.rate },
        { "batch", &conf.batch }, { "size", &conf.size },
        { "idle", &conf.idle }, { "hold", &conf.hold },
        { "base", &conf.base }, { "stream", &conf.stream },
        { "late", &conf.late }, { "warm", &conf.warm },
        { NULL, NULL }
    }, *n;

    struct { const char *name; const char **text; } texts[] = {
        { "to", &conf.to }, { "at", &conf.at }, { "from", &conf.from },
        { "pids", &conf.pids }, { NULL, NULL }
    }, *t;

    for (i = 1; i < argc; i++) {
        value = strchr(argv[i], '=');

        if (value == NULL) {
            die("%s: NAME=VALUE", argv[i]);
        }

        *value++ = '\0';

        for (n = numbers; n->name && strcmp(n->name, argv[i]); n++) { }
        for (t = texts; t->name && strcmp(t->name, argv[i]); t++) { }

        if (n->name) {
            *n->number = atol(value);
        } else if (t->name) {
            *t->text = value;
        } else {
            die("%s: unknown", argv[i]);
        }
    }

    if (conf.sockets < 0 || conf.users < 1 || conf.posters < 1
        || conf.batch < 1 || conf.size < 1
        || conf.batch * (conf.size + 256) > BODY)
    {
        die("a setting is too small, or a body too large");
    }

    value = conf.at ? strchr(conf.at, ':') : NULL;

    if (value == NULL) {
        die("at=ADDRESS:PORT");
    }

    snprintf(text, sizeof(text), "%.*s", (int) (value - conf.at), conf.at);
    address.sin_family = AF_INET;
    address.sin_port = htons(atoi(value + 1));
    inet_pton(AF_INET, text, &address.sin_addr);
}


/* posts that are checked, and not measured */

static void
warm_up(void)
{
    long  posts;

    posts = conf.posts;
    conf.posts = conf.warm;

    (void) run();

    if (refused || lost || repeated || disordered) {
        die("events were lost, repeated or disordered before it began");
    }

    conf.posts = posts;
    sent = 0;
    answered = 0;
    delivered = 0;
    due = 0;
    ntook = 0;
}


int
main(int argc, char **argv)
{
    int            issuer;
    long           i;
    uint64_t       us, ran, held, opened, sends;
    struct rlimit  limit;

    settings(argc, argv);

    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);

    room = 4000000;
    took = malloc(room * sizeof(uint32_t));
    sockets = calloc(conf.sockets, sizeof(peer_t));
    posters = calloc(conf.posters, sizeof(peer_t));
    posted = calloc(conf.users * conf.posters, sizeof(uint32_t));
    ep = epoll_create1(0);

    issuer = -1;

    if (!strcmp(conf.to, "ours")) {
        tickets = calloc(conf.sockets, sizeof(*tickets));
        issuer = dial(1);

        for (i = 0; !conf.late && i < conf.sockets; i++) {
            issue_ticket(issuer, i);
        }
    }

    held = pss();
    ran = cpu();
    us = now_us();
    open_sockets(conf.late ? issuer : -1);
    opened = now_us() - us;
    ran = cpu() - ran;

    printf("{\"sockets\":%ld,\"connect_us\":%.2f,\"connect_cpu_us\":%.2f",
           conf.sockets, (double) opened / (conf.sockets ? conf.sockets : 1),
           ran / 1000.0 / (conf.sockets ? conf.sockets : 1));

    for (i = 0; i < conf.sockets; i++) {
        sockets[i].next = calloc(conf.posters, sizeof(uint32_t));
        watch(&sockets[i]);
    }

    if (conf.idle) {
        usleep(500000);
        printf(",\"memory\":%.0f",
               ((double) pss() - held) / conf.sockets);
    }

    if (conf.hold) {
        printf("}\n");
        fflush(stdout);

        if (read(0, buffer, 1) != 1) {
            return 2;
        }

        printf("{\"held\":%ld", conf.sockets);
    }

    if (!conf.idle) {
        for (i = 0; i < conf.posters; i++) {
            posters[i].fd = dial(0);
            posters[i].is_poster = 1;
            posters[i].user = i % conf.users;
            watch(&posters[i]);

            if (conf.stream) {
                begin_stream(&posters[i]);
            }
        }

        warm_up();

        sends = segments();
        ran = cpu();
        us = run();
        ran = cpu() - ran;
        sends = segments() - sends;

        qsort(took, ntook, sizeof(uint32_t), compare);

        printf(",\"seconds\":%.3f,\"posts\":%ld,\"posts_s\":%.0f,"
               "\"cpu_us_post\":%.2f,\"cpu_us_event\":%.3f,"
               "\"cpu_us_delivery\":%.3f,"
               "\"sends_socket_s\":%.1f,"
               "\"deliveries\":%ld,\"p50_us\":%u,\"p99_us\":%u,\"max_us\":%u,"
               "\"refused\":%ld,\"lost\":%ld,\"repeated\":%ld,"
               "\"disordered\":%ld",
               us / 1e6, answered, answered / (us / 1e6),
               ran / 1000.0 / (sent ? sent : 1),
               ran / 1000.0 / (sent ? sent * conf.batch : 1),
               ran / 1000.0 / (delivered ? delivered : 1),
               sends / (us / 1e6) / (conf.sockets ? conf.sockets : 1),
               delivered,
               ntook ? took[ntook / 2] : 0,
               ntook ? took[(size_t) (ntook * 0.99)] : 0,
               ntook ? took[ntook - 1] : 0, refused, lost, repeated,
               disordered);
    }

    printf("}\n");

    return refused || lost || repeated || disordered;
}
