
/*
 * Copyright (C) the ngx_ws_mgr authors
 *
 * Small answers in one send().
 *
 * nginx writes an answer with writev(), for its header and its body are two
 * buffers.  Where they are some hundred bytes, a copy into one buffer and
 * send() cost the kernel less.
 */


#ifndef _NGX_WS_MGR_OUTPUT_H_INCLUDED_
#define _NGX_WS_MGR_OUTPUT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>


/*
 * As ngx_http_output_filter(), through all filters, and with what it returns.
 * What they leave to be written on a plain connection, and is at most
 * NGX_WS_MGR_OUTPUT_SIZE bytes in memory, is written by one send(); all else
 * as nginx would.
 */
ngx_int_t ngx_ws_mgr_output(ngx_http_request_t *r, ngx_chain_t *out);


#define NGX_WS_MGR_OUTPUT_SIZE  1024    /* bytes */


#endif /* _NGX_WS_MGR_OUTPUT_H_INCLUDED_ */
