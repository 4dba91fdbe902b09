
/*
 * Copyright (C) the ngx_ws_mgr authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_ws_mgr_json.h>
#include <ngx_ws_mgr_client_message.h>
#include <ngx_ws_mgr_client_enter.h>
#include <ngx_ws_mgr_text.h>


#define NGX_WS_MGR_MESSAGE_POOL    512     /* bytes, for one message */
#define NGX_WS_MGR_MESSAGE_REF     256     /* bytes of a "ref" to repeat */
#define NGX_WS_MGR_MESSAGE_THREAD  255     /* bytes of a thread_id */


/* a client's message: its members as they stand, start NULL where absent */

typedef struct {
    ngx_ws_mgr_client_t       *client;
    ngx_pool_t                *pool;       /* of this message alone */
    ngx_ws_mgr_json_t          json;
    ngx_ws_mgr_json_value_t    type;
    ngx_ws_mgr_json_value_t    ts;
    ngx_ws_mgr_json_value_t    ref;
    ngx_ws_mgr_json_value_t    id;
    ngx_ws_mgr_json_value_t    event_id;
    ngx_ws_mgr_json_value_t    status;
    ngx_ws_mgr_json_value_t    seq;
    ngx_ws_mgr_json_value_t    position;
    ngx_ws_mgr_json_value_t    thread_id;
} ngx_ws_mgr_message_t;


typedef struct {
    ngx_str_t                            type;
    /* NULL: it was handled */
    const ngx_ws_mgr_message_error_t  *(*handler)(ngx_ws_mgr_message_t *m);
} ngx_ws_mgr_message_type_t;


static const ngx_ws_mgr_message_error_t *ngx_ws_mgr_message_read(
    ngx_ws_mgr_message_t *m, ngx_str_t *payload);
static const ngx_ws_mgr_message_error_t *ngx_ws_mgr_message_member(
    ngx_ws_mgr_message_t *m, ngx_str_t *name);
static const ngx_ws_mgr_message_error_t *ngx_ws_mgr_message_dispatch(
    ngx_ws_mgr_message_t *m);
static ngx_int_t ngx_ws_mgr_message_string(ngx_ws_mgr_message_t *m,
    ngx_ws_mgr_json_value_t *v, ngx_str_t *s);
static const ngx_ws_mgr_message_error_t *ngx_ws_mgr_message_ping(
    ngx_ws_mgr_message_t *m);
static const ngx_ws_mgr_message_error_t *ngx_ws_mgr_message_confirmation(
    ngx_ws_mgr_message_t *m);
static const ngx_ws_mgr_message_error_t *ngx_ws_mgr_message_confirm_id(
    ngx_ws_mgr_message_t *m);
static const ngx_ws_mgr_message_error_t *ngx_ws_mgr_message_ack(
    ngx_ws_mgr_message_t *m);
static const ngx_ws_mgr_message_error_t *ngx_ws_mgr_message_confirm(
    ngx_ws_mgr_message_t *m, ngx_str_t *event_id, uint64_t epoch,
    uint64_t seq);
static const ngx_ws_mgr_message_error_t *ngx_ws_mgr_message_restore(
    ngx_ws_mgr_message_t *m);
static const ngx_ws_mgr_message_error_t *ngx_ws_mgr_message_thread(
    ngx_ws_mgr_message_t *m);
static void ngx_ws_mgr_message_refuse(ngx_ws_mgr_client_t *client,
    const ngx_ws_mgr_message_error_t *error, ngx_str_t *ref);
static void ngx_ws_mgr_message_ref(ngx_ws_mgr_message_t *m, ngx_str_t *ref);
static void ngx_ws_mgr_message_send(ngx_ws_mgr_client_t *client, u_char *p,
    u_char *last);


static const struct {
    ngx_str_t   name;
    size_t      offset;
} ngx_ws_mgr_message_members[] = {
    { ngx_string("type"), offsetof(ngx_ws_mgr_message_t, type) },
    { ngx_string("ts"), offsetof(ngx_ws_mgr_message_t, ts) },
    { ngx_string("ref"), offsetof(ngx_ws_mgr_message_t, ref) },
    { ngx_string("id"), offsetof(ngx_ws_mgr_message_t, id) },
    { ngx_string("event_id"), offsetof(ngx_ws_mgr_message_t, event_id) },
    { ngx_string("status"), offsetof(ngx_ws_mgr_message_t, status) },
    { ngx_string("seq"), offsetof(ngx_ws_mgr_message_t, seq) },
    { ngx_string("position"), offsetof(ngx_ws_mgr_message_t, position) },
    { ngx_string("thread_id"), offsetof(ngx_ws_mgr_message_t, thread_id) },
    { ngx_null_string, 0 }
};


