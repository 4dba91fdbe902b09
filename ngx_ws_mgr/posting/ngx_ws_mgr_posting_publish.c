
/*
 * Copyright (C) the ngx_ws_mgr authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_ws_mgr_posting_publish.h>
#include <ngx_ws_mgr_fault.h>
#include <ngx_ws_mgr_node.h>
#include <ngx_ws_mgr_append.h>


static ngx_uint_t ngx_ws_mgr_api_event_group(ngx_ws_mgr_posting_t **postings,
    ngx_uint_t n);
static void ngx_ws_mgr_api_event_append_many(ngx_ws_mgr_engine_op_t *op,
    ngx_ws_mgr_posting_t *posting);
static ngx_int_t ngx_ws_mgr_api_event_judge(ngx_ws_mgr_posting_t *posting,
    ngx_ws_mgr_publish_t *p);
static ngx_int_t ngx_ws_mgr_api_event_one(ngx_ws_mgr_posting_t *posting,
    ngx_ws_mgr_text_t *t);
static ngx_int_t ngx_ws_mgr_api_event_many(ngx_ws_mgr_posting_t *posting,
    ngx_ws_mgr_text_t *t);
static ngx_int_t ngx_ws_mgr_api_event_user(ngx_ws_mgr_posting_t *posting,
    ngx_uint_t i, ngx_ws_mgr_text_t *t);
static void ngx_ws_mgr_api_event_tokens(ngx_ws_mgr_posting_t *posting);
static void ngx_ws_mgr_api_event_id(ngx_ws_mgr_text_t *t,
    ngx_ws_mgr_publish_t *p);
static void ngx_ws_mgr_api_event_figure(ngx_ws_mgr_text_t *t,
    const char *name, ngx_uint_t n, ngx_uint_t unknown);


ngx_uint_t
ngx_ws_mgr_api_event_append(ngx_ws_mgr_engine_op_t *op,
    ngx_ws_mgr_posting_t **postings, ngx_uint_t n, ngx_uint_t more)
{
    ngx_uint_t              i, k, all;
    ngx_ws_mgr_posting_t   *posting;
    ngx_ws_mgr_publish_t   *group[NGX_WS_MGR_PUBLISH_GROUP];

    if (!postings[0]->refused && postings[0]->envelope.nusers) {
        ngx_ws_mgr_api_event_append_many(op, postings[0]);
        return 1;
    }

    all = n;
    n = ngx_ws_mgr_api_event_group(postings, all);

    if (more && n == all) {
        return 0;
    }

    k = 0;

    for (i = 0; i < n; i++) {
        posting = postings[i];

        if (posting->refused) {
            continue;
        }

        group[k++] = &posting->publish;

        if (posting->event->wait != NULL) {
            ngx_ws_mgr_api_wait_before(posting->event->wait,
                                       &posting->publish, &posting->matched);
        }
    }

    if (k) {
        ngx_ws_mgr_engine_publish(op, group, k);
    }

    return n;
}


static void
ngx_ws_mgr_api_event_append_many(ngx_ws_mgr_engine_op_t *op,
    ngx_ws_mgr_posting_t *posting)
{
    ngx_uint_t                  i;
    ngx_ws_mgr_publish_t       *p;
    ngx_ws_mgr_envelope_t      *e;
    ngx_ws_mgr_posting_user_t  *users;

    e = &posting->envelope;

    users = ngx_palloc(op->pool,
                       e->nusers * sizeof(ngx_ws_mgr_posting_user_t));
    posting->users = users;

    if (users == NULL) {
        return;
    }

    for (i = 0; i < e->nusers; i++) {
        p = &users[i].publish;

        *p = posting->publish;
        p->user = e->users[i];
        p->entry.user_raw = e->users_raw[i];

        if (posting->event->wait != NULL) {
            ngx_ws_mgr_api_wait_before(posting->event->wait, p,
                                       &users[i].matched);
        }

        ngx_ws_mgr_engine_publish(op, &p, 1);
    }
}


/* how many of the postings go together, refused ones among them */

static ngx_uint_t
ngx_ws_mgr_api_event_group(ngx_ws_mgr_posting_t **postings, ngx_uint_t n)
{
    size_t                 bytes;
    ngx_str_t             *user;
    ngx_uint_t             i, k;
    ngx_ws_mgr_publish_t  *p;

    user = NULL;
    bytes = 0;
    k = 0;

    for (i = 0; i < n; i++) {

        if (postings[i]->refused) {
            continue;
        }

        p = &postings[i]->publish;
        bytes += p->entry.size;

        if (user == NULL) {
            user = &p->user;
        }

        if (postings[i]->envelope.nusers
            || (k != 0 && bytes > NGX_WS_MGR_PUBLISH_BYTES)
            || p->user.len != user->len
            || ngx_memcmp(p->user.data, user->data, user->len) != 0
            || k++ == NGX_WS_MGR_PUBLISH_GROUP)
        {
            break;
        }
    }

    return i;
}


