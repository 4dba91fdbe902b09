
/*
 * Copyright (C) the ngx_ws_mgr authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_ws_mgr_posting_matched.h>
#include <ngx_ws_mgr_registry_query.h>


#define NGX_WS_MGR_API_MATCHED_PAGE  16    /* connections copied at once */


static ngx_int_t ngx_ws_mgr_api_matched_collect(
    ngx_ws_mgr_api_matched_t *matched, ngx_ws_mgr_publish_t *p,
    uint64_t since);
static ngx_int_t ngx_ws_mgr_api_matched_room(
    ngx_ws_mgr_api_matched_t *matched, ngx_uint_t *size, ngx_uint_t n);
static ngx_uint_t ngx_ws_mgr_api_matched_is(ngx_ws_mgr_publish_t *p,
    ngx_ws_mgr_conn_info_t *info);
static void ngx_ws_mgr_api_matched_merge(ngx_ws_mgr_api_matched_t *matched,
    ngx_ws_mgr_publish_t *p);
static ngx_uint_t ngx_ws_mgr_api_matched_has(
    ngx_ws_mgr_api_matched_t *matched, uint64_t number);
static uint64_t ngx_ws_mgr_api_matched_posted(
    ngx_ws_mgr_api_matched_t *matched, ngx_ws_mgr_publish_t *p);
static ngx_uint_t ngx_ws_mgr_api_matched_any(ngx_ws_mgr_event_t *event,
    void *data);


void
ngx_ws_mgr_api_matched_before(ngx_ws_mgr_api_matched_t *matched,
    ngx_ws_mgr_publish_t *p)
{
    matched->conns = NULL;
    matched->n = 0;
    matched->known = 0;

    /* positions of connections are those of their users' logs */

    if (p->user.len == 1 && p->user.data[0] == '*') {
        return;
    }

    matched->known = (ngx_ws_mgr_api_matched_collect(matched, p, 0)
                      == NGX_OK);
}


void
ngx_ws_mgr_api_matched_after(ngx_ws_mgr_api_matched_t *matched,
    ngx_ws_mgr_publish_t *p)
{
    uint64_t  since;

    if (!matched->known) {
        matched->n = 0;
        return;
    }

    if (p->duplicate) {

        /* those that are still there of whom it was for at first */

        since = ngx_ws_mgr_api_matched_posted(matched, p);

        matched->known = (since != 0
                          && ngx_ws_mgr_api_matched_collect(matched, p, since)
                             == NGX_OK);

    } else if (matched->n != p->sockets) {
        ngx_ws_mgr_api_matched_merge(matched, p);
    }

    if (!matched->known) {
        matched->n = 0;
    }
}


/*
 * The open connections that the event is for, that began at "since" or before
 * (0: whenever).  NGX_DECLINED: there are too many.
 */

static ngx_int_t
ngx_ws_mgr_api_matched_collect(ngx_ws_mgr_api_matched_t *matched,
    ngx_ws_mgr_publish_t *p, uint64_t since)
{
    uint64_t                 after;
    ngx_uint_t               i, n, size;
    ngx_ws_mgr_api_conn_t   *conn;
    ngx_ws_mgr_conn_info_t  *info, page[NGX_WS_MGR_API_MATCHED_PAGE];

    matched->conns = NULL;
    matched->n = 0;

    size = 0;
    after = 0;

    do {
        n = ngx_ws_mgr_census_user_conns(&p->user, after, page,
                                         NGX_WS_MGR_API_MATCHED_PAGE);

        if (ngx_ws_mgr_api_matched_room(matched, &size, n) != NGX_OK) {
            return NGX_ERROR;
        }

        for (i = 0; i < n; i++) {
            info = &page[i];
            after = info->ordinal;

            if (info->open && !info->kick
                && (since == 0 || info->since <= since)
                && ngx_ws_mgr_api_matched_is(p, info))
            {
                conn = &matched->conns[matched->n++];
                conn->number = info->number;
                conn->state = 0;
            }
        }

        if (matched->n > NGX_WS_MGR_API_MATCHED_MAX) {
            return NGX_DECLINED;
        }

    } while (n == NGX_WS_MGR_API_MATCHED_PAGE);

    return NGX_OK;
}


