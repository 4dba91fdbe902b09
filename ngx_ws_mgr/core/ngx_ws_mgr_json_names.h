
/*
 * Copyright (C) the ngx_ws_mgr authors
 *
 * A stack of sets of strings: the names that the open objects of a JSON text
 * have so far.  A set of few is searched one by one, one of many by a keyed
 * hash, so that no choice of names makes it slow.
 */


#ifndef _NGX_WS_MGR_JSON_NAMES_H_INCLUDED_
#define _NGX_WS_MGR_JSON_NAMES_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


#define NGX_WS_MGR_NAMES_FEW     32        /* of a set, without a table */
#define NGX_WS_MGR_NAMES_INLINE  64        /* of all, without allocation */


typedef struct {
    uint64_t              key;             /* of its bytes, or the hash */
    u_char               *data;
    size_t                len;
} ngx_ws_mgr_name_t;


/* where the names and the table of a set begin in the stacks */

typedef struct {
    uint64_t              bits;            /* of keys: unset, it is new */
    uint32_t              names;
    uint32_t              slots;
} ngx_ws_mgr_names_set_t;


typedef struct {
    ngx_pool_t           *pool;
    ngx_ws_mgr_name_t    *names;
    uint32_t             *slots;
    uint32_t              nnames;
    uint32_t              nslots;
    uint32_t              names_size;
    uint32_t              slots_size;
    ngx_ws_mgr_name_t     few[NGX_WS_MGR_NAMES_INLINE];
} ngx_ws_mgr_names_t;


void ngx_ws_mgr_names_init(ngx_ws_mgr_names_t *n, ngx_pool_t *pool);

/* sets end in the reverse order of their beginnings */
void ngx_ws_mgr_names_begin(ngx_ws_mgr_names_t *n,
    ngx_ws_mgr_names_set_t *set);
void ngx_ws_mgr_names_end(ngx_ws_mgr_names_t *n, ngx_ws_mgr_names_set_t *set);

/*
 * To the set that began last; the bytes must outlive it.  NGX_DECLINED: it is
 * there; NGX_ERROR: no memory, or no random bytes for the key.
 */
ngx_int_t ngx_ws_mgr_names_add(ngx_ws_mgr_names_t *n,
    ngx_ws_mgr_names_set_t *set, ngx_str_t *name);


#endif /* _NGX_WS_MGR_JSON_NAMES_H_INCLUDED_ */
