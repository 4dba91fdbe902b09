
/*
 * Copyright (C) the ngx_ws_mgr authors
 *
 * What a worker has copied out of a log, shared by all sockets that stand at
 * one cursor, and the same compressed, for those that agreed on it.
 */


#ifndef _NGX_WS_MGR_BATCH_H_INCLUDED_
#define _NGX_WS_MGR_BATCH_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_ws_mgr_member.h>


/* in a worker's init_process: room for events of up to "event_size" posted
   bytes, which grows where an earlier configuration let larger ones in */
ngx_int_t ngx_ws_mgr_copy_init(size_t event_size, ngx_log_t *log);

/* the next fetch reads: the log may have changed */
void ngx_ws_mgr_copy_forget(void);

/*
 * What comes after the cursor, unless it is there, but for what may be skipped
 * from that seq on (0: nothing): see ngx_ws_mgr_log_read().
 * The batch is good until the next call.  NGX_DECLINED: the log has left the
 * cursor behind; NGX_ERROR: no memory.
 */
ngx_int_t ngx_ws_mgr_copy_fetch(ngx_ws_mgr_hold_t *hold, uint64_t *cursor,
    uint64_t skip_from, ngx_ws_mgr_match_pt match, void *data,
    ngx_ws_mgr_batch_t **batch);

/*
 * The batch that was fetched last, with its messages of "min" bytes or more
 * compressed for a window of that many bits, where that makes them smaller.
 * Each is compressed once for all sockets of one window: also for those that
 * are served later, as long as no other batch was compressed for it meanwhile.
 * Good until the next fetch.
 */
ngx_ws_mgr_batch_t *ngx_ws_mgr_copy_deflate(ngx_uint_t window, size_t min);


#endif /* _NGX_WS_MGR_BATCH_H_INCLUDED_ */
