
/*
 * Copyright (C) the ngx_ws_mgr authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_ws_mgr_batch.h>
#include <ngx_ws_mgr_fanout_io.h>


static void ngx_ws_mgr_fanout_time(ngx_ws_mgr_sub_t *sub,
    ngx_ws_mgr_batch_t *batch, ngx_uint_t n);
static uint64_t ngx_ws_mgr_fanout_reached(ngx_ws_mgr_client_t *client,
    ngx_ws_mgr_sub_t *sub, ngx_ws_mgr_batch_t *batch, ngx_uint_t n);
static ngx_ws_mgr_batch_t *ngx_ws_mgr_fanout_fetch(
    ngx_ws_mgr_client_t *client, ngx_ws_mgr_sub_t *sub);
static void ngx_ws_mgr_fanout_advance(ngx_ws_mgr_sub_t *sub,
    ngx_ws_mgr_batch_t *batch, ngx_uint_t n);
static void ngx_ws_mgr_fanout_check_lag(ngx_ws_mgr_client_t *client,
    ngx_ws_mgr_sub_t *sub);
static void ngx_ws_mgr_fanout_drop_slow(ngx_ws_mgr_client_t *client);
static void ngx_ws_mgr_fanout_sent(ngx_ws_mgr_client_t *client,
    ngx_ws_mgr_sub_t *sub, uint64_t *seq);
static size_t ngx_ws_mgr_fanout_frame_end(void *data, ngx_uint_t i);


void
ngx_ws_mgr_fanout_pump(ngx_ws_mgr_client_t *client)
{
    /* what was held back is in the kernel now */

    if (client->place.open && ngx_ws_mgr_session_idle(&client->session)) {
        ngx_ws_mgr_fanout_sent(client, &client->own.sub,
                               &client->own.sub.cursor);
    }

    ngx_ws_mgr_copy_forget();

    if (client->place.hold && !client->place.echo) {
        ngx_ws_mgr_fanout_pump_sub(client, &client->own.sub);
    }

    if (client->place.everyone) {
        ngx_ws_mgr_fanout_pump_sub(client, &client->broadcast);
    }
}


void
ngx_ws_mgr_fanout_account(ngx_ws_mgr_client_t *client)
{
    if (client->place.hold) {
        ngx_ws_mgr_registry_sent(&client->place, NULL,
                                 client->session.bytes_in,
                                 client->session.bytes_out);
    }
}


ngx_uint_t
ngx_ws_mgr_fanout_match(ngx_ws_mgr_event_t *event, void *data)
{
    u_char            *p, *last;
    ngx_ws_mgr_who_t  *who = data;

    p = ngx_ws_mgr_event_target(event);

    switch (event->to) {

    case NGX_WS_MGR_TO_THREAD:
        return who->thread
               && who->thread[0] == event->target_len
               && ngx_memcmp(who->thread + 1, p, event->target_len) == 0;

    case NGX_WS_MGR_TO_CONNECTION:
        return event->target_len == sizeof(uint64_t)
               && ngx_memcmp(&who->number, p, sizeof(uint64_t)) == 0;

    case NGX_WS_MGR_TO_OTHERS:

        for (last = p + event->target_len; p < last; p += 1 + *p) {
            if (*p == who->user_len
                && ngx_memcmp(p + 1, who->user, who->user_len) == 0)
            {
                return 0;
            }
        }

        return 1;

    default:
        return 1;
    }
}


ngx_ws_mgr_hold_t *
ngx_ws_mgr_fanout_hold(ngx_ws_mgr_client_t *client, ngx_ws_mgr_sub_t *sub)
{
    return (sub == &client->own.sub) ? client->place.hold
                                     : &ngx_ws_mgr_member_everyone;
}


void
ngx_ws_mgr_fanout_move(ngx_ws_mgr_sub_t *sub, ngx_ws_mgr_position_t *position)
{
    sub->cursor = position->seq;
    sub->live = position->seq + 1;
    sub->lags = 0;
}


/* the one loop: read after the cursor, write, move the cursor */

void
ngx_ws_mgr_fanout_pump_sub(ngx_ws_mgr_client_t *client, ngx_ws_mgr_sub_t *sub)
{
    uint64_t             sent;
    ngx_uint_t           n;
    ngx_ws_mgr_batch_t  *batch;

    /* the cursor is one into a log that was lost, until the client rejoins, or
       is about to be moved */

    if (sub == &client->own.sub
        ? client->place.conn == NULL || client->place.restoring
        : client->place.unheard)
    {
        return;
    }

    do {
        if (!ngx_ws_mgr_session_idle(&client->session)) {
            sub->lags = 1;
            ngx_ws_mgr_fanout_check_lag(client, sub);
            return;
        }

        batch = ngx_ws_mgr_fanout_fetch(client, sub);
        if (batch == NULL) {
            return;
        }

        n = ngx_ws_mgr_session_send_frames(&client->session, batch->start,
                                           batch->n,
                                           ngx_ws_mgr_fanout_frame_end, batch);
        if (client->place.hold == NULL) {
            return;
        }

        ngx_ws_mgr_count_add(DELIVERED, n);
        ngx_ws_mgr_fanout_time(sub, batch, n);

        if (n) {
            client->place.restorable = 0;
        }

        sent = ngx_ws_mgr_fanout_reached(client, sub, batch, n);
        ngx_ws_mgr_fanout_advance(sub, batch, n);

        if (ngx_ws_mgr_session_idle(&client->session)) {
            sent = sub->cursor;
            sub->lags &= batch->more;
        }

        ngx_ws_mgr_fanout_sent(client, sub, &sent);

    } while (batch->more || n < batch->n);
}


