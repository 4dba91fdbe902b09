
/*
 * Copyright (C) the ngx_ws_mgr authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_ws_mgr_envelope.h>
#include <ngx_ws_mgr_event_field.h>
#include <ngx_ws_mgr_json.h>


#define NGX_WS_MGR_ENVELOPE_BOTH  0x01     /* read inside "data" too */
#define NGX_WS_MGR_ENVELOPE_CUT   0x02     /* taken out of the root */


typedef struct {
    ngx_ws_mgr_envelope_t     *e;
    ngx_ws_mgr_json_t         *json;
    u_char                    *brace;      /* that opens the object */
    ngx_str_t                  name;       /* of the root's member */

    u_char                    *from;       /* of the piece being made */
    u_char                    *kept;       /* end of the last kept member */
    ngx_uint_t                 has;        /* NGX_WS_MGR_SCHEMA_* */

    /* what the readers fill */
    ngx_str_t                  type;
    ngx_str_t                  user;
    ngx_str_t                  thread;
    ngx_str_t                  event_id;
    ngx_str_t                  connection;
    ngx_str_t                  run;
    ngx_str_t                  tool;
    ngx_str_t                  data_run;
    ngx_str_t                  data_tool;
    uint64_t                   ttl;
    ngx_ws_mgr_field_word_t    audience;
    ngx_ws_mgr_field_word_t    class;
    ngx_ws_mgr_field_users_t   users;
    ngx_ws_mgr_field_users_t   exclude;
    ngx_ws_mgr_field_usage_t   usage[4];   /* the first that is there counts */
} ngx_ws_mgr_envelope_pass_t;


typedef struct {
    ngx_str_t                  name;
    ngx_uint_t                 flags;
    ngx_uint_t                 schema;     /* NGX_WS_MGR_SCHEMA_*, or 0 */
    ngx_ws_mgr_field_read_pt   read;
    size_t                     root;       /* offset in the pass, of what */
    size_t                     data;       /* the reader fills */
} ngx_ws_mgr_envelope_name_t;


static ngx_int_t ngx_ws_mgr_envelope_object(ngx_ws_mgr_envelope_pass_t *pass);
static ngx_int_t ngx_ws_mgr_envelope_member(ngx_ws_mgr_envelope_pass_t *pass,
    const ngx_ws_mgr_envelope_name_t *name);
static ngx_int_t ngx_ws_mgr_envelope_data(ngx_ws_mgr_envelope_pass_t *pass);
static ngx_int_t ngx_ws_mgr_envelope_inner(ngx_ws_mgr_envelope_pass_t *pass,
    ngx_str_t *inner);
static const ngx_ws_mgr_envelope_name_t *ngx_ws_mgr_envelope_find(
    ngx_str_t *name);
static void ngx_ws_mgr_envelope_cut(ngx_ws_mgr_envelope_pass_t *pass);
static void ngx_ws_mgr_envelope_piece(ngx_ws_mgr_envelope_pass_t *pass,
    u_char *end);
static void ngx_ws_mgr_envelope_finish(ngx_ws_mgr_envelope_pass_t *pass);
static void ngx_ws_mgr_envelope_judge(ngx_ws_mgr_envelope_pass_t *pass);
static void ngx_ws_mgr_envelope_fault(ngx_ws_mgr_envelope_t *e,
    ngx_str_t *member, u_char *where, const char *error);
static void ngx_ws_mgr_envelope_broken(ngx_ws_mgr_envelope_t *e,
    ngx_ws_mgr_json_t *j, ngx_str_t *member);


/* a row of the root, of the root and "data", of the latter without a value */

#define ngx_ws_mgr_envelope_root(name, flags, read, field)                    \
    { ngx_string(name), flags, 0, read,                                       \
      offsetof(ngx_ws_mgr_envelope_pass_t, field), 0 }

#define ngx_ws_mgr_envelope_both(name, schema, read, field, inner)            \
    { ngx_string(name), NGX_WS_MGR_ENVELOPE_BOTH, schema, read,               \
      offsetof(ngx_ws_mgr_envelope_pass_t, field),                            \
      offsetof(ngx_ws_mgr_envelope_pass_t, inner) }

