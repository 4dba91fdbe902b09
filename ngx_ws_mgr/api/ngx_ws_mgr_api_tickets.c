
/*
 * Copyright (C) the ngx_ws_mgr authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <jansson.h>
#include <ngx_ws_mgr_api_body.h>
#include <ngx_ws_mgr_fault.h>
#include <ngx_ws_mgr_posting.h>
#include <ngx_ws_mgr_api_tickets.h>
#include <ngx_ws_mgr_conf.h>
#include <ngx_ws_mgr_text.h>
#include <ngx_ws_mgr_ticket.h>


#define NGX_WS_MGR_API_TICKETS_NAMES  64   /* permissions of one ticket */
#define NGX_WS_MGR_API_TICKETS_NAME   64   /* bytes of a permission */

/* 13 digits print seconds with milliseconds as they are */
#define NGX_WS_MGR_API_TICKETS_FLAGS  (JSON_COMPACT|JSON_REAL_PRECISION(13))


typedef struct ngx_ws_mgr_api_ticket_s  ngx_ws_mgr_api_ticket_t;

struct ngx_ws_mgr_api_ticket_s {
    ngx_http_request_t       *request;
    ngx_ws_mgr_ticket_op_t    op;
    ngx_int_t               (*answer)(ngx_ws_mgr_api_ticket_t *ticket);
    u_char                    id[NGX_WS_MGR_TICKET_ID];
    unsigned                  starting:1;  /* the store was not left yet */
    unsigned                  done:1;
};


typedef struct {
    ngx_ws_mgr_fault_e        fault;
    const char               *member;      /* or NULL */
    const char               *detail;
} ngx_ws_mgr_api_ticket_fault_t;


static ngx_int_t ngx_ws_mgr_api_tickets_body(ngx_http_request_t *r,
    ngx_str_t *body, void *data);
static ngx_int_t ngx_ws_mgr_api_tickets_read(ngx_ws_mgr_api_ticket_t *ticket,
    json_t *posted);
static ngx_int_t ngx_ws_mgr_api_tickets_check(ngx_http_request_t *r,
    json_t *posted, ngx_ws_mgr_api_ticket_fault_t *fault);
static ngx_uint_t ngx_ws_mgr_api_tickets_permissions(json_t *list);
static ngx_int_t ngx_ws_mgr_api_tickets_record(
    ngx_ws_mgr_api_ticket_t *ticket, json_t *posted);
static ngx_ws_mgr_api_ticket_t *ngx_ws_mgr_api_tickets_create(
    ngx_http_request_t *r,
    ngx_int_t (*answer)(ngx_ws_mgr_api_ticket_t *ticket));
static ngx_int_t ngx_ws_mgr_api_tickets_start(ngx_ws_mgr_api_ticket_t *ticket,
    void (*start)(ngx_ws_mgr_ticket_op_t *op));
static void ngx_ws_mgr_api_tickets_done(ngx_ws_mgr_ticket_op_t *op);
static void ngx_ws_mgr_api_tickets_cleanup(void *data);
static ngx_int_t ngx_ws_mgr_api_tickets_issued(
    ngx_ws_mgr_api_ticket_t *ticket);
static void ngx_ws_mgr_api_tickets_url(ngx_ws_mgr_api_ticket_t *ticket,
    ngx_ws_mgr_text_t *t);
static ngx_int_t ngx_ws_mgr_api_tickets_looked(
    ngx_ws_mgr_api_ticket_t *ticket);
static ngx_int_t ngx_ws_mgr_api_tickets_revoked(
    ngx_ws_mgr_api_ticket_t *ticket);
static ngx_int_t ngx_ws_mgr_api_tickets_refused(
    ngx_ws_mgr_api_ticket_t *ticket);


