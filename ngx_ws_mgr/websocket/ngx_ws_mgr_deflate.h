
/*
 * Copyright (C) the ngx_ws_mgr authors
 *
 * Messages compressed by DEFLATE as permessage-deflate has them, RFC 7692
 * section 7.2, each on its own: no window is kept from one to the next.
 *
 * What zlib needs belongs to the worker, and to a message that has begun and
 * not ended.
 */


#ifndef _NGX_WS_MGR_DEFLATE_H_INCLUDED_
#define _NGX_WS_MGR_DEFLATE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* more is not compressed, so that the worker is not held up: bytes */
#define NGX_WS_MGR_DEFLATE_MOST  (1024 * 1024)


/*
 * Compresses a message for a window of that many bits, 8 to 15, into dst,
 * which has room for len bytes.  Returns how many the payload has, without
 * the tail that section 7.2.1 takes off; 0: it would not become smaller, or
 * there is no memory, and is to be sent as it is.
 */
size_t ngx_ws_mgr_deflate(ngx_uint_t window, const u_char *p, size_t len,
    u_char *dst);


typedef struct ngx_ws_mgr_inflate_s  ngx_ws_mgr_inflate_t;

/* for one message; NULL: no memory */
ngx_ws_mgr_inflate_t *ngx_ws_mgr_inflate_begin(void);
void ngx_ws_mgr_inflate_end(ngx_ws_mgr_inflate_t *inf);

/*
 * Inflates some of "in", and takes off it what was used, into the worker's
 * own buffer: *out is good until the next call for any message.  "final":
 * nothing of the message comes after "in".
 *
 *   NGX_AGAIN  call again, there may be more out of what "in" has
 *   NGX_OK     all of "in" is used, "out" (maybe empty) is the last of it; if
 *              "final", the message is whole
 *   NGX_ERROR  this is not DEFLATE, or it ends in the middle
 *   NGX_ABORT  no memory
 */
ngx_int_t ngx_ws_mgr_inflate(ngx_ws_mgr_inflate_t *inf, ngx_str_t *in,
    ngx_uint_t final, ngx_str_t *out);


#endif /* _NGX_WS_MGR_DEFLATE_H_INCLUDED_ */