#define ngx_ws_mgr_envelope_mark(name, schema)                                \
    { ngx_string(name), NGX_WS_MGR_ENVELOPE_BOTH, schema,                     \
      ngx_ws_mgr_field_any, 0, 0 }


/* shorter names first; without a reader: "data", which is walked */

static const ngx_ws_mgr_envelope_name_t  ngx_ws_mgr_envelope_names[] = {
    ngx_ws_mgr_envelope_root("id", 0, ngx_ws_mgr_field_owned, name),
    ngx_ws_mgr_envelope_root("ts", 0, ngx_ws_mgr_field_owned, name),
    ngx_ws_mgr_envelope_root("seq", 0, ngx_ws_mgr_field_owned, name),
    ngx_ws_mgr_envelope_root("type", 0, ngx_ws_mgr_field_type, type),
    ngx_ws_mgr_envelope_root("data", 0, NULL, name),
    ngx_ws_mgr_envelope_root("class", NGX_WS_MGR_ENVELOPE_CUT,
                             ngx_ws_mgr_field_class, class),
    ngx_ws_mgr_envelope_both("run_id", NGX_WS_MGR_SCHEMA_RUN_ID,
                             ngx_ws_mgr_field_optional_id, run, data_run),
    ngx_ws_mgr_envelope_root("ttl_ms", NGX_WS_MGR_ENVELOPE_CUT,
                             ngx_ws_mgr_field_ttl, ttl),
    ngx_ws_mgr_envelope_both("tokens", 0, ngx_ws_mgr_field_usage, usage[1],
                             usage[3]),
    ngx_ws_mgr_envelope_mark("result", NGX_WS_MGR_SCHEMA_RESULT),
    ngx_ws_mgr_envelope_mark("status", NGX_WS_MGR_SCHEMA_STATUS),
    ngx_ws_mgr_envelope_root("user_id", 0, ngx_ws_mgr_field_id, user),
    ngx_ws_mgr_envelope_mark("results", NGX_WS_MGR_SCHEMA_RESULTS),
    ngx_ws_mgr_envelope_mark("thought", NGX_WS_MGR_SCHEMA_THOUGHT),
    ngx_ws_mgr_envelope_root("event_id", 0, ngx_ws_mgr_field_optional_id,
                             event_id),
    ngx_ws_mgr_envelope_root("user_ids", NGX_WS_MGR_ENVELOPE_CUT,
                             ngx_ws_mgr_field_users, users),
    ngx_ws_mgr_envelope_root("audience", NGX_WS_MGR_ENVELOPE_CUT,
                             ngx_ws_mgr_field_audience, audience),
    ngx_ws_mgr_envelope_root("thread_id", 0, ngx_ws_mgr_field_optional_id,
                             thread),
    ngx_ws_mgr_envelope_both("tool_name", NGX_WS_MGR_SCHEMA_TOOL_NAME,
                             ngx_ws_mgr_field_text, tool, data_tool),
    ngx_ws_mgr_envelope_mark("reasoning", NGX_WS_MGR_SCHEMA_REASONING),
    ngx_ws_mgr_envelope_mark("agent_name", NGX_WS_MGR_SCHEMA_AGENT_NAME),
    ngx_ws_mgr_envelope_both("token_usage", 0, ngx_ws_mgr_field_usage,
                             usage[0], usage[2]),
    ngx_ws_mgr_envelope_root("connection_id", NGX_WS_MGR_ENVELOPE_CUT,
                             ngx_ws_mgr_field_id, connection),
    ngx_ws_mgr_envelope_root("exclude_users", NGX_WS_MGR_ENVELOPE_CUT,
                             ngx_ws_mgr_field_users, exclude),
    ngx_ws_mgr_envelope_mark("final_response",
                             NGX_WS_MGR_SCHEMA_FINAL_RESPONSE),
    { ngx_null_string, 0, 0, NULL, 0, 0 }
};


/* the first row of names of a length */

static const uint8_t  ngx_ws_mgr_envelope_first[] = {
    25, 25, 0, 2, 3, 5, 6, 11, 14, 17, 20, 21, 25, 22, 24
};


