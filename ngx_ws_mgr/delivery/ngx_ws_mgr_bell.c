
/*
 * Copyright (C) the ngx_ws_mgr authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <sys/eventfd.h>
#include <ngx_ws_mgr_bell.h>


static void ngx_ws_mgr_bell_cleanup(void *data);
static void ngx_ws_mgr_bell_read_handler(ngx_event_t *rev);
static void ngx_ws_mgr_bell_read(ngx_event_t *rev);
static void ngx_ws_mgr_bell_heard_handler(ngx_event_t *ev);


static void              (*ngx_ws_mgr_bell_heard)(void);
static ngx_event_t         ngx_ws_mgr_bell_event;
static ngx_connection_t   *ngx_ws_mgr_bell_connection;

/* of the master: the node's zone is gone before its last cycle is */

static int                 ngx_ws_mgr_bell_fds[NGX_WS_MGR_SLOTS];
static ngx_uint_t          ngx_ws_mgr_bell_cycles;


ngx_int_t
ngx_ws_mgr_bell_create(ngx_ws_mgr_node_t *node, ngx_cycle_t *cycle)
{
    int                  fd;
    ngx_uint_t           i;
    ngx_pool_cleanup_t  *cln;

    cln = ngx_pool_cleanup_add(cycle->pool, 0);
    if (cln == NULL) {
        return NGX_ERROR;
    }

    cln->handler = ngx_ws_mgr_bell_cleanup;
    ngx_ws_mgr_bell_cycles++;

    for (i = 0; i < NGX_WS_MGR_SLOTS; i++) {

        if (node->slots[i].bell != -1) {
            continue;
        }

        fd = eventfd(0, EFD_NONBLOCK|EFD_CLOEXEC);

        if (fd == -1) {
            ngx_log_error(NGX_LOG_EMERG, cycle->log, ngx_errno,
                          "eventfd() failed for ws_mgr worker slot %ui of %d",
                          i, NGX_WS_MGR_SLOTS);
            return NGX_ERROR;
        }

        node->slots[i].bell = fd;
        ngx_ws_mgr_bell_fds[i] = fd;
    }

    return NGX_OK;
}


/* a configuration without the module is the end of the node */

static void
ngx_ws_mgr_bell_cleanup(void *data)
{
    ngx_uint_t  i;

    (void) data;

    if (--ngx_ws_mgr_bell_cycles || ngx_process == NGX_PROCESS_WORKER) {
        return;
    }

    for (i = 0; i < NGX_WS_MGR_SLOTS; i++) {

        if (ngx_ws_mgr_bell_fds[i]) {
            (void) close(ngx_ws_mgr_bell_fds[i]);
            ngx_ws_mgr_bell_fds[i] = 0;
        }
    }
}


ngx_int_t
ngx_ws_mgr_bell_listen(ngx_cycle_t *cycle, void (*heard)(void))
{
    ngx_uint_t         flags;
    ngx_connection_t  *c;

    ngx_ws_mgr_bell_heard = heard;

    ngx_ws_mgr_bell_event.handler = ngx_ws_mgr_bell_heard_handler;
    ngx_ws_mgr_bell_event.log = cycle->log;

    c = ngx_get_connection(ngx_ws_mgr_node->slots[ngx_ws_mgr_slot].bell,
                           cycle->log);
    if (c == NULL) {
        return NGX_ERROR;
    }

    c->log = cycle->log;
    c->read->log = cycle->log;
    c->write->log = cycle->log;
    c->read->handler = ngx_ws_mgr_bell_read_handler;

    /* not a connection that a worker should miss when it exits */
    c->read->channel = 1;

    flags = (ngx_event_flags & NGX_USE_CLEAR_EVENT) ? NGX_CLEAR_EVENT
                                                    : NGX_LEVEL_EVENT;

    if (ngx_add_event(c->read, NGX_READ_EVENT, flags) != NGX_OK) {
        ngx_free_connection(c);
        return NGX_ERROR;
    }

    ngx_ws_mgr_bell_connection = c;

    /* what came before this worker listened, for an earlier owner of the slot
       or for this one, is looked at once */
    ngx_post_event(&ngx_ws_mgr_bell_event, &ngx_posted_events);

    return NGX_OK;
}


void
ngx_ws_mgr_bell_close(void)
{
    if (ngx_ws_mgr_bell_connection) {
        /* closes this process' copy of the descriptor only */
        ngx_close_connection(ngx_ws_mgr_bell_connection);
        ngx_ws_mgr_bell_connection = NULL;
    }
}


void
ngx_ws_mgr_bell_ring(ngx_uint_t slot)
{
    uint64_t  one;

    if (slot == ngx_ws_mgr_slot) {
        ngx_post_event(&ngx_ws_mgr_bell_event, &ngx_posted_events);
        return;
    }

    one = 1;

    if (write(ngx_ws_mgr_node->slots[slot].bell, &one, sizeof(one)) == -1
        && ngx_errno != NGX_EAGAIN)
    {
        ngx_log_error(NGX_LOG_ALERT, ngx_cycle->log, ngx_errno,
                      "write() to ws_mgr eventfd of slot %ui failed", slot);
        return;
    }

    ngx_ws_mgr_count(BELLS);
}


static void
ngx_ws_mgr_bell_read_handler(ngx_event_t *rev)
{
    /* where events are edge-triggered, each ring is one, whatever it is that
       the descriptor has counted: 2^64 rings need no reading */

    if (!(ngx_event_flags & NGX_USE_CLEAR_EVENT)) {
        ngx_ws_mgr_bell_read(rev);
    }

    ngx_post_event(&ngx_ws_mgr_bell_event, &ngx_posted_events);
}


static void
ngx_ws_mgr_bell_read(ngx_event_t *rev)
{
    ssize_t            n;
    uint64_t           count;
    ngx_connection_t  *c;

    c = rev->data;

    do {
        n = read(c->fd, &count, sizeof(count));
    } while (n == -1 && ngx_errno == NGX_EINTR);

    if (n == -1 && ngx_errno != NGX_EAGAIN) {
        ngx_log_error(NGX_LOG_ALERT, rev->log, ngx_errno,
                      "read() of ws_mgr eventfd failed");
    }
}


static void
ngx_ws_mgr_bell_heard_handler(ngx_event_t *ev)
{
    (void) ev;

    ngx_ws_mgr_bell_heard();
}
