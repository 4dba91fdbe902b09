
/*
 * Copyright (C) the ngx_ws_mgr authors
 *
 * Calls of a Redis server: a slot holds a call from its command until the
 * reply.  Slots stand in the order of the pipeline, "waiting" before the server
 * is ready and "sent" afterwards.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_sha1.h>
#include <ngx_ws_mgr_redis_io.h>


#define NGX_WS_MGR_REDIS_OUT  16384        /* bytes to begin with */


static ngx_ws_mgr_redis_slot_t *ngx_ws_mgr_redis_slot(
    ngx_ws_mgr_redis_t *redis, ngx_ws_mgr_redis_call_t *call,
    ngx_str_t *args, ngx_uint_t nargs);
static size_t ngx_ws_mgr_redis_room_of(ngx_str_t *args, ngx_uint_t nargs);
static ngx_int_t ngx_ws_mgr_redis_send(ngx_ws_mgr_redis_slot_t *slot,
    ngx_uint_t text);
static void ngx_ws_mgr_redis_deadline(ngx_event_t *ev);
static ngx_int_t ngx_ws_mgr_redis_resume(ngx_ws_mgr_redis_t *redis);
static void ngx_ws_mgr_redis_requeue(ngx_ws_mgr_redis_t *redis);
static ngx_ws_mgr_redis_call_t *ngx_ws_mgr_redis_drop(
    ngx_ws_mgr_redis_slot_t *slot);
static ngx_uint_t ngx_ws_mgr_redis_unknown(redisReply *reply);
static ngx_uint_t ngx_ws_mgr_redis_message(redisReply *reply);
static u_char *ngx_ws_mgr_redis_room(ngx_ws_mgr_redis_t *redis, size_t size);


void
ngx_ws_mgr_redis_script(ngx_ws_mgr_redis_script_t *script)
{
    u_char      digest[20];
    ngx_sha1_t  sha;

    ngx_sha1_init(&sha);
    ngx_sha1_update(&sha, script->text.data, script->text.len);
    ngx_sha1_final(digest, &sha);

    (void) ngx_hex_dump(script->sha, digest, sizeof(digest));
}


ngx_int_t
ngx_ws_mgr_redis_call(ngx_ws_mgr_redis_t *redis,
    ngx_ws_mgr_redis_call_t *call, ngx_str_t *args, ngx_uint_t nargs)
{
    ngx_ws_mgr_redis_slot_t  *slot;

    slot = ngx_ws_mgr_redis_slot(redis, call, args, nargs);
    if (slot == NULL) {
        return NGX_ERROR;
    }

    /* no call overtakes those that are to be sent again, nor those that wait
       behind them */

    if (!redis->ready
        || !ngx_queue_empty(&redis->again)
        || !ngx_queue_empty(&redis->waiting))
    {
        ngx_queue_insert_tail(&redis->waiting, &slot->queue);
        slot->waiting = 1;

    } else if (ngx_ws_mgr_redis_send(slot, 0) != NGX_OK) {
        (void) ngx_ws_mgr_redis_drop(slot);
        return NGX_ERROR;
    }

    if (call->timeout) {
        ngx_add_timer(&slot->timer, call->timeout);
    }

    return NGX_OK;
}


