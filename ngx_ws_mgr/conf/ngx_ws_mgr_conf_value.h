
/*
 * Copyright (C) the ngx_ws_mgr authors
 *
 * Values of directives: reading them, and saying what to write instead.
 */


#ifndef _NGX_WS_MGR_CONF_VALUE_H_INCLUDED_
#define _NGX_WS_MGR_CONF_VALUE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


#define NGX_WS_MGR_VALUE_TIME  (365 * 24 * 3600 * (ngx_msec_t) 1000)


/* where a directive stands, for what is found later; line 0: nowhere */

typedef struct {
    ngx_str_t    file;
    ngx_uint_t   line;
} ngx_ws_mgr_value_place_t;


void ngx_ws_mgr_value_here(ngx_conf_t *cf, ngx_ws_mgr_value_place_t *place);
/* logs at a level, with the place in place of the line that is read now */
void ngx_cdecl ngx_ws_mgr_value_log(ngx_conf_t *cf, ngx_uint_t level,
    ngx_ws_mgr_value_place_t *place, const char *fmt, ...);

/* each logs why the value is refused and returns NGX_CONF_ERROR; "use" goes on
   after 'invalid value "..." in "directive", use ' */
char *ngx_ws_mgr_value_invalid(ngx_conf_t *cf, ngx_str_t *value,
    const char *use);
char *ngx_ws_mgr_value_twice(ngx_conf_t *cf, ngx_str_t *value);

/* true if arg is name=value */
ngx_uint_t ngx_ws_mgr_value_param(ngx_str_t *arg, const char *name,
    ngx_str_t *value);
ngx_uint_t ngx_ws_mgr_value_is(ngx_str_t *value, const char *word);

/*
 * The text of a file, as nginx names files, of at most "max" bytes; "use"
 * stands in the message where it cannot be read.  The message does not name a
 * file that is not there: the name may be the secret itself.
 */
ngx_int_t ngx_ws_mgr_value_file(ngx_conf_t *cf, ngx_str_t *name, size_t max,
    const char *use, ngx_str_t *text);

/* 1 to max */
ngx_int_t ngx_ws_mgr_value_number(ngx_str_t *value, ngx_uint_t max,
    ngx_uint_t *number);
/* 1 ms to a year */
ngx_int_t ngx_ws_mgr_value_interval(ngx_str_t *value, ngx_msec_t *msec);


#endif /* _NGX_WS_MGR_CONF_VALUE_H_INCLUDED_ */
