
/*
 * Copyright (C) the ngx_ws_mgr authors
 *
 * What jansson says of a body, against what the envelope says: for the unit
 * test and for the fuzz target.
 *
 * Differences that are allowed: numbers that overflow a double, which jansson
 * refuses; nesting, of which jansson takes 2048 levels; a NUL byte behind a
 * number or a literal, which jansson 2.14 loses when it puts it back.
 */


#ifndef _NGX_WS_MGR_ENVELOPE_ORACLE_H_INCLUDED_
#define _NGX_WS_MGR_ENVELOPE_ORACLE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_ws_mgr_envelope.h>
#include <jansson.h>
#include <math.h>


#define ORACLE_FLAGS  (JSON_REJECT_DUPLICATES|JSON_ALLOW_NUL|JSON_DECODE_ANY)


typedef struct {
    ngx_pool_t             *pool;
    u_char                 *start;
    u_char                 *end;
    json_t                 *doc;       /* integers as such, where they fit */
    ngx_ws_mgr_envelope_t   e;
} oracle_t;


static json_t *
oracle_load(const void *text, size_t len, size_t flags, json_error_t *error)
{
    if (memchr(text, '\0', len)) {
        return json_loads("", 0, error);
    }

    return json_loadb(text, len, flags, error);
}


static int
oracle_is(ngx_str_t *str, json_t *value)
{
    if (!json_is_string(value)) {
        return str->data == NULL;
    }

    return str->data
           && str->len == json_string_length(value)
           && ngx_memcmp(str->data, json_string_value(value), str->len) == 0;
}


static int
oracle_id(json_t *value)
{
    size_t       i, len;
    const char  *p;

    if (!json_is_string(value)) {
        return 0;
    }

    p = json_string_value(value);
    len = json_string_length(value);

    for (i = 0; i < len; i++) {
        if ((u_char) p[i] < 0x20
            || p[i] == 0x7f
            || ((u_char) p[i] == 0xc2 && (u_char) p[i + 1] < 0xa0))
        {
            return 0;
        }
    }

    return len >= 1 && len <= 255;
}


static int
oracle_one_of(json_t *value, const char **words)
{
    ngx_str_t  word;

    for ( /* void */ ; *words; words++) {
        word.data = (u_char *) *words;
        word.len = strlen(*words);

        if (json_is_string(value) && oracle_is(&word, value)) {
            return 1;
        }
    }

    return 0;
}


static int
oracle_users(json_t *list, size_t min)
{
    int      ok;
    size_t   i;
    json_t  *seen, *user;

    if (!json_is_array(list)
        || json_array_size(list) < min
        || json_array_size(list) > 1000)
    {
        return 0;
    }

    ok = 1;
    seen = json_object();

    json_array_foreach(list, i, user) {
        if (!oracle_id(user)
            || strcmp(json_string_value(user), "*") == 0
            || json_object_get(seen, json_string_value(user)))
        {
            ok = 0;
            break;
        }

        json_object_set_new(seen, json_string_value(user), json_true());
    }

    json_decref(seen);

    return ok;
}


/* whether the members are as PROTOCOL wants them */

