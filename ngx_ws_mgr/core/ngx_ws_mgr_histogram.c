
/*
 * Copyright (C) the ngx_ws_mgr authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_ws_mgr_counter.h>
#include <ngx_ws_mgr_histogram.h>


static ngx_ws_mgr_histogram_t  ngx_ws_mgr_histogram_scratch[
                                                      NGX_WS_MGR_HISTOGRAMS];


const ngx_ws_mgr_histogram_desc_t  ngx_ws_mgr_histogram_table[] = {
#define NGX_WS_MGR_HISTOGRAM_ROW(name, metric, help)  { metric, help },
    NGX_WS_MGR_HISTOGRAM_TABLE(NGX_WS_MGR_HISTOGRAM_ROW)
#undef NGX_WS_MGR_HISTOGRAM_ROW
};


static const uint64_t  ngx_ws_mgr_histogram_upper[] = {
#define NGX_WS_MGR_HISTOGRAM_UPPER(us, text)  us,
    NGX_WS_MGR_HISTOGRAM_BOUNDS(NGX_WS_MGR_HISTOGRAM_UPPER)
#undef NGX_WS_MGR_HISTOGRAM_UPPER
};


const char  *ngx_ws_mgr_histogram_bounds[] = {
#define NGX_WS_MGR_HISTOGRAM_TEXT(us, text)  text,
    NGX_WS_MGR_HISTOGRAM_BOUNDS(NGX_WS_MGR_HISTOGRAM_TEXT)
#undef NGX_WS_MGR_HISTOGRAM_TEXT
    "+Inf"
};


ngx_ws_mgr_histogram_t  *ngx_ws_mgr_histograms = ngx_ws_mgr_histogram_scratch;


void
ngx_ws_mgr_histogram_note(ngx_ws_mgr_histogram_e id, uint64_t us)
{
    ngx_uint_t               i;
    ngx_ws_mgr_histogram_t  *histogram;

    histogram = &ngx_ws_mgr_histograms[id];

    for (i = 0;
         i < NGX_WS_MGR_HISTOGRAM_BUCKETS - 1
         && us > ngx_ws_mgr_histogram_upper[i];
         i++) { /* void */ }

    if (ngx_ws_mgr_counters_shared) {
        (void) __atomic_fetch_add(&histogram->buckets[i], 1, __ATOMIC_RELAXED);
        (void) __atomic_fetch_add(&histogram->sum, us, __ATOMIC_RELAXED);
        return;
    }

    histogram->buckets[i]++;
    histogram->sum += us;
}


uint64_t
ngx_ws_mgr_histogram_clock(void)
{
    struct timespec  ts;

    (void) clock_gettime(CLOCK_MONOTONIC, &ts);

    return (uint64_t) ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}
