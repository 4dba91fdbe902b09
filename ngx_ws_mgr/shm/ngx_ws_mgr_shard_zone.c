
/*
 * Copyright (C) the ngx_ws_mgr authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <openssl/rand.h>
#include <ngx_ws_mgr_shard.h>


#define NGX_WS_MGR_SHARD_MIN_SHIFT  3      /* as nginx has it for its zones */


static ngx_int_t ngx_ws_mgr_shard_init_zone(ngx_shm_zone_t *zone, void *data);
static ngx_ws_mgr_shard_t *ngx_ws_mgr_shard_create(ngx_shm_zone_t *zone);
static ngx_int_t ngx_ws_mgr_shard_empty(ngx_ws_mgr_shard_t *shard);
static void *ngx_ws_mgr_shard_table(ngx_ws_mgr_shard_t *shard, ngx_uint_t n);
static void ngx_ws_mgr_shard_rebuild(ngx_ws_mgr_shard_t *shard);


ngx_ws_mgr_registry_conf_t  *ngx_ws_mgr_registry_conf;

/* the generation of each shard that this process works with */
static ngx_uint_t  ngx_ws_mgr_shard_known[NGX_WS_MGR_SHARDS];
static void      (*ngx_ws_mgr_shard_loss)(ngx_uint_t index,
    ngx_uint_t rebuilt);


ngx_int_t
ngx_ws_mgr_shard_zones(ngx_conf_t *cf, ngx_ws_mgr_registry_conf_t *conf,
    void *tag)
{
    u_char          *p;
    size_t           size;
    ngx_str_t        name;
    ngx_uint_t       i;
    ngx_shm_zone_t  *zone;

    conf->node_zone = ngx_ws_mgr_node_zone(cf, tag);
    if (conf->node_zone == NULL) {
        return NGX_ERROR;
    }

    conf->zones = ngx_pcalloc(cf->pool,
                              conf->nshards * sizeof(ngx_shm_zone_t *));
    if (conf->zones == NULL) {
        return NGX_ERROR;
    }

    size = ngx_align(conf->size / conf->nshards, ngx_pagesize);

    for (i = 0; i < conf->nshards; i++) {

        /* the number of shards decides where a user lives, so that shards of
           another number must not be taken over */

        p = ngx_pnalloc(cf->pool, sizeof("ws_mgr_shard__of_")
                                  + 2 * NGX_INT_T_LEN);
        if (p == NULL) {
            return NGX_ERROR;
        }

        name.data = p;
        name.len = ngx_sprintf(p, "ws_mgr_shard_%ui_of_%ui", i + 1,
                               conf->nshards)
                   - p;

        zone = ngx_shared_memory_add(cf, &name, size, tag);
        if (zone == NULL) {
            return NGX_ERROR;
        }

        zone->init = ngx_ws_mgr_shard_init_zone;
        conf->zones[i] = zone;
    }

    return NGX_OK;
}


size_t
ngx_ws_mgr_shard_min_size(ngx_uint_t nshards, size_t event_size)
{
    size_t  size;

    /* the record, the event_ids, the slabs' own, a user and twice the event:
       the one that is kept while the next is written */

    size = sizeof(ngx_ws_mgr_shard_t) + 2 * event_size + 40 * ngx_pagesize;
    size += size / 64;

    return nshards * ngx_align(size, ngx_pagesize);
}


void
ngx_ws_mgr_shard_attach(ngx_ws_mgr_registry_conf_t *conf)
{
    ngx_uint_t           i;
    ngx_ws_mgr_shard_t  *shard;

    ngx_ws_mgr_registry_conf = conf;

    for (i = 0; i < conf->nshards; i++) {
        shard = ngx_ws_mgr_shard_at(i);

        shard->index = i;
        ngx_ws_mgr_shard_known[i] = shard->generation;
    }
}


void
ngx_ws_mgr_shard_on_loss(void (*loss)(ngx_uint_t index, ngx_uint_t rebuilt))
{
    ngx_ws_mgr_shard_loss = loss;
}


static ngx_int_t
ngx_ws_mgr_shard_init_zone(ngx_shm_zone_t *zone, void *data)
{
    ngx_slab_pool_t     *pool;
    ngx_ws_mgr_shard_t  *shard;

    if (data) {
        zone->data = data;
        return NGX_OK;
    }

    pool = (ngx_slab_pool_t *) zone->shm.addr;

    if (zone->shm.exists) {
        zone->data = pool->data;
        return NGX_OK;
    }

    shard = ngx_ws_mgr_shard_create(zone);
    if (shard == NULL) {
        ngx_log_error(NGX_LOG_EMERG, zone->shm.log, 0,
                      "ws_mgr zone \"%V\" is too small", &zone->shm.name);
        return NGX_ERROR;
    }

    pool->data = shard;
    zone->data = shard;

    return NGX_OK;
}


/*
 * Of nginx's own pool, the one of the zone, two blocks are taken: the record
 * with its mutex, which stays what it is, and all the rest, with a pool of its
 * own in it that can be made anew.
 */