ngx_int_t
ngx_ws_mgr_redis_hello(ngx_ws_mgr_redis_t *redis,
    ngx_ws_mgr_redis_call_t *call, ngx_str_t *args, ngx_uint_t nargs)
{
    ngx_ws_mgr_redis_slot_t  *slot;

    slot = ngx_ws_mgr_redis_slot(redis, call, args, nargs);
    if (slot == NULL) {
        return NGX_ERROR;
    }

    if (ngx_ws_mgr_redis_send(slot, 0) != NGX_OK) {
        (void) ngx_ws_mgr_redis_drop(slot);
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_ws_mgr_redis_slot_t *
ngx_ws_mgr_redis_slot(ngx_ws_mgr_redis_t *redis,
    ngx_ws_mgr_redis_call_t *call, ngx_str_t *args, ngx_uint_t nargs)
{
    u_char                   *p;
    ngx_uint_t                i;
    ngx_ws_mgr_redis_slot_t  *slot;

    slot = ngx_alloc(sizeof(ngx_ws_mgr_redis_slot_t)
                     + ngx_ws_mgr_redis_room_of(args, nargs), redis->log);
    if (slot == NULL) {
        return NULL;
    }

    ngx_memzero(slot, sizeof(ngx_ws_mgr_redis_slot_t));

    slot->redis = redis;
    slot->call = call;
    call->sent = 0;
    slot->begun = ngx_ws_mgr_histogram_clock();
    slot->script = call->script;
    slot->nargs = nargs;

    p = slot->args;

    for (i = 0; i < nargs; i++) {
        p = ngx_sprintf(p, "$%uz" CRLF "%V" CRLF, args[i].len, &args[i]);
    }

    slot->len = p - slot->args;

    slot->timer.handler = ngx_ws_mgr_redis_deadline;
    slot->timer.data = slot;
    slot->timer.log = redis->log;

    ngx_queue_init(&slot->queue);

    call->slot = slot;

    return slot;
}


/* at most that many bytes, as bulk strings */

static size_t
ngx_ws_mgr_redis_room_of(ngx_str_t *args, ngx_uint_t nargs)
{
    size_t      len;
    ngx_uint_t  i;

    len = 0;

    for (i = 0; i < nargs; i++) {
        len += sizeof("$\r\n\r\n") - 1 + NGX_SIZE_T_LEN + args[i].len;
    }

    return len;
}


static u_char *
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


/* on failure the slot is where it was */

static ngx_int_t
ngx_ws_mgr_redis_send(ngx_ws_mgr_redis_slot_t *slot, ngx_uint_t text)
{
    u_char                           *p;
    ngx_ws_mgr_redis_t               *redis;
    const ngx_ws_mgr_redis_script_t  *script;

    redis = slot->redis;
    script = slot->script;

    p = ngx_ws_mgr_redis_room(redis, slot->len + 256
                                     + (text ? script->text.len : 0));
    if (p == NULL) {
        return NGX_ERROR;
    }

    p = ngx_sprintf(p, "*%ui" CRLF, slot->nargs + (script ? 2 : 0));

    if (text) {
        p = ngx_sprintf(p, "$4" CRLF "EVAL" CRLF "$%uz" CRLF "%V" CRLF,
                        script->text.len, &script->text);

    } else if (script) {
        p = ngx_sprintf(p, "$7" CRLF "EVALSHA" CRLF "$40" CRLF "%*s" CRLF,
                        (size_t) NGX_WS_MGR_REDIS_SHA, script->sha);
    }

    p = ngx_cpymem(p, slot->args, slot->len);

    redis->out_len = p - redis->out;

    ngx_queue_insert_tail(&redis->sent, &slot->queue);

    slot->waiting = 0;
    slot->text = text;

    if (slot->call) {
        slot->call->sent = 1;
    }

    ngx_ws_mgr_count(REDIS_COMMANDS);

    return NGX_OK;
}


ngx_int_t
ngx_ws_mgr_redis_release(ngx_ws_mgr_redis_t *redis)
{
    ngx_queue_t              *q;
    ngx_ws_mgr_redis_slot_t  *slot;

    while (!ngx_queue_empty(&redis->waiting)) {
        q = ngx_queue_head(&redis->waiting);
        slot = ngx_queue_data(q, ngx_ws_mgr_redis_slot_t, queue);

        ngx_queue_remove(q);

        if (ngx_ws_mgr_redis_send(slot, slot->text) != NGX_OK) {
            ngx_queue_insert_head(&redis->waiting, q);
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static void
ngx_ws_mgr_redis_deadline(ngx_event_t *ev)
{
    ngx_ws_mgr_redis_t       *redis;
    ngx_ws_mgr_redis_call_t  *call;
    ngx_ws_mgr_redis_slot_t  *slot = ev->data;

    redis = slot->redis;
    call = slot->call;

    ngx_ws_mgr_count(REDIS_FAILED_TIMEOUT);

    if (!slot->waiting) {
        ngx_ws_mgr_redis_fault_is(redis, "it does not answer in time");
    }

    ngx_ws_mgr_redis_cancel(call);

    call->done(call, NULL);
}


void
ngx_ws_mgr_redis_cancel(ngx_ws_mgr_redis_call_t *call)
{
    ngx_ws_mgr_redis_slot_t  *slot;

    slot = call->slot;

    if (slot == NULL) {
        return;
    }

    if (slot->waiting) {
        (void) ngx_ws_mgr_redis_drop(slot);
        return;
    }

    /* its reply is due all the same */

    if (slot->timer.timer_set) {
        ngx_del_timer(&slot->timer);
    }

    slot->call = NULL;
    call->slot = NULL;
}


ngx_int_t
ngx_ws_mgr_redis_answer(ngx_ws_mgr_redis_t *redis, redisReply *reply)
{
    ngx_queue_t              *q;
    ngx_ws_mgr_redis_call_t  *call;
    ngx_ws_mgr_redis_slot_t  *slot;

    if (redis->on_message && ngx_ws_mgr_redis_message(reply)) {
        redis->on_message(redis->data, reply->element[2]);
        return redis->lost ? NGX_ERROR : NGX_OK;
    }

    if (ngx_queue_empty(&redis->sent)) {
        ngx_ws_mgr_redis_blame(redis, reply);
        return NGX_ERROR;
    }

    q = ngx_queue_head(&redis->sent);
    slot = ngx_queue_data(q, ngx_ws_mgr_redis_slot_t, queue);

    if (slot->script && !slot->text && slot->call
        && ngx_ws_mgr_redis_unknown(reply))
    {
        ngx_queue_remove(q);
        ngx_queue_insert_tail(&redis->again, q);

        slot->text = 1;
        slot->waiting = 1;
        slot->call->sent = 0;

        return ngx_ws_mgr_redis_resume(redis);
    }

    ngx_ws_mgr_histogram_note(NGX_WS_MGR_HISTOGRAM_REDIS_COMMAND,
                              ngx_ws_mgr_histogram_clock() - slot->begun);

    call = ngx_ws_mgr_redis_drop(slot);

    if (call) {
        call->done(call, reply);

    } else {
        ngx_ws_mgr_discard(REDIS_UNCLAIMED);
    }

    return redis->lost ? NGX_ERROR : ngx_ws_mgr_redis_resume(redis);
}


/* what was not run goes first, in its order, and then what came since, also
   where all that was not run is cancelled by now */

static ngx_int_t
ngx_ws_mgr_redis_resume(ngx_ws_mgr_redis_t *redis)
{
    if (!redis->ready || !ngx_queue_empty(&redis->sent)) {
        return NGX_OK;
    }

    ngx_ws_mgr_redis_requeue(redis);

    if (ngx_ws_mgr_redis_release(redis) != NGX_OK) {
        ngx_ws_mgr_redis_fault_is(redis, "no memory");
        return NGX_ERROR;
    }

    return NGX_OK;
}


static void
ngx_ws_mgr_redis_requeue(ngx_ws_mgr_redis_t *redis)
{
    ngx_queue_t  *q;

    while (!ngx_queue_empty(&redis->again)) {
        q = ngx_queue_last(&redis->again);

        ngx_queue_remove(q);
        ngx_queue_insert_head(&redis->waiting, q);
    }
}


/* {"message", channel, text} */

static ngx_uint_t
ngx_ws_mgr_redis_message(redisReply *reply)
{
    return reply->type == REDIS_REPLY_ARRAY && reply->elements == 3
           && reply->element[0]->type == REDIS_REPLY_STRING
           && reply->element[2]->type == REDIS_REPLY_STRING
           && ngx_strcmp(reply->element[0]->str, "message") == 0;
}


/* the script was not run */

static ngx_uint_t
ngx_ws_mgr_redis_unknown(redisReply *reply)
{
    return reply->type == REDIS_REPLY_ERROR
           && ngx_strncmp(reply->str, "NOSCRIPT ", sizeof("NOSCRIPT ") - 1)
              == 0;
}


void
ngx_ws_mgr_redis_fail(ngx_ws_mgr_redis_t *redis)
{
    ngx_queue_t              *q, sent;
    ngx_ws_mgr_redis_call_t  *call;
    ngx_ws_mgr_redis_slot_t  *slot;

    /* these were not run: another connection may */

    ngx_ws_mgr_redis_requeue(redis);

    /* a handler may begin or cancel others */

    ngx_queue_init(&sent);
    ngx_queue_add(&sent, &redis->sent);
    ngx_queue_init(&redis->sent);

    while (!ngx_queue_empty(&sent)) {
        q = ngx_queue_head(&sent);
        slot = ngx_queue_data(q, ngx_ws_mgr_redis_slot_t, queue);

        call = ngx_ws_mgr_redis_drop(slot);

        if (call) {
            ngx_ws_mgr_count(REDIS_FAILED_LOST);
            call->done(call, NULL);
        }
    }
}


void
ngx_ws_mgr_redis_forget(ngx_ws_mgr_redis_t *redis)
{
    ngx_queue_t  *q;

    ngx_ws_mgr_redis_requeue(redis);

    ngx_queue_add(&redis->sent, &redis->waiting);
    ngx_queue_init(&redis->waiting);

    while (!ngx_queue_empty(&redis->sent)) {
        q = ngx_queue_head(&redis->sent);

        (void) ngx_ws_mgr_redis_drop(ngx_queue_data(q, ngx_ws_mgr_redis_slot_t,
                                                    queue));
    }
}


/* the end of a slot; its call, or NULL */

static ngx_ws_mgr_redis_call_t *
ngx_ws_mgr_redis_drop(ngx_ws_mgr_redis_slot_t *slot)
{
    ngx_ws_mgr_redis_call_t  *call;

    call = slot->call;

    if (call) {
        call->slot = NULL;
    }

    if (slot->timer.timer_set) {
        ngx_del_timer(&slot->timer);
    }

    ngx_queue_remove(&slot->queue);
    ngx_free(slot);

    return call;
}
