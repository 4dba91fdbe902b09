
/*
 * Copyright (C) the ngx_ws_mgr authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_ws_mgr_failpoint.h>
#include <ngx_ws_mgr_shard.h>


/* evictions that one allocation may cause, so that the lock is not held for
   long: 64 pages in a row may need many */
#define NGX_WS_MGR_SHARD_EVICTIONS  1024


static ngx_uint_t ngx_ws_mgr_shard_relieve_locked(ngx_ws_mgr_shard_t *shard);
static void ngx_ws_mgr_shard_forget_locked(ngx_ws_mgr_shard_t *shard,
    ngx_ws_mgr_user_t *user, ngx_uint_t cause);
static uint64_t ngx_ws_mgr_shard_epoch(ngx_ws_mgr_shard_t *shard);


uint32_t
ngx_ws_mgr_shard_hash(ngx_str_t *name)
{
    return ngx_murmur_hash2(name->data, name->len);
}


ngx_uint_t
ngx_ws_mgr_shard_index(ngx_str_t *name)
{
    return ngx_ws_mgr_shard_hash(name)
           & (ngx_ws_mgr_registry_conf->nshards - 1);
}


ngx_ws_mgr_shard_t *
ngx_ws_mgr_shard_of(uint32_t hash)
{
    return ngx_ws_mgr_shard_at(hash & (ngx_ws_mgr_registry_conf->nshards - 1));
}


void *
ngx_ws_mgr_shard_calloc_locked(ngx_ws_mgr_shard_t *shard, size_t size)
{
    void  *p;

    p = ngx_ws_mgr_shard_alloc_locked(shard, size);

    if (p) {
        ngx_memzero(p, size);
    }

    return p;
}


void *
ngx_ws_mgr_shard_alloc_locked(ngx_ws_mgr_shard_t *shard, size_t size)
{
    void        *p;
    ngx_uint_t   n;

    if (ngx_ws_mgr_failpoint_refuses()) {
        return NULL;
    }

    for (n = 0; n < NGX_WS_MGR_SHARD_EVICTIONS; n++) {

        p = ngx_slab_alloc_locked(shard->pool, size);
        if (p) {
            return p;
        }

        if (!ngx_ws_mgr_shard_relieve_locked(shard)) {
            break;
        }
    }

    return NULL;
}


void
ngx_ws_mgr_shard_free_locked(ngx_ws_mgr_shard_t *shard, void *p)
{
    ngx_slab_free_locked(shard->pool, p);
}


ngx_ws_mgr_shard_t *
ngx_ws_mgr_shard_lock_name(ngx_str_t *name, ngx_ws_mgr_user_t **user)
{
    uint32_t             hash;
    ngx_ws_mgr_shard_t  *shard;

    hash = ngx_ws_mgr_shard_hash(name);
    shard = ngx_ws_mgr_shard_of(hash);

    ngx_ws_mgr_shard_lock(shard);
    *user = ngx_ws_mgr_shard_find(shard, hash, name);

    return shard;
}


ngx_ws_mgr_user_t *
ngx_ws_mgr_shard_find_locked(ngx_ws_mgr_shard_t *shard, ngx_str_t *name)
{
    return ngx_ws_mgr_shard_find(shard, ngx_ws_mgr_shard_hash(name), name);
}


ngx_ws_mgr_user_t *
ngx_ws_mgr_shard_create_locked(ngx_ws_mgr_shard_t *shard, ngx_str_t *name)
{
    ngx_ws_mgr_user_t  *user;

    user = ngx_ws_mgr_shard_calloc_locked(shard,
                                          offsetof(ngx_ws_mgr_user_t, name)
                                          + name->len);
    if (user == NULL) {
        return NULL;
    }

    user->hash = ngx_ws_mgr_shard_hash(name);
    user->len = (uint8_t) name->len;
    ngx_memcpy(user->name, name->data, name->len);

    ngx_queue_init(&user->conns);
    ngx_ws_mgr_log_init(&user->log, ngx_ws_mgr_shard_log_id_locked(shard),
                        ngx_ws_mgr_shard_epoch(shard),
                        name->len == 1 && name->data[0] == '*');

    ngx_ws_mgr_shard_insert(shard, user);
    shard->nlogs++;

    return user;
}


