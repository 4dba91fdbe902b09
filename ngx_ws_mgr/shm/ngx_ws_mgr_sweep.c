
/*
 * Copyright (C) the ngx_ws_mgr authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_ws_mgr_sweep.h>


/* how far the sweep of a slot has come */

typedef struct {
    ngx_uint_t     slot;
    ngx_uint_t     shard;
    uint32_t       hash;                   /* users below it are done */
    unsigned       active:1;
} ngx_ws_mgr_sweep_t;


static void ngx_ws_mgr_sweep_abandon(void);
static ngx_uint_t ngx_ws_mgr_sweep_slice(ngx_ws_mgr_sweep_t *sweep);
static ngx_uint_t ngx_ws_mgr_sweep_user_locked(ngx_ws_mgr_shard_t *shard,
    ngx_ws_mgr_user_t *user, ngx_uint_t slot, ngx_uint_t *conns);
static void ngx_ws_mgr_sweep_expire(void);


static ngx_ws_mgr_sweep_t  ngx_ws_mgr_sweep;


ngx_uint_t
ngx_ws_mgr_sweep_step(ngx_log_t *log)
{
    ngx_uint_t  i;

    ngx_ws_mgr_sweep_expire();

    /* one that is on its way out may know other shards than those of which the
       dead worker was */

    if (ngx_exiting) {
        ngx_ws_mgr_sweep_abandon();
        return 0;
    }

    for (i = 0;
         !ngx_ws_mgr_sweep.active && i < ngx_ws_mgr_node->nslots;
         i++)
    {
        if (ngx_ws_mgr_node_seize(i, log) == NGX_OK) {
            ngx_memzero(&ngx_ws_mgr_sweep, sizeof(ngx_ws_mgr_sweep_t));
            ngx_ws_mgr_sweep.slot = i;
            ngx_ws_mgr_sweep.active = 1;
        }
    }

    if (!ngx_ws_mgr_sweep.active) {
        return 0;
    }

    if (ngx_ws_mgr_sweep_slice(&ngx_ws_mgr_sweep)) {
        return 1;
    }

    ngx_ws_mgr_sweep.active = 0;
    ngx_ws_mgr_node_unseize(ngx_ws_mgr_sweep.slot, 1);

    return 1;
}


void
ngx_ws_mgr_sweep_self(void)
{
    ngx_ws_mgr_sweep_abandon();

    if (ngx_ws_mgr_slot == NGX_WS_MGR_NO_SLOT) {
        return;
    }

    while (ngx_ws_mgr_sweep_leave()) { /* void */ }
}


ngx_uint_t
ngx_ws_mgr_sweep_leave(void)
{
    ngx_ws_mgr_slot_t          *slot;
    static ngx_ws_mgr_sweep_t   sweep;

    slot = &ngx_ws_mgr_node->slots[ngx_ws_mgr_slot];

    if (slot->state == NGX_WS_MGR_SLOT_LIVE) {
        ngx_memzero(&sweep, sizeof(ngx_ws_mgr_sweep_t));
        sweep.slot = ngx_ws_mgr_slot;
        slot->state = NGX_WS_MGR_SLOT_GONE;
    }

    if (ngx_ws_mgr_sweep_slice(&sweep)) {
        return 1;
    }

    ngx_ws_mgr_node_give();

    return 0;
}


/* another worker goes on with it */

static void
ngx_ws_mgr_sweep_abandon(void)
{
    if (ngx_ws_mgr_sweep.active) {
        ngx_ws_mgr_sweep.active = 0;
        ngx_ws_mgr_node_unseize(ngx_ws_mgr_sweep.slot, 0);
    }
}


/*
 * The slot is not in state LIVE, so that nobody puts its members into a queue
 * any more; the queue of each shard is dropped before the first of them is
 * freed.
 * Returns 0 when all shards are done.
 */

static ngx_uint_t
ngx_ws_mgr_sweep_slice(ngx_ws_mgr_sweep_t *sweep)
{
    ngx_uint_t           users, conns;
    ngx_ws_mgr_user_t   *user, *next;
    ngx_ws_mgr_shard_t  *shard;

    if (sweep->shard == ngx_ws_mgr_registry_conf->nshards) {
        return 0;
    }

    shard = ngx_ws_mgr_shard_at(sweep->shard);
    users = 0;
    conns = NGX_WS_MGR_SLICE;

    ngx_ws_mgr_shard_lock(shard);

    shard->dirty[sweep->slot].first = NULL;
    shard->dirty[sweep->slot].last = NULL;
    ngx_ws_mgr_failpoint_midst();

    user = ngx_ws_mgr_shard_from(shard, sweep->hash);

    /* a slice ends between two hashes, since that is where the next begins, or
       within a user, some of whose connections are gone by then */

    while (user
           && (users < NGX_WS_MGR_SLICE || user->hash == sweep->hash))
    {
        next = ngx_ws_mgr_shard_next(shard, user);
        sweep->hash = user->hash;

        if (!ngx_ws_mgr_sweep_user_locked(shard, user, sweep->slot, &conns)) {
            break;
        }

        users++;
        user = next;
    }

    if (user) {
        sweep->hash = user->hash;

    } else {
        sweep->hash = 0;
        sweep->shard++;
    }

    ngx_ws_mgr_shard_unlock(shard);

    return 1;
}


/* takes away up to *conns connections; returns 0 where that was not all, the
   user may be gone where it was */

static ngx_uint_t
ngx_ws_mgr_sweep_user_locked(ngx_ws_mgr_shard_t *shard,
    ngx_ws_mgr_user_t *user, ngx_uint_t slot, ngx_uint_t *conns)
{
    ngx_queue_t          *q, *next;
    ngx_ws_mgr_conn_t    *conn;
    ngx_ws_mgr_member_t  *member;

    for (member = user->members; member; member = member->next) {
        if (member->slot == slot) {
            break;
        }
    }

    if (member == NULL) {
        return 1;
    }

    /* holds the member, and so the user, while its connections go */
    member->queued = 1;

    for (q = ngx_queue_head(&user->conns);
         q != ngx_queue_sentinel(&user->conns);
         q = next)
    {
        next = ngx_queue_next(q);
        conn = ngx_queue_data(q, ngx_ws_mgr_conn_t, queue);

        if (conn->member != member) {
            continue;
        }

        if (*conns == 0) {
            return 0;
        }

        (*conns)--;
        ngx_ws_mgr_registry_remove_locked(shard, conn);
    }

    user->waiters -= member->waiters;
    member->waiters = 0;
    member->pending = 0;

    if (member->sockets) {
        ngx_ws_mgr_member_sockets_locked(shard, member,
                                         - (ngx_int_t) member->sockets);
    }

    member->queued = 0;
    ngx_ws_mgr_member_release_locked(shard, member);

    return 1;
}


static void
ngx_ws_mgr_sweep_expire(void)
{
    ngx_uint_t           i;
    ngx_ws_mgr_shard_t  *shard;

    for (i = 0; i < ngx_ws_mgr_registry_conf->nshards; i++) {
        shard = ngx_ws_mgr_shard_at(i);

        if (ngx_queue_empty(&shard->idle)) {
            continue;
        }

        ngx_ws_mgr_shard_lock(shard);
        (void) ngx_ws_mgr_shard_expire_locked(shard, NGX_WS_MGR_SLICE / 4,
                                              ngx_ws_mgr_now());
        ngx_ws_mgr_shard_unlock(shard);
    }
}
