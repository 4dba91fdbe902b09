
/*
 * Copyright (C) the ngx_ws_mgr authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_ws_mgr_posting.h>
#include <ngx_ws_mgr_fanout.h>
#include <ngx_ws_mgr_registry.h>


static ngx_int_t ngx_ws_mgr_posting_parse(ngx_ws_mgr_posting_t *posting);
static ngx_int_t ngx_ws_mgr_posting_user(ngx_ws_mgr_posting_t *posting);
static ngx_int_t ngx_ws_mgr_posting_agree(ngx_ws_mgr_posting_t *posting);
static ngx_int_t ngx_ws_mgr_posting_users(ngx_ws_mgr_posting_t *posting);
static ngx_int_t ngx_ws_mgr_posting_address(ngx_ws_mgr_posting_t *posting);
static ngx_int_t ngx_ws_mgr_posting_exclude(ngx_ws_mgr_posting_t *posting);
static ngx_int_t ngx_ws_mgr_posting_schema(ngx_ws_mgr_posting_t *posting);
static void ngx_ws_mgr_posting_entry(ngx_ws_mgr_posting_t *posting);


ngx_int_t
ngx_ws_mgr_api_posting_read(ngx_ws_mgr_posting_t *posting)
{
    posting->users = NULL;
    posting->broadcast = 0;
    posting->refused = 0;

    ngx_str_null(&posting->refusal.event_id);

    if (ngx_ws_mgr_posting_parse(posting) != NGX_OK) {
        return NGX_DECLINED;
    }

    posting->refusal.event_id = posting->envelope.event_id;

    ngx_memzero(&posting->publish, sizeof(ngx_ws_mgr_publish_t));

    if (ngx_ws_mgr_posting_user(posting) != NGX_OK
        || ngx_ws_mgr_posting_address(posting) != NGX_OK
        || ngx_ws_mgr_posting_schema(posting) != NGX_OK)
    {
        return NGX_DECLINED;
    }

    ngx_ws_mgr_posting_entry(posting);

    return NGX_OK;
}


ngx_uint_t
ngx_ws_mgr_api_posting_placeholder(ngx_array_t *placeholders, ngx_str_t *user)
{
    ngx_str_t   *name;
    ngx_uint_t   i;

    if (placeholders == NULL) {
        return 0;
    }

    name = placeholders->elts;

    for (i = 0; i < placeholders->nelts; i++) {
        if (name[i].len == user->len
            && ngx_strncasecmp(name[i].data, user->data, user->len) == 0)
        {
            return 1;
        }
    }

    return 0;
}


ngx_int_t
ngx_ws_mgr_api_posting_refuse(ngx_ws_mgr_posting_t *posting,
    ngx_ws_mgr_fault_e fault, const char *member, u_char *where,
    const char *detail)
{
    ngx_ws_mgr_problem_t  *problem;

    if (where < posting->posted.start || where > posting->posted.end) {
        where = posting->posted.start;
    }

    posting->refused = 1;
    posting->refusal.fault = fault;
    problem = &posting->refusal.problem;

    ngx_ws_mgr_api_fault_fill(problem, fault, detail);

    if (member != NULL) {
        problem->member.data = (u_char *) member;
        problem->member.len = ngx_strlen(member);
    }

    ngx_ws_mgr_envelope_place(posting->event->body, where, &problem->line,
                              &problem->column);
    return NGX_DECLINED;
}


static ngx_int_t
ngx_ws_mgr_posting_parse(ngx_ws_mgr_posting_t *posting)
{
    ngx_ws_mgr_span_t      *posted;
    ngx_ws_mgr_fault_e      fault;
    ngx_ws_mgr_envelope_t  *e;

    e = &posting->envelope;
    posted = &posting->posted;

    if ((size_t) (posted->end - posted->start)
        > posting->event->conf->event_size)
    {
        return ngx_ws_mgr_api_posting_refuse(posting, NGX_WS_MGR_FAULT_LARGE,
                                         NULL, NULL,
                                         "the event is larger than"
                                         " ws_mgr_event_size allows");
    }

    switch (ngx_ws_mgr_envelope_parse(e, posted->start, posted->end,
                                      posting->event->pool))
    {
    case NGX_WS_MGR_ENVELOPE_OK:
        return NGX_OK;

    case NGX_WS_MGR_ENVELOPE_JSON:
        fault = NGX_WS_MGR_FAULT_JSON;
        break;

    case NGX_WS_MGR_ENVELOPE_EVENT:
        fault = NGX_WS_MGR_FAULT_EVENT;
        break;

    default:
        return ngx_ws_mgr_api_posting_refuse(posting,
                                         NGX_WS_MGR_FAULT_UNAVAILABLE,
                                         NULL, NULL, "out of memory");
    }

    (void) ngx_ws_mgr_api_posting_refuse(posting, fault, NULL, e->where,
                                     e->error);

    posting->refusal.problem.member = e->member;
    posting->refusal.event_id = e->event_id;

    return NGX_DECLINED;
}


/* whom the event is for, and whether it may be */