static const ngx_ws_mgr_message_type_t  ngx_ws_mgr_message_types[] = {
    { ngx_string("ping"), ngx_ws_mgr_message_ping },
    { ngx_string("event_confirmation"), ngx_ws_mgr_message_confirmation },
    { ngx_string("ack"), ngx_ws_mgr_message_ack },
    { ngx_string("session_restore"), ngx_ws_mgr_message_restore },
    { ngx_string("thread_switched"), ngx_ws_mgr_message_thread },
    { ngx_null_string, NULL }
};


static const ngx_ws_mgr_message_error_t  ngx_ws_mgr_message_not_object = {
    "invalid_message", "a message is one JSON object with a type"
};

static const ngx_ws_mgr_message_error_t  ngx_ws_mgr_message_not_confirming = {
    "invalid_message", "event_confirmation needs event_id or id, a string, "
    "and no status but confirmed"
};

static const ngx_ws_mgr_message_error_t  ngx_ws_mgr_message_not_seq = {
    "invalid_message", "ack needs seq, a number"
};

static const ngx_ws_mgr_message_error_t  ngx_ws_mgr_message_not_position = {
    "invalid_message", "session_restore needs position, a string"
};

static const ngx_ws_mgr_message_error_t  ngx_ws_mgr_message_not_thread = {
    "invalid_message", "thread_switched needs thread_id, a string of at most "
    "255 bytes or null"
};

static const ngx_ws_mgr_message_error_t  ngx_ws_mgr_message_unknown_event = {
    "unknown_event", "no such event was sent on this socket"
};

static const ngx_ws_mgr_message_error_t  ngx_ws_mgr_message_restore_late = {
    "restore_late", "session_restore is good once, as the first message"
};

static const ngx_ws_mgr_message_error_t  ngx_ws_mgr_message_no_forward = {
    "no_forward", "messages of this type are not forwarded here"
};

static const ngx_ws_mgr_message_error_t  ngx_ws_mgr_message_rate_limited = {
    "rate_limited", "too many messages, this one was thrown away"
};

static const ngx_ws_mgr_message_error_t  ngx_ws_mgr_message_no_memory = {
    "out_of_memory", "the server has no memory for this message"
};


ngx_int_t
ngx_ws_mgr_message_handle(ngx_ws_mgr_client_t *client, ngx_uint_t opcode,
    ngx_str_t *payload, ngx_str_t *ref)
{
    ngx_int_t                          rc;
    ngx_str_t                          repeated;
    ngx_pool_t                        *pool;
    ngx_ws_mgr_message_t              *m;
    const ngx_ws_mgr_message_error_t  *error;

    ngx_str_set(&repeated, "");

    if (opcode != NGX_WS_MGR_OP_TEXT) {
        client->place.spoken = 1;

        if (ref) {
            *ref = repeated;
            return NGX_DECLINED;
        }

        ngx_ws_mgr_message_refuse(client, &ngx_ws_mgr_message_no_forward,
                                  &repeated);
        return NGX_OK;
    }

    pool = ngx_create_pool(sizeof(ngx_pool_t) + sizeof(ngx_ws_mgr_message_t)
                           + NGX_WS_MGR_MESSAGE_POOL,
                           client->session.connection->log);

    m = pool ? ngx_palloc(pool, sizeof(ngx_ws_mgr_message_t)) : NULL;

    if (m == NULL) {
        error = &ngx_ws_mgr_message_no_memory;

    } else {
        m->client = client;
        m->pool = pool;

        error = ngx_ws_mgr_message_read(m, payload);

        if (error == NULL) {
            error = ngx_ws_mgr_message_dispatch(m);
        }

        ngx_ws_mgr_message_ref(m, &repeated);
    }

    client->place.spoken = 1;

    if (pool) {
        ngx_destroy_pool(pool);
    }

    if (ref && error == &ngx_ws_mgr_message_no_forward) {
        *ref = repeated;
        error = NULL;
        rc = NGX_DECLINED;

    } else {
        rc = NGX_OK;
    }

    if (error) {
        ngx_ws_mgr_message_refuse(client, error, &repeated);

    } else if (client->place.bad) {
        client->place.bad--;
    }

    return rc;
}


