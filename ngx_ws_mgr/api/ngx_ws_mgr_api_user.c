
/*
 * Copyright (C) the ngx_ws_mgr authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_ws_mgr_api_body.h>
#include <ngx_ws_mgr_api_connections.h>
#include <ngx_ws_mgr_fault.h>
#include <ngx_ws_mgr_api_ask_nodes.h>
#include <ngx_ws_mgr_api_user.h>
#include <ngx_ws_mgr_uri.h>
#include <ngx_ws_mgr_registry_query.h>
#include <ngx_ws_mgr_user_wait.h>
#include <ngx_ws_mgr_worker_slot.h>
#include <ngx_ws_mgr_text.h>


#define NGX_WS_MGR_API_ONLINE_DEFAULT  5000   /* ms */
#define NGX_WS_MGR_API_ONLINE_MAX      60000
#define NGX_WS_MGR_API_ONLINE_PAGE     32
#define NGX_WS_MGR_API_ONLINE_CONNS    1024   /* shown of one user */


typedef struct {
    ngx_http_request_t        *request;
    ngx_str_t                  user;
    ngx_ws_mgr_wait_t          wait;
    ngx_event_t                look;
    ngx_event_t                timer;
    ngx_msec_t                 timeout;
    ngx_ws_mgr_engine_op_t     nodes;      /* asked again while it waits */
    ngx_ws_mgr_engine_op_t    *engine;     /* what is known of other nodes;
                                              NULL: there are none */
    unsigned                   waited:1;
    unsigned                   watching:1; /* the engine tells of others */
    unsigned                   timed_out:1;
} ngx_ws_mgr_api_online_t;


static ngx_int_t ngx_ws_mgr_api_online_arguments(ngx_http_request_t *r,
    ngx_uint_t *wait, ngx_msec_t *timeout);
static ngx_int_t ngx_ws_mgr_api_online_looked(ngx_http_request_t *r,
    ngx_ws_mgr_engine_op_t *op, void *data);
static ngx_uint_t ngx_ws_mgr_api_online_is(ngx_ws_mgr_api_online_t *online);
static ngx_int_t ngx_ws_mgr_api_online_start(ngx_ws_mgr_api_online_t *online);
static void ngx_ws_mgr_api_online_nodes(ngx_ws_mgr_engine_op_t *op);
static void ngx_ws_mgr_api_online_changed(ngx_ws_mgr_wait_t *wait);
static void ngx_ws_mgr_api_online_look_handler(ngx_event_t *ev);
static void ngx_ws_mgr_api_online_timer_handler(ngx_event_t *ev);
static void ngx_ws_mgr_api_online_finish(ngx_ws_mgr_api_online_t *online);
static void ngx_ws_mgr_api_online_cleanup(void *data);
static ngx_int_t ngx_ws_mgr_api_online_answer(
    ngx_ws_mgr_api_online_t *online);
static void ngx_ws_mgr_api_online_conns(ngx_ws_mgr_text_t *t,
    ngx_str_t *user);
static void ngx_ws_mgr_api_online_runs(ngx_ws_mgr_text_t *t,
    ngx_str_t *user);
static void ngx_ws_mgr_api_online_tokens(ngx_ws_mgr_text_t *t,
    ngx_ws_mgr_tokens_t *tokens);


