
/*
 * Copyright (C) the ngx_ws_mgr authors
 *
 * Appending events to the log of one user: idempotency, run order, the limits
 * of the log, and whom to wake.
 */


#ifndef _NGX_WS_MGR_PUBLISH_H_INCLUDED_
#define _NGX_WS_MGR_PUBLISH_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_ws_mgr_member.h>


typedef enum {
    NGX_WS_MGR_PUBLISH_OK = 0,
    NGX_WS_MGR_PUBLISH_CONFLICT,           /* event_id with another body */
    NGX_WS_MGR_PUBLISH_RUN_ORDER,          /* and it is enforced */
    NGX_WS_MGR_PUBLISH_NO_MEMORY
} ngx_ws_mgr_publish_result_e;


#define NGX_WS_MGR_CHECK_OFF      0
#define NGX_WS_MGR_CHECK_WARN     1
#define NGX_WS_MGR_CHECK_ENFORCE  2


typedef struct {
    ngx_str_t                user;         /* in; "*": the broadcast log */
    ngx_ws_mgr_entry_t       entry;        /* in */
    ngx_ws_mgr_run_event_t   run;          /* in */
    ngx_uint_t               run_order;    /* in: CHECK_… */
    ngx_ws_mgr_match_pt      match;        /* in: data is a who_t; asked only
                                              where entry.to is not TO_USER */

    ngx_ws_mgr_publish_result_e  result;   /* out */
    ngx_ws_mgr_position_t    position;     /* out */
    ngx_uint_t               sockets;      /* out */
    const char              *disorder;     /* out: what the run's order lacks,
                                              or NULL */
    unsigned                 duplicate:1;       /* out */
    unsigned                 unknown_sockets:1; /* out: too many to ask */
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

/*
 * The run watchdog: of the shard's runs without an event for "timeout" ms one,
 * that which is silent longest, is ended by an event agent_error of our own.
 * What tells that it was done is the run's record, so it is done once, by
 * whichever worker.  Returns 0 where there is none, or no memory.
 */
ngx_uint_t ngx_ws_mgr_publish_overdue(ngx_uint_t shard, ngx_msec_t timeout);

/* of the files of this noun */
ngx_ws_mgr_publish_result_e ngx_ws_mgr_publish_locked(
    ngx_ws_mgr_shard_t *shard, ngx_ws_mgr_user_t *user,
    ngx_ws_mgr_publish_t *p, ngx_ws_mgr_wake_t *wake);

/* one event */
ngx_ws_mgr_publish_result_e ngx_ws_mgr_publish(ngx_ws_mgr_publish_t *p);


#endif /* _NGX_WS_MGR_PUBLISH_H_INCLUDED_ */
