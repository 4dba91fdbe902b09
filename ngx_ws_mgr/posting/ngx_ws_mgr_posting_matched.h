
/*
 * Copyright (C) the ngx_ws_mgr authors
 *
 * Which connections an event was for, at the moment when it was published.
 */


#ifndef _NGX_WS_MGR_POSTING_MATCHED_H_INCLUDED_
#define _NGX_WS_MGR_POSTING_MATCHED_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_ws_mgr_append.h>


#define NGX_WS_MGR_API_MATCHED_MAX  1024


typedef struct {
    uint64_t                    number;
    ngx_uint_t                  state;     /* the caller's; 0 at first */
} ngx_ws_mgr_api_conn_t;


typedef struct {
    ngx_ws_mgr_api_conn_t      *conns;     /* in pool */
    ngx_uint_t                  n;
    ngx_pool_t                 *pool;
    size_t                      event_size;  /* of the largest, posted */
    unsigned                    known:1;   /* these are all; else n is 0 */
} ngx_ws_mgr_api_matched_t;


/* the open connections that p is going to be for; not known of a broadcast,
   nor of more than the maximum */
void ngx_ws_mgr_api_matched_before(ngx_ws_mgr_api_matched_t *matched,
    ngx_ws_mgr_publish_t *p);

/* after p was published: puts the list right, where somebody came or went
   meanwhile, or where p is a duplicate of an earlier event */
void ngx_ws_mgr_api_matched_after(ngx_ws_mgr_api_matched_t *matched,
    ngx_ws_mgr_publish_t *p);


#endif /* _NGX_WS_MGR_POSTING_MATCHED_H_INCLUDED_ */
