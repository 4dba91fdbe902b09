
/*
 * Copyright (C) the ngx_ws_mgr authors
 *
 * session_restore: a client asks for a position after its welcome.  With the
 * engine in Redis the client waits until the log reaches back that far.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_ws_mgr_engine.h>
#include <ngx_ws_mgr_client_enter.h>
#include <ngx_ws_mgr_welcome.h>


/* one that waits for the past of its log; in a pool of its own */

typedef struct {
    ngx_queue_t              queue;
    ngx_ws_mgr_client_t     *client;
    ngx_str_t                position;
    ngx_ws_mgr_engine_op_t   op;
} ngx_ws_mgr_seat_past_t;


static ngx_ws_mgr_seat_past_t *ngx_ws_mgr_seat_past_create(
    ngx_ws_mgr_client_t *client, ngx_str_t *position);
static void ngx_ws_mgr_seat_past_done(ngx_ws_mgr_engine_op_t *op);
static void ngx_ws_mgr_seat_restore_now(ngx_ws_mgr_client_t *client,
    ngx_str_t *position);


static ngx_queue_t  ngx_ws_mgr_seat_pasts = {
    &ngx_ws_mgr_seat_pasts, &ngx_ws_mgr_seat_pasts
};


void
ngx_ws_mgr_seat_restore(ngx_ws_mgr_client_t *client, ngx_str_t *position)
{
    ngx_str_t                user;
    ngx_ws_mgr_position_t    from;
    ngx_ws_mgr_seat_past_t  *past;

    /* what is wrong with it is told without a look */

    if (ngx_ws_mgr_engine == NULL || !client->place.restorable
        || ngx_ws_mgr_log_position_parse(position, &from) != NGX_OK
        || from.broadcast)
    {
        ngx_ws_mgr_seat_restore_now(client, position);
        return;
    }

    past = ngx_ws_mgr_seat_past_create(client, position);

    if (past == NULL) {
        ngx_ws_mgr_fanout_starve(client);
        return;
    }

    user.data = client->place.hold->name;
    user.len = client->place.hold->len;

    ngx_ws_mgr_engine->reach(&past->op, &user, &from);

    if (past->op.pending) {
        client->place.restoring = 1;
        ngx_queue_insert_tail(&ngx_ws_mgr_seat_pasts, &past->queue);
        return;
    }

    ngx_destroy_pool(past->op.pool);
    ngx_ws_mgr_seat_restore_now(client, position);
}


static ngx_ws_mgr_seat_past_t *
ngx_ws_mgr_seat_past_create(ngx_ws_mgr_client_t *client, ngx_str_t *position)
{
    ngx_pool_t              *pool;
    ngx_ws_mgr_seat_past_t  *past;

    pool = ngx_create_pool(1024, ngx_cycle->log);
    if (pool == NULL) {
        return NULL;
    }

    past = ngx_pcalloc(pool, sizeof(ngx_ws_mgr_seat_past_t));

    if (past) {
        past->client = client;
        past->position.len = position->len;
        past->position.data = ngx_pstrdup(pool, position);
        past->op.pool = pool;
        past->op.data = past;
        past->op.done = ngx_ws_mgr_seat_past_done;
    }

    if (past == NULL || past->position.data == NULL) {
        ngx_destroy_pool(pool);
        return NULL;
    }

    return past;
}


static void
ngx_ws_mgr_seat_past_done(ngx_ws_mgr_engine_op_t *op)
{
    ngx_ws_mgr_seat_past_t *past = op->data;

    ngx_queue_remove(&past->queue);
    past->client->place.restoring = 0;

    /* it may close the client, which knows nothing of it any more */

    ngx_ws_mgr_seat_restore_now(past->client, &past->position);

    ngx_destroy_pool(op->pool);
}


void
ngx_ws_mgr_seat_restore_forget(ngx_ws_mgr_client_t *client)
{
    ngx_queue_t             *q;
    ngx_ws_mgr_seat_past_t  *past;

    for (q = ngx_queue_head(&ngx_ws_mgr_seat_pasts);
         q != &ngx_ws_mgr_seat_pasts;
         q = ngx_queue_next(q))
    {
        past = ngx_queue_data(q, ngx_ws_mgr_seat_past_t, queue);

        if (past->client == client) {
            ngx_queue_remove(q);
            client->place.restoring = 0;

            ngx_ws_mgr_engine_cancel(&past->op);
            ngx_destroy_pool(past->op.pool);
            return;
        }
    }
}


static void
ngx_ws_mgr_seat_restore_now(ngx_ws_mgr_client_t *client, ngx_str_t *position)
{
    ngx_ws_mgr_who_t   who;
    ngx_ws_mgr_seek_t  seek;

    ngx_ws_mgr_registry_who(&client->place, &who);

    seek.match = ngx_ws_mgr_fanout_match;
    seek.data = &who;

    seek.asked = 1;

    if (ngx_ws_mgr_log_position_parse(position, &seek.from) != NGX_OK
        || seek.from.broadcast)
    {
        seek.from.epoch = 0;
    }

    ngx_ws_mgr_registry_seek(client->place.hold, &seek);

    if (!client->place.restorable) {

        /* seq only rises on a socket: what lies before the events that were
           sent since the welcome can not follow them */

        if (seek.from.epoch != seek.end.epoch
            || seek.from.seq < client->own.sub.cursor)
        {
            seek.gap = "late";
            seek.gone.seq = client->own.sub.cursor;
            ngx_ws_mgr_seat_tell(client, position, &seek);
        }

        return;
    }

    client->place.restorable = 0;

    ngx_ws_mgr_seat_tell(client, position, &seek);

    client->own.sub.cursor = seek.cursor;
    client->own.sub.live = seek.end.seq + 1;
    ngx_ws_mgr_fanout_pump(client);
}


void
ngx_ws_mgr_seat_tell(ngx_ws_mgr_client_t *client, ngx_str_t *asked,
    ngx_ws_mgr_seek_t *seek)
{
    if (seek->gap == NULL) {
        ngx_ws_mgr_count(RESUMES_OK);
        return;
    }

    ngx_ws_mgr_count(RESUMES_GAP);
    ngx_ws_mgr_welcome_gap(&client->session, asked, &seek->gone, seek->gap);
}
