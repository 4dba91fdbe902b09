
/*
 * Copyright (C) the ngx_ws_mgr authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_ws_mgr_bell.h>
#include <ngx_ws_mgr_copy.h>
#include <ngx_ws_mgr_fanout.h>
#include <ngx_ws_mgr_sweep.h>
#include <ngx_ws_mgr_tidy.h>
#include <ngx_ws_mgr_wait.h>


/* sockets of a user that are yet to be served, in a later turn of the loop */

typedef struct {
    ngx_queue_t             queue;
    ngx_ws_mgr_hold_t      *hold;          /* has sockets */
    ngx_queue_t            *next;          /* of hold->subs, or it */
    ngx_uint_t              again;         /* the log grew meanwhile */
} ngx_ws_mgr_fanout_pass_t;


static void ngx_ws_mgr_fanout_heard(void);
static void ngx_ws_mgr_fanout_again_handler(ngx_event_t *ev);
static void ngx_ws_mgr_fanout_serve_passes(void);
static void ngx_ws_mgr_fanout_serve_dirty(void);
static ngx_queue_t *ngx_ws_mgr_fanout_serve(ngx_ws_mgr_hold_t *hold,
    ngx_queue_t *q, ngx_uint_t *budget);
static void ngx_ws_mgr_fanout_part_sub(ngx_ws_mgr_client_t *client,
    ngx_ws_mgr_sub_t *sub);
static ngx_ws_mgr_hold_t *ngx_ws_mgr_fanout_hold(ngx_ws_mgr_client_t *client,
    ngx_ws_mgr_sub_t *sub);
static ngx_ws_mgr_fanout_pass_t *ngx_ws_mgr_fanout_pass(
    ngx_ws_mgr_hold_t *hold);
static void ngx_ws_mgr_fanout_end_pass(ngx_ws_mgr_fanout_pass_t *pass);
static void ngx_ws_mgr_fanout_pump_sub(ngx_ws_mgr_client_t *client,
    ngx_ws_mgr_sub_t *sub);
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


static ngx_queue_t      ngx_ws_mgr_fanout_passes;
static ngx_event_t      ngx_ws_mgr_fanout_again;
static uint64_t         ngx_ws_mgr_fanout_shards;   /* with dirty members */

/* whose sockets are being served; NULL as soon as the last has gone */
static ngx_ws_mgr_hold_t  *ngx_ws_mgr_fanout_serving;

static ngx_uint_t       ngx_ws_mgr_fanout_attached;


