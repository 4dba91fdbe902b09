
/*
 * Copyright (C) the ngx_ws_mgr authors
 *
 * Header fields of a request, of which there may be several of one name, and
 * lists of tokens in them (RFC 9110, 5.6.1).
 */


#ifndef _NGX_WS_MGR_HEADER_H_INCLUDED_
#define _NGX_WS_MGR_HEADER_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>


/* a walk over the fields of one name; zeroed but for these two at first */

typedef struct {
    ngx_http_request_t    *request;
    const char            *name;           /* in lower case */
    ngx_list_part_t       *part;
    ngx_uint_t             i;
} ngx_ws_mgr_header_t;


/* the next field, or NULL */
ngx_table_elt_t *ngx_ws_mgr_header_next(ngx_ws_mgr_header_t *walk);

/* the only field of that name; *several is set where there are more */
ngx_table_elt_t *ngx_ws_mgr_header_only(ngx_http_request_t *r,
    const char *name, ngx_uint_t *several);

/* true if a token, in any letter case, is listed in any field of that name */
ngx_uint_t ngx_ws_mgr_header_has(ngx_http_request_t *r, const char *name,
    const char *token);

/* the next token of a comma separated list; NGX_DONE: no more */
ngx_int_t ngx_ws_mgr_header_token(u_char **pos, u_char *last,
    ngx_str_t *token);


#endif /* _NGX_WS_MGR_HEADER_H_INCLUDED_ */