void
ngx_ws_mgr_shard_rest_locked(ngx_ws_mgr_shard_t *shard,
    ngx_ws_mgr_user_t *user)
{
    ngx_ws_mgr_shard_unrest_locked(shard, user);

    if (user->name[0] == '\0') {
        ngx_ws_mgr_shard_forget_locked(shard, user,
                                      NGX_WS_MGR_DISCARD_EVICTED_IDLE);
        return;
    }

    user->touched = ngx_ws_mgr_now();
    user->resting = 1;
    ngx_queue_insert_tail(&shard->idle, &user->idle);
}


void
ngx_ws_mgr_shard_unrest_locked(ngx_ws_mgr_shard_t *shard,
    ngx_ws_mgr_user_t *user)
{
    (void) shard;

    if (user->resting) {
        user->resting = 0;
        ngx_queue_remove(&user->idle);
        ngx_queue_init(&user->conns);
    }
}


void
ngx_ws_mgr_shard_evict_locked(ngx_ws_mgr_shard_t *shard,
    ngx_ws_mgr_user_t *user, ngx_uint_t cause)
{
    size_t               bytes;
    ngx_ws_mgr_event_t  *event;

    bytes = user->log.bytes;
    event = ngx_ws_mgr_log_evict(&user->log, &shard->ids);

    if (event == NULL) {
        return;
    }

    ngx_ws_mgr_failpoint_midst();
    shard->nevents--;
    shard->nbytes -= bytes - user->log.bytes;

    if (event->expires && event->expires <= ngx_ws_mgr_now()) {
        cause = NGX_WS_MGR_DISCARD_EVICTED_TTL;
    }

    ngx_ws_mgr_discard_at(cause);
    ngx_slab_free_locked(shard->pool, event);
}


void
ngx_ws_mgr_shard_age_locked(ngx_ws_mgr_shard_t *shard,
    ngx_ws_mgr_user_t *user, uint64_t now)
{
    uint64_t             age;
    ngx_uint_t           n;
    ngx_ws_mgr_event_t  *event;

    age = ngx_ws_mgr_registry_conf->limits.age;

    /* the oldest event has left the caches: it is looked at when it may be
       time for it */

    if ((uint64_t) user->log.since * 1000 + age >= now) {
        return;
    }

    for (n = 0; n < NGX_WS_MGR_SLICE; n++) {
        event = ngx_ws_mgr_log_oldest(&user->log);

        if (event == NULL) {
            break;
        }

        if (event->ts + age >= now) {
            user->log.since = (uint32_t) (event->ts / 1000);
            break;
        }

        ngx_ws_mgr_shard_evict_locked(shard, user,
                                      NGX_WS_MGR_DISCARD_EVICTED_AGE);
    }

    if (n) {
        ngx_ws_mgr_shard_rank_locked(shard, user);
    }
}


void
ngx_ws_mgr_shard_rank_locked(ngx_ws_mgr_shard_t *shard,
    ngx_ws_mgr_user_t *user)
{
    size_t      bytes;
    ngx_uint_t  rank;

    rank = 0;

    for (bytes = user->log.bytes; bytes; bytes >>= 1) {
        rank++;
    }

    rank = ngx_min(rank, NGX_WS_MGR_RANKS);

    if (rank == user->ranked) {
        return;
    }

    if (user->ranked) {
        ngx_queue_remove(&user->rank);
    }

    if (rank) {
        ngx_queue_insert_tail(&shard->ranks[rank - 1], &user->rank);
    }

    user->ranked = (uint8_t) rank;
}


void
ngx_ws_mgr_shard_watch_locked(ngx_ws_mgr_shard_t *shard, ngx_ws_mgr_run_t *run)
{
    if (run->watched.next) {
        ngx_queue_remove(&run->watched);
        run->watched.next = NULL;
    }

    if (!run->ended) {
        ngx_queue_insert_tail(&shard->runs, &run->watched);
    }
}


void
ngx_ws_mgr_shard_free_run_locked(ngx_ws_mgr_shard_t *shard,
    ngx_ws_mgr_run_t *run)
{
    if (run->watched.next) {
        ngx_queue_remove(&run->watched);
    }

    ngx_slab_free_locked(shard->pool, run);
}


