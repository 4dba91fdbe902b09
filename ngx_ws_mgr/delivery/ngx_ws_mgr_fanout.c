
/*
 * Copyright (C) the ngx_ws_mgr authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_ws_mgr_bell.h>
#include <ngx_ws_mgr_batch.h>
#include <ngx_ws_mgr_fanout_io.h>
#include <ngx_ws_mgr_sweep.h>
#include <ngx_ws_mgr_housekeeping.h>
#include <ngx_ws_mgr_user_wait.h>
#include <ngx_ws_mgr_worker_slot.h>


/* sockets served in a turn, of those that the turn of the event, which is a
   slice, left: what else comes has to wait for 5 to 10 us each */
#define NGX_WS_MGR_FANOUT_REST  128


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
static void ngx_ws_mgr_fanout_reset(ngx_ws_mgr_hold_t *hold,
    ngx_ws_mgr_dirty_t *dirty);
static void ngx_ws_mgr_fanout_part_sub(ngx_ws_mgr_client_t *client,
    ngx_ws_mgr_sub_t *sub);
static ngx_ws_mgr_fanout_pass_t *ngx_ws_mgr_fanout_pass(
    ngx_ws_mgr_hold_t *hold);
static void ngx_ws_mgr_fanout_end_pass(ngx_ws_mgr_fanout_pass_t *pass);


static ngx_queue_t      ngx_ws_mgr_fanout_passes;
static ngx_event_t      ngx_ws_mgr_fanout_again;
static uint64_t         ngx_ws_mgr_fanout_shards;   /* with dirty members */

/* whose sockets are being served; NULL as soon as the last has gone */
static ngx_ws_mgr_hold_t  *ngx_ws_mgr_fanout_serving;

static void           (*ngx_ws_mgr_fanout_resetter)(
                            ngx_ws_mgr_client_t *client, ngx_ws_mgr_sub_t *sub,
                            ngx_ws_mgr_position_t *position, ngx_uint_t epoch);


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
    ngx_ws_mgr_node_attach(conf->node_zone);
    ngx_ws_mgr_worker_slot_init(cycle, ngx_ws_mgr_fanout_heard);

    ngx_ws_mgr_fanout_again.handler = ngx_ws_mgr_fanout_again_handler;
    ngx_ws_mgr_fanout_again.log = cycle->log;

    /* who was to ring may have died after it had marked us: we look as well */

    ngx_ws_mgr_tidy_start(cycle, ngx_ws_mgr_fanout_heard);

    return NGX_OK;
}


void
ngx_ws_mgr_fanout_exit(void)
{
    ngx_uint_t             i;
    ngx_ws_mgr_session_t  *s;

    if (ngx_ws_mgr_node == NULL) {
        return;
    }

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

    budget = NGX_WS_MGR_FANOUT_REST;

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

        /* whoever marks one from here on marks the shard too */

        if (!dirty.more) {
            ngx_ws_mgr_fanout_shards &= ngx_ws_mgr_fanout_shards - 1;
        }

        if (dirty.waiting) {
            ngx_ws_mgr_wait_serve(dirty.waiting);
        }

        hold = dirty.hold;

        if (hold == NULL || ngx_queue_empty(&hold->subs)) {
            continue;
        }

        if (dirty.reset) {
            ngx_ws_mgr_fanout_reset(hold, &dirty);

            if (ngx_ws_mgr_fanout_serving == NULL) {
                continue;
            }
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
        client = ngx_ws_mgr_fanout_client(hold, sub);
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


/* all in one go: none may be served with its old cursor.  The last that closes
   takes the hold along, as in _serve() */

static void
ngx_ws_mgr_fanout_reset(ngx_ws_mgr_hold_t *hold, ngx_ws_mgr_dirty_t *dirty)
{
    ngx_queue_t          *q, *next, *last;
    ngx_ws_mgr_sub_t     *sub;

    last = ngx_queue_sentinel(&hold->subs);
    ngx_ws_mgr_fanout_serving = hold;

    for (q = ngx_queue_head(&hold->subs); q != last; q = next) {
        next = ngx_queue_next(q);
        sub = ngx_queue_data(q, ngx_ws_mgr_sub_t, queue);

        ngx_ws_mgr_fanout_resetter(ngx_ws_mgr_fanout_client(hold, sub), sub,
                                   &dirty->position,
                                   dirty->reset == NGX_WS_MGR_RESET_EPOCH);
    }
}


void
ngx_ws_mgr_fanout_on_reset(void (*reset)(ngx_ws_mgr_client_t *client,
    ngx_ws_mgr_sub_t *sub, ngx_ws_mgr_position_t *position, ngx_uint_t epoch))
{
    ngx_ws_mgr_fanout_resetter = reset;
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
