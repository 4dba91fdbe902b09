
/*
 * Copyright (C) the ngx_ws_mgr authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_ws_mgr_redis_io.h>


#define NGX_WS_MGR_REDIS_OUT       16384   /* bytes to begin with */
#define NGX_WS_MGR_REDIS_OUT_KEEP  (1024 * 1024)


#if (HIREDIS_MAJOR >= 1)
#define ngx_ws_mgr_redis_items_t   size_t
#else
#define ngx_ws_mgr_redis_items_t   int
#endif


static ngx_uint_t ngx_ws_mgr_redis_overdue(ngx_ws_mgr_redis_t *redis);
static ngx_int_t ngx_ws_mgr_redis_receive(ngx_ws_mgr_redis_t *redis);
static ngx_int_t ngx_ws_mgr_redis_parse(ngx_ws_mgr_redis_t *redis);
static void ngx_ws_mgr_redis_flush(ngx_ws_mgr_redis_t *redis);
static void *ngx_ws_mgr_redis_array(const redisReadTask *task,
    ngx_ws_mgr_redis_items_t n);


/* hiredis' own, of which each reader has the same */
static void  *(*ngx_ws_mgr_redis_create_array)(const redisReadTask *task,
    ngx_ws_mgr_redis_items_t n);


void
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


static ngx_int_t
ngx_ws_mgr_redis_receive(ngx_ws_mgr_redis_t *redis)
{
    u_char             buf[NGX_WS_MGR_REDIS_BUFFER];
    ssize_t            n;
    ngx_connection_t  *c;

    c = redis->connection;

    do {
        n = c->recv(c, buf, sizeof(buf));

        if (n == NGX_AGAIN) {
            break;
        }

        if (n == NGX_ERROR || n == 0) {
            ngx_ws_mgr_redis_fault_is(redis, "it closed the connection");
            return NGX_ERROR;
        }

        redis->heard = ngx_current_msec;

        if (redisReaderFeed(redis->reader, (char *) buf, n) != REDIS_OK) {
            ngx_ws_mgr_redis_fault_is(redis, "no memory");
            return NGX_ERROR;
        }

        if (ngx_ws_mgr_redis_parse(redis) != NGX_OK) {
            return NGX_ERROR;
        }

    } while (c->read->ready);

    if (ngx_handle_read_event(c->read, 0) != NGX_OK) {
        ngx_ws_mgr_redis_fault_is(redis, "no memory");
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_ws_mgr_redis_parse(ngx_ws_mgr_redis_t *redis)
{
    void         *reply;
    ngx_int_t     rc;
    redisReader  *reader;

    reader = redis->reader;

    for ( ;; ) {
        reply = NULL;

        if (redisReaderGetReply(reader, &reply) != REDIS_OK
            || reader->len - reader->pos > NGX_WS_MGR_REDIS_REPLY)
        {
            ngx_ws_mgr_count(REDIS_FAILED_PROTOCOL);
            ngx_ws_mgr_redis_fault_is(redis, "it does not speak RESP, or"
                                             " says too much at once");
            return NGX_ERROR;
        }

        if (reply == NULL) {
            return NGX_OK;
        }

        rc = ngx_ws_mgr_redis_answer(redis, reply);

        freeReplyObject(reply);

        if (rc != NGX_OK) {
            return NGX_ERROR;
        }
    }
}


ngx_int_t
ngx_ws_mgr_redis_reader(ngx_ws_mgr_redis_t *redis)
{
    redis->reader = redisReaderCreate();

    if (redis->reader == NULL) {
        return NGX_ERROR;
    }

    ngx_ws_mgr_redis_create_array = redis->reader->fn->createArray;

    redis->functions = *redis->reader->fn;
    redis->functions.createArray = ngx_ws_mgr_redis_array;

    redis->reader->fn = &redis->functions;

    return NGX_OK;
}


/* memory for all elements is taken before the first one is there */

static void *
ngx_ws_mgr_redis_array(const redisReadTask *task, ngx_ws_mgr_redis_items_t n)
{
    if (n > NGX_WS_MGR_REDIS_ITEMS) {
        return NULL;
    }

    return ngx_ws_mgr_redis_create_array(task, n);
}


void
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


void
ngx_ws_mgr_redis_flush_handler(ngx_event_t *ev)
{
    ngx_ws_mgr_redis_flush(ev->data);
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


u_char *
ngx_ws_mgr_redis_room(ngx_ws_mgr_redis_t *redis, size_t size)
{
    size_t   len, need;
    u_char  *out;

    len = redis->out_len - redis->out_pos;

    if (redis->out_size - redis->out_len < size) {
        need = ngx_max(2 * (len + size), NGX_WS_MGR_REDIS_OUT);

        out = ngx_alloc(need, redis->log);
        if (out == NULL) {
            return NULL;
        }

        if (redis->out) {
            ngx_memcpy(out, redis->out + redis->out_pos, len);
            ngx_free(redis->out);
        }

        redis->out = out;
        redis->out_size = need;
        redis->out_pos = 0;
        redis->out_len = len;
    }

    if (ngx_queue_empty(&redis->sent)) {
        redis->heard = ngx_current_msec;
    }

    if (!redis->connection->read->timer_set) {
        ngx_add_timer(redis->connection->read, redis->conf->timeout);
    }

    if (!redis->flush.posted) {
        ngx_post_event(&redis->flush, &ngx_posted_events);
    }

    return redis->out + redis->out_len;
}
