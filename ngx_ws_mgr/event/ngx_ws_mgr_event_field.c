
/*
 * Copyright (C) the ngx_ws_mgr authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_ws_mgr_event_field.h>


/* a byte in each of eight */
#define NGX_WS_MGR_FIELD_EACH(c)  (0x0101010101010101ULL * (c))


static ngx_int_t ngx_ws_mgr_field_string(ngx_ws_mgr_json_t *j, ngx_str_t *str,
    u_char **where);
static ngx_int_t ngx_ws_mgr_field_word(ngx_ws_mgr_json_t *j,
    const ngx_str_t *words, ngx_ws_mgr_field_word_t *word, u_char **where);
static ngx_int_t ngx_ws_mgr_field_check_id(ngx_str_t *id);
static ngx_int_t ngx_ws_mgr_field_user(ngx_ws_mgr_json_t *j,
    ngx_array_t *users, ngx_array_t *raw, ngx_ws_mgr_field_fault_t *fault);
static ngx_int_t ngx_ws_mgr_field_count(ngx_ws_mgr_json_t *j,
    ngx_str_t *name, ngx_ws_mgr_field_usage_t *usage);
static ngx_int_t ngx_ws_mgr_field_decline(ngx_ws_mgr_field_fault_t *fault,
    u_char *where, const char *error);


/* in the order of ngx_ws_mgr_class_e */

static const ngx_str_t  ngx_ws_mgr_field_classes[] = {
    ngx_string("must"),
    ngx_string("latest"),
    ngx_string("drop"),
    ngx_null_string
};


static const ngx_str_t  ngx_ws_mgr_field_audiences[] = {
    ngx_string("user"),
    ngx_string("thread"),
    ngx_null_string
};


static const char  ngx_ws_mgr_field_expected_id[] =
    "expected a string of 1 to 255 bytes without control characters";


ngx_int_t
ngx_ws_mgr_field_any(ngx_ws_mgr_json_t *j, void *dst,
    ngx_ws_mgr_field_fault_t *fault)
{
    (void) dst;
    (void) fault;

    return ngx_ws_mgr_json_skip(j);
}


