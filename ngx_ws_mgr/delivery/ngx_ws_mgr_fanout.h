
/*
 * Copyright (C) the ngx_ws_mgr authors
 *
 * Who receives what, and the one loop that delivers it: read after the
 * cursor, write, move the cursor.  A client is a session with a place in the
 * registry and a cursor into each log that it reads: its user's and the
 * broadcast log.
 */


#ifndef _NGX_WS_MGR_FANOUT_H_INCLUDED_
#define _NGX_WS_MGR_FANOUT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_ws_mgr_registry.h>
#include <ngx_ws_mgr_session.h>


typedef struct ngx_ws_mgr_client_s  ngx_ws_mgr_client_t;

/* a cursor into one log */

typedef struct {
    ngx_queue_t             queue;         /* of hold->subs */
    uint64_t                cursor;
    uint64_t                live:63;       /* first seq that is no replay */
    uint64_t                lags:1;        /* the kernel took no more, and not
                                              all was handed to it since */
} ngx_ws_mgr_sub_t;


struct ngx_ws_mgr_client_s {
    ngx_ws_mgr_session_t    session;       /* first */
    ngx_ws_mgr_place_t      place;         /* its hold is NULL where it is not
                                              in the registry */
    union {
        ngx_ws_mgr_sub_t    sub;           /* into the user's log */
        void               *edge;          /* after leave(): the edges' own */
    }                       own;
    ngx_ws_mgr_sub_t        broadcast;     /* into it; last */
};


/* a client is as large as that; without "broadcast" it has no such member */
#define ngx_ws_mgr_fanout_client_size()                                       \
    (ngx_ws_mgr_registry_conf->broadcast                                      \
     ? sizeof(ngx_ws_mgr_client_t) : offsetof(ngx_ws_mgr_client_t, broadcast))


/* in a worker's init_process: attaches to node and shards, and listens to the
   bell; buffers for events of up to "event_size" posted bytes */
ngx_int_t ngx_ws_mgr_fanout_init(ngx_cycle_t *cycle,
    ngx_ws_mgr_registry_conf_t *conf, size_t event_size);
void ngx_ws_mgr_fanout_exit(void);

/* puts the client's cursors among those of the user's sockets, and of those
   that read the broadcast log; their values are the caller's */
void ngx_ws_mgr_fanout_join(ngx_ws_mgr_client_t *client);
void ngx_ws_mgr_fanout_join_everyone(ngx_ws_mgr_client_t *client);
/* takes them out, before the client leaves the registry, or its hold */
void ngx_ws_mgr_fanout_part(ngx_ws_mgr_client_t *client);
void ngx_ws_mgr_fanout_part_own(ngx_ws_mgr_client_t *client);

/* NGX_DONE: the registry asked for the socket to be closed, and it was */
ngx_int_t ngx_ws_mgr_fanout_check_kick(ngx_ws_mgr_client_t *client);

/* writes what the logs hold after the client's cursors, as the socket takes
   it; from the session's writable() */
void ngx_ws_mgr_fanout_pump(ngx_ws_mgr_client_t *client);

/* sends a client away for which there is no memory */
void ngx_ws_mgr_fanout_starve(ngx_ws_mgr_client_t *client);

/*
 * Who tells a client that a cursor of its is to go elsewhere, since the log is
 * of another epoch ("epoch") or lacks events; the cursor is set, if at all, by
 * ngx_ws_mgr_fanout_move().
 */
void ngx_ws_mgr_fanout_on_reset(void (*reset)(ngx_ws_mgr_client_t *client,
    ngx_ws_mgr_sub_t *sub, ngx_ws_mgr_position_t *position,
    ngx_uint_t epoch));
void ngx_ws_mgr_fanout_move(ngx_ws_mgr_sub_t *sub,
    ngx_ws_mgr_position_t *position);

/* shows the registry the session's bytes so far */
void ngx_ws_mgr_fanout_account(ngx_ws_mgr_client_t *client);

/* true if the event is for the socket that data, an ngx_ws_mgr_who_t, is: of
   the matches of ngx_ws_mgr_publish_t, and of reading a log */
ngx_uint_t ngx_ws_mgr_fanout_match(ngx_ws_mgr_event_t *event, void *data);


#endif /* _NGX_WS_MGR_FANOUT_H_INCLUDED_ */
