
/*
 * Copyright (C) the ngx_ws_mgr authors
 *
 * The runs of a user: order of their events and token totals.  All of it
 * lives in shared memory; the caller holds the shard's lock.
 */


#ifndef _NGX_WS_MGR_RUN_H_INCLUDED_
#define _NGX_WS_MGR_RUN_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


#define NGX_WS_MGR_RUNS       64           /* of a user; the oldest goes */
#define NGX_WS_MGR_RUN_TOOLS  8            /* kinds of tools open at once */


typedef struct {
    uint64_t             input_tokens;
    uint64_t             output_tokens;
    double               cost;
} ngx_ws_mgr_tokens_t;


/* what one event says of its run */

typedef struct {
    ngx_str_t            id;               /* run_id; len 0: of no run */
    ngx_str_t            thread;           /* thread_id, or empty */
    ngx_str_t            tool;
    ngx_uint_t           known;            /* ngx_ws_mgr_type_e */
    ngx_ws_mgr_tokens_t  tokens;
} ngx_ws_mgr_run_event_t;


typedef struct {
    uint32_t             name;             /* hash */
    uint32_t             open;
} ngx_ws_mgr_run_tool_t;


typedef struct ngx_ws_mgr_run_s  ngx_ws_mgr_run_t;

struct ngx_ws_mgr_run_s {
    ngx_queue_t            queue;          /* of the user, newest first */
    ngx_queue_t            watched;        /* of the shard, by "last"; next
                                              NULL: it is not, since it ended */
    void                  *user;
    uint64_t               last;           /* ms, of its latest event */
    uint64_t               events;
    ngx_ws_mgr_tokens_t    tokens;
    ngx_ws_mgr_run_tool_t  tools[NGX_WS_MGR_RUN_TOOLS];
    uint8_t                started;
    uint8_t                ended;
    uint8_t                overflow;       /* more tools than are kept */
    uint8_t                len;
    uint8_t                thread_len;
    u_char                 id[1];          /* and the thread's */
};

#define ngx_ws_mgr_run_thread(run)  ((run)->id + (run)->len)


typedef struct {
    ngx_queue_t            queue;
    ngx_uint_t             n;
} ngx_ws_mgr_runs_t;


/* of a user; NULL where it has none such */
ngx_ws_mgr_run_t *ngx_ws_mgr_run_find(ngx_ws_mgr_runs_t *runs, ngx_str_t *id);

/*
 * What is wrong with the event's place in its run, as static text, or NULL.
 * "run" is NULL where the run is new.  Changes nothing.
 */
const char *ngx_ws_mgr_run_check(ngx_ws_mgr_run_t *run,
    ngx_ws_mgr_run_event_t *event);

/* the same text, by number, for those who check elsewhere; 0: NULL */
#define NGX_WS_MGR_RUN_ENDED     1
#define NGX_WS_MGR_RUN_AGAIN     2
#define NGX_WS_MGR_RUN_UNBEGUN   3
#define NGX_WS_MGR_RUN_NO_TOOL   4
const char *ngx_ws_mgr_run_fault(ngx_uint_t fault);

/* notes the event, whatever its order; "now" in ms */
void ngx_ws_mgr_run_note(ngx_ws_mgr_run_t *run, ngx_ws_mgr_run_event_t *event,
    uint64_t now);

/* bytes of a run's record */
#define ngx_ws_mgr_run_size(event)                                            \
    (offsetof(ngx_ws_mgr_run_t, id) + (event)->id.len + (event)->thread.len)

/* fills zeroed memory of that size, of the run that begins with the event;
   puts it first in the queue */
void ngx_ws_mgr_run_init(ngx_ws_mgr_runs_t *runs, ngx_ws_mgr_run_t *run,
    ngx_ws_mgr_run_event_t *event);


#endif /* _NGX_WS_MGR_RUN_H_INCLUDED_ */
