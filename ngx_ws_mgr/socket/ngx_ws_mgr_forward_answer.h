
/*
 * Copyright (C) the ngx_ws_mgr authors
 *
 * What the files of the noun "forward" share: the messages of a connection
 * that wait for the agent backend, and what its answers mean.  Not for others.
 */


#ifndef _NGX_WS_MGR_FORWARD_ANSWER_H_INCLUDED_
#define _NGX_WS_MGR_FORWARD_ANSWER_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_ws_mgr_conf.h>
#include <ngx_ws_mgr_fanout.h>
#include <ngx_ws_mgr_internal_post.h>


/* on the heap while there are messages */

typedef struct {
    ngx_queue_t              items;        /* ngx_ws_mgr_forward_item_t; the
                                              head is on its way */
    ngx_uint_t               n;
    size_t                   bytes;        /* of all payloads */
    ngx_event_t              event;        /* posted, to go on */
    ngx_ws_mgr_client_t     *client;       /* NULL: it has left */
    ngx_ws_mgr_loc_conf_t   *conf;
    uint64_t                 number;       /* of the connection */
    ngx_str_t                user;
    ngx_str_t                connection;
    ngx_str_t                permissions;
    struct sockaddr         *sockaddr;
    socklen_t                socklen;
    ngx_listening_t         *listening;
} ngx_ws_mgr_forward_queue_t;


typedef struct {
    ngx_queue_t              queue;
    ngx_str_t                payload;
    ngx_str_t                ref;
    ngx_str_t                thread;
    unsigned                 binary:1;
} ngx_ws_mgr_forward_item_t;


/* 2xx: the message was accepted, and a JSON object with a type is an event for
   this connection; else the client is told */
void ngx_ws_mgr_forward_answer(ngx_ws_mgr_forward_queue_t *queue,
    ngx_ws_mgr_forward_item_t *item, ngx_ws_mgr_inner_answer_t *answer);


#endif /* _NGX_WS_MGR_FORWARD_ANSWER_H_INCLUDED_ */
