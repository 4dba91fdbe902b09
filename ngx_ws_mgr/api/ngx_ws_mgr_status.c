
/*
 * Copyright (C) the ngx_ws_mgr authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_ws_mgr_conf.h>
#include <ngx_ws_mgr_counter.h>
#include <ngx_ws_mgr_node.h>
#include <ngx_ws_mgr_problem.h>
#include <ngx_ws_mgr_redis.h>
#include <ngx_ws_mgr_status_io.h>


/* of the zone, in percent: less free memory than that is worth a word */
#define NGX_WS_MGR_STATUS_FREE  10


typedef enum {
    NGX_WS_MGR_STATUS_HEALTHY = 0,
    NGX_WS_MGR_STATUS_DEGRADED,
    NGX_WS_MGR_STATUS_UNHEALTHY
} ngx_ws_mgr_status_health_e;


static ngx_ws_mgr_status_health_e ngx_ws_mgr_status_judge(
    ngx_ws_mgr_status_t *status, ngx_ws_mgr_text_t *reasons);
static void ngx_ws_mgr_status_reason(ngx_ws_mgr_text_t *reasons,
    ngx_str_t *reason);
static ngx_uint_t ngx_ws_mgr_status_redis(ngx_ws_mgr_text_t *reasons);
static void ngx_ws_mgr_status_workers(ngx_ws_mgr_text_t *t);
static void ngx_ws_mgr_status_servers(ngx_ws_mgr_text_t *t);
static void ngx_ws_mgr_status_counters(ngx_ws_mgr_text_t *t);
static void ngx_ws_mgr_status_histograms(ngx_ws_mgr_text_t *t);
static void ngx_ws_mgr_status_name(ngx_ws_mgr_text_t *t, ngx_uint_t id);
static void ngx_ws_mgr_status_discards(ngx_ws_mgr_text_t *t);


static ngx_str_t  ngx_ws_mgr_status_json = ngx_string("application/json");


static const char  *ngx_ws_mgr_status_names[] = {
    "healthy", "degraded", "unhealthy"
};


ngx_int_t
ngx_ws_mgr_status_health(ngx_http_request_t *r, ngx_str_t *arg)
{
    ngx_uint_t                  code;
    ngx_ws_mgr_text_t           t, reasons;
    ngx_ws_mgr_status_t         status;
    ngx_ws_mgr_status_health_e  health;

    (void) arg;

    ngx_ws_mgr_text_init(&reasons, r->pool, 0);

    if (ngx_ws_mgr_status_gather(&status) == NGX_OK) {
        health = ngx_ws_mgr_status_judge(&status, &reasons);

    } else {
        health = NGX_WS_MGR_STATUS_UNHEALTHY;
        ngx_ws_mgr_text_put(&reasons, "\"no shared memory\"");
    }

    ngx_ws_mgr_text_init(&t, r->pool, 0);
    ngx_ws_mgr_text_format(&t, 64, "{\"status\":\"%s\",\"reasons\":[",
                           ngx_ws_mgr_status_names[health]);
    ngx_ws_mgr_text_add(&t, reasons.start, ngx_ws_mgr_text_len(&reasons));
    ngx_ws_mgr_text_put(&t, "]}");

    code = (health == NGX_WS_MGR_STATUS_UNHEALTHY)
           ? NGX_HTTP_SERVICE_UNAVAILABLE : NGX_HTTP_OK;

    return ngx_ws_mgr_status_send(r, code, &ngx_ws_mgr_status_json, &t);
}


/* NGX_DECLINED: this process has no shared memory of ours */

ngx_int_t
ngx_ws_mgr_status_gather(ngx_ws_mgr_status_t *status)
{
    ngx_uint_t  i;

    ngx_memzero(status, sizeof(ngx_ws_mgr_status_t));

    if (ngx_ws_mgr_node == NULL || ngx_ws_mgr_registry_conf == NULL) {
        return NGX_DECLINED;
    }

    ngx_ws_mgr_census_usage(&status->usage);
    ngx_ws_mgr_census_tokens(&status->tokens);

    for (i = 0; i < ngx_ws_mgr_node->nslots; i++) {

        switch (ngx_ws_mgr_node->slots[i].state) {

        case NGX_WS_MGR_SLOT_LIVE:
            status->workers++;
            break;

        case NGX_WS_MGR_SLOT_DEAD:
            status->dead++;
            break;

        case NGX_WS_MGR_SLOT_GONE:
            status->leaving++;
            break;

        default:
            break;
        }
    }

    status->slots = NGX_WS_MGR_SLOTS;
    status->slots_used = status->workers + status->dead + status->leaving;

    return NGX_OK;
}