static int
oracle_event(json_t *doc)
{
    size_t       i;
    json_t      *v, *user;
    const char  *p;

    static const char  *owned[] = { "id", "seq", "ts" };
    static const char  *ids[] = { "thread_id", "run_id", "event_id" };
    static const char  *classes[] = { "must", "latest", "drop", NULL };
    static const char  *audiences[] = { "user", "thread", NULL };

    if (!json_is_object(doc)) {
        return 0;
    }

    for (i = 0; i < 3; i++) {
        v = json_object_get(doc, ids[i]);

        if (json_object_get(doc, owned[i])
            || (v && !json_is_null(v) && !oracle_id(v)))
        {
            return 0;
        }
    }

    v = json_object_get(doc, "type");

    if (!oracle_id(v) || json_string_length(v) > 64) {
        return 0;
    }

    for (p = json_string_value(v); *p; p++) {
        if (!isalnum((u_char) *p) && strchr("_.:-", *p) == NULL) {
            return 0;
        }

        if ((u_char) *p >= 0x80) {
            return 0;
        }
    }

    user = json_object_get(doc, "user_id");
    v = json_object_get(doc, "user_ids");

    if ((user && !oracle_id(user))
        || (v && (user || !oracle_users(v, 1))))
    {
        return 0;
    }

    v = json_object_get(doc, "exclude_users");

    if (v
        && (!oracle_users(v, 0)
            || user == NULL
            || strcmp(json_string_value(user), "*") != 0))
    {
        return 0;
    }

    v = json_object_get(doc, "connection_id");

    if (v && !oracle_id(v)) {
        return 0;
    }

    v = json_object_get(doc, "class");

    if (v && !oracle_one_of(v, classes)) {
        return 0;
    }

    v = json_object_get(doc, "ttl_ms");

    if (v
        && (!json_is_integer(v)
            || json_integer_value(v) < 1
            || json_integer_value(v) > 86400000))
    {
        return 0;
    }

    v = json_object_get(doc, "audience");

    if (v && !oracle_one_of(v, audiences)) {
        return 0;
    }

    if (v && strcmp(json_string_value(v), "thread") == 0) {
        return json_is_string(json_object_get(doc, "thread_id"))
               && !json_object_get(doc, "connection_id");
    }

    return 1;
}


static int
oracle_has(json_t *doc, const char *name)
{
    json_t  *v, *data;

    v = json_object_get(doc, name);

    if (v && !json_is_null(v)) {
        return 1;
    }

    data = json_object_get(doc, "data");
    v = json_object_get(data, name);

    if (v && strcmp(name, "run_id") == 0) {
        return oracle_id(v);
    }

    return v && !json_is_null(v);
}


static const char *
oracle_schema(json_t *doc)
{
    int          i;
    const char  *type;

    static const struct {
        const char  *type;
        const char  *names[3];
        const char  *missing;
    } needs[] = {
        { "agent_started", { "run_id" }, "run_id" },
        { "agent_started", { "agent_name" }, "agent_name" },
        { "agent_thinking", { "run_id" }, "run_id" },
        { "agent_thinking", { "reasoning", "thought" },
          "one of reasoning, thought" },
        { "tool_executing", { "run_id" }, "run_id" },
        { "tool_executing", { "tool_name" }, "tool_name" },
        { "tool_completed", { "run_id" }, "run_id" },
        { "tool_completed", { "tool_name" }, "tool_name" },
        { "tool_completed", { "results", "result" },
          "one of results, result" },
        { "agent_completed", { "run_id" }, "run_id" },
        { "agent_completed", { "final_response", "result", "status" },
          "one of final_response, result, status" },
        { NULL, { NULL }, NULL }
    };

    type = json_string_value(json_object_get(doc, "type"));

    for (i = 0; needs[i].type; i++) {
        if (strcmp(needs[i].type, type) == 0
            && !oracle_has(doc, needs[i].names[0])
            && (needs[i].names[1] == NULL
                || !oracle_has(doc, needs[i].names[1]))
            && (needs[i].names[2] == NULL
                || !oracle_has(doc, needs[i].names[2])))
        {
            return needs[i].missing;
        }
    }

    return NULL;
}


/* NULL, or what differs; "-0" and very long numbers are not looked into */

