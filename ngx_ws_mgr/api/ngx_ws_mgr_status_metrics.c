
/*
 * Copyright (C) the ngx_ws_mgr authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_ws_mgr_conf.h>
#include <ngx_ws_mgr_counter.h>
#include <ngx_ws_mgr_histogram.h>
#include <ngx_ws_mgr_node.h>
#include <ngx_ws_mgr_redis.h>
#include <ngx_ws_mgr_status_io.h>


/* what is not a counter of a worker */

typedef struct {
    const char    *metric;
    const char    *type;
    const char    *help;
    size_t         offset;                 /* of an ngx_uint_t */
} ngx_ws_mgr_metrics_gauge_t;


static void ngx_ws_mgr_metrics_head(ngx_ws_mgr_text_t *t, const char *metric,
    const char *type, const char *help);
static void ngx_ws_mgr_metrics_histograms(ngx_ws_mgr_text_t *t);
static void ngx_ws_mgr_metrics_gauges(ngx_ws_mgr_text_t *t,
    ngx_ws_mgr_status_t *status);
static void ngx_ws_mgr_metrics_labelled(ngx_ws_mgr_text_t *t,
    ngx_ws_mgr_status_t *status);
static void ngx_ws_mgr_metrics_redis(ngx_ws_mgr_text_t *t);


static ngx_str_t  ngx_ws_mgr_metrics_type =
    ngx_string("text/plain; version=0.0.4; charset=utf-8");


#define ngx_ws_mgr_metrics_usage(member)                                       \
    offsetof(ngx_ws_mgr_status_t, usage.member)

static const ngx_ws_mgr_metrics_gauge_t  ngx_ws_mgr_metrics_gauge_rows[] = {

    { "ws_mgr_users", "gauge", "Users with a socket",
      ngx_ws_mgr_metrics_usage(users) },

    { "ws_mgr_log_users", "gauge", "Users of the registry, most with a log",
      ngx_ws_mgr_metrics_usage(logs) },

    { "ws_mgr_log_events", "gauge", "Events held in logs",
      ngx_ws_mgr_metrics_usage(events) },

    { "ws_mgr_log_bytes", "gauge", "Bytes of the events held in logs",
      ngx_ws_mgr_metrics_usage(event_bytes) },

    { "ws_mgr_tickets_held", "gauge", "Tickets in the embedded store",
      ngx_ws_mgr_metrics_usage(tickets) },

    { "ws_mgr_zone_size_bytes", "gauge", "Shared memory of all shards",
      ngx_ws_mgr_metrics_usage(size) },

    { "ws_mgr_zone_free_bytes", "gauge",
      "Shared memory that is free, in whole pages",
      ngx_ws_mgr_metrics_usage(free) },

    { "ws_mgr_workers", "gauge", "Worker processes that hold a slot",
      offsetof(ngx_ws_mgr_status_t, workers) },

    { "ws_mgr_slots", "gauge", "Slots for worker processes",
      offsetof(ngx_ws_mgr_status_t, slots) },

    { "ws_mgr_slots_used", "gauge", "Slots that workers have, or have left"
      " and that are not swept yet",
      offsetof(ngx_ws_mgr_status_t, slots_used) },

    { NULL, NULL, NULL, 0 }
};


ngx_int_t
ngx_ws_mgr_status_metrics(ngx_http_request_t *r, ngx_str_t *arg)
{
    ngx_uint_t                        i;
    ngx_ws_mgr_text_t                 t;
    ngx_ws_mgr_status_t               status;
    const ngx_ws_mgr_counter_desc_t  *row;

    (void) arg;

    if (ngx_ws_mgr_status_gather(&status) != NGX_OK) {
        return NGX_HTTP_SERVICE_UNAVAILABLE;
    }

    ngx_ws_mgr_text_init(&t, r->pool, 16384);

    for (i = 0; i < NGX_WS_MGR_COUNTERS; i++) {
        row = &ngx_ws_mgr_counter_table[i];

        if (row->help[0] != '\0') {
            ngx_ws_mgr_metrics_head(&t, row->metric, "counter", row->help);
        }

        ngx_ws_mgr_text_format(&t, 256, row->labels[0] ? "%s{%s}" : "%s",
                               row->metric, row->labels);
        ngx_ws_mgr_text_format(&t, NGX_INT64_LEN + 2, " %uL\n",
                               ngx_ws_mgr_node_counter(i));
    }

    ngx_ws_mgr_metrics_histograms(&t);
    ngx_ws_mgr_metrics_gauges(&t, &status);
    ngx_ws_mgr_metrics_labelled(&t, &status);
    ngx_ws_mgr_metrics_redis(&t);

    return ngx_ws_mgr_status_send(r, NGX_HTTP_OK, &ngx_ws_mgr_metrics_type, &t);
}


static void
ngx_ws_mgr_metrics_head(ngx_ws_mgr_text_t *t, const char *metric,
    const char *type, const char *help)
{
    ngx_ws_mgr_text_format(t, 512, "# HELP %s %s\n# TYPE %s %s\n", metric,
                           help, metric, type);
}


