
/*
 * Copyright (C) the ngx_ws_mgr authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_ws_mgr_api_body.h>
#include <ngx_ws_mgr_posting_publish.h>
#include <ngx_ws_mgr_fault.h>
#include <ngx_ws_mgr_uri.h>
#include <ngx_ws_mgr_api_events_post.h>
#include <ngx_ws_mgr_api_events_stream.h>
#include <ngx_ws_mgr_posting_wait.h>
#include <ngx_ws_mgr_conf.h>
#include <ngx_ws_mgr_envelope.h>
#include <ngx_ws_mgr_ticket.h>


/* of a batch, what is read, and to how many logs it is appended, before the
   event loop has its turn */
#define NGX_WS_MGR_API_PUBLISH_READ   (2 * NGX_WS_MGR_PUBLISH_GROUP)
#define NGX_WS_MGR_API_PUBLISH_SLICE  NGX_WS_MGR_PUBLISH_GROUP

/* room in front of the results for the head of the answer */
#define NGX_WS_MGR_API_PUBLISH_HEAD   96


typedef struct {
    ngx_http_request_t           *request;
    ngx_ws_mgr_api_event_t        event;
    ngx_ws_mgr_engine_op_t        op;
    ngx_ws_mgr_posting_t        **postings;  /* of a slice; NULL: none yet */
    ngx_uint_t                    n;       /* of them, read */
    ngx_uint_t                    done;    /* of them, published */
    ngx_uint_t                    kept;    /* of them, for the next slice */
    ngx_ws_mgr_envelope_t         list;    /* of {"events":[ … ]} */
    ngx_ws_mgr_text_t             text;
    u_char                       *pos;     /* of what is left of the body */
    u_char                       *end;
    ngx_uint_t                    accepted;
    ngx_uint_t                    rejected;
    ngx_event_t                   next;
    ngx_ws_mgr_body_type_e        type;
    unsigned                      single:1;
    unsigned                      last:1;  /* nothing comes behind this slice */
    unsigned                      settled:1;  /* only the answer is left */
} ngx_ws_mgr_post_t;


static ngx_ws_mgr_post_t *ngx_ws_mgr_post_create(
    ngx_http_request_t *r);
static ngx_int_t ngx_ws_mgr_post_user(ngx_ws_mgr_post_t *b);
static ngx_int_t ngx_ws_mgr_post_body(ngx_http_request_t *r,
    ngx_str_t *body, void *data);
static ngx_int_t ngx_ws_mgr_post_guard(ngx_ws_mgr_post_t *b);
static ngx_int_t ngx_ws_mgr_post_single(ngx_ws_mgr_post_t *b);
static ngx_int_t ngx_ws_mgr_post_single_done(ngx_ws_mgr_post_t *b,
    ngx_ws_mgr_posting_t *posting);
static ngx_int_t ngx_ws_mgr_post_refuse(ngx_ws_mgr_post_t *b);
static ngx_int_t ngx_ws_mgr_post_slice(ngx_ws_mgr_post_t *b);
static ngx_int_t ngx_ws_mgr_post_item(ngx_ws_mgr_post_t *b,
    ngx_ws_mgr_span_t *item);
static ngx_ws_mgr_posting_t *ngx_ws_mgr_post_room(ngx_ws_mgr_post_t *b,
    ngx_uint_t n);
static void ngx_ws_mgr_post_append(ngx_ws_mgr_post_t *b);
static ngx_int_t ngx_ws_mgr_post_results(ngx_ws_mgr_post_t *b);
static void ngx_ws_mgr_post_hold(ngx_ws_mgr_post_t *b);
static void ngx_ws_mgr_post_add(ngx_ws_mgr_post_t *b,
    ngx_ws_mgr_posting_t *posting);
static void ngx_ws_mgr_post_published(ngx_ws_mgr_engine_op_t *op);
static void ngx_ws_mgr_post_next(ngx_event_t *ev);
static void ngx_ws_mgr_post_cleanup(void *data);
static ngx_int_t ngx_ws_mgr_post_settle(ngx_ws_mgr_post_t *b);
static void ngx_ws_mgr_post_settled(ngx_http_request_t *r, void *data);
static ngx_int_t ngx_ws_mgr_post_answer(ngx_ws_mgr_post_t *b);


