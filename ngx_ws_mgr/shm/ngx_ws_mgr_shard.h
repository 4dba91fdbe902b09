
/*
 * Copyright (C) the ngx_ws_mgr authors
 *
 * Shared memory of users: N zones, each with a lock of its own.  A user lives
 * in one, by hash of the name.  All locking of shared memory is here.  A shard
 * whose lock a worker took into its grave is not trusted: it is made anew.
 */


#ifndef _NGX_WS_MGR_SHARD_H_INCLUDED_
#define _NGX_WS_MGR_SHARD_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_ws_mgr_failpoint.h>
#include <ngx_ws_mgr_event_log.h>
#include <ngx_ws_mgr_mutex.h>
#include <ngx_ws_mgr_node.h>
#include <ngx_ws_mgr_run.h>


#define NGX_WS_MGR_SHARDS      64          /* at most: bits of "pending" */
#define NGX_WS_MGR_SLICE       256         /* items handled in one go */


typedef struct ngx_ws_mgr_user_s    ngx_ws_mgr_user_t;
typedef struct ngx_ws_mgr_member_s  ngx_ws_mgr_member_t;
typedef struct ngx_ws_mgr_conn_s    ngx_ws_mgr_conn_t;


/* the record (user, worker) */

struct ngx_ws_mgr_member_s {
    ngx_ws_mgr_user_t       *user;
    ngx_ws_mgr_member_t     *next;         /* of the user */
    ngx_ws_mgr_member_t     *dirty;        /* next in the worker's queue */
    void                    *hold;         /* the worker's own, in its memory */
    uint32_t                 sockets;      /* routable ones */
    uint32_t                 pending;      /* connections not routable */
    uint16_t                 waiters;
    uint8_t                  slot;
    uint8_t                  queued;       /* is in the dirty queue */
    uint8_t                  reset;        /* RESET_…: cursors are not into
                                              what the log is now */
};

#define NGX_WS_MGR_RESET_EPOCH  1          /* it is of another epoch */
#define NGX_WS_MGR_RESET_GAP    2          /* events are missing in it */


/* one socket */

struct ngx_ws_mgr_conn_s {
    ngx_rbtree_node_t        node;         /* key: number */
    ngx_queue_t              queue;        /* of the user, oldest first */
    ngx_ws_mgr_member_t     *member;
    u_char                  *thread;       /* length byte and bytes, or NULL */
    uint64_t                 sent;         /* seq; owner writes, unlocked */
    uint64_t                 confirmed;    /* seq; owner writes, unlocked */
    uint64_t                 since;        /* ms since 1970 */
    uint64_t                 ordinal;      /* rises along the user's queue */
    uint64_t                 bytes_in;     /* owner writes, unlocked */
    uint64_t                 bytes_out;    /* owner writes, unlocked */
    uint16_t                 kick;         /* close code asked for, or 0 */
    uint8_t                  open;         /* routable */
};


/* with a name of up to 49 bytes in a block of 256 */

struct ngx_ws_mgr_user_s {
    ngx_ws_mgr_user_t       *next;         /* in its bucket */
    uint32_t                 hash;
    uint32_t                 nconns;
    ngx_ws_mgr_log_t         log;
    ngx_ws_mgr_member_t     *members;
    union {
        ngx_queue_t          conns;        /* oldest first; where resting: */
        ngx_queue_t          idle;         /* in shard->idle */
    };
    ngx_queue_t              rank;         /* in shard->ranks, where ranked */
    ngx_ws_mgr_runs_t       *runs;         /* NULL: none yet */
    uint64_t                 touched;      /* ms: last append, last leave */
    ngx_ws_mgr_member_t      first;        /* one of the members, most often
                                              the only one; its user is NULL:
                                              free */
    uint32_t                 kicked;       /* of nconns, on their way out */
    uint32_t                 waiters;      /* of all members */
    uint32_t                 sockets;      /* of all members */
    uint8_t                  ranked;       /* rank + 1, or 0 */
    uint8_t                  resting;      /* has no members */
    uint8_t                  len;
    u_char                   name[1];
};


#define NGX_WS_MGR_RANKS  32               /* by the power of two of bytes */

