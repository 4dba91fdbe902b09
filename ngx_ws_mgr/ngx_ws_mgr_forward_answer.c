
/*
 * Copyright (C) the ngx_ws_mgr authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_ws_mgr_api_event.h>
#include <ngx_ws_mgr_forward_answer.h>
#include <ngx_ws_mgr_message.h>


static ngx_int_t ngx_ws_mgr_forward_event(ngx_ws_mgr_forward_queue_t *queue,
    ngx_ws_mgr_inner_answer_t *answer);
static ngx_int_t ngx_ws_mgr_forward_publish(ngx_ws_mgr_posting_t *posting);
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
    ngx_ws_mgr_text_t        text;
    ngx_ws_mgr_problem_t    *problem;
    ngx_ws_mgr_posting_t    *posting;
    ngx_ws_mgr_api_event_t   event;

    posting = ngx_pcalloc(answer->pool, sizeof(ngx_ws_mgr_posting_t));
    if (posting == NULL) {
        return NGX_DECLINED;
    }

    ngx_ws_mgr_text_init(&text, answer->pool, queue->user.len + 2);
    ngx_ws_mgr_text_string(&text, &queue->user);

    if (text.failed) {
        return NGX_DECLINED;
    }

    ngx_memzero(&event, sizeof(ngx_ws_mgr_api_event_t));

    event.pool = answer->pool;
    event.conf = queue->conf;
    event.user = queue->user;
    event.user_raw.data = text.start;
    event.user_raw.len = ngx_ws_mgr_text_len(&text);
    event.body = answer->body.data;

    posting->event = &event;
    posting->posted.start = answer->body.data;
    posting->posted.end = answer->body.data + answer->body.len;

    if (ngx_ws_mgr_api_posting_read(posting) != NGX_OK) {

        /* a mere acknowledgement, such as {"ok":true} */

        if (posting->envelope.type.data == NULL
            && posting->refusal.fault == NGX_WS_MGR_FAULT_EVENT)
        {
            return NGX_OK;
        }

    } else {

        if (queue->client == NULL) {
            ngx_ws_mgr_discard(FORWARD_LATE);
            return NGX_OK;
        }

        posting->number = queue->number;

        if (ngx_ws_mgr_forward_publish(posting) == NGX_OK) {
            ngx_ws_mgr_count(FORWARD_EVENTS);
            return NGX_OK;
        }
    }

    problem = &posting->refusal.problem;

    ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                  "ws_mgr_forward \"%V\" answered with what is no event, "
                  "line %ui, column %ui: %s", &queue->conf->forward_to.uri,
                  problem->line, problem->column, problem->detail);

    return NGX_DECLINED;
}


/* for the one connection, whatever it says itself */

static ngx_int_t
ngx_ws_mgr_forward_publish(ngx_ws_mgr_posting_t *posting)
{
    ngx_ws_mgr_text_t    text;
    ngx_ws_mgr_entry_t  *entry;

    if (posting->envelope.nusers) {
        return ngx_ws_mgr_api_posting_refuse(posting, NGX_WS_MGR_FAULT_EVENT,
                                   "user_ids", NULL,
                                   "an answer is for one connection");
    }

    entry = &posting->publish.entry;

    entry->to = NGX_WS_MGR_TO_CONNECTION;
    entry->target.data = (u_char *) &posting->number;
    entry->target.len = sizeof(uint64_t);

    (void) ngx_ws_mgr_api_event_append(&posting, 1, 0);

    ngx_ws_mgr_text_init(&text, posting->event->pool, 0);

    return ngx_ws_mgr_api_event_result(posting, &text);
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