ngx_int_t
ngx_ws_mgr_api_publish(ngx_http_request_t *r, ngx_str_t *arg)
{
    ngx_int_t                 rc;
    const char               *error;
    ngx_ws_mgr_post_t        *b;
    ngx_ws_mgr_loc_conf_t    *conf;
    ngx_ws_mgr_body_type_e    type;

    (void) arg;

    if (ngx_ws_mgr_api_body_type(r, &type, &error) != NGX_OK) {
        ngx_ws_mgr_api_fault_count(NGX_WS_MGR_FAULT_MEDIA);
        return ngx_ws_mgr_api_fault(r, NGX_WS_MGR_FAULT_MEDIA, error);
    }

    b = ngx_ws_mgr_post_create(r);
    if (b == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    b->type = type;

    switch (ngx_ws_mgr_post_user(b)) {

    case NGX_OK:
        break;

    case NGX_ABORT:
        ngx_ws_mgr_api_fault_count(NGX_WS_MGR_FAULT_EVENT);
        return ngx_ws_mgr_api_fault_member(r, NGX_WS_MGR_FAULT_EVENT, "user",
                                           "a user is 1 to 255 bytes of UTF-8"
                                           " without control characters");
    default:
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rc = ngx_ws_mgr_api_wait_create(r, &b->event.wait);

    if (rc == NGX_ABORT) {
        return ngx_ws_mgr_api_fault_member(r, NGX_WS_MGR_FAULT_REQUEST,
                                           "wait",
                                           "wait is \"sent\" or \"confirmed\","
                                           " timeout 0 to 60000 ms");
    }

    if (rc == NGX_BUSY) {
        return ngx_ws_mgr_api_fault(r, NGX_WS_MGR_FAULT_NO_SLOT,
                                    "this worker process waits for a slot and"
                                    " cannot wait for receipts");
    }

    if (rc != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    conf = b->event.conf;

    /* of unknown length: line by line, as they come */

    if (type == NGX_WS_MGR_BODY_LINES && r->headers_in.content_length_n < 0) {

        if (b->event.wait != NULL) {
            return ngx_ws_mgr_api_fault_member(r, NGX_WS_MGR_FAULT_REQUEST,
                                           "wait",
                                           "a stream of events is answered as"
                                           " they are published: nothing is"
                                           " waited for");
        }

        return ngx_ws_mgr_api_stream(r, &b->event);
    }

    return ngx_ws_mgr_api_body_read(r, conf->body_size, 1,
                                    ngx_ws_mgr_post_body, b);
}


static ngx_ws_mgr_post_t *
ngx_ws_mgr_post_create(ngx_http_request_t *r)
{
    ngx_ws_mgr_post_t       *b;
    ngx_ws_mgr_main_conf_t  *conf;

    b = ngx_pcalloc(r->pool, sizeof(ngx_ws_mgr_post_t));
    if (b == NULL) {
        return NULL;
    }

    conf = ngx_http_get_module_main_conf(r, ngx_http_ws_mgr_module);

    b->request = r;
    b->event.pool = r->pool;
    b->event.conf = ngx_http_get_module_loc_conf(r, ngx_http_ws_mgr_module);
    b->event.placeholders = conf->placeholders;
    b->op.pool = r->pool;
    b->op.done = ngx_ws_mgr_post_published;
    b->op.data = b;

    return b;
}


/* the query argument user; NGX_ABORT: it is none */

static ngx_int_t
ngx_ws_mgr_post_user(ngx_ws_mgr_post_t *b)
{
    ngx_int_t           rc;
    ngx_str_t          *user;
    ngx_ws_mgr_text_t   raw;

    user = &b->event.user;

    rc = ngx_ws_mgr_api_query(b->request, "user", user);

    if (rc != NGX_OK) {
        return rc == NGX_DECLINED ? NGX_OK : rc;
    }

    if ((user->len != 1 || user->data[0] != '*')
        && ngx_ws_mgr_ticket_check_user(user) != NGX_OK)
    {
        return NGX_ABORT;
    }

    ngx_ws_mgr_text_init(&raw, b->request->pool, user->len + 2);
    ngx_ws_mgr_text_string(&raw, user);

    b->event.user_raw.data = raw.start;
    b->event.user_raw.len = ngx_ws_mgr_text_len(&raw);

    return raw.failed ? NGX_ERROR : NGX_OK;
}


static ngx_int_t
ngx_ws_mgr_post_body(ngx_http_request_t *r, ngx_str_t *body, void *data)
{
    u_char             *first;
    ngx_ws_mgr_post_t  *b = data;

    b->pos = body->data;
    b->end = body->data + body->len;
    b->event.body = body->data;

    ngx_ws_mgr_text_init(&b->text, r->pool, 2 * NGX_WS_MGR_API_PUBLISH_HEAD);

    if (b->text.failed) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    b->text.last += NGX_WS_MGR_API_PUBLISH_HEAD;

    if (ngx_ws_mgr_post_guard(b) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (b->type == NGX_WS_MGR_BODY_JSON) {

        switch (ngx_ws_mgr_envelope_batch(&b->list, b->pos, b->end, r->pool,
                                          &first))
        {
        case NGX_OK:
            b->pos = first;
            break;

        case NGX_DECLINED:
            return ngx_ws_mgr_post_single(b);

        default:
            return ngx_ws_mgr_post_refuse(b);
        }
    }

    return ngx_ws_mgr_post_slice(b);
}


/* nothing is done in one go: an answer waits for the events' delivery */

static ngx_int_t
ngx_ws_mgr_post_guard(ngx_ws_mgr_post_t *b)
{
    ngx_http_cleanup_t  *cln;

    cln = ngx_http_cleanup_add(b->request, 0);
    if (cln == NULL) {
        return NGX_ERROR;
    }

    cln->handler = ngx_ws_mgr_post_cleanup;
    cln->data = b;

    b->next.handler = ngx_ws_mgr_post_next;
    b->next.data = b;
    b->next.log = b->request->connection->log;

    return NGX_OK;
}


static ngx_int_t
ngx_ws_mgr_post_single(ngx_ws_mgr_post_t *b)
{
    ngx_ws_mgr_posting_t   posting, *one;

    one = &posting;

    if (ngx_ws_mgr_engine) {
        one = ngx_ws_mgr_post_room(b, 0);

        if (one == NULL) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }
    }

    one->event = &b->event;
    one->posted.start = b->pos;
    one->posted.end = b->end;

    (void) ngx_ws_mgr_api_posting_read(one);
    (void) ngx_ws_mgr_api_event_append(&b->op, &one, 1, 0);

    if (b->op.pending) {
        b->single = 1;
        ngx_ws_mgr_post_hold(b);
        return NGX_DONE;
    }

    return ngx_ws_mgr_post_single_done(b, one);
}


static ngx_int_t
ngx_ws_mgr_post_single_done(ngx_ws_mgr_post_t *b,
    ngx_ws_mgr_posting_t *posting)
{
    if (ngx_ws_mgr_api_event_result(posting, &b->text) != NGX_OK) {
        ngx_ws_mgr_api_fault_count(posting->refusal.fault);
        return ngx_ws_mgr_problem_send(b->request, &posting->refusal.problem);
    }

    b->accepted = 1;

    return ngx_ws_mgr_post_settle(b);
}


static ngx_int_t
ngx_ws_mgr_post_refuse(ngx_ws_mgr_post_t *b)
{
    ngx_ws_mgr_fault_e    fault;
    ngx_ws_mgr_problem_t  problem;

    fault = (b->list.result == NGX_WS_MGR_ENVELOPE_EVENT)
            ? NGX_WS_MGR_FAULT_EVENT : NGX_WS_MGR_FAULT_JSON;

    ngx_ws_mgr_api_fault_count(fault);
    ngx_ws_mgr_api_fault_fill(&problem, fault, b->list.error);

    problem.member = b->list.member;

    ngx_ws_mgr_envelope_place(b->event.body, b->list.where, &problem.line,
                              &problem.column);

    return ngx_ws_mgr_problem_send(b->request, &problem);
}


/* a bounded number of events; then what was appended is delivered first */

static ngx_int_t
ngx_ws_mgr_post_slice(ngx_ws_mgr_post_t *b)
{
    ngx_int_t              rc;
    ngx_uint_t             n, logs;
    ngx_ws_mgr_posting_t  *posting;

    rc = NGX_OK;
    logs = b->kept;

    for (n = b->kept;
         n < NGX_WS_MGR_API_PUBLISH_READ
         && logs < NGX_WS_MGR_API_PUBLISH_SLICE;
         n++)
    {
        posting = ngx_ws_mgr_post_room(b, n);

        if (posting == NULL) {
            b->text.failed = 1;
            break;
        }

        rc = ngx_ws_mgr_post_item(b, &posting->posted);

        if (rc != NGX_OK) {
            break;
        }

        if (ngx_ws_mgr_api_posting_read(posting) == NGX_OK) {
            logs += ngx_max(posting->envelope.nusers, 1);
        }
    }

    b->n = n;
    b->last = (rc != NGX_OK || b->text.failed);

    ngx_ws_mgr_post_append(b);

    if (b->op.pending) {
        ngx_ws_mgr_post_hold(b);
        return NGX_DONE;
    }

    return ngx_ws_mgr_post_results(b);
}


/* a publisher that goes away leaves no half of a batch behind */

static void
ngx_ws_mgr_post_hold(ngx_ws_mgr_post_t *b)
{
    b->request->main->count++;
    b->request->read_event_handler = ngx_http_block_reading;
    b->request->write_event_handler = ngx_http_request_empty_handler;
}


/* the next one of the body; NGX_DONE: there is none */

static ngx_int_t
ngx_ws_mgr_post_item(ngx_ws_mgr_post_t *b, ngx_ws_mgr_span_t *item)
{
    u_char  *p, *end;

    if (b->type == NGX_WS_MGR_BODY_JSON) {
        return ngx_ws_mgr_envelope_next(&b->list, &b->pos, b->end, item);
    }

    while (b->pos < b->end) {
        end = memchr(b->pos, '\n', b->end - b->pos);

        if (end == NULL) {
            end = b->end;
        }

        item->start = b->pos;
        item->end = end;
        b->pos = (end < b->end) ? end + 1 : end;

        for (p = item->start; p < end; p++) {
            if (*p != ' ' && *p != '\t' && *p != '\r') {
                return NGX_OK;
            }
        }
    }

    return NGX_DONE;
}


/* room for the slice's posting n; NULL: no memory */

static ngx_ws_mgr_posting_t *
ngx_ws_mgr_post_room(ngx_ws_mgr_post_t *b, ngx_uint_t n)
{
    if (b->postings == NULL) {
        b->postings = ngx_pcalloc(b->request->pool,
                                  NGX_WS_MGR_API_PUBLISH_READ
                                  * sizeof(ngx_ws_mgr_posting_t *));
        if (b->postings == NULL) {
            return NULL;
        }
    }

    if (b->postings[n] == NULL) {
        b->postings[n] = ngx_palloc(b->request->pool,
                                    sizeof(ngx_ws_mgr_posting_t));
        if (b->postings[n] == NULL) {
            return NULL;
        }

        b->postings[n]->event = &b->event;
    }

    return b->postings[n];
}


/* in the order of the body, as are the results; what may belong together with
   more of the body is kept for the next slice, unless it is one by itself */

static void
ngx_ws_mgr_post_append(ngx_ws_mgr_post_t *b)
{
    ngx_uint_t  i, n;

    for (i = 0; i < b->n; i += n) {
        n = ngx_ws_mgr_api_event_append(&b->op, &b->postings[i], b->n - i,
                                        !b->last && i != 0);

        if (n == 0) {
            break;
        }
    }

    b->done = i;
}


static ngx_int_t
ngx_ws_mgr_post_results(ngx_ws_mgr_post_t *b)
{
    ngx_uint_t             i, k;
    ngx_ws_mgr_posting_t  *posting;

    for (i = 0; i < b->done; i++) {
        ngx_ws_mgr_post_add(b, b->postings[i]);
    }

    if (b->last) {
        return ngx_ws_mgr_post_settle(b);
    }

    for (k = 0; i < b->n; k++, i++) {
        posting = b->postings[k];
        b->postings[k] = b->postings[i];
        b->postings[i] = posting;
    }

    b->kept = k;

    ngx_ws_mgr_post_hold(b);
    ngx_post_event(&b->next, &ngx_posted_next_events);

    return NGX_DONE;
}


static void
ngx_ws_mgr_post_add(ngx_ws_mgr_post_t *b, ngx_ws_mgr_posting_t *posting)
{
    if (b->accepted + b->rejected) {
        ngx_ws_mgr_text_put(&b->text, ",");
    }

    if (ngx_ws_mgr_api_event_outcome(posting, &b->text) == NGX_OK) {
        b->accepted++;

    } else {
        b->rejected++;
    }
}


static void
ngx_ws_mgr_post_published(ngx_ws_mgr_engine_op_t *op)
{
    ngx_int_t           rc;
    ngx_connection_t   *c;
    ngx_ws_mgr_post_t  *b;

    b = op->data;
    c = b->request->connection;

    rc = b->single ? ngx_ws_mgr_post_single_done(b, b->postings[0])
                   : ngx_ws_mgr_post_results(b);

    ngx_http_finalize_request(b->request, rc);
    ngx_http_run_posted_requests(c);
}


static void
ngx_ws_mgr_post_next(ngx_event_t *ev)
{
    ngx_connection_t   *c;
    ngx_ws_mgr_post_t  *b;

    b = ev->data;
    c = b->request->connection;

    ngx_http_finalize_request(b->request, b->settled
                                          ? ngx_ws_mgr_post_answer(b)
                                          : ngx_ws_mgr_post_slice(b));
    ngx_http_run_posted_requests(c);
}


static void
ngx_ws_mgr_post_cleanup(void *data)
{
    ngx_ws_mgr_post_t  *b = data;

    if (b->next.posted) {
        ngx_delete_posted_event(&b->next);
    }

    ngx_ws_mgr_engine_cancel(&b->op);
}


/* the browser comes before the publisher: the bell was rung for what was
   appended, so sockets of this worker are sent it, up to 256 of them in a turn,
   and then there is an answer */

static ngx_int_t
ngx_ws_mgr_post_settle(ngx_ws_mgr_post_t *b)
{
    if (b->event.wait != NULL
        && ngx_ws_mgr_api_wait_start(b->event.wait,
                                     ngx_ws_mgr_post_settled, b)
           == NGX_AGAIN)
    {
        return NGX_DONE;
    }

    b->settled = 1;

    ngx_ws_mgr_post_hold(b);
    ngx_post_event(&b->next, &ngx_posted_events);

    return NGX_DONE;
}


static void
ngx_ws_mgr_post_settled(ngx_http_request_t *r, void *data)
{
    ngx_ws_mgr_post_t  *b = data;

    ngx_http_finalize_request(r, ngx_ws_mgr_post_answer(b));
}


static ngx_int_t
ngx_ws_mgr_post_answer(ngx_ws_mgr_post_t *b)
{
    u_char             *p, head[NGX_WS_MGR_API_PUBLISH_HEAD];
    size_t              len;
    ngx_ws_mgr_text_t  *t;

    t = &b->text;

    ngx_ws_mgr_text_put(t, "]");

    if (b->event.wait != NULL) {
        ngx_ws_mgr_api_wait_insert(b->event.wait, t);
        ngx_ws_mgr_api_wait_text(b->event.wait, t);
    }

    ngx_ws_mgr_text_put(t, "}");

    if (t->failed) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    p = ngx_cpymem(head, "{\"accepted\":", sizeof("{\"accepted\":") - 1);
    p = ngx_ws_mgr_text_decimal(p, b->accepted);
    p = ngx_cpymem(p, ",\"rejected\":", sizeof(",\"rejected\":") - 1);
    p = ngx_ws_mgr_text_decimal(p, b->rejected);
    p = ngx_cpymem(p, ",\"events\":[", sizeof(",\"events\":[") - 1);

    len = p - head;

    t->start += NGX_WS_MGR_API_PUBLISH_HEAD - len;
    ngx_memcpy(t->start, head, len);

    return ngx_ws_mgr_api_body_send(b->request, NGX_HTTP_OK, t);
}
