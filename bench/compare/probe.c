
/*
 * Copyright (C) the ngx_ws_mgr authors
 *
 * How long a server lets a small request wait, at most, while it does other
 * things: how long its loop stood in one of its turns.  Asks again and again
 * till its input ends.
 *
 *     probe ADDRESS:PORT PATH [INTERVAL_US]
 *
 * A wait is from before the write() to when the kernel had the answer, by
 * SO_TIMESTAMPNS: that this process itself waits for a core to read it does not
 * count.  A turn of the loop is seen but for what had passed of it when the
 * request came, up to the interval (200 us).
 *
 * Prints one line of JSON.
 */


#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>


static void
die(const char *what)
{
    perror(what);
    exit(2);
}


static int64_t
us_of(const struct timespec *ts)
{
    return (int64_t) ts->tv_sec * 1000000 + ts->tv_nsec / 1000;
}


static int
dial(const char *at)
{
    int                  fd, one = 1;
    char                *colon, host[64];
    struct sockaddr_in   address;

    colon = strchr(at, ':');

    if (colon == NULL || (size_t) (colon - at) >= sizeof(host)) {
        fprintf(stderr, "%s: ADDRESS:PORT\n", at);
        exit(2);
    }

    memset(&address, 0, sizeof(address));
    snprintf(host, sizeof(host), "%.*s", (int) (colon - at), at);
    address.sin_family = AF_INET;
    address.sin_port = htons(atoi(colon + 1));

    if (inet_pton(AF_INET, host, &address.sin_addr) != 1) {
        fprintf(stderr, "%s: no address\n", host);
        exit(2);
    }

    fd = socket(AF_INET, SOCK_STREAM, 0);

    if (fd < 0
        || connect(fd, (struct sockaddr *) &address, sizeof(address))
        || setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one))
        || setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &one, sizeof(one)))
    {
        die(at);
    }

    return fd;
}


/* us till the kernel had the answer to the request */

static int64_t
ask(int fd, const char *request, size_t len)
{
    char              answer[4096], control[256];
    ssize_t           n;
    struct iovec      iov = { answer, sizeof(answer) };
    struct msghdr     msg;
    struct cmsghdr   *c;
    struct timespec   asked, told;

    clock_gettime(CLOCK_REALTIME, &asked);

    if (write(fd, request, len) != (ssize_t) len) {
        die("write");
    }

    memset(&msg, 0, sizeof(msg));
    msg.msg_iov = &iov;
    msg.msg_iovlen = 1;
    msg.msg_control = control;
    msg.msg_controllen = sizeof(control);

    n = recvmsg(fd, &msg, 0);

    if (n < 12 || memcmp(answer, "HTTP/1.1 2", 10) != 0) {
        fprintf(stderr, "the answer is %.*s\n", n > 0 ? (int) n : 4,
                n > 0 ? answer : "none");
        exit(2);
    }

    for (c = CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c)) {
        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS) {
            memcpy(&told, CMSG_DATA(c), sizeof(told));
            return us_of(&told) - us_of(&asked);
        }
    }

    fprintf(stderr, "no time of an answer\n");
    exit(2);
}


int
main(int argc, char **argv)
{
    int              fd;
    char             request[512];
    long             n, interval;
    size_t           len;
    int64_t          us, longest, sum;
    struct pollfd    input = { .fd = 0, .events = POLLIN };
    struct timespec  pause;

    if (argc < 3) {
        fprintf(stderr, "probe ADDRESS:PORT PATH [INTERVAL_US]\n");
        return 2;
    }

    interval = argc > 3 ? atol(argv[3]) : 200;
    pause.tv_sec = interval / 1000000;
    pause.tv_nsec = interval % 1000000 * 1000;

    /* ahead of a load on the same core, where that is allowed */
    (void) setpriority(PRIO_PROCESS, 0, -20);

    fd = dial(argv[1]);
    len = snprintf(request, sizeof(request),
                   "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", argv[2]);

    if (len >= sizeof(request)) {
        fprintf(stderr, "the path is too long\n");
        return 2;
    }

    (void) ask(fd, request, len);           /* what is done once */

    for (n = 0, sum = 0, longest = 0; ppoll(&input, 1, &pause, NULL) == 0; n++) {
        us = ask(fd, request, len);
        sum += us;

        if (us > longest) {
            longest = us;
        }
    }

    printf("{\"asked\":%ld,\"mean_us\":%.1f,\"longest_us\":%ld}\n", n,
           n ? (double) sum / n : 0.0, (long) longest);

    return n == 0;
}
