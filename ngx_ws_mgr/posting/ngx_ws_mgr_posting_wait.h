
/*
 * Copyright (C) the ngx_ws_mgr authors
 *
 * ?wait=sent and ?wait=confirmed of POST events: what became of each event on
 * each connection that was matched when it was published.
 */


#ifndef _NGX_WS_MGR_POSTING_WAIT_H_INCLUDED_
#define _NGX_WS_MGR_POSTING_WAIT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_ws_mgr_posting_matched.h>
#include <ngx_ws_mgr_append.h>
#include <ngx_ws_mgr_text.h>


#define NGX_WS_MGR_API_WAIT_DEFAULT  5000  /* ms */
#define NGX_WS_MGR_API_WAIT_MAX      60000


typedef struct ngx_ws_mgr_api_wait_s  ngx_ws_mgr_api_wait_t;

/* called once, from the event loop; finalizes the request */
typedef void (*ngx_ws_mgr_api_wait_pt)(ngx_http_request_t *r, void *data);


/*
 * Reads the query arguments wait and timeout.  NGX_OK: *wait is NULL where
 * none is asked for; NGX_ABORT: they are wrong; NGX_ERROR: no memory.
 */
ngx_int_t ngx_ws_mgr_api_wait_create(ngx_http_request_t *r,
    ngx_ws_mgr_api_wait_t **wait);

/* before p is published: begins to watch the user and notes who is there */
void ngx_ws_mgr_api_wait_before(ngx_ws_mgr_api_wait_t *wait,
    ngx_ws_mgr_publish_t *p, ngx_ws_mgr_api_matched_t *matched);
/* after it was: the states will be inserted at the end of what is in t */
void ngx_ws_mgr_api_wait_after(ngx_ws_mgr_api_wait_t *wait,
    ngx_ws_mgr_publish_t *p, ngx_ws_mgr_api_matched_t *matched,
    ngx_ws_mgr_text_t *t);

/*
 * NGX_OK: there is nothing to wait for (any more); NGX_AGAIN: "done" will be
 * called, when all is settled or the time is up; it has taken a reference to
 * the request.
 */
ngx_int_t ngx_ws_mgr_api_wait_start(ngx_ws_mgr_api_wait_t *wait,
    ngx_ws_mgr_api_wait_pt done, void *data);

/* puts the states where they belong; the result replaces *t */
void ngx_ws_mgr_api_wait_insert(ngx_ws_mgr_api_wait_t *wait,
    ngx_ws_mgr_text_t *t);

/* members of the answer: ,"wait":"sent","timed_out":false */
void ngx_ws_mgr_api_wait_text(ngx_ws_mgr_api_wait_t *wait,
    ngx_ws_mgr_text_t *t);


#endif /* _NGX_WS_MGR_POSTING_WAIT_H_INCLUDED_ */
