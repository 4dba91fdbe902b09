
/*
 * Copyright (C) the ngx_ws_mgr authors
 *
 * An event as it travels between nodes and lies in a stream: a line of
 * decimals, and the texts whose lengths the line gives, one behind the other.
 *
 *     1 <to> <class> <ttl_ms> <known> <input_tokens> <output_tokens> <cost>
 *     <user_raw> <event_id> <type> <run> <thread> <tool> <target> <posted>
 *
 * What stands for a connection is its id, since its number is of one node.
 */


#ifndef _NGX_WS_MGR_ENGINE_RECORD_H_INCLUDED_
#define _NGX_WS_MGR_ENGINE_RECORD_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_ws_mgr_append.h>


#define NGX_WS_MGR_RECORD_HEAD   384       /* bytes of the line, at most */
#define NGX_WS_MGR_RECORD_TEXTS  8


/* bytes of the event's record, at most */
size_t ngx_ws_mgr_record_size(ngx_ws_mgr_publish_t *p);

/* writes it; returns its end */
u_char *ngx_ws_mgr_record_write(u_char *buf, ngx_ws_mgr_publish_t *p);


/* an event that was read; everything points into the text, or into *this */

typedef struct {
    ngx_ws_mgr_publish_t      publish;
    ngx_str_t                 posted;      /* the entry's only piece */
    uint64_t                  number;      /* of a connection */
} ngx_ws_mgr_record_t;


/* fills publish but for user, entry.seq, entry.now and match.  NGX_DECLINED:
   that is no record */
ngx_int_t ngx_ws_mgr_record_read(ngx_ws_mgr_record_t *record, u_char *text,
    size_t len);


#endif /* _NGX_WS_MGR_ENGINE_RECORD_H_INCLUDED_ */
