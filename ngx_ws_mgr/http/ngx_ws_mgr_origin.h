
/*
 * Copyright (C) the ngx_ws_mgr authors
 *
 * Origins (RFC 6454), as ws_mgr_origin lists them and as browsers send them.
 */


#ifndef _NGX_WS_MGR_ORIGIN_H_INCLUDED_
#define _NGX_WS_MGR_ORIGIN_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


typedef struct {
    ngx_str_t    scheme;
    ngx_str_t    host;                     /* with brackets, if IPv6 */
    ngx_uint_t   port;                     /* 0: of no known default */
    ngx_uint_t   wildcard;                 /* host is what follows "*" */
} ngx_ws_mgr_origin_t;


/*
 * Reads scheme://host[:port]; the strings point into text.  A host that
 * begins with "*." is a wildcard where "wildcard" allows one.  NGX_ERROR: it
 * is no origin.
 */
ngx_int_t ngx_ws_mgr_origin_parse(ngx_str_t *text, ngx_uint_t wildcard,
    ngx_ws_mgr_origin_t *origin);

/* true if the origin is the one listed, or below a listed wildcard */
ngx_uint_t ngx_ws_mgr_origin_match(ngx_ws_mgr_origin_t *listed,
    ngx_ws_mgr_origin_t *origin);

/* true if a Host header field names the origin's own host and port, where no
   port is the default one of the origin's scheme */
ngx_uint_t ngx_ws_mgr_origin_own(ngx_ws_mgr_origin_t *origin,
    ngx_str_t *host);


/*
 * true if pages of the origin "text" may connect to "host" (NULL: unknown);
 * "listed" holds ngx_ws_mgr_origin_t's, NULL: only the host's own pages
 */
ngx_uint_t ngx_ws_mgr_origin_allowed(ngx_array_t *listed, ngx_str_t *text,
    ngx_str_t *host);


#endif /* _NGX_WS_MGR_ORIGIN_H_INCLUDED_ */
