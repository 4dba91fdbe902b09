
/*
 * Copyright (C) the ngx_ws_mgr authors
 *
 * Users, connections, members: who is connected where, and what is due to
 * whom.  A function locks one shard at a time and leaves it unlocked, unless
 * its name ends in _locked: then the caller holds the lock of the shard that
 * the arguments belong to.
 *
 * A user of the registry is a name with members and, mostly, a log.  Besides
 * the users of tickets there are names that no ticket can carry: "*", whose
 * log is the broadcast log and whose members are all workers with sockets,
 * and a NUL followed by a binary address, whose members count its sockets.
 */


#ifndef _NGX_WS_MGR_REGISTRY_H_INCLUDED_
#define _NGX_WS_MGR_REGISTRY_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_ws_mgr_shard.h>


#define NGX_WS_MGR_CONN_LEN    (NGX_WS_MGR_NODE_LEN + 1 + 16)


/* --- processes --- */

/*
 * In a worker's init_process: claims a slot.  "wake" is called, without any
 * lock, for each slot whose worker is to look at its dirty members.
 */
ngx_int_t ngx_ws_mgr_registry_attach(ngx_cycle_t *cycle,
    ngx_ws_mgr_registry_conf_t *conf, void (*wake)(ngx_uint_t slot));
/* in exit_process: what the worker still has is swept; the slot is free */
void ngx_ws_mgr_registry_detach(ngx_log_t *log);

/*
 * One bounded step: looks for workers that died and sweeps what they left,
 * expires logs of idle users.  Returns true if there is more to do at once.
 */
ngx_uint_t ngx_ws_mgr_registry_tidy(ngx_log_t *log);


/* --- membership --- */

/*
 * Adds a socket of this worker to the name's count, where "limit" (0: none)
 * allows it.  NGX_DECLINED: it does not; NGX_ERROR: no memory.
 */
ngx_int_t ngx_ws_mgr_registry_enter(ngx_str_t *name, ngx_uint_t limit,
    ngx_ws_mgr_member_t **member);
void ngx_ws_mgr_registry_leave(ngx_ws_mgr_member_t *member);

/* a wait of this worker for changes of the user; created where unknown */
ngx_int_t ngx_ws_mgr_registry_wait(ngx_str_t *name,
    ngx_ws_mgr_member_t **member);
void ngx_ws_mgr_registry_unwait(ngx_ws_mgr_member_t *member);

/* wakes the workers that wait for changes of the user; cheap where none do:
   call it after a change of conn->sent or conn->confirmed */
void ngx_ws_mgr_registry_changed(ngx_ws_mgr_member_t *member);


/* --- connections --- */

/*
 * Adds a connection, not yet open.  "limit" is that of the user, 0: none.
 * With "oldest" the user's oldest connection is sent away with 4502 instead
 * of a refusal.  NGX_DECLINED: over the limit; NGX_ERROR: no memory.
 */
ngx_int_t ngx_ws_mgr_registry_connect(ngx_str_t *user, ngx_uint_t limit,
    ngx_uint_t oldest, ngx_ws_mgr_conn_t **conn);

/*
 * Makes it routable.  In: *from is the position asked for, from->epoch 0:
 * none.  Out: *cursor is where the socket reads on from, *at the position of
 * the log's end, *floor the oldest that can be honoured.  NGX_OK;
 * NGX_DECLINED: the position can not be honoured.
 */
ngx_int_t ngx_ws_mgr_registry_open(ngx_ws_mgr_conn_t *conn,
    ngx_ws_mgr_position_t *from, uint64_t *cursor, ngx_ws_mgr_position_t *at,
    ngx_ws_mgr_position_t *floor);

/* the same question for a log that the caller is a member of: the cursor for
   a position asked later, or for the broadcast log */
ngx_int_t ngx_ws_mgr_registry_seek(ngx_ws_mgr_member_t *member,
    ngx_ws_mgr_position_t *from, uint64_t *cursor, ngx_ws_mgr_position_t *at,
    ngx_ws_mgr_position_t *floor);

void ngx_ws_mgr_registry_disconnect(ngx_ws_mgr_conn_t *conn);

/* NGX_ERROR: no memory; len 0: no thread */
ngx_int_t ngx_ws_mgr_registry_thread(ngx_ws_mgr_conn_t *conn,
    ngx_str_t *thread);

/* "<node>-<number in hex>" at p, which has room for CONN_LEN; its end */
u_char *ngx_ws_mgr_registry_conn_id(u_char *p, uint64_t number);
/* NGX_DECLINED: of another node, or no id at all */
ngx_int_t ngx_ws_mgr_registry_conn_number(ngx_str_t *id, uint64_t *number);

/* marks with a close code; the owner is woken and closes.  Returns how many
   were marked */
ngx_uint_t ngx_ws_mgr_registry_kick_user(ngx_str_t *user, ngx_uint_t code);
ngx_uint_t ngx_ws_mgr_registry_kick_conn(uint64_t number, ngx_uint_t code);


/* --- publishing --- */

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
    /* in: whom of the connections the event is for, and the callback's data;
       asked only where entry.to is not TO_USER */
    ngx_uint_t             (*match)(ngx_ws_mgr_event_t *event,
                                    ngx_ws_mgr_conn_t *conn);

    ngx_ws_mgr_position_t    position;     /* out */
    ngx_uint_t               sockets;      /* out */
    const char              *disorder;     /* out: what the run's order lacks,
                                              or NULL */
    unsigned                 duplicate:1;       /* out */
    unsigned                 unknown_sockets:1; /* out: too many to ask */
} ngx_ws_mgr_publish_t;


/* appends, marks members dirty, wakes their workers */
ngx_ws_mgr_publish_result_e ngx_ws_mgr_registry_publish(
    ngx_ws_mgr_publish_t *p);


/* --- delivery --- */

/*
 * The next of this worker's dirty members in the shard, now clean; NULL: no
 * more.  It stays valid until the worker leaves it.
 */
ngx_ws_mgr_member_t *ngx_ws_mgr_registry_next_dirty(ngx_uint_t shard);
/* takes the word of shards to look at */
uint64_t ngx_ws_mgr_registry_take_pending(void);

/* ngx_ws_mgr_log_read() of the member's user */
ngx_int_t ngx_ws_mgr_registry_read(ngx_ws_mgr_member_t *member,
    uint64_t cursor, ngx_ws_mgr_batch_t *batch, ngx_ws_mgr_match_pt match,
    void *data);


#endif /* _NGX_WS_MGR_REGISTRY_H_INCLUDED_ */
