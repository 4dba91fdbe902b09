
/*
 * Copyright (C) the ngx_ws_mgr authors
 *
 * The connection to a Redis server: connect, log in, probe, read, write, close,
 * and connect again after a back-off.  A worker has one for each server; all
 * handlers run on its event loop.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_event_connect.h>
#include <ngx_ws_mgr_redis_io.h>


/* ms; with "timeout" they bound how long it takes to see a server again */
#define NGX_WS_MGR_REDIS_BACKOFF      50
#define NGX_WS_MGR_REDIS_BACKOFF_MAX  400
#define NGX_WS_MGR_REDIS_PROBE        1000

#define NGX_WS_MGR_REDIS_OUT_KEEP     (1024 * 1024)


static void ngx_ws_mgr_redis_timer_handler(ngx_event_t *ev);
static void ngx_ws_mgr_redis_read_handler(ngx_event_t *rev);
static void ngx_ws_mgr_redis_write_handler(ngx_event_t *wev);
static void ngx_ws_mgr_redis_flush_handler(ngx_event_t *ev);
static ngx_int_t ngx_ws_mgr_redis_connected(ngx_ws_mgr_redis_t *redis);
static void ngx_ws_mgr_redis_lose(ngx_ws_mgr_redis_t *redis);
static void ngx_ws_mgr_redis_connect(ngx_ws_mgr_redis_t *redis);
static ngx_int_t ngx_ws_mgr_redis_open(ngx_ws_mgr_redis_t *redis);
static ngx_int_t ngx_ws_mgr_redis_login(ngx_ws_mgr_redis_t *redis);
static void ngx_ws_mgr_redis_login_done(ngx_ws_mgr_redis_call_t *call,
    redisReply *reply);
static void ngx_ws_mgr_redis_ping(ngx_ws_mgr_redis_t *redis);
static void ngx_ws_mgr_redis_ping_done(ngx_ws_mgr_redis_call_t *call,
    redisReply *reply);
static void ngx_ws_mgr_redis_close(ngx_ws_mgr_redis_t *redis);
static void ngx_ws_mgr_redis_again(ngx_ws_mgr_redis_t *redis);
static ngx_uint_t ngx_ws_mgr_redis_overdue(ngx_ws_mgr_redis_t *redis);
static void ngx_ws_mgr_redis_flush(ngx_ws_mgr_redis_t *redis);


static ngx_queue_t  ngx_ws_mgr_redis_all = {
    &ngx_ws_mgr_redis_all, &ngx_ws_mgr_redis_all
};

/* what debug lines of timers show as descriptor */
static ngx_connection_t  ngx_ws_mgr_redis_nobody = {
    .fd = (ngx_socket_t) -1
};


ngx_ws_mgr_redis_t *
ngx_ws_mgr_redis_create(ngx_ws_mgr_redis_conf_t *conf,
    ngx_ws_mgr_redis_probe_pt probe, ngx_cycle_t *cycle)
{
    ngx_uint_t           i;
    ngx_ws_mgr_redis_t  *redis;

    redis = ngx_pcalloc(cycle->pool, sizeof(ngx_ws_mgr_redis_t));
    if (redis == NULL) {
        return NULL;
    }

    redis->conf = conf;
    redis->probe = probe;
    redis->log = cycle->log;
    redis->backoff = NGX_WS_MGR_REDIS_BACKOFF;

    /* workers that begin together do not all begin with the same address */
    redis->attempts = ngx_random();

    ngx_queue_init(&redis->waiting);
    ngx_queue_init(&redis->sent);
    ngx_queue_init(&redis->again);

    redis->timer.handler = ngx_ws_mgr_redis_timer_handler;
    redis->timer.data = &ngx_ws_mgr_redis_nobody;
    redis->timer.log = cycle->log;
    redis->timer.cancelable = 1;

    redis->flush.handler = ngx_ws_mgr_redis_flush_handler;
    redis->flush.data = redis;
    redis->flush.log = cycle->log;

    for (i = 0; i < NGX_WS_MGR_REDIS_HELLO; i++) {
        redis->hello[i].done = ngx_ws_mgr_redis_login_done;
        redis->hello[i].data = redis;
    }

    redis->ping.done = ngx_ws_mgr_redis_ping_done;
    redis->ping.data = redis;

    ngx_queue_insert_tail(&ngx_ws_mgr_redis_all, &redis->queue);

    ngx_ws_mgr_redis_connect(redis);

    return redis;
}