static ngx_int_t
ngx_ws_mgr_posting_user(ngx_ws_mgr_posting_t *posting)
{
    ngx_str_t                *user;
    ngx_ws_mgr_envelope_t    *e;
    ngx_ws_mgr_api_event_t   *event;

    e = &posting->envelope;
    event = posting->event;

    if (ngx_ws_mgr_posting_agree(posting) != NGX_OK) {
        return NGX_DECLINED;
    }

    if (e->nusers != 0) {
        return ngx_ws_mgr_posting_users(posting);
    }

    if (e->user.data != NULL) {
        user = &e->user;

    } else if (event->user.data != NULL) {
        user = &event->user;
        posting->publish.entry.user_raw = event->user_raw;

    } else {
        return ngx_ws_mgr_api_posting_refuse(posting, NGX_WS_MGR_FAULT_EVENT,
                                         "user_id", NULL,
                                         "neither user_id nor user_ids is"
                                         " there, nor a query argument user");
    }

    posting->publish.user = *user;

    if (user->len == 1 && user->data[0] == '*') {

        if (!(event->conf->api & NGX_WS_MGR_API_BROADCAST)) {
            return ngx_ws_mgr_api_posting_refuse(posting,
                                   NGX_WS_MGR_FAULT_BROADCAST, "user_id",
                                   user->data - 1,
                                   "ws_mgr_api of this location does not name"
                                   " the resource broadcast");
        }

        posting->broadcast = 1;

        return NGX_OK;
    }

    if (ngx_ws_mgr_api_posting_placeholder(event->placeholders, user)) {
        return ngx_ws_mgr_api_posting_refuse(posting,
                                         NGX_WS_MGR_FAULT_PLACEHOLDER,
                                         "user_id", user->data - 1,
                                         "the user is a placeholder");
    }

    return NGX_OK;
}


/* a user of the query must be the one of the body, where it names any */

static ngx_int_t
ngx_ws_mgr_posting_agree(ngx_ws_mgr_posting_t *posting)
{
    ngx_str_t              *user, *other;
    ngx_ws_mgr_envelope_t  *e;

    e = &posting->envelope;
    user = &posting->event->user;

    other = (e->nusers == 1) ? &e->users[0] : &e->user;

    if (user->data == NULL || (other->data == NULL && e->nusers == 0)) {
        return NGX_OK;
    }

    if (e->nusers > 1 || user->len != other->len
        || ngx_memcmp(user->data, other->data, user->len) != 0)
    {
        return ngx_ws_mgr_api_posting_refuse(posting, NGX_WS_MGR_FAULT_EVENT,
                                   e->nusers ? "user_ids" : "user_id", NULL,
                                   "the query argument user names another");
    }

    return NGX_OK;
}


static ngx_int_t
ngx_ws_mgr_posting_users(ngx_ws_mgr_posting_t *posting)
{
    ngx_str_t              *user;
    ngx_uint_t              i;
    ngx_ws_mgr_envelope_t  *e;

    e = &posting->envelope;

    for (i = 0; i < e->nusers; i++) {
        user = &e->users[i];

        if (ngx_ws_mgr_api_posting_placeholder(posting->event->placeholders,
                                             user))
        {
            return ngx_ws_mgr_api_posting_refuse(posting,
                                         NGX_WS_MGR_FAULT_PLACEHOLDER,
                                         "user_ids", e->users_raw[i].data,
                                         "a user is a placeholder");
        }
    }

    return NGX_OK;
}


/* which of the sockets of its users */

