
/*
 * Copyright (C) the ngx_ws_mgr authors
 *
 * A client takes its seat in the registry and leaves it, on every way in and
 * out.
 */


#ifndef _NGX_WS_MGR_CLIENT_ENTER_H_INCLUDED_
#define _NGX_WS_MGR_CLIENT_ENTER_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_ws_mgr_fanout.h>


/* what a handshake has gathered before the 101; the undo is
   ngx_ws_mgr_seat_abandon() */

typedef struct {
    ngx_ws_mgr_place_t      place;
    ngx_ws_mgr_position_t   from;          /* epoch 0: none, or malformed */
    ngx_ws_mgr_position_t   from_broadcast;
    ngx_str_t               asked;         /* as presented, or empty */
    struct sockaddr        *address;       /* counted there, or NULL */
    unsigned                admitted:1;
} ngx_ws_mgr_seat_t;


/* notes a position that is asked for, of whichever log; one that is malformed
   is not noted */
void ngx_ws_mgr_seat_ask(ngx_ws_mgr_seat_t *seat, ngx_str_t *text);

/* counts the socket at its address; of a unix socket there is none */
ngx_int_t ngx_ws_mgr_seat_address(ngx_ws_mgr_seat_t *seat,
    struct sockaddr *sa, ngx_uint_t limit);

/* gives back what a seat holds; the seat is empty afterwards */
void ngx_ws_mgr_seat_abandon(ngx_ws_mgr_seat_t *seat);

/*
 * Moves the seat into the client, makes it routable, sends the welcome and
 * a gap where one is due, then what the logs hold after the cursors.
 * An echo client gets none of that.
 */
void ngx_ws_mgr_seat_take(ngx_ws_mgr_client_t *client,
    ngx_ws_mgr_seat_t *seat);

/* out of the registry and of every list; from the session's leave() */
void ngx_ws_mgr_seat_leave(ngx_ws_mgr_client_t *client);

/* session_restore: moves the own cursor, or tells the gap; not before the log
   reaches as far back as it may */
void ngx_ws_mgr_seat_restore(ngx_ws_mgr_client_t *client,
    ngx_str_t *position);

/* tells a client of a gap before the cursor that was found, if there is one */
void ngx_ws_mgr_seat_tell(ngx_ws_mgr_client_t *client, ngx_str_t *asked,
    ngx_ws_mgr_seek_t *seek);

/* the client leaves */
void ngx_ws_mgr_seat_restore_forget(ngx_ws_mgr_client_t *client);


#endif /* _NGX_WS_MGR_CLIENT_ENTER_H_INCLUDED_ */
