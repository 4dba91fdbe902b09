
/*
 * Copyright (C) the ngx_ws_mgr authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <openssl/rand.h>
#include <ngx_ws_mgr_node.h>


static ngx_int_t ngx_ws_mgr_node_init_zone(ngx_shm_zone_t *zone, void *data);
static ngx_int_t ngx_ws_mgr_node_init_slots(ngx_ws_mgr_node_t *node,
    ngx_log_t *log);
static void ngx_ws_mgr_node_rest(void);
static void ngx_ws_mgr_node_add_cost(double cost);
static ngx_int_t ngx_ws_mgr_node_try(ngx_ws_mgr_slot_t *slot, ngx_log_t *log);


ngx_ws_mgr_node_t  *ngx_ws_mgr_node;
ngx_uint_t          ngx_ws_mgr_slot = NGX_WS_MGR_NO_SLOT;


ngx_shm_zone_t *
ngx_ws_mgr_node_zone(ngx_conf_t *cf, void *tag)
{
    size_t           size;
    ngx_str_t        name;
    ngx_shm_zone_t  *zone;

    ngx_str_set(&name, "ws_mgr_node");

    /* the record, and what the slab pool takes for its pages */
    size = ngx_align(sizeof(ngx_ws_mgr_node_t), ngx_pagesize)
           + 8 * ngx_pagesize;

    zone = ngx_shared_memory_add(cf, &name, size, tag);
    if (zone == NULL) {
        return NULL;
    }

    zone->init = ngx_ws_mgr_node_init_zone;

    return zone;
}


static ngx_int_t
ngx_ws_mgr_node_init_zone(ngx_shm_zone_t *zone, void *data)
{
    ngx_uint_t          i;
    ngx_slab_pool_t    *pool;
    ngx_ws_mgr_node_t  *node;
    u_char              random[NGX_WS_MGR_NODE_LEN];
    static u_char       digits[] = "0123456789abcdefghijklmnopqrstuv";

    if (data) {
        zone->data = data;
        return NGX_OK;
    }

    pool = (ngx_slab_pool_t *) zone->shm.addr;

    if (zone->shm.exists) {
        zone->data = pool->data;
        return NGX_OK;
    }

    node = ngx_slab_calloc(pool, sizeof(ngx_ws_mgr_node_t));
    if (node == NULL) {
        return NGX_ERROR;
    }

    if (RAND_bytes(random, sizeof(random)) != 1) {
        ngx_log_error(NGX_LOG_EMERG, zone->shm.log, 0,
                      "ws_mgr has no random bytes to name the node with");
        return NGX_ERROR;
    }

    for (i = 0; i < NGX_WS_MGR_NODE_LEN; i++) {
        node->name[i] = digits[random[i] & 31];
    }

    node->pool = pool;
    node->started = ngx_ws_mgr_now();

    if (ngx_ws_mgr_node_init_slots(node, zone->shm.log) != NGX_OK) {
        return NGX_ERROR;
    }

    pool->data = node;
    zone->data = node;

    return NGX_OK;
}


