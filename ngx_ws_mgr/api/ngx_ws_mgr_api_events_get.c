
/*
 * Copyright (C) the ngx_ws_mgr authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_ws_mgr_api_body.h>
#include <ngx_ws_mgr_api_events_get.h>
#include <ngx_ws_mgr_fault.h>
#include <ngx_ws_mgr_api_ask_nodes.h>
#include <ngx_ws_mgr_uri.h>
#include <ngx_ws_mgr_api_events_receipt.h>
#include <ngx_ws_mgr_registry_query.h>
#include <ngx_ws_mgr_conf.h>
#include <ngx_ws_mgr_text.h>


#define NGX_WS_MGR_API_EVENTS_LIMIT  100
#define NGX_WS_MGR_API_EVENTS_MAX    1000
#define NGX_WS_MGR_API_EVENTS_ID     255   /* bytes of an event_id */
#define NGX_WS_MGR_API_EVENTS_BYTES  (1024 * 1024)  /* of one answer, about */


typedef struct {
    ngx_str_t                user;
    ngx_ws_mgr_user_info_t   info;
    ngx_ws_mgr_batch_t      *batch;
    ngx_ws_mgr_position_t    after;
    uint64_t                 cursor;
    ngx_uint_t               limit;
    ngx_str_t                event_id;     /* len 0: all are asked for */
    ngx_ws_mgr_event_info_t  event;        /* with that event_id */
    const char              *gap;          /* reason, or NULL */
    unsigned                 asked:1;      /* a position was given */
    unsigned                 more:1;
} ngx_ws_mgr_events_t;


static ngx_int_t ngx_ws_mgr_events_answer(ngx_http_request_t *r,
    ngx_ws_mgr_engine_op_t *op, void *data);
static ngx_int_t ngx_ws_mgr_events_arguments(ngx_http_request_t *r,
    ngx_ws_mgr_events_t *events);
static void ngx_ws_mgr_events_seek(ngx_ws_mgr_events_t *events);
static ngx_ws_mgr_batch_t *ngx_ws_mgr_events_batch(ngx_pool_t *pool,
    size_t size);
static void ngx_ws_mgr_events_find(ngx_ws_mgr_events_t *events,
    ngx_str_t *user, ngx_ws_mgr_text_t *t);
static ngx_int_t ngx_ws_mgr_events_read(ngx_ws_mgr_events_t *events,
    ngx_str_t *user, ngx_ws_mgr_text_t *t);
static ngx_uint_t ngx_ws_mgr_events_add(ngx_ws_mgr_events_t *events,
    ngx_ws_mgr_text_t *t, ngx_uint_t n);
static ngx_uint_t ngx_ws_mgr_events_any(ngx_ws_mgr_event_t *event,
    void *data);
static void ngx_ws_mgr_events_gap(ngx_ws_mgr_events_t *events,
    ngx_ws_mgr_text_t *t);