static ngx_ws_mgr_shard_t *
ngx_ws_mgr_shard_create(ngx_shm_zone_t *zone)
{
    size_t               size;
    ngx_slab_pool_t     *pool;
    ngx_ws_mgr_shard_t  *shard;

    pool = (ngx_slab_pool_t *) zone->shm.addr;

    shard = ngx_slab_calloc(pool, sizeof(ngx_ws_mgr_shard_t));
    if (shard == NULL) {
        return NULL;
    }

    size = pool->pfree * ngx_pagesize;

    shard->pool = size ? ngx_slab_alloc(pool, size) : NULL;
    if (shard->pool == NULL) {
        return NULL;
    }

    shard->end = (u_char *) shard->pool + size;

    if (ngx_ws_mgr_mutex_create(&shard->mutex, zone->shm.log) != NGX_OK
        || RAND_bytes((u_char *) &shard->seed, sizeof(shard->seed)) != 1
        || ngx_ws_mgr_shard_empty(shard) != NGX_OK)
    {
        return NULL;
    }

    return shard;
}


/* whatever was there is not looked at */

static ngx_int_t
ngx_ws_mgr_shard_empty(ngx_ws_mgr_shard_t *shard)
{
    size_t            size;
    ngx_uint_t        i, n, shift;
    ngx_slab_pool_t  *pool;

    pool = shard->pool;

    ngx_memzero(pool, sizeof(ngx_slab_pool_t));
    pool->addr = pool;
    pool->end = shard->end;
    pool->min_shift = NGX_WS_MGR_SHARD_MIN_SHIFT;

    ngx_slab_init(pool);

    /* a full zone is an answer here, not an error to log each time */
    pool->log_nomem = 0;

    ngx_memzero(&shard->users, sizeof(ngx_ws_mgr_shard_t)
                               - offsetof(ngx_ws_mgr_shard_t, users));

    shift = 6;
    size = (shard->end - (u_char *) pool) / 1024;

    while ((size_t) 2 << shift <= size) {
        shift++;
    }

    n = (ngx_uint_t) 1 << shift;

    shard->ids.mask = n - 1;
    shard->ids.buckets = ngx_ws_mgr_shard_table(shard, n);
    shard->ids.latest_mask = n / 4 - 1;
    shard->ids.latest = ngx_ws_mgr_shard_table(shard, n / 4);
    shard->users_shift = 32 - (shift - 2);
    shard->users = ngx_ws_mgr_shard_table(shard, n / 4);

    if (shard->ids.buckets == NULL || shard->ids.latest == NULL
        || shard->users == NULL)
    {
        return NGX_ERROR;
    }

    ngx_rbtree_init(&shard->conns, &shard->conns_sentinel,
                    ngx_rbtree_insert_value);
    ngx_rbtree_init(&shard->tickets, &shard->tickets_sentinel,
                    ngx_rbtree_insert_value);
    ngx_rbtree_init(&shard->expiry, &shard->expiry_sentinel,
                    ngx_rbtree_insert_value);
    ngx_rbtree_init(&shard->owners, &shard->owners_sentinel,
                    ngx_rbtree_insert_value);

    ngx_queue_init(&shard->used);
    ngx_queue_init(&shard->idle);
    ngx_queue_init(&shard->runs);

    for (i = 0; i < NGX_WS_MGR_RANKS; i++) {
        ngx_queue_init(&shard->ranks[i]);
    }

    return NGX_OK;
}


static void *
ngx_ws_mgr_shard_table(ngx_ws_mgr_shard_t *shard, ngx_uint_t n)
{
    return ngx_slab_calloc_locked(shard->pool, n * sizeof(void *));
}


/*
 * Where the shard was left half changed, by a holder that died, or is another
 * one than this process knew, the process hears of it before it goes on.  It
 * is told without the lock, and so may have to be told again.
 */

void
ngx_ws_mgr_shard_lock(ngx_ws_mgr_shard_t *shard)
{
    ngx_int_t   rc;
    ngx_uint_t  i, rebuilt;

    for ( ;; ) {
        rc = ngx_ws_mgr_mutex_try(&shard->mutex);

        if (rc == NGX_DECLINED) {
            ngx_ws_mgr_count(LOCK_WAITS);
            rc = ngx_ws_mgr_mutex_lock(&shard->mutex);
        }

        rebuilt = (rc == NGX_ABORT);

        if (rebuilt) {
            ngx_ws_mgr_shard_rebuild(shard);
        }

        i = shard->index;

        if (shard->generation == ngx_ws_mgr_shard_known[i]) {
            return;
        }

        ngx_ws_mgr_shard_known[i] = shard->generation;

        ngx_ws_mgr_mutex_unlock(&shard->mutex);

        if (rebuilt) {
            ngx_ws_mgr_discard(SHARDS_REBUILT);
            ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                          "ws_mgr shard %ui was being changed by a worker that "
                          "died: it is empty now, and its clients are told",
                          i);
        }

        if (ngx_ws_mgr_shard_loss) {
            ngx_ws_mgr_shard_loss(i, rebuilt);
        }
    }
}


/* the seed goes on, so that all epochs are new; should this process die here,
   the next holder begins again */

static void
ngx_ws_mgr_shard_rebuild(ngx_ws_mgr_shard_t *shard)
{
    /* it had room for the tables before */
    (void) ngx_ws_mgr_shard_empty(shard);

    ngx_ws_mgr_failpoint_midst();

    shard->generation++;
}


ngx_ws_mgr_shard_t *
ngx_ws_mgr_shard_at(ngx_uint_t index)
{
    return ngx_ws_mgr_registry_conf->zones[index]->data;
}
