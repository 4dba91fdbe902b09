
/*
 * Copyright (C) the ngx_ws_mgr authors
 *
 * Posted events that were read: published, and their results written.
 */


#ifndef _NGX_WS_MGR_POSTING_PUBLISH_H_INCLUDED_
#define _NGX_WS_MGR_POSTING_PUBLISH_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_ws_mgr_posting.h>
#include <ngx_ws_mgr_engine.h>
#include <ngx_ws_mgr_text.h>


/*
 * Publishes the first posting, and those behind it that are for the log of the
 * same user, as one group.  Returns how many those are, refused ones among
 * them: once nothing of "op" is pending, their results can be written.  With
 * "more" to come, which the group may go on with, nothing is published where
 * it takes in all: 0.
 */
ngx_uint_t ngx_ws_mgr_api_event_append(ngx_ws_mgr_engine_op_t *op,
    ngx_ws_mgr_posting_t **postings, ngx_uint_t n, ngx_uint_t more);

/*
 * NGX_OK: accepted, its result was added to t; NGX_DECLINED: it is in no log,
 * and posting->refusal says why.
 */
ngx_int_t ngx_ws_mgr_api_event_result(ngx_ws_mgr_posting_t *posting,
    ngx_ws_mgr_text_t *t);

/* the same as an item of many: a rejection is added to t too, and counted */
ngx_int_t ngx_ws_mgr_api_event_outcome(ngx_ws_mgr_posting_t *posting,
    ngx_ws_mgr_text_t *t);


#endif /* _NGX_WS_MGR_POSTING_PUBLISH_H_INCLUDED_ */