static const char *
oracle_usage(oracle_t *o)
{
    int      i, k, n;
    json_t  *from[4], *v;

    static const char  *names[] = { "input_tokens", "output_tokens", "cost" };

    from[0] = json_object_get(o->doc, "token_usage");
    from[1] = json_object_get(o->doc, "tokens");
    v = json_object_get(o->doc, "data");
    from[2] = json_object_get(v, "token_usage");
    from[3] = json_object_get(v, "tokens");

    for (i = 0; i < 4; i++) {
        n = 0;

        for (k = 0; k < 3; k++) {
            v = json_object_get(from[i], names[k]);

            if (v == NULL || json_is_null(v)) {
                continue;
            }

            n++;

            if (!json_is_number(v)
                || json_number_value(v) < 0
                || (k < 2 && (!json_is_integer(v)
                              || json_integer_value(v) > 999999999999999)))
            {
                n = -10;
            }
        }

        if (n <= 0) {
            continue;
        }

        if (!o->e.tokens) {
            return "token usage was not seen";
        }

        v = json_object_get(from[i], "input_tokens");

        if ((int64_t) o->e.input_tokens != json_integer_value(v)) {
            return "input tokens differ";
        }

        v = json_object_get(from[i], "output_tokens");

        if ((int64_t) o->e.output_tokens != json_integer_value(v)) {
            return "output tokens differ";
        }

        v = json_object_get(from[i], "cost");

        return (fabs(o->e.cost - json_number_value(v)) > 0)
               ? "costs differ" : NULL;
    }

    return o->e.tokens ? "token usage was seen" : NULL;
}


static const char *
oracle_list(ngx_str_t *users, ngx_str_t *raw, ngx_uint_t n, json_t *list)
{
    int          same;
    json_t      *v;
    ngx_uint_t   i;

    if (n != json_array_size(list)) {
        return "numbers of users differ";
    }

    for (i = 0; i < n; i++) {
        v = json_array_get(list, i);

        if (!oracle_is(&users[i], v)) {
            return "a user differs";
        }

        if (raw) {
            v = oracle_load(raw[i].data, raw[i].len, ORACLE_FLAGS, NULL);
            same = json_equal(v, json_array_get(list, i));
            json_decref(v);

            if (!same) {
                return "a user as posted differs";
            }
        }
    }

    return NULL;
}


static const char *
oracle_values(oracle_t *o)
{
    json_t                 *doc, *data, *v;
    const char             *differs, *schema;
    ngx_ws_mgr_envelope_t  *e;

    e = &o->e;
    doc = o->doc;
    data = json_object_get(doc, "data");

    if (!oracle_is(&e->type, json_object_get(doc, "type"))
        || !oracle_is(&e->user, json_object_get(doc, "user_id"))
        || !oracle_is(&e->thread, json_object_get(doc, "thread_id"))
        || !oracle_is(&e->event_id, json_object_get(doc, "event_id"))
        || !oracle_is(&e->connection, json_object_get(doc, "connection_id")))
    {
        return "a value differs";
    }

    v = json_object_get(doc, "run_id");

    if (!json_is_string(v)) {
        v = json_object_get(data, "run_id");
        v = oracle_id(v) ? v : NULL;
    }

    if (!oracle_is(&e->run, v)) {
        return "the run differs";
    }

    v = json_object_get(doc, "tool_name");

    if (!json_is_string(v)) {
        v = json_object_get(data, "tool_name");
    }

    if (!oracle_is(&e->tool, v)) {
        return "the tool differs";
    }

    differs = oracle_list(e->users, e->users_raw, e->nusers,
                          json_object_get(doc, "user_ids"));
    if (differs) {
        return differs;
    }

    differs = oracle_list(e->exclude, NULL, e->nexclude,
                          json_object_get(doc, "exclude_users"));
    if (differs) {
        return differs;
    }

    v = json_object_get(doc, "ttl_ms");

    if ((int64_t) e->ttl != json_integer_value(v)) {
        return "the ttl differs";
    }

    schema = oracle_schema(doc);

    if ((schema == NULL) != (e->schema == NULL)
        || (schema && strcmp(schema, e->schema) != 0))
    {
        return "the schema differs";
    }

    return NULL;
}


/* the pieces behind an id are the object without what only addresses */

