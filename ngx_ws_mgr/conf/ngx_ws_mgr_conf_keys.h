
/*
 * Copyright (C) the ngx_ws_mgr authors
 *
 * The key file of ws_mgr_api_key: one key a line, "#" begins a comment line.
 */


#ifndef _NGX_WS_MGR_CONF_KEYS_H_INCLUDED_
#define _NGX_WS_MGR_CONF_KEYS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


#define NGX_WS_MGR_KEYS_MIN   16           /* characters of a key */
#define NGX_WS_MGR_KEYS_MAX   512
#define NGX_WS_MGR_KEYS_FILE  65536        /* bytes of the file */


/* reads the file into ngx_str_t's of cf->pool; NULL: an error that was
   logged, without a key in it */
ngx_array_t *ngx_ws_mgr_keys_read(ngx_conf_t *cf, ngx_str_t *name);


#endif /* _NGX_WS_MGR_CONF_KEYS_H_INCLUDED_ */
