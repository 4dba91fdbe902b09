
/*
 * Copyright (C) the ngx_ws_mgr authors
 *
 * Bodies of the API: of a request, whole, in memory and bounded; and of an
 * answer, as JSON.
 */


#ifndef _NGX_WS_MGR_API_BODY_H_INCLUDED_
#define _NGX_WS_MGR_API_BODY_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_ws_mgr_event_log.h>
#include <ngx_ws_mgr_text.h>


/* what it returns finalizes the request; the body lives as long as it, and
   may be in the buffer that the header came in */
typedef ngx_int_t (*ngx_ws_mgr_body_pt)(ngx_http_request_t *r,
    ngx_str_t *body, void *data);


typedef enum {
    NGX_WS_MGR_BODY_JSON = 0,
    NGX_WS_MGR_BODY_LINES                  /* application/x-ndjson */
} ngx_ws_mgr_body_type_e;


/*
 * NGX_OK: the type and encoding of the body are ours; NGX_DECLINED: they are
 * not, "*error" says why in static text.
 */
ngx_int_t ngx_ws_mgr_api_body_type(ngx_http_request_t *r,
    ngx_ws_mgr_body_type_e *type, const char **error);

/*
 * Reads the body of up to "max" bytes (0: any) and calls the handler, once,
 * now or later.  A body that is too large or malformed is answered here, and
 * counted where it is of "events".  Returns what a content handler returns.
 */
ngx_int_t ngx_ws_mgr_api_body_read(ngx_http_request_t *r, off_t max,
    ngx_uint_t events, ngx_ws_mgr_body_pt handler, void *data);

/* sends the text as application/json */
ngx_int_t ngx_ws_mgr_api_body_send(ngx_http_request_t *r, ngx_uint_t status,
    ngx_ws_mgr_text_t *t);

/* a member, with a comma in front; null where epoch is 0 */
void ngx_ws_mgr_api_body_position(ngx_ws_mgr_text_t *t, const char *name,
    ngx_ws_mgr_position_t *position);


#endif /* _NGX_WS_MGR_API_BODY_H_INCLUDED_ */