static ngx_int_t
ngx_ws_mgr_api_matched_room(ngx_ws_mgr_api_matched_t *matched,
    ngx_uint_t *size, ngx_uint_t n)
{
    ngx_ws_mgr_api_conn_t  *conns;

    if (matched->n + n <= *size) {
        return NGX_OK;
    }

    *size = 2 * (matched->n + n);

    conns = ngx_palloc(matched->pool, *size * sizeof(ngx_ws_mgr_api_conn_t));
    if (conns == NULL) {
        return NGX_ERROR;
    }

    if (matched->n != 0) {
        ngx_memcpy(conns, matched->conns,
                   matched->n * sizeof(ngx_ws_mgr_api_conn_t));
    }

    matched->conns = conns;

    return NGX_OK;
}


static ngx_uint_t
ngx_ws_mgr_api_matched_is(ngx_ws_mgr_publish_t *p,
    ngx_ws_mgr_conn_info_t *info)
{
    uint64_t  number;

    switch (p->entry.to) {

    case NGX_WS_MGR_TO_THREAD:
        return info->thread.len == p->entry.target.len
               && ngx_memcmp(info->thread.data, p->entry.target.data,
                             info->thread.len)
                  == 0;

    case NGX_WS_MGR_TO_CONNECTION:
        ngx_memcpy(&number, p->entry.target.data, sizeof(uint64_t));
        return info->number == number;

    default:
        return 1;
    }
}


/* who was there before and after, was there at the publish; of those who
   came, the first */

static void
ngx_ws_mgr_api_matched_merge(ngx_ws_mgr_api_matched_t *matched,
    ngx_ws_mgr_publish_t *p)
{
    ngx_uint_t                 i, n;
    ngx_ws_mgr_api_conn_t      conn, *conns;
    ngx_ws_mgr_api_matched_t   before;

    before = *matched;

    if (ngx_ws_mgr_api_matched_collect(matched, p, 0) != NGX_OK) {
        matched->known = 0;
        return;
    }

    conns = matched->conns;
    n = 0;

    for (i = 0; i < matched->n; i++) {
        if (ngx_ws_mgr_api_matched_has(&before, conns[i].number)) {
            conn = conns[n];
            conns[n++] = conns[i];
            conns[i] = conn;
        }
    }

    matched->n = ngx_max(n, ngx_min(p->sockets, matched->n));
}


static ngx_uint_t
ngx_ws_mgr_api_matched_has(ngx_ws_mgr_api_matched_t *matched, uint64_t number)
{
    ngx_uint_t  i;

    for (i = 0; i < matched->n; i++) {
        if (matched->conns[i].number == number) {
            return 1;
        }
    }

    return 0;
}


/* when the event was posted, in ms since 1970; 0: it can not be read */

static uint64_t
ngx_ws_mgr_api_matched_posted(ngx_ws_mgr_api_matched_t *matched,
    ngx_ws_mgr_publish_t *p)
{
    size_t               size;
    uint64_t             ts;
    ngx_int_t            rc;
    ngx_ws_mgr_batch_t  *batch;

    size = 2 * matched->event_size + 4096;

    batch = ngx_palloc(matched->pool, sizeof(ngx_ws_mgr_batch_t) + size);
    if (batch == NULL) {
        return 0;
    }

    batch->start = (u_char *) batch + sizeof(ngx_ws_mgr_batch_t);
    batch->last = batch->start;
    batch->end = batch->start + size;

    rc = ngx_ws_mgr_census_read_user(&p->user, p->position.seq - 1, batch,
                                     ngx_ws_mgr_api_matched_any, NULL);

    ts = (rc == NGX_OK && batch->n != 0
          && batch->frames[0].seq == p->position.seq)
         ? batch->frames[0].ts : 0;

    (void) ngx_pfree(matched->pool, batch);

    return ts;
}


static ngx_uint_t
ngx_ws_mgr_api_matched_any(ngx_ws_mgr_event_t *event, void *data)
{
    (void) event;
    (void) data;

    return 1;
}