static const char *
oracle_splice(oracle_t *o)
{
    char                   *p, *text;
    size_t                  size;
    json_t                 *spliced, *wanted, *value, *other;
    ngx_uint_t              i;
    const char             *key, *differs;
    void                   *it;
    ngx_ws_mgr_envelope_t  *e;

    static const char  head[] = "{\"\":1,";
    static const char  *cuts[] = { "user_ids", "exclude_users", "audience",
                                   "connection_id", "class", "ttl_ms" };

    e = &o->e;
    differs = NULL;
    size = 0;

    text = malloc(sizeof(head) + e->size);
    p = text + sizeof(head) - 1;
    memcpy(text, head, sizeof(head) - 1);

    for (i = 0; i < e->npieces; i++) {
        if (e->pieces[i].start < (i ? e->pieces[i - 1].end : o->start + 1)
            || e->pieces[i].end <= e->pieces[i].start
            || e->pieces[i].end > o->end)
        {
            free(text);
            return "a piece is out of place";
        }

        size += e->pieces[i].end - e->pieces[i].start;

        if (size > e->size) {
            free(text);
            return "the size is too small";
        }

        memcpy(p, e->pieces[i].start,
               e->pieces[i].end - e->pieces[i].start);
        p += e->pieces[i].end - e->pieces[i].start;
    }

    /* jansson finds a posted name that is empty to stand twice */

    if (json_object_get(o->doc, "")) {
        free(text);
        return NULL;
    }

    spliced = oracle_load(text, p - text, ORACLE_FLAGS, NULL);
    wanted = json_copy(o->doc);

    for (i = 0; i < 6; i++) {
        json_object_del(wanted, cuts[i]);
    }

    if (size != e->size) {
        differs = "the size differs";

    } else if (spliced == NULL) {
        differs = "spliced is not JSON";

    } else {
        json_object_del(spliced, "");

        if (!json_equal(spliced, wanted)) {
            differs = "spliced is another object";
        }

        it = json_object_iter(wanted);

        json_object_foreach(spliced, key, value) {
            other = it ? json_object_iter_value(it) : NULL;

            if (other == NULL || strcmp(key, json_object_iter_key(it)) != 0) {
                differs = "spliced is in another order";
                break;
            }

            it = json_object_iter_next(wanted, it);
        }
    }

    json_decref(spliced);
    json_decref(wanted);
    free(text);

    return differs;
}


static int
oracle_long_number(u_char *p, u_char *end)
{
    size_t  n;

    for (n = 0; p < end && n < 60; p++) {
        n = strchr("0123456789.eE+-", *p) && *p ? n + 1 : 0;
    }

    return n == 60;
}


/* of a body that jansson takes */

static const char *
oracle_accepted(oracle_t *o)
{
    const char             *differs;
    ngx_ws_mgr_envelope_t  *e;

    e = &o->e;

    if (e->result == NGX_WS_MGR_ENVELOPE_JSON) {
        return (strcmp(e->error, "nested deeper than 256") == 0)
               ? NULL : "refused what jansson takes";
    }

    if (e->result == NGX_WS_MGR_ENVELOPE_EVENT
        && strcmp(e->error, "reserved name, written with escapes") == 0)
    {
        return (*e->where == '"' && memchr(e->where, '\\', o->end - e->where))
               ? NULL : "where are the escapes?";
    }

    if (o->doc == NULL) {
        return NULL;
    }

    if ((e->result == NGX_WS_MGR_ENVELOPE_OK) != oracle_event(o->doc)) {
        return "the members are judged otherwise";
    }

    if (e->result != NGX_WS_MGR_ENVELOPE_OK) {
        return NULL;
    }

    differs = oracle_values(o);

    if (differs == NULL
        && ngx_strnstr(o->start, "-0", o->end - o->start) == NULL
        && !oracle_long_number(o->start, o->end))
    {
        differs = oracle_usage(o);
    }

    return differs ? differs : oracle_splice(o);
}


/* the elements as jansson sees them; *bad: one of them is not JSON */

static const char *
oracle_items(oracle_t *o, u_char *pos, json_t *events, int *bad)
{
    int                 same;
    size_t              n;
    json_t             *item;
    ngx_int_t           rc;
    ngx_ws_mgr_span_t   span;

    for (n = 0; /* void */ ; n++) {
        rc = ngx_ws_mgr_envelope_next(&o->e, &pos, o->end, &span);

        if (rc == NGX_ERROR) {
            return "a list that was checked is broken";
        }

        if (rc == NGX_DONE) {
            return (events && n != json_array_size(events))
                   ? "numbers of elements differ" : NULL;
        }

        item = oracle_load(span.start, span.end - span.start,
                          ORACLE_FLAGS|JSON_DECODE_INT_AS_REAL, NULL);
        same = json_equal(item, json_array_get(events, n));
        *bad |= (item == NULL);
        json_decref(item);

        if (events && !same) {
            return "an element differs";
        }
    }
}