ngx_int_t
ngx_ws_mgr_api_events(ngx_http_request_t *r, ngx_str_t *user)
{
    ngx_int_t             rc;
    ngx_ws_mgr_events_t  *events;

    events = ngx_pcalloc(r->pool, sizeof(ngx_ws_mgr_events_t));
    if (events == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    events->user = *user;

    rc = ngx_ws_mgr_events_arguments(r, events);
    if (rc != NGX_DECLINED) {
        return rc;
    }

    return ngx_ws_mgr_api_look(r, user, ngx_ws_mgr_events_answer, events);
}


static ngx_int_t
ngx_ws_mgr_events_answer(ngx_http_request_t *r, ngx_ws_mgr_engine_op_t *op,
    void *data)
{
    ngx_ws_mgr_events_t *events = data;

    ngx_str_t               *user;
    ngx_ws_mgr_text_t        list, t;
    ngx_ws_mgr_position_t    floor;
    ngx_ws_mgr_main_conf_t  *conf;

    user = &events->user;

    if (op && op->failed) {
        return ngx_ws_mgr_api_fault(r, NGX_WS_MGR_FAULT_UNAVAILABLE,
                                    "redis did not answer: what the log has is"
                                    " not known");
    }

    if (ngx_ws_mgr_census_user_info(user, &events->info) != NGX_OK) {
        return ngx_ws_mgr_api_fault(r, NGX_WS_MGR_FAULT_USER,
                                    "the user has no log and no connection");
    }

    conf = ngx_http_get_module_main_conf(r, ngx_http_ws_mgr_module);

    /* members of the server's own may be longer than what they replace */

    events->batch = ngx_ws_mgr_events_batch(r->pool,
                                           2 * conf->event_size + 4096);
    if (events->batch == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_ws_mgr_text_init(&list, r->pool, 0);

    if (events->event_id.len) {
        ngx_ws_mgr_events_find(events, user, &list);

    } else {
        ngx_ws_mgr_events_seek(events);

        if (ngx_ws_mgr_events_read(events, user, &list) != NGX_OK) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }
    }

    if (events->event_id.len && events->event.seq == 0) {
        return ngx_ws_mgr_api_fault_member(r, NGX_WS_MGR_FAULT_EVENT_UNKNOWN,
                                           "event_id",
                                           "the user's log has no event with"
                                           " that event_id, or none any more");
    }

    ngx_ws_mgr_text_init(&t, r->pool, ngx_ws_mgr_text_len(&list) + 1024);

    floor = events->info.position;
    floor.seq = events->info.floor;

    ngx_ws_mgr_text_put(&t, "{\"user_id\":");
    ngx_ws_mgr_text_string(&t, user);
    ngx_ws_mgr_api_body_position(&t, "position", &events->info.position);
    ngx_ws_mgr_api_body_position(&t, "floor", &floor);
    ngx_ws_mgr_events_gap(events, &t);
    ngx_ws_mgr_text_put(&t, ",\"events\":[");
    ngx_ws_mgr_text_add(&t, list.start, ngx_ws_mgr_text_len(&list));
    ngx_ws_mgr_text_put(&t, "]");

    if (events->event_id.len) {
        events->after = events->info.position;
        events->after.seq = events->event.seq;

        ngx_ws_mgr_api_receipt_event(&events->event, user, &events->event_id,
                                     &events->after, conf->event_size, &t);

    } else {
        ngx_ws_mgr_api_receipt_connections(user, &t);
    }

    ngx_ws_mgr_text_format(&t, 32, ",\"more\":%s}",
                           events->more ? "true" : "false");

    t.failed |= list.failed;

    return ngx_ws_mgr_api_body_send(r, NGX_HTTP_OK, &t);
}


/* NGX_DECLINED: they are fine; else the request was answered */

static ngx_int_t
ngx_ws_mgr_events_arguments(ngx_http_request_t *r,
    ngx_ws_mgr_events_t *events)
{
    ngx_int_t   rc;
    ngx_str_t   after;
    ngx_str_t  *id;

    id = &events->event_id;
    rc = ngx_ws_mgr_api_query(r, "event_id", id);

    if (rc == NGX_ABORT
        || (rc == NGX_OK
            && (id->len == 0 || id->len > NGX_WS_MGR_API_EVENTS_ID)))
    {
        return ngx_ws_mgr_api_fault_member(r, NGX_WS_MGR_FAULT_REQUEST,
                                           "event_id",
                                           "event_id is 1 to 255 bytes");
    }

    if (rc != NGX_OK) {
        ngx_str_null(id);
    }

    if (rc == NGX_ERROR) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rc = ngx_ws_mgr_api_query(r, "after", &after);

    if (rc == NGX_ERROR) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (rc == NGX_ABORT
        || (rc == NGX_OK
            && ngx_ws_mgr_log_position_parse(&after, &events->after)
               != NGX_OK))
    {
        return ngx_ws_mgr_api_fault_member(r, NGX_WS_MGR_FAULT_REQUEST,
                                           "after",
                                           "after is a position,"
                                           " <epoch>-<seq>");
    }

    events->asked = (rc == NGX_OK);

    if (ngx_ws_mgr_api_query_number(r, "limit", 1, NGX_WS_MGR_API_EVENTS_MAX,
                                    NGX_WS_MGR_API_EVENTS_LIMIT,
                                    &events->limit)
        != NGX_OK)
    {
        return ngx_ws_mgr_api_fault_member(r, NGX_WS_MGR_FAULT_REQUEST,
                                           "limit", "limit is 1 to 1000");
    }

    return NGX_DECLINED;
}


/* where to read on from, and whether something between is gone */

static void
ngx_ws_mgr_events_seek(ngx_ws_mgr_events_t *events)
{
    ngx_ws_mgr_position_t   *after;
    ngx_ws_mgr_user_info_t  *info;

    after = &events->after;
    info = &events->info;

    events->cursor = info->floor;

    if (!events->asked) {
        return;
    }

    if (after->epoch != info->position.epoch
        || after->broadcast != info->position.broadcast
        || after->seq > info->position.seq)
    {
        events->gap = "unknown_epoch";

    } else if (after->seq < info->floor) {
        events->gap = "evicted";

    } else {
        events->cursor = after->seq;
    }
}


static ngx_ws_mgr_batch_t *
ngx_ws_mgr_events_batch(ngx_pool_t *pool, size_t size)
{
    ngx_ws_mgr_batch_t  *batch;

    batch = ngx_palloc(pool, sizeof(ngx_ws_mgr_batch_t) + size);
    if (batch == NULL) {
        return NULL;
    }

    batch->start = (u_char *) batch + sizeof(ngx_ws_mgr_batch_t);
    batch->last = batch->start;
    batch->end = batch->start + size;

    return batch;
}


/* the one event that is asked for; one whose time is over is there, and is not
   shown */

static void
ngx_ws_mgr_events_find(ngx_ws_mgr_events_t *events, ngx_str_t *user,
    ngx_ws_mgr_text_t *t)
{
    ngx_ws_mgr_batch_t  *batch;

    batch = events->batch;

    if (ngx_ws_mgr_census_event_info(user, &events->event_id, &events->event)
        != NGX_OK)
    {
        return;
    }

    events->limit = 1;

    if (ngx_ws_mgr_census_read_user(user, events->event.seq - 1, batch,
                                    ngx_ws_mgr_events_any, NULL)
        == NGX_OK
        && batch->n && batch->frames[0].seq == events->event.seq)
    {
        (void) ngx_ws_mgr_events_add(events, t, 0);
        events->more = 0;
    }
}


static ngx_int_t
ngx_ws_mgr_events_read(ngx_ws_mgr_events_t *events, ngx_str_t *user,
    ngx_ws_mgr_text_t *t)
{
    size_t               size;
    ngx_int_t            rc;
    ngx_uint_t           n;
    ngx_ws_mgr_batch_t  *batch;

    batch = events->batch;
    n = 0;

    do {
        batch->last = batch->start;

        rc = ngx_ws_mgr_census_read_user(user, events->cursor, batch,
                                         ngx_ws_mgr_events_any, NULL);

        if (rc == NGX_DECLINED) {

            /* evicted since the look: once more, from what is left */

            if (ngx_ws_mgr_census_user_info(user, &events->info) != NGX_OK
                || events->info.floor <= events->cursor)
            {
                return NGX_OK;
            }

            if (events->asked && events->gap == NULL) {
                events->gap = "evicted";
            }

            events->cursor = events->info.floor;

            t->last = t->start;
            batch->more = 1;
            n = 0;

            continue;
        }

        if (rc == NGX_ABORT) {
            return NGX_OK;
        }

        if (rc == NGX_ERROR) {

            /* an earlier configuration let larger events in */

            size = 2 * (batch->end - batch->start);
            (void) ngx_pfree(t->pool, batch);

            batch = ngx_ws_mgr_events_batch(t->pool, size);
            if (batch == NULL) {
                return NGX_ERROR;
            }

            events->batch = batch;
            batch->more = 1;

            continue;
        }

        n = ngx_ws_mgr_events_add(events, t, n);

    } while (batch->more && !events->more && !t->failed);

    return NGX_OK;
}


/* the payloads of the batch as they are; returns how many there are now */

static ngx_uint_t
ngx_ws_mgr_events_add(ngx_ws_mgr_events_t *events, ngx_ws_mgr_text_t *t,
    ngx_uint_t n)
{
    u_char              *p, *end;
    ngx_uint_t           i;
    ngx_ws_mgr_batch_t  *batch;

    batch = events->batch;
    p = batch->start;

    for (i = 0; i < batch->n; i++) {

        if (n == events->limit
            || ngx_ws_mgr_text_len(t) > NGX_WS_MGR_API_EVENTS_BYTES)
        {
            events->more = 1;
            return n;
        }

        end = batch->start + batch->frames[i].end;
        p += ngx_ws_mgr_frame_header_len(p);

        if (n++) {
            ngx_ws_mgr_text_put(t, ",");
        }

        ngx_ws_mgr_text_add(t, p, end - p);

        events->cursor = batch->frames[i].seq;
        p = end;
    }

    events->cursor = batch->cursor;

    return n;
}


/* a log is shown whole, whomever its events are aimed at */

static ngx_uint_t
ngx_ws_mgr_events_any(ngx_ws_mgr_event_t *event, void *data)
{
    (void) event;
    (void) data;

    return 1;
}


static void
ngx_ws_mgr_events_gap(ngx_ws_mgr_events_t *events, ngx_ws_mgr_text_t *t)
{
    u_char                 from[NGX_WS_MGR_POSITION_LEN];
    u_char                 to[NGX_WS_MGR_POSITION_LEN];
    size_t                 nfrom, nto;
    ngx_ws_mgr_position_t  gone;

    if (events->gap == NULL) {
        ngx_ws_mgr_text_put(t, ",\"gap\":null");
        return;
    }

    gone = events->info.position;
    gone.seq = events->info.floor;

    nfrom = ngx_ws_mgr_log_position(from, &events->after) - from;
    nto = ngx_ws_mgr_log_position(to, &gone) - to;

    ngx_ws_mgr_text_format(t, nfrom + nto + 64,
                           ",\"gap\":{\"from\":\"%*s\",\"to\":\"%*s\","
                           "\"reason\":\"%s\"}",
                           nfrom, from, nto, to, events->gap);
}