static const ngx_ws_mgr_message_error_t *
ngx_ws_mgr_message_read(ngx_ws_mgr_message_t *m, ngx_str_t *payload)
{
    u_char                            *last;
    ngx_int_t                          rc;
    ngx_str_t                          name;
    ngx_uint_t                         i;
    ngx_ws_mgr_json_t                 *j;
    ngx_ws_mgr_json_value_t           *v;
    const ngx_ws_mgr_message_error_t  *error;

    for (i = 0; ngx_ws_mgr_message_members[i].name.len; i++) {
        v = (ngx_ws_mgr_json_value_t *)
                      ((char *) m + ngx_ws_mgr_message_members[i].offset);
        v->start = NULL;
    }

    j = &m->json;
    last = payload->data + payload->len;

    ngx_ws_mgr_json_init(j, payload->data, last, m->pool);

    if (j->pos == last || *j->pos != '{'
        || ngx_ws_mgr_json_enter(j) != NGX_OK)
    {
        return &ngx_ws_mgr_message_not_object;
    }

    for ( ;; ) {
        rc = ngx_ws_mgr_json_next(j, &name);

        if (rc != NGX_OK) {
            break;
        }

        error = ngx_ws_mgr_message_member(m, &name);
        if (error) {
            return error;
        }
    }

    if (rc != NGX_DONE) {
        return &ngx_ws_mgr_message_not_object;
    }

    return ngx_ws_mgr_json_end(j) == NGX_OK ? NULL
                                            : &ngx_ws_mgr_message_not_object;
}


static const ngx_ws_mgr_message_error_t *
ngx_ws_mgr_message_member(ngx_ws_mgr_message_t *m, ngx_str_t *name)
{
    ngx_uint_t                i;
    ngx_ws_mgr_json_value_t  *v, ignored;

    v = &ignored;

    for (i = 0; ngx_ws_mgr_message_members[i].name.len; i++) {

        if (name->len == ngx_ws_mgr_message_members[i].name.len
            && ngx_memcmp(name->data,
                          ngx_ws_mgr_message_members[i].name.data, name->len)
               == 0)
        {
            v = (ngx_ws_mgr_json_value_t *)
                      ((char *) m + ngx_ws_mgr_message_members[i].offset);
            break;
        }
    }

    if (ngx_ws_mgr_json_take(&m->json, v) != NGX_OK) {
        v->start = NULL;
        return &ngx_ws_mgr_message_not_object;
    }

    return NULL;
}


static const ngx_ws_mgr_message_error_t *
ngx_ws_mgr_message_dispatch(ngx_ws_mgr_message_t *m)
{
    ngx_str_t                         type;
    const ngx_ws_mgr_message_type_t  *t;

    if (ngx_ws_mgr_message_string(m, &m->type, &type) != NGX_OK
        || type.len == 0)
    {
        return &ngx_ws_mgr_message_not_object;
    }

    for (t = ngx_ws_mgr_message_types; t->handler; t++) {

        if (t->type.len == type.len
            && ngx_memcmp(t->type.data, type.data, type.len) == 0)
        {
            return t->handler(m);
        }
    }

    return &ngx_ws_mgr_message_no_forward;
}


static ngx_int_t
ngx_ws_mgr_message_string(ngx_ws_mgr_message_t *m,
    ngx_ws_mgr_json_value_t *v, ngx_str_t *s)
{
    if (v->start == NULL) {
        return NGX_DECLINED;
    }

    return ngx_ws_mgr_json_text(&m->json, v, s);
}


