
/*
 * Copyright (C) the ngx_ws_mgr authors
 *
 * How long things take: the one table of histograms.  As with counters, each
 * worker adds to the row of its own slot, without a lock, and readers sum.
 */


#ifndef _NGX_WS_MGR_HISTOGRAM_H_INCLUDED_
#define _NGX_WS_MGR_HISTOGRAM_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* X(NAME, "metric", "help") */

#define NGX_WS_MGR_HISTOGRAM_TABLE(X)                                         \
    X(DELIVERY, "ws_mgr_delivery_seconds",                                    \
      "From an event's ts, in whole milliseconds, to the kernel of a socket " \
      "that was connected by then")                                           \
    X(TICKET_CHECK, "ws_mgr_ticket_check_seconds",                            \
      "From the question whether a ticket is good to its answer")             \
    X(REDIS_COMMAND, "ws_mgr_redis_command_seconds",                          \
      "From a command for Redis, sent or waiting to be, to its reply")        \
    X(ENGINE_PUBLISH, "ws_mgr_engine_publish_seconds",                        \
      "From events for the engine in Redis to what became of them")


typedef enum {
#define NGX_WS_MGR_HISTOGRAM_ENUM(name, metric, help)                         \
    NGX_WS_MGR_HISTOGRAM_##name,
    NGX_WS_MGR_HISTOGRAM_TABLE(NGX_WS_MGR_HISTOGRAM_ENUM)
#undef NGX_WS_MGR_HISTOGRAM_ENUM
    NGX_WS_MGR_HISTOGRAMS
} ngx_ws_mgr_histogram_e;


typedef struct {
    const char  *metric;
    const char  *help;
} ngx_ws_mgr_histogram_desc_t;


/* upper bounds in microseconds, and as Prometheus has them; the last bucket
   has none */

#define NGX_WS_MGR_HISTOGRAM_BOUNDS(X)                                        \
    X(100, "0.0001") X(250, "0.00025") X(500, "0.0005") X(1000, "0.001")      \
    X(2500, "0.0025") X(5000, "0.005") X(10000, "0.01") X(25000, "0.025")     \
    X(50000, "0.05") X(100000, "0.1") X(250000, "0.25") X(500000, "0.5")      \
    X(1000000, "1") X(2500000, "2.5") X(10000000, "10")

#define NGX_WS_MGR_HISTOGRAM_BUCKETS  16


/* zero: nothing was noted */

typedef struct {
    uint64_t  buckets[NGX_WS_MGR_HISTOGRAM_BUCKETS];   /* each by itself */
    uint64_t  sum;                         /* us */
} ngx_ws_mgr_histogram_t;


extern const ngx_ws_mgr_histogram_desc_t  ngx_ws_mgr_histogram_table[];
extern const char                        *ngx_ws_mgr_histogram_bounds[];

/* this worker's row; a scratch row until the worker has claimed a slot */
extern ngx_ws_mgr_histogram_t            *ngx_ws_mgr_histograms;

/* one that took "us" microseconds */
void ngx_ws_mgr_histogram_note(ngx_ws_mgr_histogram_e id, uint64_t us);

/* microseconds of a clock that only goes on */
uint64_t ngx_ws_mgr_histogram_clock(void);


#endif /* _NGX_WS_MGR_HISTOGRAM_H_INCLUDED_ */
