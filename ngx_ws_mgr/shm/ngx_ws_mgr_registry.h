
/*
 * Copyright (C) the ngx_ws_mgr authors
 *
 * Connections: who is connected where.  A function locks one shard at a time
 * and leaves it unlocked.
 */


#ifndef _NGX_WS_MGR_REGISTRY_H_INCLUDED_
#define _NGX_WS_MGR_REGISTRY_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_ws_mgr_member.h>
#include <ngx_ws_mgr_registry_conn.h>


#define NGX_WS_MGR_CONN_LEN    (NGX_WS_MGR_NODE_LEN + 1 + 16)


/*
 * A socket of this worker, as the worker knows it.  The number that others
 * know it by has the worker's slot in front, see ngx_ws_mgr_registry_number().
 */

typedef struct {
    ngx_ws_mgr_hold_t       *hold;         /* NULL: not in the registry */
    ngx_ws_mgr_conn_t       *conn;         /* where it is settled: under the
                                              lock of its shard; NULL: that
                                              was lost */
    u_char                  *thread;       /* as in conn, of the worker */
    uint64_t                 number:48;
    uint64_t                 settled:1;    /* the hold is that of all the
                                              worker's sockets of the user */
    uint64_t                 open:1;       /* routable */

    /* the owner's, where the bits cost nothing: one for each socket */
    uint64_t                 bad:5;        /* bad messages so far */
    uint64_t                 restoring:1;  /* not due anything until its past
                                              is there */
    uint64_t                 restorable:1; /* no message and no event yet */
    uint64_t                 spoken:1;     /* a message came */
    uint64_t                 admitted:1;   /* by ngx_ws_mgr_node_admit() */
    uint64_t                 addressed:1;  /* counted at its address */
    uint64_t                 echo:1;       /* not due anything */
    uint64_t                 everyone:1;   /* reads the broadcast log too */
    uint64_t                 unaddressed:1;    /* the address's count, and */
    uint64_t                 unheard:1;    /* that of everyone, were lost */
} ngx_ws_mgr_place_t;


/*
 * Adds a connection, not yet open.  "limit" is that of the user, 0: none.
 * With "oldest" the user's oldest connection is sent away with 4502 instead
 * of a refusal.  NGX_DECLINED: over the limit; NGX_ERROR: no memory.
 */
ngx_int_t ngx_ws_mgr_registry_connect(ngx_str_t *user, ngx_uint_t limit,
    ngx_uint_t oldest, ngx_ws_mgr_place_t *place);

/* where a socket begins to read a log */

typedef struct {
    ngx_ws_mgr_position_t    from;         /* in: the position asked for */
    ngx_uint_t               asked;        /* in: 0: none is; if it is and
                                              from.epoch is 0: malformed */
    ngx_ws_mgr_match_pt      match;        /* in: what the socket is due */
    void                    *data;         /* in: of match */

    uint64_t                 cursor;       /* out: read on after this */
    ngx_ws_mgr_position_t    end;          /* out: of the log */
    ngx_ws_mgr_position_t    gone;         /* out: the last that is gone */
    ngx_uint_t               replay;       /* out: events between */
    const char              *gap;          /* out: why the position can not be
                                              honoured, or NULL */
} ngx_ws_mgr_seek_t;


/*
 * Both settle the place, whose hold may be another one afterwards; _open()
 * also makes the connection routable: its cursor sees all that comes after.
 * NGX_ERROR: the shard was lost since, and there is no memory.
 */
ngx_int_t ngx_ws_mgr_registry_settle(ngx_ws_mgr_place_t *place);
ngx_int_t ngx_ws_mgr_registry_open(ngx_ws_mgr_place_t *place,
    ngx_ws_mgr_seek_t *seek);

/*
 * Puts the connection, which is settled and was lost with its shard, into the
 * new one; the hold may be another one afterwards.  *end is the position
 * before the first event of the user's new log.  NGX_ERROR: no memory.
 */
ngx_int_t ngx_ws_mgr_registry_rejoin(ngx_ws_mgr_place_t *place,
    ngx_ws_mgr_position_t *end);

/* the same question of any log that this worker is a member of */
void ngx_ws_mgr_registry_seek(ngx_ws_mgr_hold_t *hold,
    ngx_ws_mgr_seek_t *seek);

/* the place is empty afterwards, and so its hold may be gone */
void ngx_ws_mgr_registry_disconnect(ngx_ws_mgr_place_t *place);

/* what the kernel has of the socket's, up to seq */
void ngx_ws_mgr_registry_sent(ngx_ws_mgr_place_t *place, uint64_t *seq,
    uint64_t bytes_in, uint64_t bytes_out);

/* the close code that is asked for, or 0 */
ngx_uint_t ngx_ws_mgr_registry_kicked(ngx_ws_mgr_place_t *place);

/* of what the worker knows itself, without a lock */
void ngx_ws_mgr_registry_who(ngx_ws_mgr_place_t *place,
    ngx_ws_mgr_who_t *who);
#define ngx_ws_mgr_registry_number(place)                                     \
    ((uint64_t) (ngx_ws_mgr_slot + 1) << 48 | (place)->number)

/* NGX_ERROR: no memory; len 0: no thread */
ngx_int_t ngx_ws_mgr_registry_thread(ngx_ws_mgr_place_t *place,
    ngx_str_t *thread);

/*
 * The client has handled the event with that id, or all up to seq, which is
 * of the epoch (0: that of the log); an older confirmation than the last one
 * changes nothing.  NGX_DECLINED: the log has no such event, or it was not
 * sent on this socket yet.
 */
ngx_int_t ngx_ws_mgr_registry_confirm(ngx_ws_mgr_place_t *place,
    ngx_str_t *event_id, uint64_t epoch, uint64_t seq);

/* "<node>-<number in hex>" at p, which has room for CONN_LEN; its end */
u_char *ngx_ws_mgr_registry_conn_id(u_char *p, uint64_t number);
/* NGX_DECLINED: of another node, or no id at all */
ngx_int_t ngx_ws_mgr_registry_conn_number(ngx_str_t *id, uint64_t *number);

/* marks with a close code; the owner is woken and closes.  Returns how many
   were marked */
ngx_uint_t ngx_ws_mgr_registry_kick_user(ngx_str_t *user, ngx_uint_t code);
ngx_uint_t ngx_ws_mgr_registry_kick_conn(uint64_t number, ngx_uint_t code);


#endif /* _NGX_WS_MGR_REGISTRY_H_INCLUDED_ */
