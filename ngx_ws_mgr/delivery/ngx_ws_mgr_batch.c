
/*
 * Copyright (C) the ngx_ws_mgr authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_ws_mgr_batch.h>
#include <ngx_ws_mgr_deflate.h>
#include <ngx_ws_mgr_extension.h>


#define NGX_WS_MGR_COPY_BATCH  65536       /* bytes copied out in one go */


/*
 * Frames of a log, compressed for the sockets of a window.  A log never has
 * another event for a seq, and no other log ever gets its id, so the frames
 * outlive the batch that they were made from.  An epoch is no such identity:
 * Redis servers choose epochs, and two users may have the same one.
 */

typedef struct {
    ngx_ws_mgr_batch_t    batch;
    uint64_t              log;             /* its id; 0: no frames */
    size_t                min;
} ngx_ws_mgr_copy_deflated_t;


static ngx_uint_t ngx_ws_mgr_copy_deflated_already(
    ngx_ws_mgr_copy_deflated_t *deflated, size_t min);
static ngx_int_t ngx_ws_mgr_copy_deflate_batch(
    ngx_ws_mgr_copy_deflated_t *deflated, ngx_uint_t window, size_t min);
static u_char *ngx_ws_mgr_copy_deflate_frame(u_char *dst, u_char *frame,
    size_t size, ngx_uint_t window, size_t min);
static ngx_int_t ngx_ws_mgr_copy_room(ngx_ws_mgr_batch_t *batch, size_t size,
    ngx_log_t *log);


/* the batch holds what comes after this cursor in this log, for whoever else
   stands there in the same pass */

static struct {
    ngx_ws_mgr_batch_t    batch;
    ngx_ws_mgr_hold_t    *hold;            /* NULL: it holds nothing */
    uint64_t              from;
} ngx_ws_mgr_copy;


static ngx_ws_mgr_copy_deflated_t
    ngx_ws_mgr_copy_deflated[NGX_WS_MGR_WINDOW_MAX + 1];


ngx_int_t
ngx_ws_mgr_copy_init(size_t event_size, ngx_log_t *log)
{
    return ngx_ws_mgr_copy_room(&ngx_ws_mgr_copy.batch,
                                NGX_WS_MGR_COPY_BATCH + event_size, log);
}


void
ngx_ws_mgr_copy_forget(void)
{
    ngx_ws_mgr_copy.hold = NULL;
}


ngx_int_t
ngx_ws_mgr_copy_fetch(ngx_ws_mgr_hold_t *hold, uint64_t *cursor,
    uint64_t skip_from, ngx_ws_mgr_match_pt match, void *data,
    ngx_ws_mgr_batch_t **copied)
{
    ngx_int_t            rc;
    ngx_ws_mgr_batch_t  *batch;

    batch = &ngx_ws_mgr_copy.batch;
    *copied = batch;

    if (ngx_ws_mgr_copy.hold == hold && ngx_ws_mgr_copy.from == *cursor
        && batch->skip_from == skip_from && !batch->aimed)
    {
        return NGX_OK;
    }

    ngx_ws_mgr_copy.hold = NULL;
    batch->skip_from = skip_from;

    for ( ;; ) {
        rc = ngx_ws_mgr_member_read(hold, cursor, batch, match, data);

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
        ngx_ws_mgr_copy.hold = hold;
        ngx_ws_mgr_copy.from = *cursor;
    }

    return rc;
}


ngx_ws_mgr_batch_t *
ngx_ws_mgr_copy_deflate(ngx_uint_t window, size_t min)
{
    ngx_uint_t                   i;
    ngx_ws_mgr_batch_t          *from, *to;
    ngx_ws_mgr_copy_deflated_t  *deflated;

    from = &ngx_ws_mgr_copy.batch;

    deflated = &ngx_ws_mgr_copy_deflated[window];
    to = &deflated->batch;

    if (!ngx_ws_mgr_copy_deflated_already(deflated, min)
        && ngx_ws_mgr_copy_deflate_batch(deflated, window, min) != NGX_OK)
    {
        return from;
    }

    /* not so what came between them */

    for (i = 0; i < from->n; i++) {
        to->frames[i].skips = from->frames[i].skips;
    }

    to->skips = from->skips;
    to->cursor = from->cursor;
    to->more = from->more;
    to->aimed = from->aimed;

    return to;
}


static ngx_uint_t
ngx_ws_mgr_copy_deflated_already(ngx_ws_mgr_copy_deflated_t *deflated,
    size_t min)
{
    ngx_uint_t           i;
    ngx_ws_mgr_batch_t  *from, *to;

    from = &ngx_ws_mgr_copy.batch;
    to = &deflated->batch;

    if (deflated->log != from->log || deflated->min != min
        || to->n != from->n)
    {
        return 0;
    }

    for (i = 0; i < from->n; i++) {
        if (to->frames[i].seq != from->frames[i].seq) {
            return 0;
        }
    }

    return 1;
}


/* NGX_ERROR: no memory, it holds nothing */

static ngx_int_t
ngx_ws_mgr_copy_deflate_batch(ngx_ws_mgr_copy_deflated_t *deflated,
    ngx_uint_t window, size_t min)
{
    u_char              *p, *frame, *last;
    ngx_uint_t           i;
    ngx_ws_mgr_batch_t  *from, *to;

    from = &ngx_ws_mgr_copy.batch;
    to = &deflated->batch;

    deflated->log = 0;

    /* no frame becomes longer */

    if (to->end - to->start < from->last - from->start
        && ngx_ws_mgr_copy_room(to, from->end - from->start, ngx_cycle->log)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    p = to->start;
    frame = from->start;

    for (i = 0; i < from->n; i++) {
        last = from->start + from->frames[i].end;
        p = ngx_ws_mgr_copy_deflate_frame(p, frame, last - frame, window, min);

        to->frames[i] = from->frames[i];
        to->frames[i].end = (uint32_t) (p - to->start);

        frame = last;
    }

    to->n = from->n;
    to->last = p;

    deflated->log = from->log;
    deflated->min = min;

    return NGX_OK;
}


/* the frame at dst, where it takes no more room than it has; its end */

static u_char *
ngx_ws_mgr_copy_deflate_frame(u_char *dst, u_char *frame, size_t size,
    ngx_uint_t window, size_t min)
{
    size_t   len, n, head;
    u_char  *p, *payload;

    head = ngx_ws_mgr_frame_header_len(frame);
    len = size - head;
    n = 0;

    if (len >= min && len <= NGX_WS_MGR_DEFLATE_MOST) {
        n = ngx_ws_mgr_deflate(window, frame + head, len, dst + head);
    }

    if (n == 0) {
        return ngx_cpymem(dst, frame, size);
    }

    ngx_ws_mgr_count(DEFLATED);
    ngx_ws_mgr_count_add(DEFLATED_SAVED, len - n);

    payload = dst + head;
    p = ngx_ws_mgr_frame_header(dst, (frame[0] & 0xf)|NGX_WS_MGR_OP_DEFLATED,
                                n);

    return ngx_movemem(p, payload, n);
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