ngx_int_t
ngx_ws_mgr_api_event_result(ngx_ws_mgr_posting_t *posting,
    ngx_ws_mgr_text_t *t)
{
    if (posting->refused) {
        return NGX_DECLINED;
    }

    return posting->envelope.nusers ? ngx_ws_mgr_api_event_many(posting, t)
                                    : ngx_ws_mgr_api_event_one(posting, t);
}


ngx_int_t
ngx_ws_mgr_api_event_outcome(ngx_ws_mgr_posting_t *posting,
    ngx_ws_mgr_text_t *t)
{
    size_t                     start;
    ngx_ws_mgr_api_refusal_t  *refusal;

    refusal = &posting->refusal;
    start = ngx_ws_mgr_text_len(t);

    if (ngx_ws_mgr_api_event_result(posting, t) == NGX_OK) {
        return NGX_OK;
    }

    ngx_ws_mgr_api_fault_count(refusal->fault);

    if (t->failed) {
        return NGX_DECLINED;
    }

    t->last = t->start + start;

    ngx_ws_mgr_text_put(t, "{\"event_id\":");
    ngx_ws_mgr_text_string(t, &refusal->event_id);
    ngx_ws_mgr_text_put(t, ",");
    ngx_ws_mgr_api_fault_text(t, &refusal->problem);
    ngx_ws_mgr_text_put(t, "}");

    return NGX_DECLINED;
}


/* what became of it in the log of one user */