ngx_ws_mgr_envelope_result_e
ngx_ws_mgr_envelope_parse(ngx_ws_mgr_envelope_t *e, u_char *start, u_char *end,
    ngx_pool_t *pool)
{
    ngx_int_t                    rc;
    ngx_ws_mgr_json_t            json;
    ngx_ws_mgr_envelope_pass_t   pass;

    ngx_memzero(e, offsetof(ngx_ws_mgr_envelope_t, pieces));
    ngx_memzero(&pass, sizeof(ngx_ws_mgr_envelope_pass_t));

    ngx_ws_mgr_json_init(&json, start, end, pool);

    pass.e = e;
    pass.json = &json;
    pass.brace = json.pos;

    if (json.pos < end && *json.pos == '{') {
        rc = ngx_ws_mgr_envelope_object(&pass);

    } else {
        rc = ngx_ws_mgr_json_skip(&json);
        ngx_ws_mgr_envelope_fault(e, &pass.name, pass.brace,
                                  "expected an object");
    }

    if (rc == NGX_OK) {
        rc = ngx_ws_mgr_json_end(&json);
        ngx_str_null(&pass.name);
    }

    if (rc != NGX_OK) {
        ngx_ws_mgr_envelope_broken(e, &json, &pass.name);
        return e->result;
    }

    ngx_ws_mgr_envelope_finish(&pass);

    return e->result;
}


static ngx_int_t
ngx_ws_mgr_envelope_object(ngx_ws_mgr_envelope_pass_t *pass)
{
    u_char                            *at;
    ngx_int_t                          rc;
    ngx_ws_mgr_json_t                 *j;
    const ngx_ws_mgr_envelope_name_t  *name;

    j = pass->json;

    if (ngx_ws_mgr_json_enter(j) != NGX_OK) {
        return NGX_ERROR;
    }

    pass->from = j->pos;

    for ( ;; ) {
        rc = ngx_ws_mgr_json_next(j, &pass->name);

        if (rc == NGX_DONE) {
            ngx_ws_mgr_envelope_piece(pass, j->pos);
            return NGX_OK;
        }

        if (rc != NGX_OK) {
            return NGX_ERROR;
        }

        at = j->at;
        name = ngx_ws_mgr_envelope_find(&pass->name);

        rc = (name == NULL) ? ngx_ws_mgr_json_skip(j)
                            : ngx_ws_mgr_envelope_member(pass, name);

        if (rc != NGX_OK) {
            return NGX_ERROR;
        }

        if (name && (name->flags & NGX_WS_MGR_ENVELOPE_CUT)) {
            ngx_ws_mgr_envelope_cut(pass);
            continue;
        }

        if (pass->kept == NULL && pass->from != pass->brace + 1) {
            pass->from = at;
        }

        pass->kept = j->pos;
    }
}


static ngx_int_t
ngx_ws_mgr_envelope_member(ngx_ws_mgr_envelope_pass_t *pass,
    const ngx_ws_mgr_envelope_name_t *name)
{
    u_char                    *value;
    ngx_int_t                  rc;
    ngx_ws_mgr_json_t         *j;
    ngx_ws_mgr_field_fault_t   fault;

    j = pass->json;

    if (j->escaped) {
        ngx_ws_mgr_envelope_fault(pass->e, &pass->name, j->at,
                                  NGX_WS_MGR_FIELD_ESCAPED);
        return ngx_ws_mgr_json_skip(j);
    }

    if (name->read == NULL) {
        return ngx_ws_mgr_envelope_data(pass);
    }

    value = j->pos;

    rc = name->read(j, (u_char *) pass + name->root, &fault);

    if (rc == NGX_DECLINED) {
        ngx_ws_mgr_envelope_fault(pass->e, &pass->name, fault.where,
                                  fault.error);
        return NGX_OK;
    }

    if (rc == NGX_OK && *value != 'n') {
        pass->has |= name->schema;
    }

    return rc;
}


static ngx_int_t
ngx_ws_mgr_envelope_data(ngx_ws_mgr_envelope_pass_t *pass)
{
    ngx_int_t           rc;
    ngx_str_t           inner;
    ngx_ws_mgr_json_t  *j;

    j = pass->json;

    if (j->pos == j->end || *j->pos != '{') {
        return ngx_ws_mgr_json_skip(j);
    }

    if (ngx_ws_mgr_json_enter(j) != NGX_OK) {
        return NGX_ERROR;
    }

    for ( ;; ) {
        rc = ngx_ws_mgr_json_next(j, &inner);

        if (rc == NGX_DONE) {
            return NGX_OK;
        }

        if (rc == NGX_OK) {
            rc = ngx_ws_mgr_envelope_inner(pass, &inner);
        }

        if (rc != NGX_OK) {
            return NGX_ERROR;
        }
    }
}


