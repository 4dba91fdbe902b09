
/*
 * Copyright (C) the ngx_ws_mgr authors
 *
 * One posted event before it is published: read, and checked against what the
 * location and the query say.
 */


#ifndef _NGX_WS_MGR_POSTING_H_INCLUDED_
#define _NGX_WS_MGR_POSTING_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_ws_mgr_fault.h>
#include <ngx_ws_mgr_posting_wait.h>
#include <ngx_ws_mgr_conf.h>
#include <ngx_ws_mgr_envelope.h>
#include <ngx_ws_mgr_append.h>


/* what all events of one request share */

typedef struct {
    ngx_pool_t               *pool;
    ngx_ws_mgr_loc_conf_t    *conf;
    ngx_array_t              *placeholders;  /* ngx_str_t; NULL: off */
    ngx_str_t                 user;        /* of ?user=; data NULL: none */
    ngx_str_t                 user_raw;    /* the same as a JSON string */
    ngx_ws_mgr_api_wait_t    *wait;        /* NULL: none */
    u_char                   *body;        /* lines are counted from here */
} ngx_ws_mgr_api_event_t;


/* why one was refused */

typedef struct {
    ngx_ws_mgr_fault_e        fault;
    ngx_ws_mgr_problem_t      problem;
    ngx_str_t                 event_id;    /* where it was read, or NULL */
} ngx_ws_mgr_api_refusal_t;


/* one of many users that an event is for */

typedef struct {
    ngx_ws_mgr_publish_t        publish;
    ngx_ws_mgr_api_matched_t    matched;   /* where event->wait */
} ngx_ws_mgr_posting_user_t;


typedef struct {
    ngx_ws_mgr_api_event_t     *event;
    ngx_ws_mgr_span_t           posted;
    ngx_ws_mgr_api_refusal_t    refusal;   /* where it was refused */
    ngx_ws_mgr_api_matched_t    matched;   /* where event->wait */
    ngx_ws_mgr_envelope_t       envelope;
    ngx_ws_mgr_publish_t        publish;
    ngx_ws_mgr_posting_user_t  *users;     /* where envelope.nusers: of each;
                                              NULL: no memory */
    ngx_str_t                   pieces[NGX_WS_MGR_ENVELOPE_CUTS + 1];
    uint64_t                    number;    /* of connection_id */
    unsigned                    broadcast:1;
    unsigned                    refused:1;
} ngx_ws_mgr_posting_t;


/*
 * Fills the publish from posting->posted; its user is set where there is but
 * one.  NGX_DECLINED: it is refused, and posting->refusal says why.
 */
ngx_int_t ngx_ws_mgr_api_posting_read(ngx_ws_mgr_posting_t *posting);

/*
 * Refuses; returns NGX_DECLINED.  "where" may be NULL, or elsewhere
 * than in the body: the place of the event is told then.
 */
ngx_int_t ngx_ws_mgr_api_posting_refuse(ngx_ws_mgr_posting_t *posting,
    ngx_ws_mgr_fault_e fault, const char *member, u_char *where,
    const char *detail);

/* true if the name is one of the placeholders, in any letter case */
ngx_uint_t ngx_ws_mgr_api_posting_placeholder(ngx_array_t *placeholders,
    ngx_str_t *user);


#endif /* _NGX_WS_MGR_POSTING_H_INCLUDED_ */