static ngx_int_t
ngx_ws_mgr_node_init_slots(ngx_ws_mgr_node_t *node, ngx_log_t *log)
{
    ngx_uint_t  i;

    for (i = 0; i < NGX_WS_MGR_SLOTS; i++) {
        if (ngx_ws_mgr_mutex_create(&node->slots[i].mutex, log) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


void
ngx_ws_mgr_node_attach(ngx_shm_zone_t *zone)
{
    ngx_ws_mgr_node = zone->data;

    ngx_ws_mgr_node_rest();
}


ngx_int_t
ngx_ws_mgr_node_take(ngx_log_t *log)
{
    ngx_uint_t          i, n;
    ngx_ws_mgr_node_t  *node;
    ngx_ws_mgr_slot_t  *slot;

    node = ngx_ws_mgr_node;

    for (i = 0; i < NGX_WS_MGR_SLOTS; i++) {
        slot = &node->slots[i];

        if (ngx_ws_mgr_node_try(slot, log) != NGX_OK) {
            continue;
        }

        if (slot->state != NGX_WS_MGR_SLOT_FREE) {
            /* left by a dead worker, and not swept yet */
            slot->state = NGX_WS_MGR_SLOT_DEAD;
            ngx_ws_mgr_mutex_unlock(&slot->mutex);
            continue;
        }

        slot->state = NGX_WS_MGR_SLOT_LIVE;
        slot->pid = ngx_pid;
        slot->generation++;
        slot->connections = 0;

        n = node->nslots;

        while (n < i + 1 && !ngx_atomic_cmp_set(&node->nslots, n, i + 1)) {
            n = node->nslots;
        }

        ngx_ws_mgr_slot = i;
        ngx_ws_mgr_counters = slot->counters;
        ngx_ws_mgr_histograms = slot->histograms;
        ngx_ws_mgr_counters_shared = 0;

        return NGX_OK;
    }

    return NGX_DECLINED;
}


void
ngx_ws_mgr_node_give(void)
{
    ngx_ws_mgr_slot_t  *slot;

    slot = &ngx_ws_mgr_node->slots[ngx_ws_mgr_slot];

    ngx_ws_mgr_node_rest();

    slot->connections = 0;
    slot->pending = 0;
    slot->bell_len = 0;
    slot->state = NGX_WS_MGR_SLOT_FREE;

    ngx_ws_mgr_mutex_unlock(&slot->mutex);
}


static void
ngx_ws_mgr_node_rest(void)
{
    ngx_ws_mgr_slot = NGX_WS_MGR_NO_SLOT;
    ngx_ws_mgr_counters = ngx_ws_mgr_node->common.counters;
    ngx_ws_mgr_histograms = ngx_ws_mgr_node->common.histograms;
    ngx_ws_mgr_counters_shared = 1;
}


ngx_int_t
ngx_ws_mgr_node_seize(ngx_uint_t i, ngx_log_t *log)
{
    ngx_ws_mgr_slot_t  *slot;

    slot = &ngx_ws_mgr_node->slots[i];

    if (i == ngx_ws_mgr_slot
        || slot->state == NGX_WS_MGR_SLOT_FREE
        || ngx_ws_mgr_node_try(slot, log) != NGX_OK)
    {
        return NGX_DECLINED;
    }

    if (slot->state == NGX_WS_MGR_SLOT_FREE) {
        ngx_ws_mgr_mutex_unlock(&slot->mutex);
        return NGX_DECLINED;
    }

    slot->state = NGX_WS_MGR_SLOT_DEAD;

    return NGX_OK;
}


void
ngx_ws_mgr_node_unseize(ngx_uint_t i, ngx_uint_t swept)
{
    ngx_ws_mgr_slot_t  *slot;

    slot = &ngx_ws_mgr_node->slots[i];

    if (swept) {
        slot->connections = 0;
        slot->pending = 0;
        slot->bell_len = 0;
        slot->state = NGX_WS_MGR_SLOT_FREE;
    }

    ngx_ws_mgr_mutex_unlock(&slot->mutex);
}


ngx_int_t
ngx_ws_mgr_node_admit(ngx_uint_t limit)
{
    ngx_ws_mgr_slot_t  *slot;

    slot = &ngx_ws_mgr_node->slots[ngx_ws_mgr_slot];

    /* counted first and looked at then: two that race for the last place may
       both go away, but never both stay */

    (void) ngx_atomic_fetch_add(&slot->connections, 1);

    if (limit && ngx_ws_mgr_node_connections() > limit) {
        ngx_ws_mgr_node_dismiss();
        return NGX_DECLINED;
    }

    return NGX_OK;
}


void
ngx_ws_mgr_node_dismiss(void)
{
    ngx_ws_mgr_slot_t  *slot;

    slot = &ngx_ws_mgr_node->slots[ngx_ws_mgr_slot];

    (void) ngx_atomic_fetch_add(&slot->connections, -1);
}


ngx_uint_t
ngx_ws_mgr_node_connections(void)
{
    ngx_uint_t  i, n;

    n = 0;

    for (i = 0; i < ngx_ws_mgr_node->nslots; i++) {
        n += ngx_ws_mgr_node->slots[i].connections;
    }

    return n;
}


uint64_t
ngx_ws_mgr_node_number(void)
{
    ngx_ws_mgr_slot_t  *slot;

    slot = &ngx_ws_mgr_node->slots[ngx_ws_mgr_slot];

    return (uint64_t) (ngx_ws_mgr_slot + 1) << 48 | ++slot->next;
}


void
ngx_ws_mgr_node_add_tokens(uint64_t input, uint64_t output, double cost)
{
    ngx_ws_mgr_slot_t  *slot;

    if (ngx_ws_mgr_slot == NGX_WS_MGR_NO_SLOT) {
        slot = &ngx_ws_mgr_node->common;

        (void) __atomic_fetch_add(&slot->input_tokens, input,
                                  __ATOMIC_RELAXED);
        (void) __atomic_fetch_add(&slot->output_tokens, output,
                                  __ATOMIC_RELAXED);
        ngx_ws_mgr_node_add_cost(cost);
        return;
    }

    slot = &ngx_ws_mgr_node->slots[ngx_ws_mgr_slot];

    slot->input_tokens += input;
    slot->output_tokens += output;
    slot->cost += cost;
}


static void
ngx_ws_mgr_node_add_cost(double cost)
{
    double  old, sum;

    __atomic_load(&ngx_ws_mgr_node->common.cost, &old, __ATOMIC_RELAXED);

    do {
        sum = old + cost;
    } while (!__atomic_compare_exchange(&ngx_ws_mgr_node->common.cost, &old,
                                        &sum, 0, __ATOMIC_RELAXED,
                                        __ATOMIC_RELAXED));
}


uint64_t
ngx_ws_mgr_node_counter(ngx_uint_t id)
{
    uint64_t    sum;
    ngx_uint_t  i;

    sum = ngx_ws_mgr_node->common.counters[id];

    for (i = 0; i < ngx_ws_mgr_node->nslots; i++) {
        sum += ngx_ws_mgr_node->slots[i].counters[id];
    }

    return sum;
}


void
ngx_ws_mgr_node_histogram(ngx_uint_t id, ngx_ws_mgr_histogram_t *sum)
{
    ngx_uint_t               i, k;
    ngx_ws_mgr_histogram_t  *histogram;

    *sum = ngx_ws_mgr_node->common.histograms[id];

    for (i = 0; i < ngx_ws_mgr_node->nslots; i++) {
        histogram = &ngx_ws_mgr_node->slots[i].histograms[id];

        for (k = 0; k < NGX_WS_MGR_HISTOGRAM_BUCKETS; k++) {
            sum->buckets[k] += histogram->buckets[k];
        }

        sum->sum += histogram->sum;
    }
}


uint64_t
ngx_ws_mgr_now(void)
{
    ngx_time_t  *tp;

    tp = ngx_timeofday();

    return (uint64_t) tp->sec * 1000 + tp->msec;
}


/* NGX_OK: the slot's mutex is held; its owner is gone, or there was none */

static ngx_int_t
ngx_ws_mgr_node_try(ngx_ws_mgr_slot_t *slot, ngx_log_t *log)
{
    ngx_int_t  rc;

    rc = ngx_ws_mgr_mutex_try(&slot->mutex);

    if (rc == NGX_DECLINED) {
        return NGX_DECLINED;
    }

    if (rc == NGX_ABORT && slot->state == NGX_WS_MGR_SLOT_LIVE) {
        ngx_log_error(NGX_LOG_NOTICE, log, 0,
                      "ws_mgr worker %P died, sweeping what it left",
                      slot->pid);
        /* in the row of the dead: the finder may have none yet */
        slot->counters[NGX_WS_MGR_DEAD_WORKERS]++;
    }

    return NGX_OK;
}