static ngx_ws_mgr_status_health_e
ngx_ws_mgr_status_judge(ngx_ws_mgr_status_t *status,
    ngx_ws_mgr_text_t *reasons)
{
    ngx_uint_t  n;

    static ngx_str_t  draining = ngx_string("the worker drains");
    static ngx_str_t  memory =
        ngx_string("less than 10 percent of ws_mgr_zone is free");
    static ngx_str_t  dead =
        ngx_string("what a dead worker left is being swept");

    static ngx_str_t  slotless =
        ngx_string("this worker waits for a slot: all are in use");

    n = 0;

    if (ngx_exiting || ngx_terminate || ngx_quit) {
        ngx_ws_mgr_status_reason(reasons, &draining);
        n++;
    }

    if (status->usage.free / NGX_WS_MGR_STATUS_FREE
        < status->usage.size / 100)
    {
        ngx_ws_mgr_status_reason(reasons, &memory);
        n++;
    }

    if (ngx_ws_mgr_slot == NGX_WS_MGR_NO_SLOT && !ngx_exiting) {
        ngx_ws_mgr_status_reason(reasons, &slotless);
        n++;
    }

    if (status->dead) {
        ngx_ws_mgr_status_reason(reasons, &dead);
        n++;
    }

    n += ngx_ws_mgr_status_redis(reasons);

    return n ? NGX_WS_MGR_STATUS_DEGRADED : NGX_WS_MGR_STATUS_HEALTHY;
}


/* how many servers have a fault, as this worker sees them */

static ngx_uint_t
ngx_ws_mgr_status_redis(ngx_ws_mgr_text_t *reasons)
{
    ngx_str_t            name, fault, reason;
    ngx_uint_t           n;
    ngx_ws_mgr_text_t    t;
    ngx_ws_mgr_redis_t  *redis;

    n = 0;
    redis = NULL;

    for ( ;; ) {
        redis = ngx_ws_mgr_redis_next(redis, &name, &fault);

        if (redis == NULL) {
            return n;
        }

        if (fault.len == 0) {
            continue;
        }

        ngx_ws_mgr_text_init(&t, reasons->pool, 0);
        ngx_ws_mgr_text_format(&t, name.len + fault.len + 16, "redis %V: %V",
                               &name, &fault);

        reason.data = t.start;
        reason.len = ngx_ws_mgr_text_len(&t);

        ngx_ws_mgr_status_reason(reasons, &reason);
        n++;
    }
}


static void
ngx_ws_mgr_status_reason(ngx_ws_mgr_text_t *reasons, ngx_str_t *reason)
{
    if (ngx_ws_mgr_text_len(reasons)) {
        ngx_ws_mgr_text_put(reasons, ",");
    }

    ngx_ws_mgr_text_string(reasons, reason);
}


