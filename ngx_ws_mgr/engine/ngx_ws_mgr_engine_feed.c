
/*
 * Copyright (C) the ngx_ws_mgr authors
 *
 * Events of Redis are put into the log of their user in shared memory, a batch
 * under one lock of the shard: those that the channel brought, and those that
 * the sync script has read.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_ws_mgr_engine_io.h>
#include <ngx_ws_mgr_discard.h>
#include <ngx_ws_mgr_registry.h>


#define NGX_WS_MGR_ENGINE_CHUNK  32        /* events under one lock */


static ngx_int_t ngx_ws_mgr_engine_read(ngx_str_t *user,
    ngx_ws_mgr_record_t *record, ngx_ws_mgr_engine_triple_t *triple,
    ngx_uint_t past);


/* of one chunk; of the worker, since it is large */
static ngx_ws_mgr_record_t  ngx_ws_mgr_engine_records[NGX_WS_MGR_ENGINE_CHUNK];


ngx_ws_mgr_feed_e
ngx_ws_mgr_engine_feed(ngx_str_t *user, uint64_t epoch,
    ngx_ws_mgr_engine_next_pt next, void *data, ngx_uint_t load,
    ngx_uint_t past)
{
    ngx_int_t                    rc;
    ngx_uint_t                   n;
    ngx_ws_mgr_feed_e            fed;
    ngx_ws_mgr_publish_t        *p[NGX_WS_MGR_ENGINE_CHUNK];
    ngx_ws_mgr_engine_triple_t   triple;

    do {
        for (n = 0, rc = NGX_OK; n < NGX_WS_MGR_ENGINE_CHUNK; n++) {
            rc = next(data, &triple);

            if (rc == NGX_OK) {
                rc = ngx_ws_mgr_engine_read(user,
                                            &ngx_ws_mgr_engine_records[n],
                                            &triple, past);
            }

            if (rc != NGX_OK) {
                break;
            }

            p[n] = &ngx_ws_mgr_engine_records[n].publish;
        }

        fed = n ? ngx_ws_mgr_publish_feed(user, epoch, p, n, load)
                : NGX_WS_MGR_FEED_OK;

        if (fed != NGX_WS_MGR_FEED_OK) {
            return fed;
        }

        if (rc == NGX_DECLINED) {
            ngx_ws_mgr_discard(REDIS_UNREADABLE);

            if (past) {
                return NGX_WS_MGR_FEED_OK;
            }

            if (ngx_ws_mgr_publish_adopt(user, epoch, triple.seq) != NGX_OK) {
                return NGX_WS_MGR_FEED_NO_MEMORY;
            }
        }

    } while (rc == NGX_OK || rc == NGX_DECLINED);

    if (rc == NGX_ERROR) {
        ngx_ws_mgr_discard(REDIS_UNREADABLE);
    }

    return NGX_WS_MGR_FEED_OK;
}


static ngx_int_t
ngx_ws_mgr_engine_read(ngx_str_t *user, ngx_ws_mgr_record_t *record,
    ngx_ws_mgr_engine_triple_t *triple, ngx_uint_t past)
{
    ngx_ws_mgr_publish_t  *p;

    if (ngx_ws_mgr_record_read(record, triple->text, triple->len) != NGX_OK) {
        return NGX_DECLINED;
    }

    p = &record->publish;

    p->entry.seq = triple->seq;
    p->entry.now = triple->ts;
    p->match = past ? NULL : ngx_ws_mgr_engine_conf->match;

    /* a broadcast is of nobody's run; the past of a run is not looked at */

    if (past || (user->len == 1 && user->data[0] == '*')) {
        p->run.id.len = 0;
    }

    return NGX_OK;
}
