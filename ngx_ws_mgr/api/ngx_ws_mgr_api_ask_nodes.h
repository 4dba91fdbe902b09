
/*
 * Copyright (C) the ngx_ws_mgr authors
 *
 * What other nodes know is asked of the engine before a request is answered.
 */


#ifndef _NGX_WS_MGR_API_ASK_NODES_H_INCLUDED_
#define _NGX_WS_MGR_API_ASK_NODES_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_ws_mgr_engine.h>
#include <ngx_ws_mgr_text.h>


/* answers the request, or says how it is to be finalized; "op" is NULL where
   the engine is the embedded one */
typedef ngx_int_t (*ngx_ws_mgr_api_look_pt)(ngx_http_request_t *r,
    ngx_ws_mgr_engine_op_t *op, void *data);

typedef struct {
    ngx_http_request_t       *request;
    ngx_ws_mgr_engine_op_t    op;
    ngx_ws_mgr_api_look_pt    handler;
    void                     *data;
} ngx_ws_mgr_api_look_t;


/* NULL: no memory */
ngx_ws_mgr_api_look_t *ngx_ws_mgr_api_look_create(ngx_http_request_t *r,
    ngx_ws_mgr_api_look_pt handler, void *data);

/* after the engine was asked: the handler's answer, or NGX_DONE, and it is
   called later */
ngx_int_t ngx_ws_mgr_api_look_go(ngx_ws_mgr_api_look_t *look);

/* the handler, after the user's log was loaded and its nodes are known */
ngx_int_t ngx_ws_mgr_api_look(ngx_http_request_t *r, ngx_str_t *user,
    ngx_ws_mgr_api_look_pt handler, void *data);

/* ,"nodes":[{"node":"…","connections":n},…], or null where it is not known;
   nothing where op is NULL */
void ngx_ws_mgr_api_look_nodes(ngx_ws_mgr_text_t *t,
    ngx_ws_mgr_engine_op_t *op);


#endif /* _NGX_WS_MGR_API_ASK_NODES_H_INCLUDED_ */