static ngx_int_t
ngx_ws_mgr_api_event_judge(ngx_ws_mgr_posting_t *posting,
    ngx_ws_mgr_publish_t *p)
{
    switch (p->result) {

    case NGX_WS_MGR_PUBLISH_OK:
        break;

    case NGX_WS_MGR_PUBLISH_CONFLICT:
        return ngx_ws_mgr_api_posting_refuse(posting,
                                   NGX_WS_MGR_FAULT_CONFLICT, "event_id",
                                   p->entry.event_id.data - 1,
                                   "the user's log has another event with"
                                   " that event_id");

    case NGX_WS_MGR_PUBLISH_RUN_ORDER:
        return ngx_ws_mgr_api_posting_refuse(posting,
                                   NGX_WS_MGR_FAULT_RUN_ORDER, "type", NULL,
                                   p->disorder);

    case NGX_WS_MGR_PUBLISH_UNAVAILABLE:
        return ngx_ws_mgr_api_posting_refuse(posting,
                                   NGX_WS_MGR_FAULT_UNAVAILABLE, NULL, NULL,
                                   "redis cannot be reached: the event is in"
                                   " no log");

    case NGX_WS_MGR_PUBLISH_UNKNOWN:
        return ngx_ws_mgr_api_posting_refuse(posting,
                                   NGX_WS_MGR_FAULT_UNAVAILABLE, NULL, NULL,
                                   "redis did not answer: whether the event is"
                                   " in the log is not known, post it again"
                                   " with the same event_id");

    default:
        return ngx_ws_mgr_api_posting_refuse(posting,
                                   NGX_WS_MGR_FAULT_UNAVAILABLE, NULL, NULL,
                                   "shared memory is full and nothing in it"
                                   " can go");
    }

    if (p->duplicate) {
        ngx_ws_mgr_count(EVENTS_DUPLICATE);
        return NGX_OK;
    }

    ngx_ws_mgr_count(EVENTS_ACCEPTED);

    if (p->disorder != NULL) {
        ngx_ws_mgr_count(RUN_ORDER_WARNED);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_ws_mgr_api_event_one(ngx_ws_mgr_posting_t *posting, ngx_ws_mgr_text_t *t)
{
    ngx_ws_mgr_publish_t  *p;

    p = &posting->publish;

    if (ngx_ws_mgr_api_event_judge(posting, p) != NGX_OK) {
        return NGX_DECLINED;
    }

    if (!p->duplicate) {
        ngx_ws_mgr_api_event_tokens(posting);
    }

    ngx_ws_mgr_text_put(t, "{\"event_id\":");
    ngx_ws_mgr_text_string(t, &posting->envelope.event_id);
    ngx_ws_mgr_api_event_id(t, p);
    ngx_ws_mgr_api_event_figure(t, "sockets", p->sockets, p->unknown_sockets);
    ngx_ws_mgr_api_event_figure(t, "nodes", p->nodes, p->unknown_nodes);
    ngx_ws_mgr_text_put(t, ",\"stored\":true");

    if (posting->event->wait != NULL) {
        ngx_ws_mgr_api_wait_after(posting->event->wait, p, &posting->matched,
                                  t);
    }

    ngx_ws_mgr_text_put(t, "}");

    return NGX_OK;
}


/* refused only where no user's log has it: else the answer names each */

static ngx_int_t
ngx_ws_mgr_api_event_many(ngx_ws_mgr_posting_t *posting, ngx_ws_mgr_text_t *t)
{
    size_t                  start;
    ngx_uint_t              i, fresh, stored, sockets, nodes, unknown[2];
    ngx_ws_mgr_publish_t   *p;
    ngx_ws_mgr_envelope_t  *e;

    e = &posting->envelope;

    start = ngx_ws_mgr_text_len(t);
    stored = 0;
    fresh = 0;
    sockets = 0;
    nodes = 0;
    unknown[0] = 0;
    unknown[1] = 0;

    if (posting->users == NULL) {
        return ngx_ws_mgr_api_posting_refuse(posting,
                                   NGX_WS_MGR_FAULT_UNAVAILABLE, NULL, NULL,
                                   "out of memory");
    }

    ngx_ws_mgr_text_put(t, "{\"event_id\":");
    ngx_ws_mgr_text_string(t, &e->event_id);
    ngx_ws_mgr_text_put(t, ",\"users\":[");

    for (i = 0; i < e->nusers; i++) {
        p = &posting->users[i].publish;

        if (i != 0) {
            ngx_ws_mgr_text_put(t, ",");
        }

        if (ngx_ws_mgr_api_event_user(posting, i, t) != NGX_OK) {
            continue;
        }

        stored++;
        fresh += !p->duplicate;
        sockets += p->sockets;
        nodes = ngx_max(nodes, p->nodes);
        unknown[0] |= p->unknown_sockets;
        unknown[1] |= p->unknown_nodes || p->elsewhere;
    }

    if (stored == 0) {
        t->last = t->start + start;
        return NGX_DECLINED;
    }

    if (fresh) {
        ngx_ws_mgr_api_event_tokens(posting);
    }

    ngx_ws_mgr_text_put(t, "]");
    ngx_ws_mgr_api_event_figure(t, "sockets", sockets, unknown[0]);
    ngx_ws_mgr_api_event_figure(t, "nodes", nodes, unknown[1]);
    ngx_ws_mgr_text_format(t, 32, ",\"stored\":%s}",
                           stored == e->nusers ? "true" : "false");

    return NGX_OK;
}


/* what became of it in the log of one of its users */

static ngx_int_t
ngx_ws_mgr_api_event_user(ngx_ws_mgr_posting_t *posting, ngx_uint_t i,
    ngx_ws_mgr_text_t *t)
{
    ngx_str_t                  *raw;
    ngx_ws_mgr_publish_t       *p;
    ngx_ws_mgr_posting_user_t  *user;

    user = &posting->users[i];
    p = &user->publish;
    raw = &posting->envelope.users_raw[i];

    ngx_ws_mgr_text_put(t, "{\"user_id\":");
    ngx_ws_mgr_text_add(t, raw->data, raw->len);

    if (ngx_ws_mgr_api_event_judge(posting, p) != NGX_OK) {
        posting->refused = 0;

        ngx_ws_mgr_text_put(t, ",");
        ngx_ws_mgr_api_fault_text(t, &posting->refusal.problem);
        ngx_ws_mgr_text_put(t, ",\"stored\":false}");

        return NGX_DECLINED;
    }

    ngx_ws_mgr_api_event_id(t, p);
    ngx_ws_mgr_api_event_figure(t, "sockets", p->sockets, p->unknown_sockets);
    ngx_ws_mgr_api_event_figure(t, "nodes", p->nodes, p->unknown_nodes);
    ngx_ws_mgr_text_put(t, ",\"stored\":true");

    if (posting->event->wait != NULL) {
        ngx_ws_mgr_api_wait_after(posting->event->wait, p, &user->matched, t);
    }

    ngx_ws_mgr_text_put(t, "}");

    return NGX_OK;
}


/* once for the node, whatever the number of users */

static void
ngx_ws_mgr_api_event_tokens(ngx_ws_mgr_posting_t *posting)
{
    ngx_ws_mgr_envelope_t  *e;

    e = &posting->envelope;

    if (e->tokens) {
        ngx_ws_mgr_node_add_tokens(e->input_tokens, e->output_tokens,
                                   e->cost);
    }
}


static void
ngx_ws_mgr_api_event_id(ngx_ws_mgr_text_t *t, ngx_ws_mgr_publish_t *p)
{
    ngx_ws_mgr_text_put(t, ",\"id\":\"");

    if (ngx_ws_mgr_text_room(t, NGX_WS_MGR_POSITION_LEN) == NGX_OK) {
        t->last = ngx_ws_mgr_log_position(t->last, &p->position);
    }

    ngx_ws_mgr_text_put(t, "\",\"seq\":");
    ngx_ws_mgr_text_number(t, p->position.seq);

    if (p->duplicate) {
        ngx_ws_mgr_text_put(t, ",\"duplicate\":true");

    } else {
        ngx_ws_mgr_text_put(t, ",\"duplicate\":false");
    }
}


static void
ngx_ws_mgr_api_event_figure(ngx_ws_mgr_text_t *t, const char *name,
    ngx_uint_t n, ngx_uint_t unknown)
{
    ngx_ws_mgr_text_put(t, ",\"");
    ngx_ws_mgr_text_add(t, name, ngx_strlen(name));

    if (unknown) {
        ngx_ws_mgr_text_put(t, "\":null");
        return;
    }

    ngx_ws_mgr_text_put(t, "\":");
    ngx_ws_mgr_text_number(t, n);
}