static const ngx_ws_mgr_message_error_t *
ngx_ws_mgr_message_ping(ngx_ws_mgr_message_t *m)
{
    ngx_ws_mgr_text_t  t;

    ngx_ws_mgr_text_init(&t, m->pool, 128);

    ngx_ws_mgr_text_put(&t, "{\"type\":\"pong\",\"ts\":");
    ngx_ws_mgr_text_number(&t, ngx_ws_mgr_now());
    ngx_ws_mgr_text_put(&t, ",\"echo\":");

    if (m->ts.start) {
        ngx_ws_mgr_text_add(&t, m->ts.start, m->ts.end - m->ts.start);

    } else {
        ngx_ws_mgr_text_put(&t, "null");
    }

    ngx_ws_mgr_text_put(&t, "}");

    if (t.failed) {
        return &ngx_ws_mgr_message_no_memory;
    }

    ngx_ws_mgr_message_send(m->client, t.start, t.last);

    return NULL;
}


static const ngx_ws_mgr_message_error_t *
ngx_ws_mgr_message_confirmation(ngx_ws_mgr_message_t *m)
{
    ngx_str_t  s;

    if (m->status.start
        && (ngx_ws_mgr_message_string(m, &m->status, &s) != NGX_OK
            || s.len != sizeof("confirmed") - 1
            || ngx_strncmp(s.data, "confirmed", s.len) != 0))
    {
        return &ngx_ws_mgr_message_not_confirming;
    }

    if (m->event_id.start == NULL) {
        return ngx_ws_mgr_message_confirm_id(m);
    }

    if (ngx_ws_mgr_message_string(m, &m->event_id, &s) != NGX_OK
        || s.len == 0)
    {
        return &ngx_ws_mgr_message_not_confirming;
    }

    return ngx_ws_mgr_message_confirm(m, &s, 0, 0);
}


/* by the server's id, which says where in which log the event is */

static const ngx_ws_mgr_message_error_t *
ngx_ws_mgr_message_confirm_id(ngx_ws_mgr_message_t *m)
{
    ngx_str_t               id;
    ngx_ws_mgr_position_t   position;

    if (ngx_ws_mgr_message_string(m, &m->id, &id) != NGX_OK) {
        return &ngx_ws_mgr_message_not_confirming;
    }

    if (ngx_ws_mgr_log_position_parse(&id, &position) != NGX_OK) {
        return &ngx_ws_mgr_message_unknown_event;
    }

    if (position.broadcast) {

        if (!m->client->place.everyone
            || !ngx_ws_mgr_member_passed(&ngx_ws_mgr_member_everyone,
                                         &m->client->broadcast.cursor,
                                         &position))
        {
            return &ngx_ws_mgr_message_unknown_event;
        }

        /* noted for none: the figures are those of the user's own log */

        ngx_ws_mgr_count(CONFIRMATIONS);
        return NULL;
    }

    return ngx_ws_mgr_message_confirm(m, NULL, position.epoch, position.seq);
}


static const ngx_ws_mgr_message_error_t *
ngx_ws_mgr_message_ack(ngx_ws_mgr_message_t *m)
{
    uint64_t  seq;

    if (m->seq.start == NULL
        || ngx_ws_mgr_json_integer(&m->seq, &seq) != NGX_OK)
    {
        return &ngx_ws_mgr_message_not_seq;
    }

    /* all up to none */

    if (seq == 0) {
        return NULL;
    }

    return ngx_ws_mgr_message_confirm(m, NULL, 0, seq);
}


static const ngx_ws_mgr_message_error_t *
ngx_ws_mgr_message_confirm(ngx_ws_mgr_message_t *m, ngx_str_t *event_id,
    uint64_t epoch, uint64_t seq)
{
    if (ngx_ws_mgr_registry_confirm(&m->client->place, event_id, epoch, seq)
        != NGX_OK)
    {
        return &ngx_ws_mgr_message_unknown_event;
    }

    ngx_ws_mgr_count(CONFIRMATIONS);

    return NULL;
}


static const ngx_ws_mgr_message_error_t *
ngx_ws_mgr_message_restore(ngx_ws_mgr_message_t *m)
{
    ngx_str_t  position;

    if (m->client->place.spoken) {
        return &ngx_ws_mgr_message_restore_late;
    }

    if (ngx_ws_mgr_message_string(m, &m->position, &position) != NGX_OK) {
        return &ngx_ws_mgr_message_not_position;
    }

    ngx_ws_mgr_seat_restore(m->client, &position);

    return NULL;
}


