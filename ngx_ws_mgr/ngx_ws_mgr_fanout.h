
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
    ngx_queue_t             queue;         /* of member->sessions */
    ngx_ws_mgr_member_t    *member;        /* NULL: reads no such log */
    uint64_t                cursor;
    uint64_t                live;          /* first seq that is no replay */
    unsigned                lags:1;        /* the kernel took no more, and not
                                              all was handed to it since */
} ngx_ws_mgr_sub_t;


struct ngx_ws_mgr_client_s {
    ngx_ws_mgr_session_t    session;       /* first */
    ngx_ws_mgr_conn_t      *conn;          /* NULL: not in the registry */
    ngx_ws_mgr_member_t    *address;       /* counted there, or NULL */
    ngx_ws_mgr_sub_t        own;
    ngx_ws_mgr_sub_t        broadcast;
    void                   *conf;          /* the location's, for the edges */
    void                   *edge;          /* the edges' own */
    uint16_t                bad;           /* bad messages so far */
    unsigned                restorable:1;  /* no message and no event yet */
    unsigned                spoken:1;      /* a message came */
    unsigned                admitted:1;    /* by ngx_ws_mgr_node_admit() */
    unsigned                echo:1;        /* in the registry, but not due
                                              anything */
};


/* in a worker's init_process: attaches to node and shards, and listens to the
   bell; buffers for events of up to "event_size" posted bytes */
ngx_int_t ngx_ws_mgr_fanout_init(ngx_cycle_t *cycle,
    ngx_ws_mgr_registry_conf_t *conf, size_t event_size);
void ngx_ws_mgr_fanout_exit(void);

/* puts the cursor among those of the member's sockets; sub->cursor and
   sub->live are the caller's */
void ngx_ws_mgr_fanout_join(ngx_ws_mgr_sub_t *sub,
    ngx_ws_mgr_member_t *member);
void ngx_ws_mgr_fanout_part(ngx_ws_mgr_sub_t *sub);

/* NGX_DONE: the registry asked for the socket to be closed, and it was */
ngx_int_t ngx_ws_mgr_fanout_check_kick(ngx_ws_mgr_client_t *client);

/* writes what the logs hold after the client's cursors, as the socket takes
   it; from the session's writable() */
void ngx_ws_mgr_fanout_pump(ngx_ws_mgr_client_t *client);

/* shows the registry the session's bytes so far */
void ngx_ws_mgr_fanout_account(ngx_ws_mgr_client_t *client);

/* true if the event is for the connection that data is: of the matches of
   ngx_ws_mgr_publish_t, and of reading a log */
ngx_uint_t ngx_ws_mgr_fanout_match(ngx_ws_mgr_event_t *event, void *data);


#endif /* _NGX_WS_MGR_FANOUT_H_INCLUDED_ */
