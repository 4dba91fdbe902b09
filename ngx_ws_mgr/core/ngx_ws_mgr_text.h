
/*
 * Copyright (C) the ngx_ws_mgr authors
 *
 * A text that grows in a pool, for answers that are written, not built as a
 * tree: JSON and Prometheus.
 */


#ifndef _NGX_WS_MGR_TEXT_H_INCLUDED_
#define _NGX_WS_MGR_TEXT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/*
 * After a failure to grow "failed" is set, no room is left and nothing is
 * added any more: it is looked at once, at the end.
 */

typedef struct {
    u_char       *start;
    u_char       *last;
    u_char       *end;
    ngx_pool_t   *pool;
    unsigned      failed:1;
} ngx_ws_mgr_text_t;


/* allocates nothing yet, unless "size" is above 0 */
void ngx_ws_mgr_text_init(ngx_ws_mgr_text_t *t, ngx_pool_t *pool,
    size_t size);

/* makes room where there is not; NGX_ERROR: none */
ngx_int_t ngx_ws_mgr_text_grow(ngx_ws_mgr_text_t *t, size_t size);

/* room for "size" more bytes at t->last; NGX_ERROR: none */

static ngx_inline ngx_int_t
ngx_ws_mgr_text_room(ngx_ws_mgr_text_t *t, size_t size)
{
    return ((size_t) (t->end - t->last) >= size)
           ? NGX_OK : ngx_ws_mgr_text_grow(t, size);
}


static ngx_inline void
ngx_ws_mgr_text_add(ngx_ws_mgr_text_t *t, const void *p, size_t len)
{
    if (len != 0 && ngx_ws_mgr_text_room(t, len) == NGX_OK) {
        t->last = ngx_cpymem(t->last, p, len);
    }
}


/* as ngx_sprintf(), at most "size" bytes */
void ngx_ws_mgr_text_format(ngx_ws_mgr_text_t *t, size_t size,
    const char *fmt, ...);
void ngx_ws_mgr_text_number(ngx_ws_mgr_text_t *t, uint64_t number);
/* the number at p, which has room for NGX_INT64_LEN; its end */
u_char *ngx_ws_mgr_text_decimal(u_char *p, uint64_t number);
/* how many digits that are */
size_t ngx_ws_mgr_text_digits(uint64_t number);
/* shortest of up to six decimals; JSON has no infinity: null */
void ngx_ws_mgr_text_real(ngx_ws_mgr_text_t *t, double number);
/* a JSON string, with quotes; data NULL: null */
void ngx_ws_mgr_text_string(ngx_ws_mgr_text_t *t, ngx_str_t *string);

#define ngx_ws_mgr_text_put(t, literal)                                       \
    ngx_ws_mgr_text_add(t, literal, sizeof(literal) - 1)

#define ngx_ws_mgr_text_len(t)  ((size_t) ((t)->last - (t)->start))


#endif /* _NGX_WS_MGR_TEXT_H_INCLUDED_ */