/* what was published while the socket was there */

static void
ngx_ws_mgr_fanout_time(ngx_ws_mgr_sub_t *sub, ngx_ws_mgr_batch_t *batch,
    ngx_uint_t n)
{
    uint64_t    now, ts;
    ngx_uint_t  i;

    now = ngx_ws_mgr_now();

    for (i = 0; i < n; i++) {
        ts = batch->frames[i].ts;

        if (batch->frames[i].seq >= sub->live) {
            ngx_ws_mgr_histogram_note(NGX_WS_MGR_HISTOGRAM_DELIVERY,
                                      now > ts ? (now - ts) * 1000 : 0);
        }
    }
}


/* n frames of the batch were taken: the cursor goes behind them, and behind
   what was skipped before them */

static void
ngx_ws_mgr_fanout_advance(ngx_ws_mgr_sub_t *sub, ngx_ws_mgr_batch_t *batch,
    ngx_uint_t n)
{
    ngx_ws_mgr_skips_t  *skips;

    if (n == batch->n) {
        sub->cursor = batch->cursor;
        skips = &batch->skips;

    } else if (n) {
        sub->cursor = batch->frames[n - 1].seq;
        skips = &batch->frames[n - 1].skips;

    } else {
        return;
    }

    ngx_ws_mgr_discard_add(SKIPPED_LATEST, skips->latest);
    ngx_ws_mgr_discard_add(SKIPPED_DROP, skips->drop);
}


/* of the n frames that were taken, what the kernel has whole: TLS holds back
   all those of one record */

static uint64_t
ngx_ws_mgr_fanout_reached(ngx_ws_mgr_client_t *client, ngx_ws_mgr_sub_t *sub,
    ngx_ws_mgr_batch_t *batch, ngx_uint_t n)
{
    size_t  end;

    if (n == 0 || client->session.dead) {
        return sub->cursor;
    }

    end = batch->frames[n - 1].end - ngx_ws_mgr_session_held(&client->session);

    while (n && batch->frames[n - 1].end > end) {
        n--;
    }

    return n ? batch->frames[n - 1].seq : sub->cursor;
}


/* what comes after the cursor, as the socket takes it; NULL: it is closed */

static ngx_ws_mgr_batch_t *
ngx_ws_mgr_fanout_fetch(ngx_ws_mgr_client_t *client, ngx_ws_mgr_sub_t *sub)
{
    ngx_ws_mgr_who_t       who;
    ngx_ws_mgr_batch_t    *batch;
    ngx_ws_mgr_session_t  *s;

    s = &client->session;
    ngx_ws_mgr_registry_who(&client->place, &who);

    switch (ngx_ws_mgr_copy_fetch(ngx_ws_mgr_fanout_hold(client, sub),
                                  &sub->cursor, sub->lags ? sub->live : 0,
                                  ngx_ws_mgr_fanout_match, &who,
                                  &batch))
    {

    case NGX_OK:
        return s->window ? ngx_ws_mgr_copy_deflate(s->window,
                                                   s->conf->deflate_min)
                         : batch;

    case NGX_DECLINED:
        ngx_ws_mgr_fanout_drop_slow(client);
        return NULL;

    default:
        ngx_ws_mgr_count(CLOSED_MEMORY);
        ngx_ws_mgr_session_close(s, NGX_WS_MGR_CLOSE_INTERNAL,
                                 "Out of memory");
        return NULL;
    }
}


/* a socket that takes nothing is not kept beyond what the log holds */

static void
ngx_ws_mgr_fanout_check_lag(ngx_ws_mgr_client_t *client,
    ngx_ws_mgr_sub_t *sub)
{
    if (!client->session.dead
        && ngx_ws_mgr_member_behind(ngx_ws_mgr_fanout_hold(client, sub),
                                    &sub->cursor))
    {
        ngx_ws_mgr_fanout_drop_slow(client);
    }
}


static void
ngx_ws_mgr_fanout_drop_slow(ngx_ws_mgr_client_t *client)
{
    ngx_ws_mgr_count(CLOSED_SLOW);
    ngx_ws_mgr_session_close(&client->session, NGX_WS_MGR_CLOSE_SLOW,
                             "Slow consumer");
}


void
ngx_ws_mgr_fanout_starve(ngx_ws_mgr_client_t *client)
{
    ngx_ws_mgr_count(CLOSED_MEMORY);
    ngx_ws_mgr_session_close(&client->session, NGX_WS_MGR_CLOSE_TRY_LATER,
                             "Out of memory");
}


/* the kernel has what is due up to *seq */

static void
ngx_ws_mgr_fanout_sent(ngx_ws_mgr_client_t *client, ngx_ws_mgr_sub_t *sub,
    uint64_t *seq)
{
    ngx_ws_mgr_registry_sent(&client->place,
                             (sub == &client->own.sub) ? seq : NULL,
                             client->session.bytes_in,
                             client->session.bytes_out);
}


static size_t
ngx_ws_mgr_fanout_frame_end(void *data, ngx_uint_t i)
{
    ngx_ws_mgr_batch_t  *batch = data;

    return batch->frames[i].end;
}