/* a member of "data": what is not as expected is not read, and no fault */

static ngx_int_t
ngx_ws_mgr_envelope_inner(ngx_ws_mgr_envelope_pass_t *pass, ngx_str_t *inner)
{
    u_char                            *value;
    ngx_int_t                          rc;
    ngx_ws_mgr_json_t                 *j;
    ngx_ws_mgr_field_fault_t           fault;
    const ngx_ws_mgr_envelope_name_t  *name;

    j = pass->json;
    name = ngx_ws_mgr_envelope_find(inner);

    if (name == NULL || !(name->flags & NGX_WS_MGR_ENVELOPE_BOTH)) {
        return ngx_ws_mgr_json_skip(j);
    }

    if (j->escaped) {
        ngx_ws_mgr_envelope_fault(pass->e, inner, j->at,
                                  NGX_WS_MGR_FIELD_ESCAPED);
        return ngx_ws_mgr_json_skip(j);
    }

    value = j->pos;

    rc = name->read(j, (u_char *) pass + name->data, &fault);

    if (rc == NGX_OK && *value != 'n') {
        pass->has |= name->schema;
    }

    if (rc != NGX_DECLINED) {
        return rc;
    }

    if (name->read == ngx_ws_mgr_field_usage) {
        ngx_ws_mgr_envelope_fault(pass->e, inner, fault.where, fault.error);
    }

    return NGX_OK;
}


/* of 2 to 16 bytes each */

static ngx_inline ngx_uint_t
ngx_ws_mgr_envelope_same(u_char *a, u_char *b, size_t len)
{
    uint32_t  a4, b4;
    uint64_t  a8, b8;

    if (len >= 8) {
        ngx_memcpy(&a8, a, 8);
        ngx_memcpy(&b8, b, 8);

        if (a8 != b8) {
            return 0;
        }

        ngx_memcpy(&a8, a + len - 8, 8);
        ngx_memcpy(&b8, b + len - 8, 8);

        return a8 == b8;
    }

    if (len >= 4) {
        ngx_memcpy(&a4, a, 4);
        ngx_memcpy(&b4, b, 4);

        if (a4 != b4) {
            return 0;
        }

        ngx_memcpy(&a4, a + len - 4, 4);
        ngx_memcpy(&b4, b + len - 4, 4);

        return a4 == b4;
    }

    return a[0] == b[0] && a[1] == b[1] && a[len - 1] == b[len - 1];
}


static const ngx_ws_mgr_envelope_name_t *
ngx_ws_mgr_envelope_find(ngx_str_t *name)
{
    const ngx_ws_mgr_envelope_name_t  *row;

    if (name->len >= sizeof(ngx_ws_mgr_envelope_first)) {
        return NULL;
    }

    row = &ngx_ws_mgr_envelope_names[ngx_ws_mgr_envelope_first[name->len]];

    for ( /* void */ ; row->name.len && row->name.len == name->len; row++) {

        if (ngx_ws_mgr_envelope_same(row->name.data, name->data, name->len)) {
            return row;
        }
    }

    return NULL;
}


/*
 * Takes out the member that the pass is behind: with the comma before it
 * where a kept member is before it, else with the comma after it, which is
 * left when the next kept member begins its piece.
 */

static void
ngx_ws_mgr_envelope_cut(ngx_ws_mgr_envelope_pass_t *pass)
{
    if (pass->kept > pass->from) {
        ngx_ws_mgr_envelope_piece(pass, pass->kept);
    }

    pass->from = pass->json->pos;
}


static void
ngx_ws_mgr_envelope_piece(ngx_ws_mgr_envelope_pass_t *pass, u_char *end)
{
    ngx_ws_mgr_span_t      *piece;
    ngx_ws_mgr_envelope_t  *e;

    e = pass->e;
    piece = &e->pieces[e->npieces++];

    piece->start = pass->from;
    piece->end = end;

    e->size += end - pass->from;
}


