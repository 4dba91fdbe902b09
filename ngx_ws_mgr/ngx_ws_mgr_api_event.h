
/*
 * Copyright (C) the ngx_ws_mgr authors
 *
 * One posted event: read, checked, published, and its result written.
 */


#ifndef _NGX_WS_MGR_API_EVENT_H_INCLUDED_
#define _NGX_WS_MGR_API_EVENT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_ws_mgr_api_fault.h>
#include <ngx_ws_mgr_api_wait.h>
#include <ngx_ws_mgr_conf.h>
#include <ngx_ws_mgr_envelope.h>
#include <ngx_ws_mgr_text.h>


/* what all events of one request share */

typedef struct {
    ngx_pool_t               *pool;
    ngx_ws_mgr_loc_conf_t    *conf;
    ngx_array_t              *placeholders;  /* ngx_str_t; NULL: off */
    ngx_str_t                 user;        /* of ?user=; data NULL: none */
    ngx_str_t                 user_raw;    /* the same as a JSON string */
    ngx_ws_mgr_api_wait_t    *wait;        /* NULL: none */
    u_char                   *body;        /* lines are counted from here */
    ngx_uint_t                appended;    /* to users' logs, so far */
} ngx_ws_mgr_api_event_t;


/* why one was refused */

typedef struct {
    ngx_ws_mgr_fault_e        fault;
    ngx_ws_mgr_problem_t      problem;
    ngx_str_t                 event_id;    /* where it was read, or NULL */
} ngx_ws_mgr_api_refusal_t;


/*
 * NGX_OK: accepted, its result was added to t; NGX_DECLINED: it is in no log,
 * and refusal says why.
 */
ngx_int_t ngx_ws_mgr_api_event_post(ngx_ws_mgr_api_event_t *event,
    ngx_ws_mgr_span_t *posted, ngx_ws_mgr_text_t *t,
    ngx_ws_mgr_api_refusal_t *refusal);

/* true if the name is one of the placeholders, in any letter case */
ngx_uint_t ngx_ws_mgr_api_event_placeholder(ngx_array_t *placeholders,
    ngx_str_t *user);


#endif /* _NGX_WS_MGR_API_EVENT_H_INCLUDED_ */
