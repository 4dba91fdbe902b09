
/*
 * Copyright (C) the ngx_ws_mgr authors
 *
 * This nginx instance: its name, and slots for worker processes.  A worker
 * holds its slot's robust mutex as long as it has the slot, so that whoever
 * finds EOWNERDEAD knows that it is gone.  A worker without a slot posts and
 * asks, but has no connections and no waits.
 */


#ifndef _NGX_WS_MGR_NODE_H_INCLUDED_
#define _NGX_WS_MGR_NODE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_ws_mgr_counter.h>
#include <ngx_ws_mgr_discard.h>
#include <ngx_ws_mgr_histogram.h>
#include <ngx_ws_mgr_mutex.h>


#define NGX_WS_MGR_SLOTS       128
#define NGX_WS_MGR_NODE_LEN    8           /* of the node's name */

#define NGX_WS_MGR_SLOT_FREE   0
#define NGX_WS_MGR_SLOT_LIVE   1
#define NGX_WS_MGR_SLOT_DEAD   2           /* being swept */
#define NGX_WS_MGR_SLOT_GONE   3           /* being given back */

/* of a worker without one: no member has it */
#define NGX_WS_MGR_NO_SLOT     NGX_WS_MGR_SLOTS

#define NGX_WS_MGR_BELL_LEN    8


/* one worker process; never moves, outlives the worker */

typedef struct {
    pthread_mutex_t          mutex;        /* robust; its owner's */
    ngx_atomic_t             pending;      /* shards with dirty members */
    ngx_atomic_t             connections;  /* gauge; written by the owner */
    ngx_pid_t                pid;
    uint64_t                 generation;
    uint64_t                 next;         /* connection numbers given out */
    uint8_t                  state;
    uint8_t                  bell_len;     /* 0: none */
    u_char                   bell[NGX_WS_MGR_BELL_LEN];   /* socket's name */
    uint64_t                 input_tokens; /* token usage of events */
    uint64_t                 output_tokens;
    double                   cost;
    uint64_t                 counters[NGX_WS_MGR_COUNTERS];
    ngx_ws_mgr_histogram_t   histograms[NGX_WS_MGR_HISTOGRAMS];
} ngx_ws_mgr_slot_t;


/* the zone of the node, of fixed size: survives any reload */

typedef struct {
    u_char                   name[NGX_WS_MGR_NODE_LEN];
    uint64_t                 started;      /* ms since 1970 */
    ngx_slab_pool_t         *pool;
    ngx_atomic_t             nslots;       /* used so far: high-water mark */
    ngx_ws_mgr_slot_t        slots[NGX_WS_MGR_SLOTS];
    ngx_ws_mgr_slot_t        common;       /* counts of workers without one */
} ngx_ws_mgr_node_t;


extern ngx_ws_mgr_node_t           *ngx_ws_mgr_node;
extern ngx_uint_t                   ngx_ws_mgr_slot;    /* this worker's, or
                                                           NO_SLOT */


/* adds the zone; NULL: an error that was logged.  Its size never changes, so
   it survives every reload */
ngx_shm_zone_t *ngx_ws_mgr_node_zone(ngx_conf_t *cf, void *tag);

/* in a worker's init_process: this worker is of the node, and has no slot */
void ngx_ws_mgr_node_attach(ngx_shm_zone_t *zone);
/* takes a slot, counters included.  NGX_DECLINED: none is free */
ngx_int_t ngx_ws_mgr_node_take(ngx_log_t *log);
/* gives it back, after everything of it was swept */
void ngx_ws_mgr_node_give(void);

/*
 * Looks at one slot: NGX_OK: its worker is gone, the slot is now held by the
 * caller, in state DEAD, to be swept; NGX_DECLINED: free, or its worker lives.
 * If the sweeper dies, the next one goes on.
 */
ngx_int_t ngx_ws_mgr_node_seize(ngx_uint_t slot, ngx_log_t *log);
/* after a sweep: swept says whether nothing is left, so that it is free */
void ngx_ws_mgr_node_unseize(ngx_uint_t slot, ngx_uint_t swept);

/*
 * One more connection in the node, where "limit" (0: none) allows it: of any
 * number of workers that race for the last place at most one gets in.
 * NGX_DECLINED: it does not.
 */
ngx_int_t ngx_ws_mgr_node_admit(ngx_uint_t limit);
void ngx_ws_mgr_node_dismiss(void);

/* the sum of all workers' gauges of connections */
ngx_uint_t ngx_ws_mgr_node_connections(void);

/* a number for a connection, unique for the life of the node */
uint64_t ngx_ws_mgr_node_number(void);

/* adds token usage to the node's totals */
void ngx_ws_mgr_node_add_tokens(uint64_t input, uint64_t output, double cost);

/* the sum of a counter over all slots; and of a histogram */
uint64_t ngx_ws_mgr_node_counter(ngx_uint_t id);
void ngx_ws_mgr_node_histogram(ngx_uint_t id, ngx_ws_mgr_histogram_t *sum);

/* ms since 1970, of nginx's cached time */
uint64_t ngx_ws_mgr_now(void);


#endif /* _NGX_WS_MGR_NODE_H_INCLUDED_ */
