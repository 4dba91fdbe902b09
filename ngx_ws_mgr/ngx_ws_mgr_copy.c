
/*
 * Copyright (C) the ngx_ws_mgr authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_ws_mgr_copy.h>


#define NGX_WS_MGR_COPY_BATCH  65536       /* bytes copied out in one go */


static ngx_int_t ngx_ws_mgr_copy_room(ngx_ws_mgr_batch_t *batch, size_t size,
    ngx_log_t *log);


/* the batch holds what comes after this cursor of this member, for whoever
   else stands there in the same pass */

static struct {
    ngx_ws_mgr_batch_t    batch;
    ngx_ws_mgr_member_t  *member;          /* NULL: it holds nothing */
    uint64_t              from;
} ngx_ws_mgr_copy;


ngx_int_t
ngx_ws_mgr_copy_init(size_t event_size, ngx_log_t *log)
{
    return ngx_ws_mgr_copy_room(&ngx_ws_mgr_copy.batch,
                                NGX_WS_MGR_COPY_BATCH + event_size, log);
}


void
ngx_ws_mgr_copy_forget(void)
{
    ngx_ws_mgr_copy.member = NULL;
}


ngx_int_t
ngx_ws_mgr_copy_fetch(ngx_ws_mgr_member_t *member, uint64_t cursor,
    ngx_ws_mgr_match_pt match, void *data, ngx_ws_mgr_batch_t **copied)
{
    ngx_int_t            rc;
    ngx_ws_mgr_batch_t  *batch;

    batch = &ngx_ws_mgr_copy.batch;
    *copied = batch;

    if (ngx_ws_mgr_copy.member == member && ngx_ws_mgr_copy.from == cursor
        && !batch->aimed)
    {
        return NGX_OK;
    }

    ngx_ws_mgr_copy.member = NULL;

    for ( ;; ) {
        rc = ngx_ws_mgr_member_read(member, cursor, batch, match, data);

        if (rc != NGX_ERROR) {
            break;
        }

        if (ngx_ws_mgr_copy_room(batch, 2 * (batch->end - batch->start),
                                 ngx_cycle->log)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    if (rc == NGX_OK) {
        ngx_ws_mgr_copy.member = member;
        ngx_ws_mgr_copy.from = cursor;
    }

    return rc;
}


/* what the batch holds is lost */

static ngx_int_t
ngx_ws_mgr_copy_room(ngx_ws_mgr_batch_t *batch, size_t size, ngx_log_t *log)
{
    u_char  *p;

    p = ngx_alloc(size, log);
    if (p == NULL) {
        return NGX_ERROR;
    }

    if (batch->start) {
        ngx_free(batch->start);
    }

    batch->start = p;
    batch->end = p + size;

    return NGX_OK;
}