ngx_int_t
ngx_ws_mgr_api_tickets_issue(ngx_http_request_t *r, ngx_str_t *arg)
{
    const char               *error;
    ngx_ws_mgr_loc_conf_t    *conf;
    ngx_ws_mgr_body_type_e    type;
    ngx_ws_mgr_api_ticket_t  *ticket;

    (void) arg;

    if (ngx_ws_mgr_api_body_type(r, &type, &error) != NGX_OK
        || type != NGX_WS_MGR_BODY_JSON)
    {
        return ngx_ws_mgr_api_fault(r, NGX_WS_MGR_FAULT_MEDIA,
                                    "the body is to be application/json,"
                                    " without a content encoding");
    }

    ticket = ngx_ws_mgr_api_tickets_create(r, ngx_ws_mgr_api_tickets_issued);
    if (ticket == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    conf = ngx_http_get_module_loc_conf(r, ngx_http_ws_mgr_module);

    return ngx_ws_mgr_api_body_read(r, conf->body_size, 0,
                                    ngx_ws_mgr_api_tickets_body, ticket);
}


ngx_int_t
ngx_ws_mgr_api_tickets_look(ngx_http_request_t *r, ngx_str_t *id)
{
    ngx_ws_mgr_main_conf_t   *conf;
    ngx_ws_mgr_api_ticket_t  *ticket;

    conf = ngx_http_get_module_main_conf(r, ngx_http_ws_mgr_module);

    ticket = ngx_ws_mgr_api_tickets_create(r, ngx_ws_mgr_api_tickets_looked);
    if (ticket == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ticket->op.id = *id;

    return ngx_ws_mgr_api_tickets_start(ticket, conf->store->look);
}


ngx_int_t
ngx_ws_mgr_api_tickets_revoke(ngx_http_request_t *r, ngx_str_t *id)
{
    ngx_ws_mgr_main_conf_t   *conf;
    ngx_ws_mgr_api_ticket_t  *ticket;

    conf = ngx_http_get_module_main_conf(r, ngx_http_ws_mgr_module);

    ticket = ngx_ws_mgr_api_tickets_create(r, ngx_ws_mgr_api_tickets_revoked);
    if (ticket == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ticket->op.id = *id;

    return ngx_ws_mgr_api_tickets_start(ticket, conf->store->revoke);
}


static ngx_int_t
ngx_ws_mgr_api_tickets_body(ngx_http_request_t *r, ngx_str_t *body,
    void *data)
{
    ngx_ws_mgr_api_ticket_t  *ticket = data;

    json_t                *posted;
    ngx_int_t              rc;
    json_error_t           error;
    ngx_ws_mgr_problem_t   problem;

    rc = ngx_ws_mgr_ticket_load(body, JSON_DECODE_ANY, &posted, &error);

    if (rc == NGX_ERROR) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (rc != NGX_OK) {
        ngx_ws_mgr_api_fault_fill(&problem, NGX_WS_MGR_FAULT_JSON,
                                  error.text);

        problem.line = ngx_max(error.line, 1);
        problem.column = ngx_max(error.column, 1);

        return ngx_ws_mgr_problem_send(r, &problem);
    }

    rc = ngx_ws_mgr_api_tickets_read(ticket, posted);

    json_decref(posted);

    return rc;
}


static ngx_int_t
ngx_ws_mgr_api_tickets_read(ngx_ws_mgr_api_ticket_t *ticket, json_t *posted)
{
    ngx_http_request_t             *r;
    ngx_ws_mgr_main_conf_t         *conf;
    ngx_ws_mgr_api_ticket_fault_t   fault;

    r = ticket->request;

    if (ngx_ws_mgr_api_tickets_check(r, posted, &fault) != NGX_OK) {
        return fault.member ? ngx_ws_mgr_api_fault_member(r, fault.fault,
                                                          fault.member,
                                                          fault.detail)
                            : ngx_ws_mgr_api_fault(r, fault.fault,
                                                   fault.detail);
    }

    switch (ngx_ws_mgr_api_tickets_record(ticket, posted)) {

    case NGX_OK:
        break;

    case NGX_DECLINED:
        return ngx_ws_mgr_api_fault(r, NGX_WS_MGR_FAULT_TICKET,
                                    "the record would be larger than 8192"
                                    " bytes");
    default:
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    conf = ngx_http_get_module_main_conf(r, ngx_http_ws_mgr_module);

    return ngx_ws_mgr_api_tickets_start(ticket, conf->store->issue);
}


static ngx_int_t
ngx_ws_mgr_api_tickets_check(ngx_http_request_t *r, json_t *posted,
    ngx_ws_mgr_api_ticket_fault_t *fault)
{
    json_t                  *value;
    ngx_str_t                user;
    ngx_ws_mgr_main_conf_t  *conf;

    fault->fault = NGX_WS_MGR_FAULT_TICKET;
    fault->member = NULL;
    fault->detail = "the body is to be a JSON object";

    if (!json_is_object(posted)) {
        return NGX_DECLINED;
    }

    fault->member = "user_id";
    fault->detail = "user_id is to be a string of 1 to 255 bytes without"
                    " control characters";

    value = json_object_get(posted, "user_id");
    user.data = (u_char *) json_string_value(value);
    user.len = json_string_length(value);

    if (user.data == NULL || ngx_ws_mgr_ticket_check_user(&user) != NGX_OK) {
        return NGX_DECLINED;
    }

    conf = ngx_http_get_module_main_conf(r, ngx_http_ws_mgr_module);

    if (ngx_ws_mgr_api_posting_placeholder(conf->placeholders, &user)) {
        fault->fault = NGX_WS_MGR_FAULT_PLACEHOLDER;
        fault->detail = "the user is a placeholder";
        return NGX_DECLINED;
    }

    fault->member = "ttl_seconds";
    fault->detail = "ttl_seconds is to be an integer from 30 to 3600";

    value = json_object_get(posted, "ttl_seconds");

    if (value && !json_is_null(value)
        && (!json_is_integer(value)
            || json_integer_value(value) < NGX_WS_MGR_TICKET_TTL_MIN
            || json_integer_value(value) > NGX_WS_MGR_TICKET_TTL_MAX))
    {
        return NGX_DECLINED;
    }

    fault->member = "email";
    fault->detail = "email is to be a string";

    value = json_object_get(posted, "email");

    if (value && !json_is_null(value) && !json_is_string(value)) {
        return NGX_DECLINED;
    }

    fault->member = "permissions";
    fault->detail = "permissions is to be a list of up to 64 names, each of 1"
                    " to 64 characters without white space";

    value = json_object_get(posted, "permissions");

    if (value && !json_is_null(value)
        && !ngx_ws_mgr_api_tickets_permissions(value))
    {
        return NGX_DECLINED;
    }

    fault->member = "single_use";
    fault->detail = "single_use is to be true or false";

    value = json_object_get(posted, "single_use");

    if (value && !json_is_null(value) && !json_is_boolean(value)) {
        return NGX_DECLINED;
    }

    fault->member = "metadata";
    fault->detail = "metadata is to be an object";

    value = json_object_get(posted, "metadata");

    if (value && !json_is_null(value) && !json_is_object(value)) {
        return NGX_DECLINED;
    }

    return NGX_OK;
}


/* a handshake reads them separated by spaces */

static ngx_uint_t
ngx_ws_mgr_api_tickets_permissions(json_t *list)
{
    size_t       i, k, len;
    json_t      *name;
    const char  *p;

    if (!json_is_array(list)
        || json_array_size(list) > NGX_WS_MGR_API_TICKETS_NAMES)
    {
        return 0;
    }

    json_array_foreach(list, i, name) {
        p = json_string_value(name);
        len = json_string_length(name);

        if (p == NULL || len == 0 || len > NGX_WS_MGR_API_TICKETS_NAME) {
            return 0;
        }

        for (k = 0; k < len; k++) {
            if ((u_char) p[k] <= ' ' || p[k] == 0x7f) {
                return 0;
            }
        }
    }

    return 1;
}


/* NGX_DECLINED: it is too large */

static ngx_int_t
ngx_ws_mgr_api_tickets_record(ngx_ws_mgr_api_ticket_t *ticket, json_t *posted)
{
    double                   now;
    size_t                   len;
    json_t                  *record, *ttl, *permissions, *single, *metadata;
    json_t                  *email;
    ngx_time_t              *tp;
    json_int_t               seconds;
    ngx_ws_mgr_ticket_op_t  *op;

    op = &ticket->op;

    if (ngx_ws_mgr_ticket_make_id(ticket->id) != NGX_OK) {
        return NGX_ERROR;
    }

    op->id.data = ticket->id;
    op->id.len = NGX_WS_MGR_TICKET_ID;

    tp = ngx_timeofday();
    now = tp->sec + tp->msec / 1000.0;

    ttl = json_object_get(posted, "ttl_seconds");
    email = json_object_get(posted, "email");
    permissions = json_object_get(posted, "permissions");
    single = json_object_get(posted, "single_use");
    metadata = json_object_get(posted, "metadata");

    seconds = json_is_integer(ttl) ? json_integer_value(ttl)
                                   : NGX_WS_MGR_TICKET_TTL;
    op->expires = tp->sec + seconds;

    record = json_pack("{s:s%, s:O, s:O?, s:o, s:f, s:f, s:b, s:o}",
                       "ticket_id", op->id.data, op->id.len,
                       "user_id", json_object_get(posted, "user_id"),
                       "email", email,
                       "permissions",
                       json_is_array(permissions) ? json_incref(permissions)
                                                  : json_array(),
                       "created_at", now,
                       "expires_at", now + seconds,
                       "single_use", !json_is_false(single),
                       "metadata",
                       json_is_object(metadata) ? json_incref(metadata)
                                                : json_object());
    if (record == NULL) {
        return NGX_ERROR;
    }

    op->record.len = json_dumpb(record, NULL, 0,
                                NGX_WS_MGR_API_TICKETS_FLAGS);

    if (op->record.len == 0 || op->record.len > NGX_WS_MGR_TICKET_RECORD) {
        json_decref(record);
        return op->record.len ? NGX_DECLINED : NGX_ERROR;
    }

    op->record.data = ngx_pnalloc(op->pool, op->record.len);

    if (op->record.data == NULL) {
        json_decref(record);
        return NGX_ERROR;
    }

    len = json_dumpb(record, (char *) op->record.data, op->record.len,
                     NGX_WS_MGR_API_TICKETS_FLAGS);

    json_decref(record);

    /* 0: no memory for it, though there was to measure it */

    return (len == op->record.len) ? NGX_OK : NGX_ERROR;
}


static ngx_ws_mgr_api_ticket_t *
ngx_ws_mgr_api_tickets_create(ngx_http_request_t *r,
    ngx_int_t (*answer)(ngx_ws_mgr_api_ticket_t *ticket))
{
    ngx_http_cleanup_t       *cln;
    ngx_ws_mgr_api_ticket_t  *ticket;

    ticket = ngx_pcalloc(r->pool, sizeof(ngx_ws_mgr_api_ticket_t));
    if (ticket == NULL) {
        return NULL;
    }

    cln = ngx_http_cleanup_add(r, 0);
    if (cln == NULL) {
        return NULL;
    }

    ticket->request = r;
    ticket->answer = answer;
    ticket->done = 1;

    ticket->op.pool = r->pool;
    ticket->op.log = r->connection->log;
    ticket->op.done = ngx_ws_mgr_api_tickets_done;
    ticket->op.data = ticket;

    cln->handler = ngx_ws_mgr_api_tickets_cleanup;
    cln->data = ticket;

    return ticket;
}


/* the store answers under this call or later, from an event */

static ngx_int_t
ngx_ws_mgr_api_tickets_start(ngx_ws_mgr_api_ticket_t *ticket,
    void (*start)(ngx_ws_mgr_ticket_op_t *op))
{
    ngx_http_request_t  *r;

    r = ticket->request;

    ticket->done = 0;
    ticket->starting = 1;

    start(&ticket->op);

    ticket->starting = 0;

    if (ticket->done) {
        return ticket->answer(ticket);
    }

    r->main->count++;

    r->read_event_handler = ngx_http_test_reading;
    r->write_event_handler = ngx_http_request_empty_handler;

    return NGX_DONE;
}


static void
ngx_ws_mgr_api_tickets_done(ngx_ws_mgr_ticket_op_t *op)
{
    ngx_connection_t         *c;
    ngx_ws_mgr_api_ticket_t  *ticket;

    ticket = op->data;
    ticket->done = 1;

    if (ticket->starting) {
        return;
    }

    c = ticket->request->connection;

    ngx_http_finalize_request(ticket->request, ticket->answer(ticket));
    ngx_http_run_posted_requests(c);
}


static void
ngx_ws_mgr_api_tickets_cleanup(void *data)
{
    ngx_ws_mgr_api_ticket_t  *ticket = data;

    ngx_ws_mgr_main_conf_t  *conf;

    if (!ticket->done) {
        conf = ngx_http_get_module_main_conf(ticket->request,
                                             ngx_http_ws_mgr_module);
        ticket->done = 1;
        conf->store->cancel(&ticket->op);
    }
}


static ngx_int_t
ngx_ws_mgr_api_tickets_issued(ngx_ws_mgr_api_ticket_t *ticket)
{
    ngx_str_t          *record;
    ngx_ws_mgr_text_t   t;

    record = &ticket->op.record;

    if (ticket->op.result != NGX_WS_MGR_TICKET_OK) {
        return ngx_ws_mgr_api_tickets_refused(ticket);
    }

    ngx_ws_mgr_text_init(&t, ticket->op.pool, record->len + 512);
    ngx_ws_mgr_text_add(&t, record->data, record->len - 1);
    ngx_ws_mgr_text_put(&t, ",\"websocket_url\":");
    ngx_ws_mgr_api_tickets_url(ticket, &t);
    ngx_ws_mgr_text_put(&t, "}");

    return ngx_ws_mgr_api_body_send(ticket->request, NGX_HTTP_CREATED, &t);
}


/* the site that ws_mgr_socket belongs to: the name of its server, or else the
   host that was asked; null where no location has ws_mgr_socket */

static void
ngx_ws_mgr_api_tickets_url(ngx_ws_mgr_api_ticket_t *ticket,
    ngx_ws_mgr_text_t *t)
{
    ngx_str_t                  string;
    ngx_uint_t                 port;
    const char                *scheme;
    ngx_ws_mgr_text_t          url;
    ngx_http_request_t        *r;
    ngx_ws_mgr_main_conf_t    *conf;
    ngx_http_core_srv_conf_t  *cscf;

    r = ticket->request;
    conf = ngx_http_get_module_main_conf(r, ngx_http_ws_mgr_module);

    if (conf->socket_uri.len == 0 || r->headers_in.server.len == 0) {
        ngx_ws_mgr_text_put(t, "null");
        return;
    }

    cscf = ngx_http_get_module_srv_conf(r, ngx_http_core_module);

    scheme = conf->site_tls ? "wss" : "ws";
    string = conf->site;
    port = 0;

    if (string.len == 0 && cscf != conf->socket_server && conf->site_port) {
        string = r->headers_in.server;
        port = conf->site_port;

    } else if (string.len == 0) {
        scheme = "ws";

#if (NGX_HTTP_SSL)
        if (r->connection->ssl) {
            scheme = "wss";
        }
#endif

        string = (r->headers_in.host != NULL) ? r->headers_in.host->value
                                              : r->headers_in.server;
    }

    ngx_ws_mgr_text_init(&url, ticket->op.pool, 0);
    ngx_ws_mgr_text_format(&url, string.len + 16, "%s://%V", scheme, &string);

    if (port) {
        ngx_ws_mgr_text_format(&url, 16, ":%ui", port);
    }

    ngx_ws_mgr_text_format(&url, conf->socket_uri.len + 128, "%V?ticket=%V",
                           &conf->socket_uri, &ticket->op.id);

    string.data = url.start;
    string.len = ngx_ws_mgr_text_len(&url);

    ngx_ws_mgr_text_string(t, &string);
}


static ngx_int_t
ngx_ws_mgr_api_tickets_looked(ngx_ws_mgr_api_ticket_t *ticket)
{
    ngx_ws_mgr_text_t        t;
    ngx_ws_mgr_ticket_op_t  *op;

    op = &ticket->op;

    ngx_ws_mgr_text_init(&t, op->pool, op->record.len + 128);

    if (op->result == NGX_WS_MGR_TICKET_USED) {
        ngx_ws_mgr_text_put(&t, "{\"ticket_id\":");
        ngx_ws_mgr_text_string(&t, &op->id);
        ngx_ws_mgr_text_put(&t, ",\"used\":true}");

        return ngx_ws_mgr_api_body_send(ticket->request, NGX_HTTP_OK, &t);
    }

    if (op->result != NGX_WS_MGR_TICKET_OK || op->record.len < 2) {
        return ngx_ws_mgr_api_tickets_refused(ticket);
    }

    ngx_ws_mgr_text_add(&t, op->record.data, op->record.len - 1);
    ngx_ws_mgr_text_format(&t, 32, ",\"used\":%s}",
                           op->used ? "true" : "false");

    return ngx_ws_mgr_api_body_send(ticket->request, NGX_HTTP_OK, &t);
}


static ngx_int_t
ngx_ws_mgr_api_tickets_revoked(ngx_ws_mgr_api_ticket_t *ticket)
{
    ngx_ws_mgr_text_t        t;
    ngx_ws_mgr_ticket_op_t  *op;

    op = &ticket->op;

    if (op->result != NGX_WS_MGR_TICKET_OK) {
        return ngx_ws_mgr_api_tickets_refused(ticket);
    }

    ngx_ws_mgr_text_init(&t, op->pool, op->id.len + 64);
    ngx_ws_mgr_text_put(&t, "{\"ticket_id\":");
    ngx_ws_mgr_text_string(&t, &op->id);
    ngx_ws_mgr_text_put(&t, ",\"revoked\":true}");

    return ngx_ws_mgr_api_body_send(ticket->request, NGX_HTTP_OK, &t);
}


static ngx_int_t
ngx_ws_mgr_api_tickets_refused(ngx_ws_mgr_api_ticket_t *ticket)
{
    ngx_http_request_t  *r;

    r = ticket->request;

    switch (ticket->op.result) {

    case NGX_WS_MGR_TICKET_UNKNOWN:
        return ngx_ws_mgr_api_fault(r, NGX_WS_MGR_FAULT_TICKET_UNKNOWN,
                                    "the store has no such ticket");

    case NGX_WS_MGR_TICKET_EXPIRED:
        return ngx_ws_mgr_api_fault(r, NGX_WS_MGR_FAULT_TICKET_EXPIRED,
                                    "the ticket is past its time");

    case NGX_WS_MGR_TICKET_USED:
        return ngx_ws_mgr_api_fault(r, NGX_WS_MGR_FAULT_TICKET_USED,
                                    "the ticket let somebody in already");

    case NGX_WS_MGR_TICKET_NO_MEMORY:
        return ngx_ws_mgr_api_fault(r, NGX_WS_MGR_FAULT_MEMORY,
                                    "shared memory is full and nothing in it"
                                    " can go");
    default:
        return ngx_ws_mgr_api_fault(r, NGX_WS_MGR_FAULT_TICKET_STORE,
                                    "the ticket store did not answer in"
                                    " time");
    }
}
