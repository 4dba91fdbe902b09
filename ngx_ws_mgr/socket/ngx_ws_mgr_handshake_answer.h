
/*
 * Copyright (C) the ngx_ws_mgr authors
 *
 * What the files of the noun "handshake" share: the upgrade on its way, and
 * its answer, from the 101 to the session.  Not for others.
 */


#ifndef _NGX_WS_MGR_HANDSHAKE_ANSWER_H_INCLUDED_
#define _NGX_WS_MGR_HANDSHAKE_ANSWER_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_ws_mgr_conf.h>
#include <ngx_ws_mgr_engine.h>
#include <ngx_ws_mgr_refusal.h>
#include <ngx_ws_mgr_client_enter.h>
#include <ngx_ws_mgr_upgrade.h>


/* lives in the request's pool */

typedef struct {
    ngx_http_request_t          *request;
    ngx_ws_mgr_ctx_t            *ctx;
    ngx_ws_mgr_loc_conf_t       *conf;
    const ngx_ws_mgr_ticket_store_t  *store;
    ngx_event_t                  event;    /* posted, to go on */
    ngx_ws_mgr_ticket_op_t       op;
    ngx_ws_mgr_seat_t            seat;
    ngx_ws_mgr_engine_op_t       entering;
    uint64_t                     asked_at; /* us: the store */
    ngx_str_t                    permissions; /* of the ticket */
    ngx_ws_mgr_extension_t       extension;   /* agreed on */
    ngx_ws_mgr_refusal_e         refusal;
    const char                  *detail;   /* of the refusal, or NULL */
    unsigned                     asking:1; /* the store has op */
    unsigned                     seated:1;
} ngx_ws_mgr_handshake_t;


/* sends the 101, then takes the connection over, also to close it where
   hs->refusal says so; from an event */
void ngx_ws_mgr_handshake_answer(ngx_ws_mgr_handshake_t *hs);

/* finalizes a request that handshakes outside its content handler */
void ngx_ws_mgr_handshake_end(ngx_http_request_t *r, ngx_int_t rc);


#endif /* _NGX_WS_MGR_HANDSHAKE_ANSWER_H_INCLUDED_ */