static const ngx_ws_mgr_message_error_t *
ngx_ws_mgr_message_thread(ngx_ws_mgr_message_t *m)
{
    ngx_str_t                 thread;
    ngx_ws_mgr_json_value_t  *v;

    v = &m->thread_id;
    ngx_str_null(&thread);

    if (v->start == NULL
        || (*v->start != 'n'
            && ngx_ws_mgr_message_string(m, v, &thread) != NGX_OK)
        || thread.len > NGX_WS_MGR_MESSAGE_THREAD)
    {
        return &ngx_ws_mgr_message_not_thread;
    }

    if (ngx_ws_mgr_registry_thread(&m->client->place, &thread) != NGX_OK) {
        return &ngx_ws_mgr_message_no_memory;
    }

    return NULL;
}


void
ngx_ws_mgr_message_limited(ngx_ws_mgr_client_t *client)
{
    ngx_str_t  none;

    ngx_str_set(&none, "");

    ngx_ws_mgr_message_refuse(client, &ngx_ws_mgr_message_rate_limited, &none);
}


static void
ngx_ws_mgr_message_refuse(ngx_ws_mgr_client_t *client,
    const ngx_ws_mgr_message_error_t *error, ngx_str_t *ref)
{
    /* handling the message may have ended the session */

    if (client->place.hold == NULL) {
        return;
    }

    ngx_ws_mgr_message_error(client, error, ref);

    if (client->place.bad < NGX_WS_MGR_MESSAGE_BAD - 1) {
        client->place.bad++;

    } else if (client->place.hold) {
        ngx_ws_mgr_count(CLOSED_ABUSE);
        ngx_ws_mgr_session_close(&client->session, NGX_WS_MGR_CLOSE_ABUSE,
                                 "too many bad messages");
    }
}


/* ref is repeated as it stands in the message */

void
ngx_ws_mgr_message_error(ngx_ws_mgr_client_t *client,
    const ngx_ws_mgr_message_error_t *error, ngx_str_t *ref)
{
    u_char  *last, buf[512 + NGX_WS_MGR_MESSAGE_REF];

    ngx_ws_mgr_count(MESSAGES_REFUSED);

    last = ngx_slprintf(buf, buf + 512,
                        "{\"type\":\"error\",\"code\":\"%s\","
                        "\"message\":\"%s\",\"ref\":",
                        error->code, error->message);

    last = ref->len ? ngx_cpymem(last, ref->data, ref->len)
                    : ngx_cpymem(last, "null", 4);

    *last++ = '}';

    ngx_ws_mgr_message_send(client, buf, last);
}


/* what the client may know its message by, or nothing */

static void
ngx_ws_mgr_message_ref(ngx_ws_mgr_message_t *m, ngx_str_t *ref)
{
    ngx_uint_t                i;
    ngx_ws_mgr_json_value_t  *refs[3];

    refs[0] = &m->ref;
    refs[1] = &m->event_id;
    refs[2] = &m->type;

    for (i = 0; i < 3; i++) {
        if (refs[i]->start && *refs[i]->start == '"'
            && refs[i]->end - refs[i]->start <= NGX_WS_MGR_MESSAGE_REF - 1)
        {
            ref->data = refs[i]->start;
            ref->len = refs[i]->end - refs[i]->start;
            return;
        }
    }
}


void
ngx_ws_mgr_message_heartbeat(ngx_ws_mgr_client_t *client)
{
    u_char  *last, buf[sizeof("{\"type\":\"heartbeat\",\"ts\":}")
                       + NGX_INT64_LEN];

    last = ngx_sprintf(buf, "{\"type\":\"heartbeat\",\"ts\":%uL}",
                       ngx_ws_mgr_now());

    ngx_ws_mgr_message_send(client, buf, last);
}


void
ngx_ws_mgr_message_shutdown(ngx_ws_mgr_client_t *client,
    ngx_msec_t reconnect_ms)
{
    u_char  *last, buf[128];

    last = ngx_slprintf(buf, buf + sizeof(buf),
                        "{\"type\":\"server_shutdown\","
                        "\"reconnect_after_ms\":%M,\"reason\":\"reload\"}",
                        reconnect_ms);

    ngx_ws_mgr_message_send(client, buf, last);
}


static void
ngx_ws_mgr_message_send(ngx_ws_mgr_client_t *client, u_char *p, u_char *last)
{
    ngx_ws_mgr_session_send(&client->session, NGX_WS_MGR_OP_TEXT, p,
                            last - p);
}