ngx_uint_t
ngx_ws_mgr_shard_expire_locked(ngx_ws_mgr_shard_t *shard, ngx_uint_t n,
    uint64_t now)
{
    ngx_uint_t          i;
    ngx_queue_t        *q;
    ngx_ws_mgr_user_t  *user;

    for (i = 0; i < n && !ngx_queue_empty(&shard->idle); i++) {
        q = ngx_queue_head(&shard->idle);
        user = ngx_queue_data(q, ngx_ws_mgr_user_t, idle);

        if (user->touched + ngx_ws_mgr_registry_conf->limits.age > now) {
            break;
        }

        ngx_ws_mgr_shard_forget_locked(shard, user,
                                      NGX_WS_MGR_DISCARD_EVICTED_IDLE);
    }

    return i;
}


/*
 * One step against pressure; returns 0 where nothing can go.  First expired
 * logs of users without sockets, then the oldest event of one of the longest
 * logs, at last records of users that are neither connected nor have events.
 */

static ngx_uint_t
ngx_ws_mgr_shard_relieve_locked(ngx_ws_mgr_shard_t *shard)
{
    ngx_uint_t          i;
    ngx_queue_t        *q;
    ngx_ws_mgr_user_t  *user;

    if (ngx_ws_mgr_shard_expire_locked(shard, 1, ngx_ws_mgr_now())) {
        return 1;
    }

    for (i = NGX_WS_MGR_RANKS; i > 0; i--) {

        if (ngx_queue_empty(&shard->ranks[i - 1])) {
            continue;
        }

        q = ngx_queue_head(&shard->ranks[i - 1]);
        user = ngx_queue_data(q, ngx_ws_mgr_user_t, rank);

        ngx_ws_mgr_shard_evict_locked(shard, user,
                                      NGX_WS_MGR_DISCARD_EVICTED_PRESSURE);
        ngx_ws_mgr_shard_rank_locked(shard, user);

        return 1;
    }

    if (ngx_queue_empty(&shard->idle)) {
        return 0;
    }

    q = ngx_queue_head(&shard->idle);
    user = ngx_queue_data(q, ngx_ws_mgr_user_t, idle);
    ngx_ws_mgr_shard_forget_locked(shard, user,
                                  NGX_WS_MGR_DISCARD_EVICTED_PRESSURE);

    return 1;
}


/* frees a resting user with all that it has */

static void
ngx_ws_mgr_shard_forget_locked(ngx_ws_mgr_shard_t *shard,
    ngx_ws_mgr_user_t *user, ngx_uint_t cause)
{
    ngx_queue_t       *q;
    ngx_ws_mgr_run_t  *run;

    ngx_ws_mgr_shard_unrest_locked(shard, user);

    while (user->log.bytes) {
        ngx_ws_mgr_shard_evict_locked(shard, user, cause);
    }

    ngx_ws_mgr_shard_rank_locked(shard, user);

    if (user->log.ring) {
        ngx_slab_free_locked(shard->pool, user->log.ring);
    }

    if (user->runs) {

        while (!ngx_queue_empty(&user->runs->queue)) {
            q = ngx_queue_head(&user->runs->queue);
            run = ngx_queue_data(q, ngx_ws_mgr_run_t, queue);
            ngx_queue_remove(q);

            if (!run->ended) {
                ngx_ws_mgr_discard(RUNS_FORGOTTEN);
            }

            ngx_ws_mgr_shard_free_run_locked(shard, run);
        }

        ngx_slab_free_locked(shard->pool, user->runs);
    }

    ngx_ws_mgr_shard_remove(shard, user);
    ngx_slab_free_locked(shard->pool, user);
    shard->nlogs--;
}


/* the counter outlives a loss of the shard's content */

uint64_t
ngx_ws_mgr_shard_log_id_locked(ngx_ws_mgr_shard_t *shard)
{
    return ++shard->numbered * NGX_WS_MGR_SHARDS + shard->index;
}


/* SplitMix64: no two logs of a shard have the same epoch, and 48 bits of it
   tell those of other shards and of earlier lives apart */

static uint64_t
ngx_ws_mgr_shard_epoch(ngx_ws_mgr_shard_t *shard)
{
    uint64_t  z;

    shard->seed += 0x9e3779b97f4a7c15;

    z = shard->seed;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    z ^= z >> 31;

    return (z >> 16) | 1;
}