ngx_int_t
ngx_ws_mgr_field_owned(ngx_ws_mgr_json_t *j, void *dst,
    ngx_ws_mgr_field_fault_t *fault)
{
    u_char  *name;

    (void) dst;

    name = j->at;

    if (ngx_ws_mgr_json_skip(j) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_ws_mgr_field_decline(fault, name, "server-owned member");
}


ngx_int_t
ngx_ws_mgr_field_type(ngx_ws_mgr_json_t *j, void *dst,
    ngx_ws_mgr_field_fault_t *fault)
{
    u_char      c, *where;
    ngx_int_t   rc;
    ngx_str_t   type;
    ngx_uint_t  i;

    rc = ngx_ws_mgr_field_string(j, &type, &where);

    if (rc == NGX_ERROR) {
        return NGX_ERROR;
    }

    if (rc == NGX_DECLINED
        || type.len == 0
        || type.len > NGX_WS_MGR_FIELD_TYPE)
    {
        return ngx_ws_mgr_field_decline(fault, where,
                                        "expected a string of 1 to 64 bytes");
    }

    for (i = 0; i < type.len; i++) {
        c = type.data[i];

        if ((c < 'a' || c > 'z')
            && (c < 'A' || c > 'Z')
            && (c < '0' || c > '9')
            && c != '_' && c != '.' && c != ':' && c != '-')
        {
            return ngx_ws_mgr_field_decline(fault, where,
                                   "expected only letters, digits and _.:-");
        }
    }

    *(ngx_str_t *) dst = type;

    return NGX_OK;
}


ngx_int_t
ngx_ws_mgr_field_id(ngx_ws_mgr_json_t *j, void *dst,
    ngx_ws_mgr_field_fault_t *fault)
{
    u_char     *where;
    ngx_int_t   rc;
    ngx_str_t   id;

    rc = ngx_ws_mgr_field_string(j, &id, &where);

    if (rc == NGX_OK) {
        rc = ngx_ws_mgr_field_check_id(&id);
    }

    if (rc == NGX_OK) {
        *(ngx_str_t *) dst = id;
    }

    if (rc == NGX_DECLINED) {
        return ngx_ws_mgr_field_decline(fault, where,
                                        ngx_ws_mgr_field_expected_id);
    }

    return rc;
}


ngx_int_t
ngx_ws_mgr_field_optional_id(ngx_ws_mgr_json_t *j, void *dst,
    ngx_ws_mgr_field_fault_t *fault)
{
    if (j->pos < j->end && *j->pos == 'n') {
        return ngx_ws_mgr_json_skip(j);
    }

    return ngx_ws_mgr_field_id(j, dst, fault);
}


ngx_int_t
ngx_ws_mgr_field_text(ngx_ws_mgr_json_t *j, void *dst,
    ngx_ws_mgr_field_fault_t *fault)
{
    u_char     *where;
    ngx_int_t   rc;
    ngx_str_t   text;

    (void) fault;

    rc = ngx_ws_mgr_field_string(j, &text, &where);

    if (rc == NGX_OK) {
        *(ngx_str_t *) dst = text;
    }

    return (rc == NGX_ERROR) ? NGX_ERROR : NGX_OK;
}


ngx_int_t
ngx_ws_mgr_field_users(ngx_ws_mgr_json_t *j, void *dst,
    ngx_ws_mgr_field_fault_t *fault)
{
    u_char                    *at;
    ngx_int_t                  rc;
    ngx_str_t                  none;
    ngx_array_t                users, raw;
    ngx_ws_mgr_field_users_t  *list;

    at = j->at;
    fault->error = NULL;

    if (j->pos == j->end || *j->pos != '[') {
        (void) ngx_ws_mgr_field_decline(fault, j->pos,
                                        "expected an array of users");

        rc = ngx_ws_mgr_json_skip(j);

        return (rc == NGX_OK) ? NGX_DECLINED : rc;
    }

    if (ngx_array_init(&users, j->pool, 16, sizeof(ngx_str_t)) != NGX_OK
        || ngx_array_init(&raw, j->pool, 16, sizeof(ngx_str_t)) != NGX_OK)
    {
        return ngx_ws_mgr_json_no_memory(j);
    }

    if (ngx_ws_mgr_json_enter(j) != NGX_OK) {
        return NGX_ERROR;
    }

    for ( ;; ) {
        rc = ngx_ws_mgr_json_next(j, &none);

        if (rc == NGX_DONE) {
            break;
        }

        if (rc == NGX_OK) {
            rc = ngx_ws_mgr_field_user(j, &users, &raw, fault);
        }

        if (rc != NGX_OK) {
            return NGX_ERROR;
        }
    }

    if (fault->error) {
        return NGX_DECLINED;
    }

    list = dst;

    list->users = users.elts;
    list->raw = raw.elts;
    list->n = users.nelts;
    list->at = at;

    return NGX_OK;
}


/* one of a list; the first fault is kept, the rest is only walked */

static ngx_int_t
ngx_ws_mgr_field_user(ngx_ws_mgr_json_t *j, ngx_array_t *users,
    ngx_array_t *raw, ngx_ws_mgr_field_fault_t *fault)
{
    ngx_int_t                rc;
    ngx_str_t               *p, user;
    ngx_ws_mgr_json_value_t  v;

    if (ngx_ws_mgr_json_take(j, &v) != NGX_OK) {
        return NGX_ERROR;
    }

    if (fault->error) {
        return NGX_OK;
    }

    if (users->nelts == NGX_WS_MGR_FIELD_USERS) {
        (void) ngx_ws_mgr_field_decline(fault, v.start,
                                        "more than 1000 users");
        return NGX_OK;
    }

    rc = ngx_ws_mgr_json_text(j, &v, &user);

    if (rc == NGX_OK) {
        rc = ngx_ws_mgr_field_check_id(&user);
    }

    if (rc == NGX_DECLINED) {
        (void) ngx_ws_mgr_field_decline(fault, v.start,
                                        ngx_ws_mgr_field_expected_id);
        return NGX_OK;
    }

    if (rc == NGX_OK && user.len == 1 && user.data[0] == '*') {
        (void) ngx_ws_mgr_field_decline(fault, v.start,
                                        "\"*\" is not a user");
        return NGX_OK;
    }

    if (rc == NGX_OK) {
        rc = ngx_ws_mgr_json_add(j, &user);
    }

    if (rc == NGX_DECLINED) {
        (void) ngx_ws_mgr_field_decline(fault, v.start, "user stands twice");
        return NGX_OK;
    }

    if (rc == NGX_ERROR) {
        return NGX_ERROR;
    }

    p = ngx_array_push(users);
    if (p == NULL) {
        return ngx_ws_mgr_json_no_memory(j);
    }

    *p = user;

    p = ngx_array_push(raw);
    if (p == NULL) {
        return ngx_ws_mgr_json_no_memory(j);
    }

    p->data = v.start;
    p->len = v.end - v.start;

    return NGX_OK;
}


ngx_int_t
ngx_ws_mgr_field_audience(ngx_ws_mgr_json_t *j, void *dst,
    ngx_ws_mgr_field_fault_t *fault)
{
    u_char     *where;
    ngx_int_t   rc;

    rc = ngx_ws_mgr_field_word(j, ngx_ws_mgr_field_audiences, dst, &where);

    if (rc == NGX_DECLINED) {
        return ngx_ws_mgr_field_decline(fault, where,
                                        "expected \"user\" or \"thread\"");
    }

    return rc;
}


ngx_int_t
ngx_ws_mgr_field_class(ngx_ws_mgr_json_t *j, void *dst,
    ngx_ws_mgr_field_fault_t *fault)
{
    u_char     *where;
    ngx_int_t   rc;

    rc = ngx_ws_mgr_field_word(j, ngx_ws_mgr_field_classes, dst, &where);

    if (rc == NGX_DECLINED) {
        return ngx_ws_mgr_field_decline(fault, where,
                               "expected \"must\", \"latest\" or \"drop\"");
    }

    return rc;
}


ngx_int_t
ngx_ws_mgr_field_ttl(ngx_ws_mgr_json_t *j, void *dst,
    ngx_ws_mgr_field_fault_t *fault)
{
    uint64_t                 ttl;
    ngx_ws_mgr_json_value_t  v;

    if (ngx_ws_mgr_json_take(j, &v) != NGX_OK) {
        return NGX_ERROR;
    }

    if (ngx_ws_mgr_json_integer(&v, &ttl) != NGX_OK
        || ttl < 1
        || ttl > NGX_WS_MGR_FIELD_TTL)
    {
        return ngx_ws_mgr_field_decline(fault, v.start,
                                    "expected an integer, 1 to 86400000");
    }

    *(uint64_t *) dst = ttl;

    return NGX_OK;
}


ngx_int_t
ngx_ws_mgr_field_usage(ngx_ws_mgr_json_t *j, void *dst,
    ngx_ws_mgr_field_fault_t *fault)
{
    ngx_int_t                 rc;
    ngx_str_t                 name;
    ngx_uint_t                well;
    ngx_ws_mgr_field_usage_t  usage;

    well = 1;
    fault->error = NULL;
    ngx_memzero(&usage, sizeof(ngx_ws_mgr_field_usage_t));

    if (j->pos == j->end || *j->pos != '{') {
        return ngx_ws_mgr_json_skip(j);
    }

    if (ngx_ws_mgr_json_enter(j) != NGX_OK) {
        return NGX_ERROR;
    }

    for ( ;; ) {
        rc = ngx_ws_mgr_json_next(j, &name);

        if (rc == NGX_DONE) {
            break;
        }

        if (rc == NGX_OK) {
            rc = ngx_ws_mgr_field_count(j, &name, &usage);
        }

        if (rc == NGX_ERROR) {
            return NGX_ERROR;
        }

        if (rc == NGX_DECLINED) {
            well = 0;
        }

        if (rc == NGX_ABORT && fault->error == NULL) {
            (void) ngx_ws_mgr_field_decline(fault, j->at,
                                            NGX_WS_MGR_FIELD_ESCAPED);
        }
    }

    if (fault->error) {
        return NGX_DECLINED;
    }

    if (well && usage.present) {
        *(ngx_ws_mgr_field_usage_t *) dst = usage;
    }

    return NGX_OK;
}


/*
 * One member of token usage.  NGX_DECLINED: not a number as expected;
 * NGX_ABORT: one of the names, written with escapes.
 */

static ngx_int_t
ngx_ws_mgr_field_count(ngx_ws_mgr_json_t *j, ngx_str_t *name,
    ngx_ws_mgr_field_usage_t *usage)
{
    double                   cost;
    ngx_int_t                i, escaped;
    ngx_ws_mgr_json_value_t  v;

    static const ngx_str_t  names[] = {
        ngx_string("input_tokens"),
        ngx_string("output_tokens"),
        ngx_string("cost")
    };

    escaped = j->escaped;

    for (i = 2; i >= 0; i--) {
        if (names[i].len == name->len
            && ngx_memcmp(names[i].data, name->data, name->len) == 0)
        {
            break;
        }
    }

    if (i < 0) {
        return ngx_ws_mgr_json_skip(j);
    }

    if (ngx_ws_mgr_json_take(j, &v) != NGX_OK) {
        return NGX_ERROR;
    }

    if (escaped) {
        return NGX_ABORT;
    }

    if (*v.start == 'n') {
        return NGX_OK;
    }

    usage->present = 1;

    if (i < 2) {
        return ngx_ws_mgr_json_integer(&v, &usage->tokens[i]);
    }

    if (ngx_ws_mgr_json_number(&v, &cost) != NGX_OK || cost < 0) {
        return NGX_DECLINED;
    }

    usage->cost = cost;

    return NGX_OK;
}


/* NGX_DECLINED: not a string */

static ngx_int_t
ngx_ws_mgr_field_string(ngx_ws_mgr_json_t *j, ngx_str_t *str, u_char **where)
{
    ngx_ws_mgr_json_value_t  v;

    if (ngx_ws_mgr_json_take(j, &v) != NGX_OK) {
        return NGX_ERROR;
    }

    *where = v.start;

    return ngx_ws_mgr_json_text(j, &v, str);
}


/* the index in a list that ends with no word */

static ngx_int_t
ngx_ws_mgr_field_word(ngx_ws_mgr_json_t *j, const ngx_str_t *words,
    ngx_ws_mgr_field_word_t *word, u_char **where)
{
    u_char      *at;
    ngx_int_t    rc;
    ngx_str_t    str;
    ngx_uint_t   i;

    at = j->at;
    rc = ngx_ws_mgr_field_string(j, &str, where);

    if (rc != NGX_OK) {
        return rc;
    }

    for (i = 0; words[i].len; i++) {

        if (words[i].len == str.len
            && ngx_memcmp(words[i].data, str.data, str.len) == 0)
        {
            word->n = i;
            word->at = at;

            return NGX_OK;
        }
    }

    return NGX_DECLINED;
}


/*
 * Eight bytes at a time while they are certainly no control characters, then
 * one by one; U+0080 to U+009F are such too.
 */

static ngx_int_t
ngx_ws_mgr_field_check_id(ngx_str_t *id)
{
    u_char    *p, *last;
    uint64_t   w;

    if (id->len == 0 || id->len > NGX_WS_MGR_FIELD_ID) {
        return NGX_DECLINED;
    }

    last = id->data + id->len;

    for (p = id->data; last - p >= 8; p += 8) {
        ngx_memcpy(&w, p, 8);

        if (((w - NGX_WS_MGR_FIELD_EACH(0x20))
             | (w + NGX_WS_MGR_FIELD_EACH(0x01)))
            & NGX_WS_MGR_FIELD_EACH(0x80))
        {
            break;
        }
    }

    for ( /* void */ ; p < last; p++) {
        if (*p < 0x20 || *p == 0x7f || (*p == 0xc2 && p[1] < 0xa0)) {
            return NGX_DECLINED;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_ws_mgr_field_decline(ngx_ws_mgr_field_fault_t *fault, u_char *where,
    const char *error)
{
    fault->where = where;
    fault->error = error;

    return NGX_DECLINED;
}