ngx_int_t
ngx_ws_mgr_fanout_init(ngx_cycle_t *cycle, ngx_ws_mgr_registry_conf_t *conf,
    size_t event_size)
{
    ngx_queue_init(&ngx_ws_mgr_fanout_passes);
    ngx_ws_mgr_wait_init();

    if (ngx_ws_mgr_copy_init(event_size, cycle->log) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_ws_mgr_shard_attach(conf);
    ngx_ws_mgr_member_init(ngx_ws_mgr_bell_ring);

    if (ngx_ws_mgr_node_attach(conf->node_zone, cycle->log) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_ws_mgr_fanout_attached = 1;

    ngx_ws_mgr_fanout_again.handler = ngx_ws_mgr_fanout_again_handler;
    ngx_ws_mgr_fanout_again.log = cycle->log;

    /* who was to ring may have died after it had marked us: we look as well */

    ngx_ws_mgr_tidy_start(cycle, ngx_ws_mgr_fanout_heard);

    return ngx_ws_mgr_bell_listen(cycle, ngx_ws_mgr_fanout_heard);
}


void
ngx_ws_mgr_fanout_exit(void)
{
    ngx_uint_t             i;
    ngx_ws_mgr_session_t  *s;

    if (!ngx_ws_mgr_fanout_attached) {
        return;
    }

    ngx_ws_mgr_fanout_attached = 0;

    /* where nginx quits, they have all gone by now */

    for (i = 0, s = ngx_ws_mgr_session_each(&i);
         s != NULL;
         s = ngx_ws_mgr_session_each(&i))
    {
        ngx_ws_mgr_session_stop(s);
    }

    ngx_ws_mgr_sweep_self();
    ngx_ws_mgr_bell_close();
}


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


void
ngx_ws_mgr_fanout_join(ngx_ws_mgr_client_t *client)
{
    ngx_queue_insert_tail(&client->place.hold->subs, &client->own.sub.queue);
}


void
ngx_ws_mgr_fanout_join_everyone(ngx_ws_mgr_client_t *client)
{
    client->place.everyone = 1;

    ngx_queue_insert_tail(&ngx_ws_mgr_member_everyone.subs,
                          &client->broadcast.queue);
}


void
ngx_ws_mgr_fanout_part(ngx_ws_mgr_client_t *client)
{
    ngx_ws_mgr_fanout_part_own(client);

    if (client->place.everyone) {
        client->place.everyone = 0;
        ngx_ws_mgr_fanout_part_sub(client, &client->broadcast);
    }
}


void
ngx_ws_mgr_fanout_part_own(ngx_ws_mgr_client_t *client)
{
    ngx_ws_mgr_fanout_part_sub(client, &client->own.sub);
}


static void
ngx_ws_mgr_fanout_part_sub(ngx_ws_mgr_client_t *client, ngx_ws_mgr_sub_t *sub)
{
    ngx_ws_mgr_hold_t         *hold;
    ngx_ws_mgr_fanout_pass_t  *pass;

    hold = ngx_ws_mgr_fanout_hold(client, sub);
    pass = ngx_ws_mgr_fanout_pass(hold);

    if (pass && pass->next == &sub->queue) {
        pass->next = ngx_queue_next(&sub->queue);
    }

    ngx_queue_remove(&sub->queue);

    if (!ngx_queue_empty(&hold->subs)) {
        return;
    }

    if (pass) {
        ngx_ws_mgr_fanout_end_pass(pass);
    }

    if (ngx_ws_mgr_fanout_serving == hold) {
        ngx_ws_mgr_fanout_serving = NULL;
    }
}


/* the bell: something is due to this worker's sockets */

static void
ngx_ws_mgr_fanout_heard(void)
{
    ngx_ws_mgr_fanout_shards |= ngx_ws_mgr_member_take_pending();

    ngx_ws_mgr_fanout_serve_dirty();
}


static void
ngx_ws_mgr_fanout_again_handler(ngx_event_t *ev)
{
    (void) ev;

    ngx_ws_mgr_fanout_serve_passes();
    ngx_ws_mgr_fanout_serve_dirty();
}


/* both work off a slice, so that a broadcast does not stop the loop, and
   leave the rest to the next turn */

static void
ngx_ws_mgr_fanout_serve_passes(void)
{
    ngx_uint_t                 budget;
    ngx_queue_t               *next;
    ngx_ws_mgr_hold_t         *hold;
    ngx_ws_mgr_fanout_pass_t  *pass;

    budget = NGX_WS_MGR_SLICE;

    while (budget && !ngx_queue_empty(&ngx_ws_mgr_fanout_passes)) {
        pass = ngx_queue_data(ngx_queue_head(&ngx_ws_mgr_fanout_passes),
                              ngx_ws_mgr_fanout_pass_t, queue);
        hold = pass->hold;

        if (pass->next == ngx_queue_sentinel(&hold->subs)) {

            if (!pass->again) {
                ngx_ws_mgr_fanout_end_pass(pass);
                continue;
            }

            pass->again = 0;
            pass->next = ngx_queue_head(&hold->subs);
        }

        next = ngx_ws_mgr_fanout_serve(hold, pass->next, &budget);

        /* the pass went with the last socket */

        if (next) {
            pass->next = next;
        }
    }

    if (!ngx_queue_empty(&ngx_ws_mgr_fanout_passes)) {
        ngx_post_event(&ngx_ws_mgr_fanout_again, &ngx_posted_next_events);
    }
}


static void
ngx_ws_mgr_fanout_serve_dirty(void)
{
    ngx_uint_t                 budget, shard;
    ngx_queue_t               *q;
    ngx_ws_mgr_hold_t         *hold;
    ngx_ws_mgr_dirty_t         dirty;
    ngx_ws_mgr_fanout_pass_t  *pass;

    budget = NGX_WS_MGR_SLICE;

    while (budget && ngx_ws_mgr_fanout_shards) {
        shard = __builtin_ctzll(ngx_ws_mgr_fanout_shards);

        if (ngx_ws_mgr_member_next_dirty(shard, &dirty) != NGX_OK) {
            ngx_ws_mgr_fanout_shards &= ngx_ws_mgr_fanout_shards - 1;
            continue;
        }

        if (dirty.waiting) {
            ngx_ws_mgr_wait_serve(dirty.waiting);
        }

        hold = dirty.hold;

        if (hold == NULL || ngx_queue_empty(&hold->subs)) {
            continue;
        }

        pass = ngx_ws_mgr_fanout_pass(hold);

        if (pass) {
            pass->again = 1;
            continue;
        }

        q = ngx_ws_mgr_fanout_serve(hold, ngx_queue_head(&hold->subs),
                                    &budget);

        if (q == NULL || q == ngx_queue_sentinel(&hold->subs)) {
            continue;
        }

        pass = ngx_alloc(sizeof(ngx_ws_mgr_fanout_pass_t), ngx_cycle->log);

        if (pass == NULL) {
            budget = NGX_MAX_INT32_VALUE;
            (void) ngx_ws_mgr_fanout_serve(hold, q, &budget);
            break;
        }

        pass->hold = hold;
        pass->next = q;
        pass->again = 0;
        ngx_queue_insert_tail(&ngx_ws_mgr_fanout_passes, &pass->queue);
    }

    if (ngx_ws_mgr_fanout_shards
        || !ngx_queue_empty(&ngx_ws_mgr_fanout_passes))
    {
        ngx_post_event(&ngx_ws_mgr_fanout_again, &ngx_posted_next_events);
    }
}


/*
 * Serves the hold's sockets from q on, as many as the budget allows, and
 * returns the next.  A socket that closes takes itself out of the queue, and
 * the last one takes the hold along: NULL is returned then.
 */

static ngx_queue_t *
ngx_ws_mgr_fanout_serve(ngx_ws_mgr_hold_t *hold, ngx_queue_t *q,
    ngx_uint_t *budget)
{
    ngx_queue_t          *next, *last;
    ngx_ws_mgr_sub_t     *sub;
    ngx_ws_mgr_client_t  *client;

    last = ngx_queue_sentinel(&hold->subs);
    ngx_ws_mgr_fanout_serving = hold;
    ngx_ws_mgr_copy_forget();

    for ( /* void */ ; q != last && *budget; q = next) {
        next = ngx_queue_next(q);
        sub = ngx_queue_data(q, ngx_ws_mgr_sub_t, queue);
        client = (hold == &ngx_ws_mgr_member_everyone)
                 ? ngx_queue_data(sub, ngx_ws_mgr_client_t, broadcast)
                 : ngx_queue_data(sub, ngx_ws_mgr_client_t, own);
        (*budget)--;

        if (hold->kicked && ngx_ws_mgr_fanout_check_kick(client) != NGX_OK) {
            continue;
        }

        if (!client->place.echo) {
            ngx_ws_mgr_fanout_pump_sub(client, sub);
        }
    }

    return ngx_ws_mgr_fanout_serving ? q : NULL;
}


static ngx_ws_mgr_hold_t *
ngx_ws_mgr_fanout_hold(ngx_ws_mgr_client_t *client, ngx_ws_mgr_sub_t *sub)
{
    return (sub == &client->own.sub) ? client->place.hold
                                     : &ngx_ws_mgr_member_everyone;
}


static ngx_ws_mgr_fanout_pass_t *
ngx_ws_mgr_fanout_pass(ngx_ws_mgr_hold_t *hold)
{
    ngx_queue_t               *q;
    ngx_ws_mgr_fanout_pass_t  *pass;

    for (q = ngx_queue_head(&ngx_ws_mgr_fanout_passes);
         q != ngx_queue_sentinel(&ngx_ws_mgr_fanout_passes);
         q = ngx_queue_next(q))
    {
        pass = ngx_queue_data(q, ngx_ws_mgr_fanout_pass_t, queue);

        if (pass->hold == hold) {
            return pass;
        }
    }

    return NULL;
}


static void
ngx_ws_mgr_fanout_end_pass(ngx_ws_mgr_fanout_pass_t *pass)
{
    ngx_queue_remove(&pass->queue);
    ngx_free(pass);
}


ngx_int_t
ngx_ws_mgr_fanout_check_kick(ngx_ws_mgr_client_t *client)
{
    ngx_uint_t   code;
    const char  *reason;

    code = (client->place.hold && !client->session.dead)
           ? ngx_ws_mgr_registry_kicked(&client->place) : 0;

    switch (code) {

    case 0:
        return NGX_OK;

    case NGX_WS_MGR_CLOSE_REPLACED:
        ngx_ws_mgr_count(CLOSED_REPLACED);
        reason = "Newer connection";
        break;

    default:
        ngx_ws_mgr_count(CLOSED_KICKED);
        reason = "Disconnected by operator";
        break;
    }

    ngx_ws_mgr_session_close(&client->session, code, reason);

    return NGX_DONE;
}


/* the one loop: read after the cursor, write, move the cursor */

static void
ngx_ws_mgr_fanout_pump_sub(ngx_ws_mgr_client_t *client, ngx_ws_mgr_sub_t *sub)
{
    uint64_t             sent;
    ngx_uint_t           n;
    ngx_ws_mgr_batch_t  *batch;

    /* the cursor is one into a log that was lost, until the client rejoins */

    if (sub == &client->own.sub ? client->place.conn == NULL
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
