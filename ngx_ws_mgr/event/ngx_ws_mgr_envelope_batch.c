
/*
 * Copyright (C) the ngx_ws_mgr authors
 *
 * Batches: {"events":[ … ]}.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_ws_mgr_envelope.h>
#include <ngx_ws_mgr_event_field.h>
#include <ngx_ws_mgr_json.h>


static ngx_int_t ngx_ws_mgr_envelope_events(ngx_ws_mgr_envelope_t *e,
    ngx_ws_mgr_json_t *j, u_char **list);
static void ngx_ws_mgr_envelope_refuse(ngx_ws_mgr_envelope_t *e,
    ngx_ws_mgr_envelope_result_e result, const ngx_str_t *member,
    u_char *where, const char *error);


static const ngx_str_t  ngx_ws_mgr_envelope_list = ngx_string("events");


ngx_int_t
ngx_ws_mgr_envelope_batch(ngx_ws_mgr_envelope_t *e, u_char *start, u_char *end,
    ngx_pool_t *pool, u_char **first)
{
    u_char             *list;
    ngx_int_t           rc;
    ngx_str_t           name;
    ngx_ws_mgr_json_t   j;

    list = NULL;
    ngx_str_null(&name);
    ngx_memzero(e, offsetof(ngx_ws_mgr_envelope_t, pieces));

    ngx_ws_mgr_json_init(&j, start, end, pool);

    if (j.pos == end
        || *j.pos != '{'
        || ngx_ws_mgr_json_enter(&j) != NGX_OK)
    {
        return NGX_DECLINED;
    }

    do {
        rc = ngx_ws_mgr_json_next(&j, &name);

        if (rc != NGX_OK) {
            break;
        }

        if (name.len == 4 && ngx_memcmp(name.data, "type", 4) == 0) {
            return NGX_DECLINED;
        }

        if (name.len == 6 && ngx_memcmp(name.data, "events", 6) == 0) {
            rc = ngx_ws_mgr_envelope_events(e, &j, &list);

        } else {
            rc = ngx_ws_mgr_json_skip(&j);
        }

    } while (rc == NGX_OK);

    if (list == NULL && e->result == NGX_WS_MGR_ENVELOPE_OK) {
        return NGX_DECLINED;
    }

    if (rc == NGX_DONE) {
        rc = ngx_ws_mgr_json_end(&j);
        ngx_str_null(&name);
    }

    if (rc != NGX_OK && j.error) {
        ngx_ws_mgr_envelope_refuse(e, j.memory ? NGX_WS_MGR_ENVELOPE_MEMORY
                                               : NGX_WS_MGR_ENVELOPE_JSON,
                                   j.twice.data ? &j.twice : &name,
                                   j.where, j.error);
    }

    *first = list;

    return (e->result == NGX_WS_MGR_ENVELOPE_OK) ? NGX_OK : NGX_ERROR;
}


/* leaps over the list, where the value that j is at is one */

static ngx_int_t
ngx_ws_mgr_envelope_events(ngx_ws_mgr_envelope_t *e, ngx_ws_mgr_json_t *j,
    u_char **list)
{
    ngx_int_t          rc;
    ngx_ws_mgr_span_t  item;

    if (j->escaped) {
        ngx_ws_mgr_envelope_refuse(e, NGX_WS_MGR_ENVELOPE_EVENT,
                                   &ngx_ws_mgr_envelope_list, j->at,
                                   NGX_WS_MGR_FIELD_ESCAPED);
        return ngx_ws_mgr_json_skip(j);
    }

    if (j->pos == j->end || *j->pos != '[') {
        ngx_ws_mgr_envelope_refuse(e, NGX_WS_MGR_ENVELOPE_EVENT,
                                   &ngx_ws_mgr_envelope_list, j->pos,
                                   "expected an array of events");
        return ngx_ws_mgr_json_skip(j);
    }

    *list = ++j->pos;

    do {
        rc = ngx_ws_mgr_envelope_next(e, &j->pos, j->end, &item);
    } while (rc == NGX_OK);

    return (rc == NGX_DONE) ? NGX_OK : NGX_ERROR;
}


ngx_int_t
ngx_ws_mgr_envelope_next(ngx_ws_mgr_envelope_t *e, u_char **pos, u_char *end,
    ngx_ws_mgr_span_t *item)
{
    u_char       *p;
    const char   *error;

    p = ngx_ws_mgr_json_blank(*pos, end);

    if (p < end && *p == ']') {
        *pos = p + 1;
        return NGX_DONE;
    }

    /* no element ends with an opening bracket: it is that of the list */

    if ((*pos)[-1] != '[') {
        error = "expected a comma or a bracket";

        if (p == end || *p != ',') {
            goto broken;
        }

        p = ngx_ws_mgr_json_blank(p + 1, end);
    }

    error = "expected an event that ends";

    item->start = p;
    item->end = ngx_ws_mgr_json_leap(p, end);

    if (item->end) {
        *pos = item->end;
        return NGX_OK;
    }

broken:

    ngx_ws_mgr_envelope_refuse(e, NGX_WS_MGR_ENVELOPE_JSON,
                               &ngx_ws_mgr_envelope_list, p, error);

    return NGX_ERROR;
}


static void
ngx_ws_mgr_envelope_refuse(ngx_ws_mgr_envelope_t *e,
    ngx_ws_mgr_envelope_result_e result, const ngx_str_t *member,
    u_char *where, const char *error)
{
    e->result = result;
    e->member = *member;
    e->where = where;
    e->error = error;
}