ngx_int_t
ngx_ws_mgr_status_all(ngx_http_request_t *r, ngx_str_t *arg)
{
    uint64_t                    now, started;
    ngx_ws_mgr_text_t           t, reasons;
    ngx_ws_mgr_status_t         status;
    ngx_ws_mgr_status_health_e  health;

    (void) arg;

    if (ngx_ws_mgr_status_gather(&status) != NGX_OK) {
        return NGX_HTTP_SERVICE_UNAVAILABLE;
    }

    ngx_ws_mgr_text_init(&reasons, r->pool, 0);
    health = ngx_ws_mgr_status_judge(&status, &reasons);

    now = ngx_ws_mgr_now();
    started = ngx_ws_mgr_node->started;

    ngx_ws_mgr_text_init(&t, r->pool, 8192);

    ngx_ws_mgr_text_format(&t, 512,
                           "{\"version\":\"%s\",\"nginx\":\"%s\","
                           "\"node\":\"%*s\",\"health\":\"%s\","
                           "\"started_at\":%uL.%03uL,"
                           "\"uptime_seconds\":%uL,\"reasons\":[",
                           NGX_WS_MGR_VERSION, NGINX_VERSION,
                           (size_t) NGX_WS_MGR_NODE_LEN, ngx_ws_mgr_node->name,
                           ngx_ws_mgr_status_names[health],
                           started / 1000, started % 1000,
                           now > started ? (now - started) / 1000 : 0);
    ngx_ws_mgr_text_add(&t, reasons.start, ngx_ws_mgr_text_len(&reasons));

    ngx_ws_mgr_text_format(&t, 1024,
                           "],\"users\":%ui,\"connections\":%ui,"
                           "\"closing\":%ui,"
                           "\"logs\":{\"users\":%ui,\"events\":%ui,"
                           "\"bytes\":%ui},\"tickets\":%ui,"
                           "\"ticket_bytes\":%ui,"
                           "\"zone\":{\"size\":%uz,\"free\":%uz,"
                           "\"shards\":%ui},"
                           "\"tokens\":{\"input_tokens\":%uL,"
                           "\"output_tokens\":%uL,\"cost\":",
                           status.usage.users, status.usage.connections,
                           status.usage.closing, status.usage.logs,
                           status.usage.events,
                           status.usage.event_bytes, status.usage.tickets,
                           status.usage.ticket_bytes,
                           status.usage.size, status.usage.free,
                           ngx_ws_mgr_registry_conf->nshards,
                           status.tokens.input_tokens,
                           status.tokens.output_tokens);
    ngx_ws_mgr_text_real(&t, status.tokens.cost);
    ngx_ws_mgr_text_put(&t, "}");

    ngx_ws_mgr_status_workers(&t);
    ngx_ws_mgr_status_servers(&t);
    ngx_ws_mgr_status_counters(&t);
    ngx_ws_mgr_status_discards(&t);
    ngx_ws_mgr_status_histograms(&t);

    ngx_ws_mgr_text_put(&t, "}");

    return ngx_ws_mgr_status_send(r, NGX_HTTP_OK, &ngx_ws_mgr_status_json, &t);
}


static void
ngx_ws_mgr_status_workers(ngx_ws_mgr_text_t *t)
{
    ngx_uint_t          i, n;
    ngx_ws_mgr_slot_t  *slot;

    n = 0;

    ngx_ws_mgr_text_put(t, ",\"workers\":[");

    for (i = 0; i < ngx_ws_mgr_node->nslots; i++) {
        slot = &ngx_ws_mgr_node->slots[i];

        if (slot->state == NGX_WS_MGR_SLOT_FREE) {
            continue;
        }

        ngx_ws_mgr_text_format(t, 4 * NGX_INT64_LEN + 128,
                               "%s{\"slot\":%ui,\"pid\":%P,"
                               "\"generation\":%uL,\"connections\":%uA,"
                               "\"live\":%s}",
                               n++ ? "," : "", i, slot->pid,
                               slot->generation, slot->connections,
                               slot->state == NGX_WS_MGR_SLOT_LIVE
                               ? "true" : "false");
    }

    ngx_ws_mgr_text_put(t, "]");
}


/* as this worker sees them */

static void
ngx_ws_mgr_status_servers(ngx_ws_mgr_text_t *t)
{
    ngx_str_t            name, fault;
    ngx_uint_t           n;
    ngx_ws_mgr_redis_t  *redis;

    n = 0;
    redis = NULL;

    ngx_ws_mgr_text_put(t, ",\"redis\":[");

    for ( ;; ) {
        redis = ngx_ws_mgr_redis_next(redis, &name, &fault);

        if (redis == NULL) {
            break;
        }

        if (n++) {
            ngx_ws_mgr_text_put(t, ",");
        }

        ngx_ws_mgr_text_put(t, "{\"server\":");
        ngx_ws_mgr_text_string(t, &name);
        ngx_ws_mgr_text_put(t, ",\"fault\":");

        if (fault.len) {
            ngx_ws_mgr_text_string(t, &fault);

        } else {
            ngx_ws_mgr_text_put(t, "null");
        }

        ngx_ws_mgr_text_put(t, "}");
    }

    ngx_ws_mgr_text_put(t, "]");
}


/* buckets by themselves, not added up as metrics have them; "bounds" are in
   seconds, and the last one is none */

