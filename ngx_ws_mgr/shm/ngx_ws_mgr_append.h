
/*
 * Copyright (C) the ngx_ws_mgr authors
 *
 * Appending events to the log of one user: idempotency, run order, the limits
 * of the log, and whom to wake.
 */


#ifndef _NGX_WS_MGR_APPEND_H_INCLUDED_
#define _NGX_WS_MGR_APPEND_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_ws_mgr_member.h>


typedef enum {
    NGX_WS_MGR_PUBLISH_OK = 0,
    NGX_WS_MGR_PUBLISH_CONFLICT,           /* event_id with another body */
    NGX_WS_MGR_PUBLISH_RUN_ORDER,          /* and it is enforced */
    NGX_WS_MGR_PUBLISH_NO_MEMORY,
    NGX_WS_MGR_PUBLISH_UNAVAILABLE,        /* the engine: it is in no log */
    NGX_WS_MGR_PUBLISH_UNKNOWN             /* the engine: nobody knows */
} ngx_ws_mgr_publish_result_e;


#define NGX_WS_MGR_CHECK_OFF      0
#define NGX_WS_MGR_CHECK_WARN     1
#define NGX_WS_MGR_CHECK_ENFORCE  2


typedef struct {
    ngx_str_t                user;         /* in; "*": the broadcast log */
    ngx_str_t                connection;   /* in: id of any node's, where
                                              entry.to is TO_CONNECTION */
    ngx_ws_mgr_entry_t       entry;        /* in */
    ngx_ws_mgr_run_event_t   run;          /* in */
    ngx_uint_t               run_order;    /* in: CHECK_… */
    ngx_ws_mgr_match_pt      match;        /* in: data is a who_t; asked only
                                              where entry.to is not TO_USER */

    ngx_ws_mgr_publish_result_e  result;   /* out */
    ngx_ws_mgr_position_t    position;     /* out */
    ngx_uint_t               sockets;      /* out: of this node */
    ngx_uint_t               nodes;        /* out: that have heard of it */
    const char              *disorder;     /* out: what the run's order lacks,
                                              or NULL */
    unsigned                 duplicate:1;       /* out */
    unsigned                 unknown_sockets:1; /* out: too many to ask */
    unsigned                 unknown_nodes:1;   /* out */
    unsigned                 elsewhere:1;       /* out: other nodes may have
                                                   heard of it */
} ngx_ws_mgr_publish_t;


/* what may be appended under one lock: events, and bytes as posted */
#define NGX_WS_MGR_PUBLISH_GROUP  256
#define NGX_WS_MGR_PUBLISH_BYTES  (512 * 1024)

/*
 * Appends n events, all of one p->user, to its log, marks members dirty, wakes
 * their workers.  What is appended stands there in that order with nothing in
 * between; each event is judged alone.
 */
void ngx_ws_mgr_publish_group(ngx_ws_mgr_publish_t **p, ngx_uint_t n);

/* bytes of an event of the watchdog: ids may be six times as long with their
   escapes */
#define NGX_WS_MGR_OVERDUE_SIZE  (256 + 2 * 6 * 255 + NGX_INT64_LEN)

typedef struct {
    ngx_ws_mgr_publish_t     publish;
    ngx_str_t                piece;
    u_char                   text[NGX_WS_MGR_OVERDUE_SIZE];
    u_char                   raw[2 + 6 * 255];
    u_char                   user[255];
    u_char                   run[255];
    u_char                   id[21];       /* room for an event_id */
} ngx_ws_mgr_overdue_t;

/*
 * The run watchdog: of the shard's runs without an event for "timeout" ms one,
 * that which is silent longest, is ended by an event agent_error of our own:
 * *overdue, which is filled with it.  With "append" it is in the log then.
 * What tells that it was done is the run's record, so it is done once, by
 * whichever worker.  Returns 0 where there is none, or no memory.
 */
ngx_uint_t ngx_ws_mgr_publish_overdue(ngx_uint_t shard, ngx_msec_t timeout,
    ngx_ws_mgr_overdue_t *overdue, ngx_uint_t append);


/* --- what an engine over many nodes has ordered --- */

typedef enum {
    NGX_WS_MGR_FEED_OK = 0,                /* the log has them all */
    NGX_WS_MGR_FEED_HOLE,                  /* it lacks what was before */
    NGX_WS_MGR_FEED_EPOCH,                 /* it is of another epoch */
    NGX_WS_MGR_FEED_DIVERGED,              /* it has others in their place */
    NGX_WS_MGR_FEED_NOBODY,                /* it is read by nobody here */
    NGX_WS_MGR_FEED_NO_MEMORY
} ngx_ws_mgr_feed_e;

/*
 * Puts events, whose entry.seq and entry.now are set, into the log of their
 * user, where they are not in it yet: behind its last one, or in front of its
 * first one.  "user" is that of all; those behind the first that cannot be put
 * are not.  With "load" it is done though nobody reads the log.  Of each event
 * that was put, or was there, p->sockets is known afterwards.
 */
ngx_ws_mgr_feed_e ngx_ws_mgr_publish_feed(ngx_str_t *user, uint64_t epoch,
    ngx_ws_mgr_publish_t **p, ngx_uint_t n, ngx_uint_t load);

/*
 * The log is of that epoch and begins behind "seq": what it held is gone, and
 * its sockets are told.  Nothing is done where the log is of a later epoch, or
 * where it is so already.  NGX_ERROR: no memory.
 */
ngx_int_t ngx_ws_mgr_publish_adopt(ngx_str_t *user, uint64_t epoch,
    uint64_t seq);

/* of the files of this noun */
ngx_ws_mgr_event_t *ngx_ws_mgr_publish_append_locked(
    ngx_ws_mgr_shard_t *shard, ngx_ws_mgr_user_t *user,
    ngx_ws_mgr_entry_t *entry);
void ngx_ws_mgr_publish_address_locked(ngx_ws_mgr_shard_t *shard,
    ngx_ws_mgr_user_t *user, ngx_ws_mgr_event_t *event,
    ngx_ws_mgr_publish_t *p, ngx_ws_mgr_wake_t *wake);
void ngx_ws_mgr_publish_run_locked(ngx_ws_mgr_shard_t *shard,
    ngx_ws_mgr_user_t *user, ngx_ws_mgr_run_t *run, ngx_ws_mgr_publish_t *p);
ngx_ws_mgr_publish_result_e ngx_ws_mgr_publish_locked(
    ngx_ws_mgr_shard_t *shard, ngx_ws_mgr_user_t *user,
    ngx_ws_mgr_publish_t *p, ngx_ws_mgr_wake_t *wake);

/* one event */
ngx_ws_mgr_publish_result_e ngx_ws_mgr_publish(ngx_ws_mgr_publish_t *p);


#endif /* _NGX_WS_MGR_APPEND_H_INCLUDED_ */