ngx_int_t
ngx_ws_mgr_api_online(ngx_http_request_t *r, ngx_str_t *user)
{
    ngx_uint_t                wait;
    ngx_msec_t                timeout;
    ngx_http_cleanup_t       *cln;
    ngx_ws_mgr_api_online_t  *online;

    if (ngx_ws_mgr_api_online_arguments(r, &wait, &timeout) != NGX_OK) {
        return ngx_ws_mgr_api_fault_member(r, NGX_WS_MGR_FAULT_REQUEST,
                                           "wait",
                                           "wait is \"online\", timeout 0 to"
                                           " 60000 ms");
    }

    online = ngx_pcalloc(r->pool, sizeof(ngx_ws_mgr_api_online_t));
    if (online == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    online->request = r;
    online->user = *user;
    online->waited = wait;

    online->timeout = timeout;

    cln = ngx_http_cleanup_add(r, 0);
    if (cln == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    cln->handler = ngx_ws_mgr_api_online_cleanup;
    cln->data = online;

    return ngx_ws_mgr_api_look(r, user, ngx_ws_mgr_api_online_looked, online);
}


static ngx_int_t
ngx_ws_mgr_api_online_looked(ngx_http_request_t *r, ngx_ws_mgr_engine_op_t *op,
    void *data)
{
    ngx_ws_mgr_api_online_t *online = data;

    (void) r;

    online->engine = op;

    if (!online->waited || ngx_ws_mgr_api_online_is(online)) {
        return ngx_ws_mgr_api_online_answer(online);
    }

    return ngx_ws_mgr_api_online_start(online);
}


static ngx_int_t
ngx_ws_mgr_api_online_arguments(ngx_http_request_t *r, ngx_uint_t *wait,
    ngx_msec_t *timeout)
{
    ngx_int_t   rc;
    ngx_str_t   value;
    ngx_uint_t  ms;

    rc = ngx_ws_mgr_api_query(r, "wait", &value);

    if (rc == NGX_DECLINED) {
        *wait = 0;
        *timeout = 0;
        return NGX_OK;
    }

    if (rc != NGX_OK || value.len != sizeof("online") - 1
        || ngx_memcmp(value.data, "online", value.len) != 0)
    {
        return NGX_ABORT;
    }

    rc = ngx_ws_mgr_api_query_number(r, "timeout", 0,
                                     NGX_WS_MGR_API_ONLINE_MAX,
                                     NGX_WS_MGR_API_ONLINE_DEFAULT, &ms);
    *wait = 1;
    *timeout = ms;

    return rc;
}


/* true if an event would find a socket now */

static ngx_uint_t
ngx_ws_mgr_api_online_is(ngx_ws_mgr_api_online_t *online)
{
    ngx_ws_mgr_user_info_t  info;

    return (ngx_ws_mgr_census_user_info(&online->user, &info) == NGX_OK
            && info.connections != 0)
           || (online->engine && online->engine->nodes
               && online->engine->nodes->nelts);
}


static ngx_int_t
ngx_ws_mgr_api_online_start(ngx_ws_mgr_api_online_t *online)
{
    ngx_http_request_t  *r;

    r = online->request;

    online->wait.changed = ngx_ws_mgr_api_online_changed;
    online->wait.data = online;

    online->look.handler = ngx_ws_mgr_api_online_look_handler;
    online->look.data = online;
    online->look.log = r->connection->log;

    online->timer.handler = ngx_ws_mgr_api_online_timer_handler;
    online->timer.data = online;
    online->timer.log = r->connection->log;

    if (ngx_ws_mgr_worker_slot_need() != NGX_OK) {
        return ngx_ws_mgr_api_fault(r, NGX_WS_MGR_FAULT_NO_SLOT,
                                    "this worker process waits for a slot and"
                                    " cannot wait for users");
    }

    if (ngx_ws_mgr_wait_begin(&online->wait, &online->user) != NGX_OK) {
        return ngx_ws_mgr_api_fault(r, NGX_WS_MGR_FAULT_MEMORY,
                                    "shared memory is full and nothing in it"
                                    " can go");
    }

    /* once more, now that nothing can be missed */

    if (online->timeout == 0 || ngx_ws_mgr_api_online_is(online)) {
        online->timed_out = (online->timeout == 0);
        ngx_ws_mgr_wait_end(&online->wait);

        return ngx_ws_mgr_api_online_answer(online);
    }

    r->main->count++;

    r->read_event_handler = ngx_http_test_reading;
    r->write_event_handler = ngx_http_request_empty_handler;

    ngx_add_timer(&online->timer, online->timeout);

    if (online->engine) {
        online->nodes.pool = r->pool;
        online->nodes.data = online;
        online->nodes.done = ngx_ws_mgr_api_online_nodes;
        online->engine = &online->nodes;

        online->watching = 1;
        ngx_ws_mgr_engine->watch(&online->nodes, &online->user);
    }

    return NGX_DONE;
}


/* the engine tells from now on; or it has told, and was asked where */

static void
ngx_ws_mgr_api_online_nodes(ngx_ws_mgr_engine_op_t *op)
{
    ngx_ws_mgr_api_online_t *online = op->data;

    if (ngx_ws_mgr_api_online_is(online)) {
        ngx_ws_mgr_api_online_finish(online);
    }
}


static void
ngx_ws_mgr_api_online_changed(ngx_ws_mgr_wait_t *wait)
{
    ngx_ws_mgr_api_online_t  *online;

    online = wait->data;

    if (!online->look.posted) {
        ngx_post_event(&online->look, &ngx_posted_events);
    }
}


static void
ngx_ws_mgr_api_online_look_handler(ngx_event_t *ev)
{
    ngx_ws_mgr_api_online_t  *online;

    online = ev->data;

    if (ngx_ws_mgr_api_online_is(online)) {
        ngx_ws_mgr_api_online_finish(online);
        return;
    }

    if (online->engine && online->nodes.pending == 0) {
        ngx_ws_mgr_engine->look(&online->nodes, &online->user);
    }
}


static void
ngx_ws_mgr_api_online_timer_handler(ngx_event_t *ev)
{
    ngx_ws_mgr_api_online_t  *online;

    online = ev->data;
    online->timed_out = !ngx_ws_mgr_api_online_is(online);

    ngx_ws_mgr_api_online_finish(online);
}


static void
ngx_ws_mgr_api_online_finish(ngx_ws_mgr_api_online_t *online)
{
    ngx_connection_t    *c;
    ngx_http_request_t  *r;

    r = online->request;
    c = r->connection;

    ngx_ws_mgr_api_online_cleanup(online);

    ngx_http_finalize_request(r, ngx_ws_mgr_api_online_answer(online));
    ngx_http_run_posted_requests(c);
}


static void
ngx_ws_mgr_api_online_cleanup(void *data)
{
    ngx_ws_mgr_api_online_t  *online = data;

    ngx_ws_mgr_wait_end(&online->wait);
    ngx_ws_mgr_engine_cancel(&online->nodes);

    if (online->watching && ngx_ws_mgr_engine) {
        online->watching = 0;
        ngx_ws_mgr_engine->unwatch(&online->user);
    }

    if (online->timer.timer_set) {
        ngx_del_timer(&online->timer);
    }

    if (online->look.posted) {
        ngx_delete_posted_event(&online->look);
    }
}


/* whoever waited asked about a user that need not be known yet */

static ngx_int_t
ngx_ws_mgr_api_online_answer(ngx_ws_mgr_api_online_t *online)
{
    ngx_ws_mgr_text_t        t;
    ngx_http_request_t      *r;
    ngx_ws_mgr_position_t    floor;
    ngx_ws_mgr_user_info_t   info;

    r = online->request;

    if (ngx_ws_mgr_census_user_info(&online->user, &info) != NGX_OK) {

        if (online->engine && online->engine->failed) {
            return ngx_ws_mgr_api_fault(r, NGX_WS_MGR_FAULT_UNAVAILABLE,
                                        "redis did not answer: who the user is"
                                        " is not known");
        }

        if (!online->waited
            && !(online->engine && ngx_ws_mgr_api_online_is(online)))
        {
            return ngx_ws_mgr_api_fault(r, NGX_WS_MGR_FAULT_USER,
                                        "the user has no log and no"
                                        " connection");
        }

        ngx_memzero(&info, sizeof(ngx_ws_mgr_user_info_t));
    }

    floor = info.position;
    floor.seq = info.floor;

    ngx_ws_mgr_text_init(&t, r->pool, 1024);
    ngx_ws_mgr_text_put(&t, "{\"user_id\":");
    ngx_ws_mgr_text_string(&t, &online->user);
    ngx_ws_mgr_text_format(&t, 32, ",\"online\":%s",
                           ngx_ws_mgr_api_online_is(online) ? "true"
                                                            : "false");

    if (online->waited) {
        ngx_ws_mgr_text_format(&t, 48,
                               ",\"wait\":\"online\",\"timed_out\":%s",
                               online->timed_out ? "true" : "false");
    }

    ngx_ws_mgr_api_body_position(&t, "position", &info.position);
    ngx_ws_mgr_api_body_position(&t, "floor", &floor);
    ngx_ws_mgr_text_format(&t, 4 * NGX_INT_T_LEN + 128,
                           ",\"events\":%ui,\"event_bytes\":%uz,"
                           "\"connection_count\":%ui,\"workers\":%ui",
                           info.events, info.bytes, info.connections,
                           info.workers);

    ngx_ws_mgr_api_look_nodes(&t, online->engine);
    ngx_ws_mgr_api_online_conns(&t, &online->user);
    ngx_ws_mgr_api_online_runs(&t, &online->user);
    ngx_ws_mgr_text_put(&t, "}");

    return ngx_ws_mgr_api_body_send(r, NGX_HTTP_OK, &t);
}


static void
ngx_ws_mgr_api_online_conns(ngx_ws_mgr_text_t *t, ngx_str_t *user)
{
    uint64_t                 after;
    ngx_uint_t               i, n, shown;
    ngx_ws_mgr_conn_info_t  *info;

    info = ngx_palloc(t->pool, NGX_WS_MGR_API_ONLINE_PAGE
                               * sizeof(ngx_ws_mgr_conn_info_t));
    if (info == NULL) {
        t->failed = 1;
        return;
    }

    after = 0;
    shown = 0;

    ngx_ws_mgr_text_put(t, ",\"connections\":[");

    do {
        n = ngx_ws_mgr_census_user_conns(user, after, info,
                                         NGX_WS_MGR_API_ONLINE_PAGE);

        for (i = 0; i < n; i++) {
            if (shown++) {
                ngx_ws_mgr_text_put(t, ",");
            }

            ngx_ws_mgr_api_connections_text(t, &info[i], 0);
            after = info[i].ordinal;
        }

    } while (n == NGX_WS_MGR_API_ONLINE_PAGE
             && shown < NGX_WS_MGR_API_ONLINE_CONNS);

    ngx_ws_mgr_text_put(t, "]");
}


static void
ngx_ws_mgr_api_online_runs(ngx_ws_mgr_text_t *t, ngx_str_t *user)
{
    ngx_uint_t              i, n;
    ngx_ws_mgr_tokens_t     sum;
    ngx_ws_mgr_run_info_t  *info;

    info = ngx_palloc(t->pool,
                      NGX_WS_MGR_RUNS * sizeof(ngx_ws_mgr_run_info_t));
    if (info == NULL) {
        t->failed = 1;
        return;
    }

    ngx_memzero(&sum, sizeof(ngx_ws_mgr_tokens_t));

    n = ngx_ws_mgr_census_user_runs(user, info, NGX_WS_MGR_RUNS);

    ngx_ws_mgr_text_put(t, ",\"runs\":[");

    for (i = 0; i < n; i++) {

        if (i) {
            ngx_ws_mgr_text_put(t, ",");
        }

        ngx_ws_mgr_text_put(t, "{\"run_id\":");
        ngx_ws_mgr_text_string(t, &info[i].id);

        ngx_ws_mgr_text_format(t, 3 * NGX_INT64_LEN + 96,
                               ",\"events\":%uL,\"last_at\":%uL.%03uL,"
                               "\"started\":%s,\"ended\":%s",
                               info[i].events, info[i].last / 1000,
                               info[i].last % 1000,
                               info[i].started ? "true" : "false",
                               info[i].ended ? "true" : "false");

        ngx_ws_mgr_api_online_tokens(t, &info[i].tokens);
        ngx_ws_mgr_text_put(t, "}");

        sum.input_tokens += info[i].tokens.input_tokens;
        sum.output_tokens += info[i].tokens.output_tokens;
        sum.cost += info[i].tokens.cost;
    }

    ngx_ws_mgr_text_put(t, "]");
    ngx_ws_mgr_api_online_tokens(t, &sum);
}


static void
ngx_ws_mgr_api_online_tokens(ngx_ws_mgr_text_t *t,
    ngx_ws_mgr_tokens_t *tokens)
{
    ngx_ws_mgr_text_format(t, 2 * NGX_INT64_LEN + 64,
                           ",\"tokens\":{\"input_tokens\":%uL,"
                           "\"output_tokens\":%uL,\"cost\":",
                           tokens->input_tokens, tokens->output_tokens);
    ngx_ws_mgr_text_real(t, tokens->cost);
    ngx_ws_mgr_text_put(t, "}");
}