void
ngx_ws_mgr_redis_exit(void)
{
    ngx_queue_t         *q;
    ngx_ws_mgr_redis_t  *redis;

    while (!ngx_queue_empty(&ngx_ws_mgr_redis_all)) {
        q = ngx_queue_head(&ngx_ws_mgr_redis_all);
        redis = ngx_queue_data(q, ngx_ws_mgr_redis_t, queue);

        ngx_queue_remove(q);

        if (redis->timer.timer_set) {
            ngx_del_timer(&redis->timer);
        }

        ngx_ws_mgr_redis_close(redis);
        ngx_ws_mgr_redis_forget(redis);

        if (redis->out) {
            ngx_free(redis->out);
        }
    }
}


static void
ngx_ws_mgr_redis_timer_handler(ngx_event_t *ev)
{
    ngx_ws_mgr_redis_t  *redis;

    redis = (ngx_ws_mgr_redis_t *) ((u_char *) ev
                                    - offsetof(ngx_ws_mgr_redis_t, timer));

    if (redis->ready) {
        ngx_ws_mgr_redis_ping(redis);

    } else {
        ngx_ws_mgr_redis_connect(redis);
    }
}


static void
ngx_ws_mgr_redis_connect(ngx_ws_mgr_redis_t *redis)
{
    ngx_int_t          rc;
    ngx_connection_t  *c;

    rc = ngx_ws_mgr_redis_open(redis);

    if (rc != NGX_OK && rc != NGX_AGAIN) {
        ngx_ws_mgr_count(REDIS_FAILED_CONNECT);
        ngx_ws_mgr_redis_again(redis);
        return;
    }

    c = redis->connection;

    redis->heard = ngx_current_msec;
    ngx_add_timer(c->read, redis->conf->timeout);

    if (rc == NGX_OK && ngx_ws_mgr_redis_connected(redis) != NGX_OK) {
        ngx_ws_mgr_redis_lose(redis);
    }
}


static ngx_int_t
ngx_ws_mgr_redis_open(ngx_ws_mgr_redis_t *redis)
{
    u_char                  text[NGX_WS_MGR_REDIS_FAULT];
    ngx_err_t               err;
    ngx_int_t               rc;
    ngx_log_t               quiet;
    ngx_addr_t             *addr;
    ngx_connection_t       *c;
    ngx_peer_connection_t   peer;

    addr = &redis->conf->addrs[redis->attempts++ % redis->conf->naddrs];

    /* nginx would log each attempt, several a second while a server is away,
       and as "crit" where it is a file that is not there; it leaves errno */

    quiet = *redis->log;
    quiet.log_level = NGX_LOG_EMERG;

    ngx_memzero(&peer, sizeof(ngx_peer_connection_t));

    peer.sockaddr = addr->sockaddr;
    peer.socklen = addr->socklen;
    peer.name = &addr->name;
    peer.get = ngx_event_get_peer;
    peer.log = &quiet;
    peer.log_error = NGX_ERROR_INFO;

    ngx_set_socket_errno(0);

    rc = ngx_event_connect_peer(&peer);

    if (rc != NGX_OK && rc != NGX_AGAIN) {
        err = ngx_socket_errno;

        ngx_ws_mgr_redis_fault(redis, text,
                               ngx_strerror(err, text, sizeof(text)) - text);
        return NGX_ERROR;
    }

    c = peer.connection;

    c->log = redis->log;
    c->read->log = redis->log;
    c->write->log = redis->log;
    c->data = redis;

    c->read->handler = ngx_ws_mgr_redis_read_handler;
    c->read->cancelable = 1;
    c->write->handler = ngx_ws_mgr_redis_write_handler;

    redis->connection = c;

    return rc;
}


static ngx_int_t
ngx_ws_mgr_redis_connected(ngx_ws_mgr_redis_t *redis)
{
    int                err;
    u_char             text[NGX_WS_MGR_REDIS_FAULT];
    socklen_t          len;
    ngx_connection_t  *c;

    c = redis->connection;
    err = 0;
    len = sizeof(int);

    if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, (void *) &err, &len) == -1) {
        err = ngx_socket_errno;
    }

    if (err) {
        ngx_ws_mgr_redis_fault(redis, text,
                               ngx_strerror(err, text, sizeof(text)) - text);
        return NGX_ERROR;
    }

    if (c->tcp_nodelay != NGX_TCP_NODELAY_DISABLED) {
        (void) ngx_tcp_nodelay(c);
    }

    redis->connected = 1;

    if (ngx_ws_mgr_redis_reader(redis) != NGX_OK
        || ngx_ws_mgr_redis_login(redis) != NGX_OK)
    {
        ngx_ws_mgr_redis_fault_is(redis, "no memory");
        return NGX_ERROR;
    }

    /* what came already will not be told again */

    if (c->read->ready) {
        ngx_post_event(c->read, &ngx_posted_events);
    }

    return NGX_OK;
}