/* doc is NULL where jansson refuses the body */

static const char *
oracle_batch(oracle_t *o, json_t *doc, int overflow)
{
    int          bad;
    u_char      *first;
    json_t      *events;
    ngx_int_t    rc;
    const char  *differs;

    bad = 0;
    rc = ngx_ws_mgr_envelope_batch(&o->e, o->start, o->end, o->pool, &first);

    if (doc == NULL) {
        if (rc != NGX_OK || overflow) {
            return NULL;
        }

        differs = oracle_items(o, first, NULL, &bad);

        if (differs) {
            return differs;
        }

        return bad ? NULL : "all is well in a batch that jansson refuses";
    }

    if (rc == NGX_ERROR
        && (strcmp(o->e.error, "nested deeper than 256") == 0
            || strcmp(o->e.error, "reserved name, written with escapes")
               == 0))
    {
        return NULL;
    }

    events = json_object_get(doc, "events");

    if (json_object_get(doc, "type") || events == NULL) {
        return (rc == NGX_DECLINED) ? NULL : "that is not a batch";
    }

    if (!json_is_array(events)) {
        return (rc == NGX_ERROR || rc == NGX_DECLINED)
               ? NULL : "a list that is none";
    }

    if (rc == NGX_DECLINED) {
        /* nested too deep before the list */
        return (ngx_ws_mgr_envelope_parse(&o->e, o->start, o->end, o->pool)
                == NGX_WS_MGR_ENVELOPE_JSON)
               ? NULL : "that is a batch";
    }

    if (rc != NGX_OK) {
        return "a batch was refused";
    }

    return oracle_items(o, first, events, &bad);
}


/* NULL, or in what way we and jansson disagree */

static const char *
oracle(const void *body, size_t len)
{
    int                            overflow;
    json_t                        *doc;
    oracle_t                       o;
    const char                    *differs;
    json_error_t                   error;
    ngx_ws_mgr_envelope_result_e   result;

    ngx_memzero(&o, sizeof(oracle_t));

    o.pool = ngx_create_pool(NGX_DEFAULT_POOL_SIZE, ngx_cycle->log);
    o.start = malloc(len + (len == 0));
    o.end = o.start + len;
    memcpy(o.start, body, len);

    doc = oracle_load(o.start, len,
                     ORACLE_FLAGS|JSON_DECODE_INT_AS_REAL, &error);
    o.doc = oracle_load(o.start, len, ORACLE_FLAGS, NULL);
    overflow = (doc == NULL
                && json_error_code(&error) == json_error_numeric_overflow);

    result = ngx_ws_mgr_envelope_parse(&o.e, o.start, o.end, o.pool);

    if (result != NGX_WS_MGR_ENVELOPE_OK
        && (o.e.error == NULL || o.e.where < o.start || o.e.where > o.end))
    {
        differs = "the place of the fault is nowhere";

    } else if (result == NGX_WS_MGR_ENVELOPE_MEMORY) {
        differs = "no memory";

    } else if (doc) {
        differs = oracle_accepted(&o);

    } else if (result != NGX_WS_MGR_ENVELOPE_JSON && !overflow) {
        differs = "took what jansson refuses";

    } else {
        differs = NULL;
    }

    if (differs == NULL) {
        differs = oracle_batch(&o, doc, overflow);
    }

    if (memcmp(o.start, body, len) != 0) {
        differs = "the body was changed";
    }

    json_decref(doc);
    json_decref(o.doc);
    ngx_destroy_pool(o.pool);
    free(o.start);

    return differs;
}


#endif /* _NGX_WS_MGR_ENVELOPE_ORACLE_H_INCLUDED_ */