static void
ngx_ws_mgr_metrics_gauges(ngx_ws_mgr_text_t *t, ngx_ws_mgr_status_t *status)
{
    uint64_t                          started;
    const ngx_ws_mgr_metrics_gauge_t  *row;

    for (row = ngx_ws_mgr_metrics_gauge_rows; row->metric != NULL; row++) {
        ngx_ws_mgr_metrics_head(t, row->metric, row->type, row->help);
        ngx_ws_mgr_text_format(t, 256, "%s %ui\n", row->metric,
                         *(ngx_uint_t *) ((u_char *) status + row->offset));
    }

    ngx_ws_mgr_metrics_head(t, "ws_mgr_tokens_total", "counter",
                             "Tokens that events reported, by direction");
    ngx_ws_mgr_text_format(t, 256,
                           "ws_mgr_tokens_total{direction=\"input\"} %uL\n"
                           "ws_mgr_tokens_total{direction=\"output\"} %uL\n",
                           status->tokens.input_tokens,
                           status->tokens.output_tokens);

    ngx_ws_mgr_metrics_head(t, "ws_mgr_token_cost_total", "counter",
                             "Cost that events reported");
    ngx_ws_mgr_text_put(t, "ws_mgr_token_cost_total ");
    ngx_ws_mgr_text_real(t, status->tokens.cost);

    started = ngx_ws_mgr_node->started;

    ngx_ws_mgr_text_put(t, "\n");
    ngx_ws_mgr_metrics_head(t, "ws_mgr_start_time_seconds", "gauge",
                             "When the node began, in seconds since 1970");
    ngx_ws_mgr_text_format(t, 128, "ws_mgr_start_time_seconds %uL.%03uL\n",
                           started / 1000, started % 1000);

    ngx_ws_mgr_metrics_head(t, "ws_mgr_build_info", "gauge",
                             "Version of the module and of nginx");
    ngx_ws_mgr_text_format(t, 256,
                           "ws_mgr_build_info{version=\"%s\",nginx=\"%s\"}"
                           " 1\n",
                           NGX_WS_MGR_VERSION, NGINX_VERSION);
}


/* buckets are cumulative there */

static void
ngx_ws_mgr_metrics_histograms(ngx_ws_mgr_text_t *t)
{
    uint64_t                            n;
    ngx_uint_t                          i, k;
    ngx_ws_mgr_histogram_t              sum;
    const ngx_ws_mgr_histogram_desc_t  *row;

    for (i = 0; i < NGX_WS_MGR_HISTOGRAMS; i++) {
        row = &ngx_ws_mgr_histogram_table[i];

        ngx_ws_mgr_node_histogram(i, &sum);
        ngx_ws_mgr_metrics_head(t, row->metric, "histogram", row->help);

        n = 0;

        for (k = 0; k < NGX_WS_MGR_HISTOGRAM_BUCKETS; k++) {
            n += sum.buckets[k];
            ngx_ws_mgr_text_format(t, 128, "%s_bucket{le=\"%s\"} %uL\n",
                                   row->metric, ngx_ws_mgr_histogram_bounds[k],
                                   n);
        }

        ngx_ws_mgr_text_format(t, 256, "%s_sum %uL.%06uL\n%s_count %uL\n",
                               row->metric, sum.sum / 1000000,
                               sum.sum % 1000000, row->metric, n);
    }
}


static void
ngx_ws_mgr_metrics_labelled(ngx_ws_mgr_text_t *t, ngx_ws_mgr_status_t *status)
{
    ngx_uint_t           used, known;
    ngx_ws_mgr_usage_t  *usage;

    usage = &status->usage;

    ngx_ws_mgr_metrics_head(t, "ws_mgr_connections", "gauge",
                            "Sockets in the registry, by state");
    ngx_ws_mgr_text_format(t, 256,
                           "ws_mgr_connections{state=\"opening\"} %ui\n"
                           "ws_mgr_connections{state=\"open\"} %ui\n"
                           "ws_mgr_connections{state=\"closing\"} %ui\n",
                           usage->connections - usage->open,
                           usage->open - ngx_min(usage->closing, usage->open),
                           usage->closing);

    used = usage->size - usage->free;
    known = usage->event_bytes + usage->ticket_bytes;

    ngx_ws_mgr_metrics_head(t, "ws_mgr_zone_used_bytes", "gauge",
                            "Shared memory in use, by what for; \"other\" is "
                            "users, connections, tables and what is between");
    ngx_ws_mgr_text_format(t, 256,
                           "ws_mgr_zone_used_bytes{kind=\"events\"} %ui\n"
                           "ws_mgr_zone_used_bytes{kind=\"tickets\"} %ui\n"
                           "ws_mgr_zone_used_bytes{kind=\"other\"} %ui\n",
                           usage->event_bytes, usage->ticket_bytes,
                           used > known ? used - known : 0);
}


/* as this worker sees them */

static void
ngx_ws_mgr_metrics_redis(ngx_ws_mgr_text_t *t)
{
    ngx_str_t            name, fault;
    ngx_ws_mgr_redis_t  *redis;

    ngx_ws_mgr_metrics_head(t, "ws_mgr_redis_up", "gauge",
                            "Whether a connection to Redis is well, as the "
                            "worker that answers sees it");

    redis = NULL;

    for ( ;; ) {
        redis = ngx_ws_mgr_redis_next(redis, &name, &fault);

        if (redis == NULL) {
            return;
        }

        ngx_ws_mgr_text_put(t, "ws_mgr_redis_up{server=");
        ngx_ws_mgr_text_string(t, &name);
        ngx_ws_mgr_text_format(t, 8, "} %d\n", fault.len == 0);
    }
}