static void
ngx_ws_mgr_envelope_finish(ngx_ws_mgr_envelope_pass_t *pass)
{
    ngx_uint_t              i;
    ngx_ws_mgr_envelope_t  *e;

    e = pass->e;

    e->type = pass->type;
    e->user = pass->user;
    e->thread = pass->thread;
    e->run = pass->run.data ? pass->run : pass->data_run;
    e->event_id = pass->event_id;
    e->connection = pass->connection;
    e->tool = pass->tool.data ? pass->tool : pass->data_tool;
    e->users = pass->users.users;
    e->users_raw = pass->users.raw;
    e->nusers = pass->users.n;
    e->exclude = pass->exclude.users;
    e->nexclude = pass->exclude.n;
    e->ttl = pass->ttl;
    e->class = pass->class.n;
    e->to_thread = pass->audience.n;

    e->known = ngx_ws_mgr_schema_type(&e->type);
    e->schema = ngx_ws_mgr_schema_missing(e->known, pass->has);

    for (i = 0; i < 4; i++) {
        if (pass->usage[i].present) {
            e->tokens = 1;
            e->input_tokens = pass->usage[i].tokens[0];
            e->output_tokens = pass->usage[i].tokens[1];
            e->cost = pass->usage[i].cost;
            break;
        }
    }

    if (e->result == NGX_WS_MGR_ENVELOPE_OK) {
        ngx_ws_mgr_envelope_judge(pass);
    }
}


/* what is wrong between members */

static void
ngx_ws_mgr_envelope_judge(ngx_ws_mgr_envelope_pass_t *pass)
{
    ngx_ws_mgr_envelope_t  *e;

    static ngx_str_t  type = ngx_string("type");
    static ngx_str_t  user_ids = ngx_string("user_ids");
    static ngx_str_t  exclude_users = ngx_string("exclude_users");
    static ngx_str_t  audience = ngx_string("audience");

    e = pass->e;

    if (e->type.data == NULL) {
        ngx_ws_mgr_envelope_fault(e, &type, pass->brace, "missing");
    }

    if (pass->users.at && e->nusers == 0) {
        ngx_ws_mgr_envelope_fault(e, &user_ids, pass->users.at,
                                  "expected 1 to 1000 users");
    }

    if (pass->users.at && e->user.data) {
        ngx_ws_mgr_envelope_fault(e, &user_ids, pass->users.at,
                                  "not together with user_id");
    }

    if (pass->exclude.at && (e->user.len != 1 || e->user.data[0] != '*')) {
        ngx_ws_mgr_envelope_fault(e, &exclude_users, pass->exclude.at,
                                  "only together with the user_id \"*\"");
    }

    if (e->to_thread && e->thread.data == NULL) {
        ngx_ws_mgr_envelope_fault(e, &audience, pass->audience.at,
                                  "\"thread\" needs a thread_id");
    }

    if (e->to_thread && e->connection.data) {
        ngx_ws_mgr_envelope_fault(e, &audience, pass->audience.at,
                                  "\"thread\" excludes a connection_id");
    }
}


/* the first fault counts */

static void
ngx_ws_mgr_envelope_fault(ngx_ws_mgr_envelope_t *e, ngx_str_t *member,
    u_char *where, const char *error)
{
    if (e->result != NGX_WS_MGR_ENVELOPE_OK) {
        return;
    }

    e->result = NGX_WS_MGR_ENVELOPE_EVENT;
    e->member = *member;
    e->where = where;
    e->error = error;
}


/* and before any fault of a member goes that of the JSON */

static void
ngx_ws_mgr_envelope_broken(ngx_ws_mgr_envelope_t *e, ngx_ws_mgr_json_t *j,
    ngx_str_t *member)
{
    e->result = j->memory ? NGX_WS_MGR_ENVELOPE_MEMORY
                          : NGX_WS_MGR_ENVELOPE_JSON;
    e->member = j->twice.data ? j->twice : *member;
    e->where = j->where;
    e->error = j->error;
}


void
ngx_ws_mgr_envelope_place(u_char *start, u_char *where, ngx_uint_t *line,
    ngx_uint_t *column)
{
    u_char  *p, *begin;

    *line = 1;
    begin = start;

    for (p = start; p < where; p++) {
        if (*p == '\n') {
            (*line)++;
            begin = p + 1;
        }
    }

    *column = where - begin + 1;
}