typedef struct {
    pthread_mutex_t          mutex;        /* the lock */
    ngx_uint_t               index;
    ngx_uint_t               generation;   /* rises when it is made anew: what
                                              pointed into it is void */
    ngx_slab_pool_t         *pool;         /* of all its memory but this */
    u_char                  *end;          /* of that */
    uint64_t                 seed;         /* of epochs */
    uint64_t                 numbered;     /* logs, so far */
    uint64_t                 ordinal;      /* of connections, last given out */

    /* from here on it is made anew, after a worker has died in the midst of a
       change */
    ngx_ws_mgr_user_t      **users;        /* by hash, in the order of hash and
                                              name */
    ngx_uint_t               users_shift;  /* of a hash, to its bucket */
    ngx_rbtree_t             conns;
    ngx_rbtree_node_t        conns_sentinel;
    ngx_rbtree_t             tickets;      /* of ticket_shm */
    ngx_rbtree_node_t        tickets_sentinel;
    ngx_rbtree_t             expiry;       /* of ticket_shm, by time */
    ngx_rbtree_node_t        expiry_sentinel;
    ngx_rbtree_t             owners;       /* of ticket_shm, by user */
    ngx_rbtree_node_t        owners_sentinel;
    ngx_queue_t              used;         /* of ticket_shm, oldest first */
    ngx_ws_mgr_ids_t         ids;
    ngx_queue_t              idle;         /* users without members, by time */
    ngx_queue_t              runs;         /* that have not ended, by time */
    ngx_queue_t              ranks[NGX_WS_MGR_RANKS];
    ngx_uint_t               nusers;       /* with sockets */
    ngx_uint_t               nconns;
    ngx_uint_t               nopen;        /* of them, routable */
    ngx_uint_t               nkicked;      /* of them, on their way out */
    ngx_uint_t               nlogs;        /* records of users */
    ngx_uint_t               nevents;
    ngx_uint_t               nbytes;       /* of events */
    ngx_uint_t               ntickets;
    size_t                   ticket_bytes; /* of ticket_shm's share */
    struct {
        ngx_ws_mgr_member_t *first;
        ngx_ws_mgr_member_t *last;
    }                        dirty[NGX_WS_MGR_SLOTS];
} ngx_ws_mgr_shard_t;


/* what the configuration says; one for each cycle */

typedef struct {
    size_t                   size;         /* of all shards together */
    ngx_uint_t               nshards;      /* a power of two */
    ngx_ws_mgr_log_limits_t  limits;
    ngx_msec_t               run_timeout;  /* 0: off */
    ngx_shm_zone_t          *node_zone;
    ngx_shm_zone_t         **zones;        /* one a shard */
    unsigned                 broadcast:1;  /* some API may broadcast */
} ngx_ws_mgr_registry_conf_t;


/* adds the zones; conf lives as long as the cycle */
ngx_int_t ngx_ws_mgr_shard_zones(ngx_conf_t *cf,
    ngx_ws_mgr_registry_conf_t *conf, void *tag);

/* smallest sum of shards that holds one event of that size in each */
size_t ngx_ws_mgr_shard_min_size(ngx_uint_t nshards, size_t event_size);

/* the process works with the shards of this configuration */
void ngx_ws_mgr_shard_attach(ngx_ws_mgr_registry_conf_t *conf);

/*
 * Whom to tell that a shard's content is gone, before this process locks the
 * new one: all pointers into the old one are to be forgotten at once.  No lock
 * of this shard is held.  "rebuilt": other workers are to be told as well.
 */
void ngx_ws_mgr_shard_on_loss(void (*loss)(ngx_uint_t index,
    ngx_uint_t rebuilt));

extern ngx_ws_mgr_registry_conf_t  *ngx_ws_mgr_registry_conf;

uint32_t ngx_ws_mgr_shard_hash(ngx_str_t *name);
ngx_uint_t ngx_ws_mgr_shard_index(ngx_str_t *name);
ngx_ws_mgr_shard_t *ngx_ws_mgr_shard_of(uint32_t hash);
ngx_ws_mgr_shard_t *ngx_ws_mgr_shard_at(ngx_uint_t index);
void ngx_ws_mgr_shard_lock(ngx_ws_mgr_shard_t *shard);
#define ngx_ws_mgr_shard_unlock(shard)                                        \
    do {                                                                      \
        ngx_ws_mgr_failpoint_end();                                           \
        ngx_ws_mgr_mutex_unlock(&(shard)->mutex);                             \
    } while (0)

