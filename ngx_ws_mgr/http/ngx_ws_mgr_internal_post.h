
/*
 * Copyright (C) the ngx_ws_mgr authors
 *
 * A POST to a location of this nginx, by nobody but ourselves: a request like
 * any other, on a connection that has no peer, with one subrequest whose answer
 * is gathered in memory (ngx_http_subrequest()).  All that it takes is freed at
 * its end.
 */


#ifndef _NGX_WS_MGR_INTERNAL_POST_H_INCLUDED_
#define _NGX_WS_MGR_INTERNAL_POST_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>


#define NGX_WS_MGR_INNER_HEADERS  8        /* beside the content's own */


typedef struct {
    ngx_str_t                 name;        /* as sent; static */
    ngx_str_t                 lowcase;     /* static */
    ngx_str_t                 value;       /* without CR, LF and NUL */
} ngx_ws_mgr_inner_header_t;


typedef struct {
    ngx_uint_t                status;      /* 0: no answer came, or not whole */
    ngx_str_t                 type;        /* Content-Type, or empty */
    ngx_str_t                 body;        /* at most what
                                              subrequest_output_buffer_size
                                              of the location allows */
    ngx_pool_t               *pool;        /* of the request, which goes */
} ngx_ws_mgr_inner_answer_t;


typedef struct {
    ngx_http_conf_ctx_t       conf;        /* of the server */
    ngx_str_t                 uri;         /* lives as long as the cycle */
    ngx_str_t                 args;        /* the same */

    /* what $remote_addr and its like tell; they are copied */
    struct sockaddr          *sockaddr;
    socklen_t                 socklen;
    ngx_listening_t          *listening;

    ngx_str_t                 type;        /* Content-Type; static */
    ngx_str_t                 body;        /* copied */
    ngx_ws_mgr_inner_header_t headers[NGX_WS_MGR_INNER_HEADERS];
                                           /* values are copied */
    ngx_uint_t                nheaders;

    /* exactly once, maybe before ngx_ws_mgr_inner_post() returns */
    void                    (*done)(void *data,
                                    ngx_ws_mgr_inner_answer_t *answer);
    void                     *data;
} ngx_ws_mgr_inner_t;


/* NGX_ERROR: there is no memory or no connection left, and done() is not
   called; else it is.  The post itself is not needed any more. */
ngx_int_t ngx_ws_mgr_inner_post(ngx_ws_mgr_inner_t *post);


#endif /* _NGX_WS_MGR_INTERNAL_POST_H_INCLUDED_ */
