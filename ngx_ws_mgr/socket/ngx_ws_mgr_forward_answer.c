
/*
 * Copyright (C) the ngx_ws_mgr authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_ws_mgr_posting_publish.h>
#include <ngx_ws_mgr_forward_answer.h>
#include <ngx_ws_mgr_client_message.h>


/* an answer that is to become an event */

typedef struct {
    ngx_pool_t               *pool;
    ngx_uint_t                own;         /* the pool is, and goes with it */
    ngx_ws_mgr_posting_t      posting;
    ngx_ws_mgr_api_event_t    event;
    ngx_ws_mgr_engine_op_t    op;
} ngx_ws_mgr_forward_event_t;


static ngx_ws_mgr_forward_event_t *ngx_ws_mgr_forward_create(
    ngx_ws_mgr_forward_queue_t *queue, ngx_ws_mgr_inner_answer_t *answer);
static ngx_int_t ngx_ws_mgr_forward_fill(ngx_ws_mgr_forward_event_t *e,
    ngx_ws_mgr_forward_queue_t *queue, ngx_ws_mgr_inner_answer_t *answer);
static ngx_int_t ngx_ws_mgr_forward_event(ngx_ws_mgr_forward_queue_t *queue,
    ngx_ws_mgr_inner_answer_t *answer);
static ngx_int_t ngx_ws_mgr_forward_publish(ngx_ws_mgr_forward_event_t *e,
    ngx_ws_mgr_forward_queue_t *queue);
static ngx_int_t ngx_ws_mgr_forward_result(ngx_ws_mgr_forward_event_t *e);
static void ngx_ws_mgr_forward_published(ngx_ws_mgr_engine_op_t *op);
static void ngx_ws_mgr_forward_end(ngx_ws_mgr_forward_event_t *e);
static void ngx_ws_mgr_forward_tell(ngx_ws_mgr_forward_queue_t *queue,
    ngx_ws_mgr_forward_item_t *item, const ngx_ws_mgr_message_error_t *error);


static const ngx_ws_mgr_message_error_t  ngx_ws_mgr_forward_refused = {
    "forward_refused", "the agent backend refused the message"
};

static const ngx_ws_mgr_message_error_t  ngx_ws_mgr_forward_failed = {
    "forward_failed", "the agent backend failed, or could not be reached"
};

static const ngx_ws_mgr_message_error_t  ngx_ws_mgr_forward_timeout = {
    "forward_timeout", "the agent backend did not answer in time"
};

static const ngx_ws_mgr_message_error_t  ngx_ws_mgr_forward_bad_answer = {
    "forward_bad_answer", "the agent backend took the message, and its answer "
    "is no event that can be delivered"
};


void
ngx_ws_mgr_forward_answer(ngx_ws_mgr_forward_queue_t *queue,
    ngx_ws_mgr_forward_item_t *item, ngx_ws_mgr_inner_answer_t *answer)
{
    static ngx_str_t  json = ngx_string("application/json");

    if (answer->status == NGX_HTTP_GATEWAY_TIME_OUT) {
        ngx_ws_mgr_count(FORWARD_TIMEOUT);
        ngx_ws_mgr_forward_tell(queue, item, &ngx_ws_mgr_forward_timeout);
        return;
    }

    if (answer->status >= NGX_HTTP_BAD_REQUEST
        && answer->status < NGX_HTTP_INTERNAL_SERVER_ERROR)
    {
        ngx_ws_mgr_count(FORWARD_REFUSED);
        ngx_ws_mgr_forward_tell(queue, item, &ngx_ws_mgr_forward_refused);
        return;
    }

    if (answer->status < NGX_HTTP_OK
        || answer->status >= NGX_HTTP_SPECIAL_RESPONSE)
    {
        ngx_ws_mgr_count(FORWARD_FAILED);
        ngx_ws_mgr_forward_tell(queue, item, &ngx_ws_mgr_forward_failed);
        return;
    }

    ngx_ws_mgr_count(FORWARD_ACCEPTED);

    if (answer->body.len == 0
        || answer->type.len < json.len
        || ngx_strncasecmp(answer->type.data, json.data, json.len) != 0)
    {
        return;
    }

    if (ngx_ws_mgr_forward_event(queue, answer) != NGX_OK) {
        ngx_ws_mgr_discard(FORWARD_BAD_ANSWERS);
        ngx_ws_mgr_forward_tell(queue, item, &ngx_ws_mgr_forward_bad_answer);
    }
}


/* NGX_DECLINED: the answer is an event that cannot be */

static ngx_int_t
ngx_ws_mgr_forward_event(ngx_ws_mgr_forward_queue_t *queue,
    ngx_ws_mgr_inner_answer_t *answer)
{
    ngx_int_t                    rc;
    ngx_ws_mgr_posting_t        *posting;
    ngx_ws_mgr_forward_event_t  *e;

    e = ngx_ws_mgr_forward_create(queue, answer);
    if (e == NULL) {
        return NGX_DECLINED;
    }

    posting = &e->posting;

    if (ngx_ws_mgr_api_posting_read(posting) == NGX_OK) {
        return ngx_ws_mgr_forward_publish(e, queue);
    }

    /* a mere acknowledgement, such as {"ok":true} */

    rc = (posting->envelope.type.data == NULL
          && posting->refusal.fault == NGX_WS_MGR_FAULT_EVENT)
         ? NGX_OK : ngx_ws_mgr_forward_result(e);

    ngx_ws_mgr_forward_end(e);

    return rc;
}


/* the answer's pool goes when it was handled: too early for an engine that
   takes its time */

