
/*
 * Copyright (C) the ngx_ws_mgr authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <ngx_ws_mgr_bell.h>


/* datagrams taken in a turn; the kernel holds ten, net.unix.max_dgram_qlen */
#define NGX_WS_MGR_BELL_READS  16


static ngx_int_t ngx_ws_mgr_bell_open(ngx_log_t *log);
static ngx_int_t ngx_ws_mgr_bell_bind(ngx_log_t *log);
static void ngx_ws_mgr_bell_read_handler(ngx_event_t *rev);
static void ngx_ws_mgr_bell_heard_handler(ngx_event_t *ev);


static void              (*ngx_ws_mgr_bell_heard)(void);
static ngx_event_t         ngx_ws_mgr_bell_event;
static ngx_connection_t   *ngx_ws_mgr_bell_connection;

/* also what a worker without a slot rings from */
static ngx_socket_t        ngx_ws_mgr_bell_fd = (ngx_socket_t) -1;


ngx_int_t
ngx_ws_mgr_bell_listen(ngx_log_t *log, void (*heard)(void))
{
    ngx_connection_t  *c;

    ngx_ws_mgr_bell_heard = heard;

    ngx_ws_mgr_bell_event.handler = ngx_ws_mgr_bell_heard_handler;
    ngx_ws_mgr_bell_event.log = log;

    ngx_ws_mgr_bell_close();

    if (ngx_ws_mgr_bell_open(log) != NGX_OK
        || ngx_ws_mgr_bell_bind(log) != NGX_OK)
    {
        ngx_ws_mgr_bell_close();
        return NGX_ERROR;
    }

    c = ngx_get_connection(ngx_ws_mgr_bell_fd, log);
    if (c == NULL) {
        ngx_ws_mgr_bell_close();
        return NGX_ERROR;
    }

    c->log = log;
    c->read->log = log;
    c->write->log = log;
    c->read->handler = ngx_ws_mgr_bell_read_handler;

    /* not a connection that a worker should miss when it exits */
    c->read->channel = 1;

    /* level-triggered: a full queue makes no new edges */

    if (ngx_add_event(c->read, NGX_READ_EVENT, NGX_LEVEL_EVENT) != NGX_OK) {
        ngx_free_connection(c);
        ngx_ws_mgr_bell_close();
        return NGX_ERROR;
    }

    ngx_ws_mgr_bell_connection = c;

    /* what came before this worker listened, for an earlier owner of the slot
       or for this one, is looked at once */
    ngx_post_event(&ngx_ws_mgr_bell_event, &ngx_posted_events);

    return NGX_OK;
}


static ngx_int_t
ngx_ws_mgr_bell_open(ngx_log_t *log)
{
    ngx_ws_mgr_bell_fd = socket(AF_UNIX, SOCK_DGRAM|SOCK_NONBLOCK|SOCK_CLOEXEC,
                                0);

    if (ngx_ws_mgr_bell_fd == (ngx_socket_t) -1) {
        ngx_log_error(NGX_LOG_ALERT, log, ngx_socket_errno,
                      "ws_mgr has no socket to wake other workers with");
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_ws_mgr_bell_bind(ngx_log_t *log)
{
    socklen_t            len;
    ngx_ws_mgr_slot_t   *slot;
    struct sockaddr_un   sun;

    ngx_memzero(&sun, sizeof(sun));
    sun.sun_family = AF_UNIX;
    len = sizeof(sun);

    if (bind(ngx_ws_mgr_bell_fd, (struct sockaddr *) &sun, sizeof(sa_family_t))
        == -1
        || getsockname(ngx_ws_mgr_bell_fd, (struct sockaddr *) &sun, &len)
           == -1)
    {
        ngx_log_error(NGX_LOG_ALERT, log, ngx_socket_errno,
                      "ws_mgr could not name the socket that wakes a worker");
        return NGX_ERROR;
    }

    len -= offsetof(struct sockaddr_un, sun_path);

    if (len == 0 || len > NGX_WS_MGR_BELL_LEN) {
        ngx_log_error(NGX_LOG_ALERT, log, 0,
                      "ws_mgr got a socket's name of %d bytes", (int) len);
        return NGX_ERROR;
    }

    slot = &ngx_ws_mgr_node->slots[ngx_ws_mgr_slot];

    ngx_memcpy(slot->bell, sun.sun_path, len);
    slot->bell_len = (uint8_t) len;

    return NGX_OK;
}


void
ngx_ws_mgr_bell_close(void)
{
    if (ngx_ws_mgr_bell_connection) {
        ngx_close_connection(ngx_ws_mgr_bell_connection);
        ngx_ws_mgr_bell_connection = NULL;

    } else if (ngx_ws_mgr_bell_fd != (ngx_socket_t) -1) {
        (void) ngx_close_socket(ngx_ws_mgr_bell_fd);
    }

    ngx_ws_mgr_bell_fd = (ngx_socket_t) -1;
}


void
ngx_ws_mgr_bell_ring(ngx_uint_t slot)
{
    socklen_t            len;
    struct sockaddr_un   sun;

    if (slot == ngx_ws_mgr_slot) {
        ngx_post_event(&ngx_ws_mgr_bell_event, &ngx_posted_events);
        return;
    }

    len = ngx_min(ngx_ws_mgr_node->slots[slot].bell_len, NGX_WS_MGR_BELL_LEN);

    if (len == 0
        || (ngx_ws_mgr_bell_fd == (ngx_socket_t) -1
            && ngx_ws_mgr_bell_open(ngx_cycle->log) != NGX_OK))
    {
        return;
    }

    sun.sun_family = AF_UNIX;
    ngx_memcpy(sun.sun_path, ngx_ws_mgr_node->slots[slot].bell, len);
    len += offsetof(struct sockaddr_un, sun_path);

    /* EAGAIN: it has been rung and is yet to look; ECONNREFUSED: it is gone,
       and what it left is being swept */

    if (sendto(ngx_ws_mgr_bell_fd, "", 1, MSG_DONTWAIT|MSG_NOSIGNAL,
               (struct sockaddr *) &sun, len)
        == -1
        && ngx_socket_errno != NGX_EAGAIN
        && ngx_socket_errno != NGX_ECONNREFUSED)
    {
        ngx_log_error(NGX_LOG_ALERT, ngx_cycle->log, ngx_socket_errno,
                      "sendto() the ws_mgr worker in slot %ui failed", slot);
        return;
    }

    ngx_ws_mgr_count(BELLS);
}


static void
ngx_ws_mgr_bell_read_handler(ngx_event_t *rev)
{
    u_char             byte;
    ssize_t            n;
    ngx_uint_t         i;
    ngx_connection_t  *c;

    c = rev->data;

    /* what is left keeps the event */

    for (i = 0; i < NGX_WS_MGR_BELL_READS; i++) {
        n = recv(c->fd, &byte, 1, 0);

        if (n == -1) {
            break;
        }
    }

    ngx_post_event(&ngx_ws_mgr_bell_event, &ngx_posted_events);
}


static void
ngx_ws_mgr_bell_heard_handler(ngx_event_t *ev)
{
    (void) ev;

    ngx_ws_mgr_bell_heard();
}
