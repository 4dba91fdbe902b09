
/*
 * Copyright (C) the ngx_ws_mgr authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_ws_mgr_api_body.h>
#include <ngx_ws_mgr_api_connections.h>
#include <ngx_ws_mgr_posting_matched.h>
#include <ngx_ws_mgr_api_events_receipt.h>


#define NGX_WS_MGR_API_RECEIPT_PAGE  16    /* connections copied at once */


static const char *ngx_ws_mgr_api_receipt_state(uint64_t number,
    ngx_ws_mgr_position_t *position);
static void ngx_ws_mgr_api_receipt_id(uint64_t number, ngx_ws_mgr_text_t *t);


void
ngx_ws_mgr_api_receipt_event(ngx_ws_mgr_event_info_t *info, ngx_str_t *user,
    ngx_str_t *event_id, ngx_ws_mgr_position_t *position, size_t event_size,
    ngx_ws_mgr_text_t *t)
{
    ngx_uint_t                 i;
    ngx_ws_mgr_publish_t       p;
    ngx_ws_mgr_api_matched_t   matched;

    ngx_memzero(&p, sizeof(ngx_ws_mgr_publish_t));
    ngx_memzero(&matched, sizeof(ngx_ws_mgr_api_matched_t));

    /* as if it were posted again */

    p.user = *user;
    p.duplicate = 1;
    p.position = *position;
    p.entry.to = info->to;
    p.entry.target = info->target;

    matched.pool = t->pool;
    matched.event_size = event_size;

    ngx_ws_mgr_api_matched_before(&matched, &p);
    ngx_ws_mgr_api_matched_after(&matched, &p);

    ngx_ws_mgr_text_put(t, ",\"receipt\":{\"event_id\":");
    ngx_ws_mgr_text_string(t, event_id);
    ngx_ws_mgr_api_body_position(t, "id", &p.position);

    if (!matched.known) {
        ngx_ws_mgr_text_put(t, ",\"connections\":null}");
        return;
    }

    ngx_ws_mgr_text_put(t, ",\"connections\":[");

    for (i = 0; i < matched.n; i++) {

        if (i) {
            ngx_ws_mgr_text_put(t, ",");
        }

        ngx_ws_mgr_text_put(t, "{\"connection_id\":");
        ngx_ws_mgr_api_receipt_id(matched.conns[i].number, t);
        ngx_ws_mgr_text_format(t, 32, ",\"state\":\"%s\"}",
                               ngx_ws_mgr_api_receipt_state(
                                   matched.conns[i].number, &p.position));
    }

    ngx_ws_mgr_text_put(t, "]}");
}


/* in the words of ?wait= */

static const char *
ngx_ws_mgr_api_receipt_state(uint64_t number, ngx_ws_mgr_position_t *position)
{
    ngx_ws_mgr_conn_info_t  info;

    if (ngx_ws_mgr_census_conn_info(number, &info) != NGX_OK) {
        return "closed";
    }

    if (info.position.epoch != position->epoch) {
        return "lost";
    }

    if (info.confirmed >= position->seq) {
        return "confirmed";
    }

    return info.sent >= position->seq ? "sent" : "pending";
}


void
ngx_ws_mgr_api_receipt_connections(ngx_str_t *user, ngx_ws_mgr_text_t *t)
{
    size_t                   start;
    uint64_t                 after;
    ngx_uint_t               i, n, all;
    ngx_ws_mgr_conn_info_t   info[NGX_WS_MGR_API_RECEIPT_PAGE];

    start = ngx_ws_mgr_text_len(t);
    after = 0;
    all = 0;

    ngx_ws_mgr_text_put(t, ",\"connections\":[");

    do {
        n = ngx_ws_mgr_census_user_conns(user, after, info,
                                         NGX_WS_MGR_API_RECEIPT_PAGE);

        for (i = 0; i < n; i++) {
            after = info[i].ordinal;

            if (!info[i].open) {
                continue;
            }

            if (all++) {
                ngx_ws_mgr_text_put(t, ",");
            }

            ngx_ws_mgr_api_connections_text(t, &info[i], 0);
        }

        if (all > NGX_WS_MGR_API_MATCHED_MAX && !t->failed) {
            t->last = t->start + start;
            ngx_ws_mgr_text_put(t, ",\"connections\":null");
            return;
        }

    } while (n == NGX_WS_MGR_API_RECEIPT_PAGE);

    ngx_ws_mgr_text_put(t, "]");
}


static void
ngx_ws_mgr_api_receipt_id(uint64_t number, ngx_ws_mgr_text_t *t)
{
    ngx_str_t  id;
    u_char     data[NGX_WS_MGR_CONN_LEN];

    id.data = data;
    id.len = ngx_ws_mgr_registry_conn_id(data, number) - data;

    ngx_ws_mgr_text_string(t, &id);
}