/* all at once: none depends on the reply to the one before */

static ngx_int_t
ngx_ws_mgr_redis_login(ngx_ws_mgr_redis_t *redis)
{
    u_char                    db[NGX_INT_T_LEN];
    ngx_str_t                 args[3];
    ngx_uint_t                n;
    ngx_ws_mgr_redis_conf_t  *conf;
    ngx_ws_mgr_redis_call_t  *call;

    conf = redis->conf;
    call = redis->hello;

    if (conf->password.len) {
        n = 1;
        ngx_str_set(&args[0], "AUTH");

        if (conf->user.len) {
            args[n++] = conf->user;
        }

        args[n++] = conf->password;

        if (ngx_ws_mgr_redis_hello(redis, call++, args, n) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    if (conf->db) {
        ngx_str_set(&args[0], "SELECT");
        args[1].data = db;
        args[1].len = ngx_sprintf(db, "%ui", conf->db) - db;

        if (ngx_ws_mgr_redis_hello(redis, call++, args, 2) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    ngx_str_set(&args[0], "PING");

    return ngx_ws_mgr_redis_hello(redis, call, args, 1);
}


static void
ngx_ws_mgr_redis_login_done(ngx_ws_mgr_redis_call_t *call, redisReply *reply)
{
    ngx_ws_mgr_redis_t *redis = call->data;

    /* without a reply the connection is given up for that very reason */

    if (reply == NULL || redis->lost) {
        return;
    }

    if (reply->type != REDIS_REPLY_STATUS) {
        ngx_ws_mgr_redis_blame(redis, reply);
        redis->lost = 1;
        return;
    }

    if (!ngx_queue_empty(&redis->sent)) {
        return;
    }

    /* that was the last one */

    redis->ready = 1;
    redis->backoff = NGX_WS_MGR_REDIS_BACKOFF;

    ngx_ws_mgr_redis_fault(redis, NULL, 0);
    ngx_ws_mgr_count(REDIS_CONNECTS);

    ngx_add_timer(&redis->timer, NGX_WS_MGR_REDIS_PROBE);

    if (ngx_ws_mgr_redis_release(redis) != NGX_OK) {
        ngx_ws_mgr_redis_fault_is(redis, "no memory");
        redis->lost = 1;
        return;
    }

    if (redis->on_ready) {
        redis->on_ready(redis->data);
    }
}


void
ngx_ws_mgr_redis_listen(ngx_ws_mgr_redis_t *redis, void (*ready)(void *data),
    ngx_ws_mgr_redis_heard_pt heard, void *data)
{
    redis->on_ready = ready;
    redis->on_message = heard;
    redis->data = data;
}


/* whether it lives, and whether what was wrong is over */

static void
ngx_ws_mgr_redis_ping(ngx_ws_mgr_redis_t *redis)
{
    ngx_str_t  arg;

    if (redis->nfault) {
        redis->probe(redis);
        ngx_add_timer(&redis->timer, NGX_WS_MGR_REDIS_PROBE_AGAIN);
        return;
    }

    /* one that is on its way yet is watched by the connection's timer */

    if (redis->ping.slot == NULL) {
        ngx_str_set(&arg, "PING");
        (void) ngx_ws_mgr_redis_call(redis, &redis->ping, &arg, 1);
    }

    ngx_add_timer(&redis->timer, NGX_WS_MGR_REDIS_PROBE);
}


static void
ngx_ws_mgr_redis_ping_done(ngx_ws_mgr_redis_call_t *call, redisReply *reply)
{
    ngx_ws_mgr_redis_t *redis = call->data;

    /* where there are subscriptions, the answer is a list */

    if (reply && reply->type != REDIS_REPLY_STATUS
        && !(redis->on_message && reply->type == REDIS_REPLY_ARRAY))
    {
        ngx_ws_mgr_redis_blame(redis, reply);
    }
}


static void
ngx_ws_mgr_redis_lose(ngx_ws_mgr_redis_t *redis)
{
    ngx_ws_mgr_redis_close(redis);
    ngx_ws_mgr_redis_again(redis);

    /* at last: whom it calls may begin something new */

    ngx_ws_mgr_redis_fail(redis);
}


static void
ngx_ws_mgr_redis_close(ngx_ws_mgr_redis_t *redis)
{
    if (redis->connection) {
        ngx_close_connection(redis->connection);
        redis->connection = NULL;
    }

    if (redis->reader) {
        redisReaderFree(redis->reader);
        redis->reader = NULL;
    }

    if (redis->flush.posted) {
        ngx_delete_posted_event(&redis->flush);
    }

    redis->out_pos = 0;
    redis->out_len = 0;

    redis->connected = 0;
    redis->ready = 0;
    redis->lost = 0;
}


/* between half the time and all of it, so that workers and nodes do not come
   all at once */

static void
ngx_ws_mgr_redis_again(ngx_ws_mgr_redis_t *redis)
{
    ngx_msec_t  half;

    half = redis->backoff / 2;

    ngx_add_timer(&redis->timer, half + ngx_random() % half);

    redis->backoff = ngx_min(redis->backoff * 2,
                             NGX_WS_MGR_REDIS_BACKOFF_MAX);
}


ngx_ws_mgr_redis_t *
ngx_ws_mgr_redis_next(ngx_ws_mgr_redis_t *redis, ngx_str_t *name,
    ngx_str_t *fault)
{
    ngx_queue_t  *q;

    q = ngx_queue_next(redis ? &redis->queue : &ngx_ws_mgr_redis_all);

    if (q == &ngx_ws_mgr_redis_all) {
        return NULL;
    }

    redis = ngx_queue_data(q, ngx_ws_mgr_redis_t, queue);

    *name = redis->conf->name;
    fault->data = redis->fault;
    fault->len = redis->nfault;

    return redis;
}


static void
ngx_ws_mgr_redis_read_handler(ngx_event_t *rev)
{
    ngx_connection_t    *c;
    ngx_ws_mgr_redis_t  *redis;

    c = rev->data;
    redis = c->data;

    if (rev->timedout) {
        rev->timedout = 0;

        if (ngx_ws_mgr_redis_overdue(redis)) {
            ngx_ws_mgr_redis_lose(redis);
        }

        return;
    }

    /* the write handler sees first how the connect ended */

    if (!redis->connected) {
        return;
    }

    if (ngx_ws_mgr_redis_receive(redis) != NGX_OK) {
        ngx_ws_mgr_redis_lose(redis);
    }
}


static void
ngx_ws_mgr_redis_write_handler(ngx_event_t *wev)
{
    ngx_connection_t    *c;
    ngx_ws_mgr_redis_t  *redis;

    c = wev->data;
    redis = c->data;

    if (!redis->connected && ngx_ws_mgr_redis_connected(redis) != NGX_OK) {
        ngx_ws_mgr_count(REDIS_FAILED_CONNECT);
        ngx_ws_mgr_redis_lose(redis);
        return;
    }

    ngx_ws_mgr_redis_flush(redis);
}


static void
ngx_ws_mgr_redis_flush_handler(ngx_event_t *ev)
{
    ngx_ws_mgr_redis_flush(ev->data);
}


/* the timer is not moved for each byte that comes, but looks at it here */

static ngx_uint_t
ngx_ws_mgr_redis_overdue(ngx_ws_mgr_redis_t *redis)
{
    ngx_msec_t  silence;

    if (redis->ready && ngx_queue_empty(&redis->sent)) {
        return 0;
    }

    silence = ngx_current_msec - redis->heard;

    if (silence < redis->conf->timeout) {
        ngx_add_timer(redis->connection->read,
                      redis->conf->timeout - silence);
        return 0;
    }

    ngx_ws_mgr_count(REDIS_FAILED_SILENT);

    if (redis->connected) {
        ngx_ws_mgr_redis_fault_is(redis, "it does not answer in time");

    } else {
        ngx_ws_mgr_redis_fault_is(redis, "cannot be reached in time");
    }

    return 1;
}


static void
ngx_ws_mgr_redis_flush(ngx_ws_mgr_redis_t *redis)
{
    ssize_t            n;
    ngx_connection_t  *c;

    c = redis->connection;

    while (redis->out_pos < redis->out_len) {
        n = c->send(c, redis->out + redis->out_pos,
                    redis->out_len - redis->out_pos);

        if (n == NGX_AGAIN) {
            break;
        }

        if (n == NGX_ERROR) {
            ngx_ws_mgr_redis_fault_is(redis, "it closed the connection");
            ngx_ws_mgr_redis_lose(redis);
            return;
        }

        redis->out_pos += n;
    }

    if (ngx_handle_write_event(c->write, 0) != NGX_OK) {
        ngx_ws_mgr_redis_fault_is(redis, "no memory");
        ngx_ws_mgr_redis_lose(redis);
        return;
    }

    if (redis->out_pos < redis->out_len) {
        return;
    }

    redis->out_pos = 0;
    redis->out_len = 0;

    if (redis->out_size > NGX_WS_MGR_REDIS_OUT_KEEP) {
        ngx_free(redis->out);
        redis->out = NULL;
        redis->out_size = 0;
    }
}