static void
ngx_ws_mgr_status_histograms(ngx_ws_mgr_text_t *t)
{
    ngx_uint_t              i, k;
    ngx_ws_mgr_histogram_t  sum;

    ngx_ws_mgr_text_put(t, ",\"bounds\":[");

    for (k = 0; k < NGX_WS_MGR_HISTOGRAM_BUCKETS; k++) {
        ngx_ws_mgr_text_format(t, 32, "%s\"%s\"", k ? "," : "",
                               ngx_ws_mgr_histogram_bounds[k]);
    }

    ngx_ws_mgr_text_put(t, "],\"histograms\":{");

    for (i = 0; i < NGX_WS_MGR_HISTOGRAMS; i++) {
        ngx_ws_mgr_node_histogram(i, &sum);

        ngx_ws_mgr_text_format(t, 128, "%s\"%s\":{\"sum\":%uL.%06uL,"
                                       "\"buckets\":[",
                               i ? "," : "",
                               ngx_ws_mgr_histogram_table[i].metric,
                               sum.sum / 1000000, sum.sum % 1000000);

        for (k = 0; k < NGX_WS_MGR_HISTOGRAM_BUCKETS; k++) {
            ngx_ws_mgr_text_format(t, NGX_INT64_LEN + 2, "%s%uL",
                                   k ? "," : "", sum.buckets[k]);
        }

        ngx_ws_mgr_text_put(t, "]}");
    }

    ngx_ws_mgr_text_put(t, "}");
}


/* the name of a row is its metric, with its labels as in Prometheus */

static void
ngx_ws_mgr_status_counters(ngx_ws_mgr_text_t *t)
{
    ngx_uint_t  i;

    ngx_ws_mgr_text_put(t, ",\"counters\":{");

    for (i = 0; i < NGX_WS_MGR_COUNTERS; i++) {

        if (i != 0) {
            ngx_ws_mgr_text_put(t, ",");
        }

        ngx_ws_mgr_status_name(t, i);
        ngx_ws_mgr_text_put(t, ":");
        ngx_ws_mgr_text_number(t, ngx_ws_mgr_node_counter(i));
    }

    ngx_ws_mgr_text_put(t, "}");
}


static void
ngx_ws_mgr_status_name(ngx_ws_mgr_text_t *t, ngx_uint_t id)
{
    ngx_str_t                         name;
    u_char                            data[256];
    const ngx_ws_mgr_counter_desc_t  *row;

    row = &ngx_ws_mgr_counter_table[id];

    name.data = data;
    name.len = ngx_snprintf(data, sizeof(data),
                            row->labels[0] ? "%s{%s}" : "%s", row->metric,
                            row->labels)
               - data;

    ngx_ws_mgr_text_string(t, &name);
}


/* what was thrown away, and why: some of the counters, in words */

static void
ngx_ws_mgr_status_discards(ngx_ws_mgr_text_t *t)
{
    ngx_uint_t  i;

    static const struct {
        ngx_uint_t   counter;
        const char  *what;
        const char  *why;
    } rows[] = {
#define NGX_WS_MGR_STATUS_DISCARD(name, what, why)                            \
        { NGX_WS_MGR_DISCARD_##name, what, why },
        NGX_WS_MGR_DISCARD_TABLE(NGX_WS_MGR_STATUS_DISCARD)
#undef NGX_WS_MGR_STATUS_DISCARD
        { NGX_WS_MGR_DISCARD_NONE, NULL, NULL }
    };

    ngx_ws_mgr_text_put(t, ",\"discards\":[");

    for (i = 0; rows[i].what != NULL; i++) {
        ngx_ws_mgr_text_format(t, 256,
                               "%s{\"what\":\"%s\",\"why\":\"%s\",\"counter\":",
                               i ? "," : "", rows[i].what, rows[i].why);
        ngx_ws_mgr_status_name(t, rows[i].counter);
        ngx_ws_mgr_text_put(t, ",\"n\":");
        ngx_ws_mgr_text_number(t, ngx_ws_mgr_node_counter(rows[i].counter));
        ngx_ws_mgr_text_put(t, "}");
    }

    ngx_ws_mgr_text_put(t, "]");
}


ngx_int_t
ngx_ws_mgr_status_send(ngx_http_request_t *r, ngx_uint_t status,
    ngx_str_t *type, ngx_ws_mgr_text_t *t)
{
    ngx_str_t  body;

    if (t->failed) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    body.data = t->start;
    body.len = ngx_ws_mgr_text_len(t);

    return ngx_ws_mgr_problem_send_body(r, status, type, &body);
}
