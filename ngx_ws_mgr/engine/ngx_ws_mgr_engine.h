
/*
 * Copyright (C) the ngx_ws_mgr authors
 *
 * Where the order of a user's events is decided.  Embedded it is the log in
 * shared memory, which answers at once; of many nodes it is another server,
 * which every node asks, and whose order all their logs have.
 *
 * An engine decides order, idempotency and run order, and knows which nodes
 * have sockets of whom.  Delivery does not know of it: whatever it has ordered
 * is put into the log by ngx_ws_mgr_publish_feed().
 */


#ifndef _NGX_WS_MGR_ENGINE_H_INCLUDED_
#define _NGX_WS_MGR_ENGINE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_ws_mgr_append.h>


typedef struct ngx_ws_mgr_engine_op_s  ngx_ws_mgr_engine_op_t;

/* what was asked of the engine; any number of questions, zeroed at first */

struct ngx_ws_mgr_engine_op_s {
    ngx_pool_t               *pool;        /* in: lives as long as it */
    void                     *data;        /* in: the caller's own */
    void                    (*done)(ngx_ws_mgr_engine_op_t *op);
                                           /* in: called each time that nothing
                                              is pending any more, and never
                                              under the call that asks */

    ngx_uint_t                pending;     /* questions not answered yet: where
                                              it is 0 after a call, there was
                                              nothing to wait for */
    ngx_uint_t                failed;      /* those that had no answer */
    ngx_array_t              *nodes;       /* ngx_ws_mgr_engine_node_t, of the
                                              last answer that has any */
    ngx_queue_t               items;       /* the engine's own */
};


typedef struct {
    ngx_str_t                 name;
    ngx_uint_t                sockets;     /* of the user */
} ngx_ws_mgr_engine_node_t;


typedef struct {
    const char               *name;

    /* see ngx_ws_mgr_engine_publish() */
    void                    (*publish)(ngx_ws_mgr_engine_op_t *op,
                                ngx_ws_mgr_publish_t **p, ngx_uint_t n);

    /* a socket of this worker comes: from when nothing is pending any more,
       the log has what was published, and goes back to "from" (NULL: to where
       it may) if that is to be had; and it goes on so until _leave() */
    void                    (*enter)(ngx_ws_mgr_engine_op_t *op,
                                ngx_str_t *user,
                                ngx_ws_mgr_position_t *from);
    void                    (*leave)(ngx_str_t *user);

    /* of one who has entered: the log is to go back to "from" */
    void                    (*reach)(ngx_ws_mgr_engine_op_t *op,
                                ngx_str_t *user,
                                ngx_ws_mgr_position_t *from);

    /* once, without a socket: the log has all there is, where the user is
       known; op->nodes is where its sockets are */
    void                    (*look)(ngx_ws_mgr_engine_op_t *op,
                                ngx_str_t *user);

    /* as _enter() and _leave() of one who has no socket: waits of this worker
       for the user are stirred when a socket comes anywhere; op->nodes as
       in _look() */
    void                    (*watch)(ngx_ws_mgr_engine_op_t *op,
                                ngx_str_t *user);
    void                    (*unwatch)(ngx_str_t *user);

    /* all other nodes are asked to close the sockets of the user, or the one
       connection of that id; op->nodes is those that heard of it */
    void                    (*kick_user)(ngx_ws_mgr_engine_op_t *op,
                                ngx_str_t *user, ngx_uint_t code);
    void                    (*kick_conn)(ngx_ws_mgr_engine_op_t *op,
                                ngx_str_t *id, ngx_uint_t code);

    /* the logs of that shard were lost */
    void                    (*lost)(ngx_uint_t shard);

    /* op->done will not be called; what was asked for may be done */
    void                    (*cancel)(ngx_ws_mgr_engine_op_t *op);
} ngx_ws_mgr_engine_t;


/* NULL: the embedded one */
extern const ngx_ws_mgr_engine_t  *ngx_ws_mgr_engine;


/*
 * Appends n events of one user to its log, as ngx_ws_mgr_publish_group() does,
 * whose results are there once nothing is pending.
 */
void ngx_ws_mgr_engine_publish(ngx_ws_mgr_engine_op_t *op,
    ngx_ws_mgr_publish_t **p, ngx_uint_t n);

void ngx_ws_mgr_engine_cancel(ngx_ws_mgr_engine_op_t *op);


#endif /* _NGX_WS_MGR_ENGINE_H_INCLUDED_ */