/*
 * Memory of the shard; of calloc, zeroed.  Where it is full, logs are evicted,
 * in the order that ARCHITECTURE names, until there is room; NULL: nothing can
 * go.  May free users that are resting, and events of any.
 */
void *ngx_ws_mgr_shard_alloc_locked(ngx_ws_mgr_shard_t *shard, size_t size);
void *ngx_ws_mgr_shard_calloc_locked(ngx_ws_mgr_shard_t *shard, size_t size);
void ngx_ws_mgr_shard_free_locked(ngx_ws_mgr_shard_t *shard, void *p);

/* locks the name's shard; *user is NULL where it is unknown */
ngx_ws_mgr_shard_t *ngx_ws_mgr_shard_lock_name(ngx_str_t *name,
    ngx_ws_mgr_user_t **user);

/* the user, or NULL */
ngx_ws_mgr_user_t *ngx_ws_mgr_shard_find_locked(ngx_ws_mgr_shard_t *shard,
    ngx_str_t *name);

/*
 * Users in the order of hash and name: the first whose hash is at least that;
 * the first behind that hash and name; the next one.  NULL: none.
 */
ngx_ws_mgr_user_t *ngx_ws_mgr_shard_from(ngx_ws_mgr_shard_t *shard,
    uint32_t hash);
ngx_ws_mgr_user_t *ngx_ws_mgr_shard_behind(ngx_ws_mgr_shard_t *shard,
    uint32_t hash, ngx_str_t *name);
ngx_ws_mgr_user_t *ngx_ws_mgr_shard_next(ngx_ws_mgr_shard_t *shard,
    ngx_ws_mgr_user_t *user);

/* the id of a log that begins; no log of any shard has had that id before */
uint64_t ngx_ws_mgr_shard_log_id_locked(ngx_ws_mgr_shard_t *shard);

/* a user that is unknown so far; NULL: no memory */
ngx_ws_mgr_user_t *ngx_ws_mgr_shard_create_locked(ngx_ws_mgr_shard_t *shard,
    ngx_str_t *name);

/* a user without members waits for the end of its log's age, or goes at once
   where it is an address; while it is worked with it must not be resting,
   since memory pressure frees those */
void ngx_ws_mgr_shard_rest_locked(ngx_ws_mgr_shard_t *shard,
    ngx_ws_mgr_user_t *user);
void ngx_ws_mgr_shard_unrest_locked(ngx_ws_mgr_shard_t *shard,
    ngx_ws_mgr_user_t *user);

/* takes the oldest event of the user's log away, for "cause", a counter */
void ngx_ws_mgr_shard_evict_locked(ngx_ws_mgr_shard_t *shard,
    ngx_ws_mgr_user_t *user, ngx_uint_t cause);

/* evicts what is older than the log's age, a slice of it at most */
void ngx_ws_mgr_shard_age_locked(ngx_ws_mgr_shard_t *shard,
    ngx_ws_mgr_user_t *user, uint64_t now);

/* to be called after a change of the log's bytes */
void ngx_ws_mgr_shard_rank_locked(ngx_ws_mgr_shard_t *shard,
    ngx_ws_mgr_user_t *user);

/* after an event of the run: it is the last to time out, or no more */
void ngx_ws_mgr_shard_watch_locked(ngx_ws_mgr_shard_t *shard,
    ngx_ws_mgr_run_t *run);
/* of one that is in no user's queue any more */
void ngx_ws_mgr_shard_free_run_locked(ngx_ws_mgr_shard_t *shard,
    ngx_ws_mgr_run_t *run);

/* frees up to n resting users whose time is over; returns how many */
ngx_uint_t ngx_ws_mgr_shard_expire_locked(ngx_ws_mgr_shard_t *shard,
    ngx_uint_t n, uint64_t now);


/* --- shard_users: for shard alone --- */

/* the user, or NULL */
ngx_ws_mgr_user_t *ngx_ws_mgr_shard_find(ngx_ws_mgr_shard_t *shard,
    uint32_t hash, ngx_str_t *name);
/* of one whose name is unknown so far, with its hash; of one that is there */
void ngx_ws_mgr_shard_insert(ngx_ws_mgr_shard_t *shard,
    ngx_ws_mgr_user_t *user);
void ngx_ws_mgr_shard_remove(ngx_ws_mgr_shard_t *shard,
    ngx_ws_mgr_user_t *user);


#endif /* _NGX_WS_MGR_SHARD_H_INCLUDED_ */
