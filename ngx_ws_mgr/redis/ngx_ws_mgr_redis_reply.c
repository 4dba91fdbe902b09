
/*
 * Copyright (C) the ngx_ws_mgr authors
 *
 * Replies of a Redis server: bytes are read into hiredis' parser, and each
 * whole reply goes to the call that it answers.  hiredis keeps no connection.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_ws_mgr_redis_io.h>


#if (HIREDIS_MAJOR >= 1)
#define ngx_ws_mgr_redis_items_t   size_t
#else
#define ngx_ws_mgr_redis_items_t   int
#endif


static ngx_int_t ngx_ws_mgr_redis_parse(ngx_ws_mgr_redis_t *redis);
static void *ngx_ws_mgr_redis_array(const redisReadTask *task,
    ngx_ws_mgr_redis_items_t n);


/* hiredis' own, of which each reader has the same */
static void  *(*ngx_ws_mgr_redis_create_array)(const redisReadTask *task,
    ngx_ws_mgr_redis_items_t n);


ngx_int_t
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