static ngx_int_t
ngx_ws_mgr_posting_address(ngx_ws_mgr_posting_t *posting)
{
    ngx_ws_mgr_entry_t     *entry;
    ngx_ws_mgr_envelope_t  *e;

    e = &posting->envelope;
    entry = &posting->publish.entry;

    entry->to = NGX_WS_MGR_TO_USER;
    ngx_str_set(&entry->target, "");

    if (e->exclude != NULL) {
        return ngx_ws_mgr_posting_exclude(posting);
    }

    if (e->connection.data != NULL) {

        if (posting->broadcast) {
            return ngx_ws_mgr_api_posting_refuse(posting,
                                   NGX_WS_MGR_FAULT_EVENT, "connection_id",
                                   e->connection.data - 1,
                                   "a broadcast is not for one connection");
        }

        /* of another node, or of none: nobody's here */

        if (ngx_ws_mgr_registry_conn_number(&e->connection, &posting->number)
            != NGX_OK)
        {
            posting->number = (uint64_t) -1;
        }

        posting->publish.connection = e->connection;

        entry->to = NGX_WS_MGR_TO_CONNECTION;
        entry->target.data = (u_char *) &posting->number;
        entry->target.len = sizeof(uint64_t);

        return NGX_OK;
    }

    if (!e->to_thread) {
        return NGX_OK;
    }

    entry->to = NGX_WS_MGR_TO_THREAD;
    entry->target = e->thread;

    return NGX_OK;
}


static ngx_int_t
ngx_ws_mgr_posting_exclude(ngx_ws_mgr_posting_t *posting)
{
    u_char                 *p;
    size_t                  len;
    ngx_uint_t              i;
    ngx_ws_mgr_entry_t     *entry;
    ngx_ws_mgr_envelope_t  *e;

    e = &posting->envelope;
    entry = &posting->publish.entry;

    if (!posting->broadcast || e->connection.data != NULL || e->to_thread) {
        return ngx_ws_mgr_api_posting_refuse(posting, NGX_WS_MGR_FAULT_EVENT,
                                   "exclude_users", NULL,
                                   "exclude_users goes with \"*\" as user_id"
                                   " and with no other addressing");
    }

    if (e->nexclude == 0) {
        return NGX_OK;
    }

    len = 0;

    for (i = 0; i < e->nexclude; i++) {
        len += 1 + e->exclude[i].len;
    }

    p = ngx_pnalloc(posting->event->pool, len);
    if (p == NULL) {
        return ngx_ws_mgr_api_posting_refuse(posting,
                                         NGX_WS_MGR_FAULT_UNAVAILABLE,
                                         NULL, NULL, "out of memory");
    }

    entry->to = NGX_WS_MGR_TO_OTHERS;
    entry->target.data = p;
    entry->target.len = len;

    for (i = 0; i < e->nexclude; i++) {
        *p++ = (u_char) e->exclude[i].len;
        p = ngx_cpymem(p, e->exclude[i].data, e->exclude[i].len);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_ws_mgr_posting_schema(ngx_ws_mgr_posting_t *posting)
{
    const char  *missing;

    missing = posting->envelope.schema;

    if (missing == NULL
        || posting->event->conf->schema == NGX_WS_MGR_CHECK_OFF)
    {
        return NGX_OK;
    }

    if (posting->event->conf->schema == NGX_WS_MGR_CHECK_ENFORCE) {
        return ngx_ws_mgr_api_posting_refuse(posting, NGX_WS_MGR_FAULT_SCHEMA,
                                   missing, NULL,
                                   "an event of this type must have the"
                                   " member, at its root or in data");
    }

    ngx_ws_mgr_count(SCHEMA_WARNED);

    return NGX_OK;
}


static void
ngx_ws_mgr_posting_entry(ngx_ws_mgr_posting_t *posting)
{
    ngx_uint_t              i;
    ngx_ws_mgr_entry_t     *entry;
    ngx_ws_mgr_publish_t   *p;
    ngx_ws_mgr_envelope_t  *e;

    e = &posting->envelope;
    p = &posting->publish;
    entry = &p->entry;

    for (i = 0; i < e->npieces; i++) {
        posting->pieces[i].data = e->pieces[i].start;
        posting->pieces[i].len = e->pieces[i].end - e->pieces[i].start;
    }

    entry->pieces = posting->pieces;
    entry->npieces = e->npieces;
    entry->size = e->size;

    if (e->event_id.data != NULL) {
        entry->event_id = e->event_id;

    } else {
        ngx_str_set(&entry->event_id, "");
    }

    entry->type = e->type;
    entry->run = e->run;
    entry->class = e->class;
    entry->ttl = e->ttl;
    entry->now = ngx_ws_mgr_now();

    /* a broadcast is of nobody's run */

    if (!posting->broadcast) {
        p->run.id = e->run;
        p->run.thread = e->thread;
        p->run_order = posting->event->conf->run_order;
    }

    p->run.tool = e->tool;
    p->run.known = e->known;
    p->run.tokens.input_tokens = e->input_tokens;
    p->run.tokens.output_tokens = e->output_tokens;
    p->run.tokens.cost = e->cost;

    p->match = ngx_ws_mgr_fanout_match;
}
