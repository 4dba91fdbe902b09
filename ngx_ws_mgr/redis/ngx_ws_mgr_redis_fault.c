
/*
 * Copyright (C) the ngx_ws_mgr authors
 *
 * The fault of a Redis server: one line of text for the log, for health and for
 * the status page.  A fault is logged when the text changes, not each time that
 * the server fails.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_ws_mgr_redis_io.h>


static void ngx_ws_mgr_redis_fault_quote(ngx_ws_mgr_redis_t *redis,
    redisReply *reply);


void
ngx_ws_mgr_redis_fault(ngx_ws_mgr_redis_t *redis, const void *text,
    size_t len)
{
    len = ngx_min(len, NGX_WS_MGR_REDIS_FAULT);

    if (len == redis->nfault
        && (len == 0 || ngx_memcmp(redis->fault, text, len) == 0))
    {
        return;
    }

    redis->nfault = len;

    if (len == 0) {
        ngx_log_error(NGX_LOG_NOTICE, redis->log, 0,
                      "ws_mgr redis %V is well again", &redis->conf->name);
        return;
    }

    ngx_memcpy(redis->fault, text, len);

    ngx_log_error(NGX_LOG_ERR, redis->log, 0, "ws_mgr redis %V: %*s",
                  &redis->conf->name, len, redis->fault);

    /* whether it is still so is looked into soon */

    if (redis->ready) {
        ngx_add_timer(&redis->timer, NGX_WS_MGR_REDIS_PROBE_AGAIN);
    }
}


/* "ERR unknown command 'GET', with args beginning with: 'auth:ticket:…" */

static void
ngx_ws_mgr_redis_fault_quote(ngx_ws_mgr_redis_t *redis, redisReply *reply)
{
    u_char  *p, *last;

    p = (u_char *) reply->str;
    last = p + ngx_min((size_t) reply->len, NGX_WS_MGR_REDIS_FAULT);

    for ( /* void */ ; p < last; p++) {

        if (*p < ' ' || *p >= 0x7f || *p == '"' || *p == '`'
            || (*p == '\'' && (p == (u_char *) reply->str || p[-1] == ' ')))
        {
            break;
        }
    }

    while (p > (u_char *) reply->str && p[-1] == ' ') {
        p--;
    }

    if (p == (u_char *) reply->str) {
        ngx_ws_mgr_redis_fault_is(redis, "an error without a text");
        return;
    }

    ngx_ws_mgr_redis_fault(redis, reply->str, p - (u_char *) reply->str);
}


void
ngx_ws_mgr_redis_blame(ngx_ws_mgr_redis_t *redis, redisReply *reply)
{
    if (reply->type == REDIS_REPLY_ERROR) {
        ngx_ws_mgr_count(REDIS_FAILED_REFUSED);
        ngx_ws_mgr_redis_fault_quote(redis, reply);
        return;
    }

    ngx_ws_mgr_count(REDIS_FAILED_PROTOCOL);
    ngx_ws_mgr_redis_fault_is(redis, "it does not answer what was asked");
    redis->lost = 1;
}


void
ngx_ws_mgr_redis_well(ngx_ws_mgr_redis_t *redis)
{
    ngx_ws_mgr_redis_fault(redis, NULL, 0);
}
