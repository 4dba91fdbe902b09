
/*
 * Copyright (C) the ngx_ws_mgr authors
 *
 * Strings of JSON (RFC 8259 section 7): validation and decoding.
 */


#ifndef _NGX_WS_MGR_STRING_H_INCLUDED_
#define _NGX_WS_MGR_STRING_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


typedef struct {
    u_char        *where;
    const char    *error;                  /* static text */
    ngx_uint_t     escaped;                /* the string has escapes */
} ngx_ws_mgr_string_t;


/*
 * From behind the opening quote to behind the closing one.  UTF-8 is checked,
 * and that surrogates are in pairs.  NULL: s->where and s->error are set.
 */
u_char *ngx_ws_mgr_string_scan(ngx_ws_mgr_string_t *s, u_char *p, u_char *end);

/*
 * The inside of a valid string as UTF-8 at dst, which has room for as many
 * bytes; returns the end of what it wrote.
 */
u_char *ngx_ws_mgr_string_decode(u_char *dst, u_char *p, u_char *last);


#endif /* _NGX_WS_MGR_STRING_H_INCLUDED_ */