static ngx_ws_mgr_forward_event_t *
ngx_ws_mgr_forward_create(ngx_ws_mgr_forward_queue_t *queue,
    ngx_ws_mgr_inner_answer_t *answer)
{
    ngx_pool_t                  *pool;
    ngx_ws_mgr_forward_event_t  *e;

    pool = answer->pool;

    if (ngx_ws_mgr_engine) {
        pool = ngx_create_pool(4096, ngx_cycle->log);
        if (pool == NULL) {
            return NULL;
        }
    }

    e = ngx_pcalloc(pool, sizeof(ngx_ws_mgr_forward_event_t));

    if (e) {
        e->pool = pool;
        e->own = (pool != answer->pool);
    }

    if (e == NULL || ngx_ws_mgr_forward_fill(e, queue, answer) != NGX_OK) {

        if (pool != answer->pool) {
            ngx_destroy_pool(pool);
        }

        return NULL;
    }

    return e;
}


static ngx_int_t
ngx_ws_mgr_forward_fill(ngx_ws_mgr_forward_event_t *e,
    ngx_ws_mgr_forward_queue_t *queue, ngx_ws_mgr_inner_answer_t *answer)
{
    ngx_str_t          body;
    ngx_ws_mgr_text_t  text;

    body = answer->body;
    e->event.user = queue->user;

    if (e->own) {
        body.data = ngx_pstrdup(e->pool, &answer->body);
        e->event.user.data = ngx_pstrdup(e->pool, &queue->user);

        if (body.data == NULL || e->event.user.data == NULL) {
            return NGX_ERROR;
        }
    }

    ngx_ws_mgr_text_init(&text, e->pool, queue->user.len + 2);
    ngx_ws_mgr_text_string(&text, &queue->user);

    if (text.failed) {
        return NGX_ERROR;
    }

    e->event.pool = e->pool;
    e->event.conf = queue->conf;
    e->event.user_raw.data = text.start;
    e->event.user_raw.len = ngx_ws_mgr_text_len(&text);
    e->event.body = body.data;

    e->posting.event = &e->event;
    e->posting.posted.start = body.data;
    e->posting.posted.end = body.data + body.len;

    e->op.pool = e->pool;
    e->op.data = e;
    e->op.done = ngx_ws_mgr_forward_published;

    return NGX_OK;
}


/* for the one connection, whatever it says itself */

static ngx_int_t
ngx_ws_mgr_forward_publish(ngx_ws_mgr_forward_event_t *e,
    ngx_ws_mgr_forward_queue_t *queue)
{
    ngx_int_t              rc;
    ngx_ws_mgr_entry_t    *entry;
    ngx_ws_mgr_posting_t  *posting;

    posting = &e->posting;

    if (queue->client == NULL) {
        ngx_ws_mgr_discard(FORWARD_LATE);
        ngx_ws_mgr_forward_end(e);
        return NGX_OK;
    }

    posting->number = queue->number;

    if (posting->envelope.nusers) {
        (void) ngx_ws_mgr_api_posting_refuse(posting, NGX_WS_MGR_FAULT_EVENT,
                                   "user_ids", NULL,
                                   "an answer is for one connection");
    }

    entry = &posting->publish.entry;

    entry->to = NGX_WS_MGR_TO_CONNECTION;
    entry->target.data = (u_char *) &posting->number;
    entry->target.len = sizeof(uint64_t);

    posting->publish.connection.len = queue->connection.len;
    posting->publish.connection.data = ngx_pstrdup(e->pool,
                                                   &queue->connection);

    if (posting->publish.connection.data == NULL) {
        ngx_ws_mgr_forward_end(e);
        return NGX_DECLINED;
    }

    (void) ngx_ws_mgr_api_event_append(&e->op, &posting, 1, 0);

    if (e->op.pending) {
        return NGX_OK;
    }

    rc = ngx_ws_mgr_forward_result(e);
    ngx_ws_mgr_forward_end(e);

    return rc;
}


/* by then the client may have left: what is wrong with it is told to the log */

static void
ngx_ws_mgr_forward_published(ngx_ws_mgr_engine_op_t *op)
{
    ngx_ws_mgr_forward_event_t  *e = op->data;

    if (ngx_ws_mgr_forward_result(e) != NGX_OK) {
        ngx_ws_mgr_discard(FORWARD_BAD_ANSWERS);
    }

    ngx_ws_mgr_forward_end(e);
}


static ngx_int_t
ngx_ws_mgr_forward_result(ngx_ws_mgr_forward_event_t *e)
{
    ngx_ws_mgr_text_t      text;
    ngx_ws_mgr_problem_t  *problem;

    ngx_ws_mgr_text_init(&text, e->pool, 0);

    if (ngx_ws_mgr_api_event_result(&e->posting, &text) == NGX_OK) {
        ngx_ws_mgr_count(FORWARD_EVENTS);
        return NGX_OK;
    }

    problem = &e->posting.refusal.problem;

    ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                  "ws_mgr_forward \"%V\" answered with what is no event, "
                  "line %ui, column %ui: %s", &e->event.conf->forward_to.uri,
                  problem->line, problem->column, problem->detail);

    return NGX_DECLINED;
}


static void
ngx_ws_mgr_forward_end(ngx_ws_mgr_forward_event_t *e)
{
    if (e->own) {
        ngx_destroy_pool(e->pool);
    }
}


static void
ngx_ws_mgr_forward_tell(ngx_ws_mgr_forward_queue_t *queue,
    ngx_ws_mgr_forward_item_t *item, const ngx_ws_mgr_message_error_t *error)
{
    if (queue->client == NULL) {
        ngx_ws_mgr_discard(FORWARD_LATE);
        return;
    }

    ngx_ws_mgr_message_error(queue->client, error, &item->ref);
}
