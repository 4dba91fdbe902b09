
/*
 * Copyright (C) the ngx_ws_mgr authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_ws_mgr_json.h>
#include <ngx_ws_mgr_json_string.h>
#include <float.h>


#define NGX_WS_MGR_JSON_DIGITS  15         /* of an integer */
#define NGX_WS_MGR_JSON_NUMBER  64         /* bytes of a number to convert */

static u_char *ngx_ws_mgr_json_value(ngx_ws_mgr_json_t *j, u_char *p);
static u_char *ngx_ws_mgr_json_name(ngx_ws_mgr_json_t *j, u_char *p,
    ngx_str_t *name);
static u_char *ngx_ws_mgr_json_numeral(ngx_ws_mgr_json_t *j, u_char *p);
static u_char *ngx_ws_mgr_json_literal(ngx_ws_mgr_json_t *j, u_char *p,
    const char *text, size_t len);
static u_char *ngx_ws_mgr_json_string(ngx_ws_mgr_json_t *j, u_char *p);
static u_char *ngx_ws_mgr_json_fail(ngx_ws_mgr_json_t *j, u_char *where,
    const char *error);


void
ngx_ws_mgr_json_init(ngx_ws_mgr_json_t *j, u_char *start, u_char *end,
    ngx_pool_t *pool)
{
    ngx_memzero(j, offsetof(ngx_ws_mgr_json_t, names));

    j->pos = ngx_ws_mgr_json_blank(start, end);
    j->end = end;
    j->pool = pool;

    ngx_ws_mgr_names_init(&j->names, pool);
}


ngx_int_t
ngx_ws_mgr_json_end(ngx_ws_mgr_json_t *j)
{
    j->pos = ngx_ws_mgr_json_blank(j->pos, j->end);

    if (j->pos != j->end) {
        (void) ngx_ws_mgr_json_fail(j, j->pos,
                                    "trailing bytes after the object");
        return NGX_ERROR;
    }

    return NGX_OK;
}


ngx_int_t
ngx_ws_mgr_json_skip(ngx_ws_mgr_json_t *j)
{
    u_char      *p;
    ngx_int_t    rc;
    ngx_str_t    name;
    ngx_uint_t   depth;

    depth = j->depth;

    do {
        p = j->pos;

        if (p < j->end && (*p == '{' || *p == '[')) {
            rc = ngx_ws_mgr_json_enter(j);
            if (rc != NGX_OK) {
                return rc;
            }

        } else {
            p = ngx_ws_mgr_json_value(j, p);
            if (p == NULL) {
                return NGX_ERROR;
            }

            j->pos = p;
        }

        while (j->depth > depth) {
            rc = ngx_ws_mgr_json_next(j, &name);

            if (rc == NGX_OK) {
                break;
            }

            if (rc == NGX_ERROR) {
                return NGX_ERROR;
            }
        }

    } while (j->depth > depth);

    return NGX_OK;
}


ngx_int_t
ngx_ws_mgr_json_enter(ngx_ws_mgr_json_t *j)
{
    ngx_ws_mgr_json_level_t  *level;

    if (j->depth == NGX_WS_MGR_JSON_DEPTH) {
        (void) ngx_ws_mgr_json_fail(j, j->pos, "nested deeper than 256");
        return NGX_ERROR;
    }

    level = &j->levels[++j->depth];

    ngx_ws_mgr_names_begin(&j->names, &level->names);

    level->close = (*j->pos == '{') ? '}' : ']';

    j->pos++;
    j->fresh = 1;

    return NGX_OK;
}


ngx_int_t
ngx_ws_mgr_json_next(ngx_ws_mgr_json_t *j, ngx_str_t *name)
{
    u_char                   *p;
    ngx_ws_mgr_json_level_t  *level;

    level = &j->levels[j->depth];
    p = ngx_ws_mgr_json_blank(j->pos, j->end);

    if (p < j->end && *p == level->close) {
        ngx_ws_mgr_names_end(&j->names, &level->names);

        j->depth--;
        j->fresh = 0;
        j->pos = p + 1;

        return NGX_DONE;
    }

    if (!j->fresh) {
        if (p == j->end || *p != ',') {
            (void) ngx_ws_mgr_json_fail(j, p, level->close == '}'
                                        ? "expected a comma or a brace"
                                        : "expected a comma or a bracket");
            return NGX_ERROR;
        }

        p = ngx_ws_mgr_json_blank(p + 1, j->end);
    }

    j->fresh = 0;

    if (level->close == '}') {
        p = ngx_ws_mgr_json_name(j, p, name);
        if (p == NULL) {
            return NGX_ERROR;
        }
    }

    j->pos = p;

    return NGX_OK;
}


/* a value without parts */

static u_char *
ngx_ws_mgr_json_value(ngx_ws_mgr_json_t *j, u_char *p)
{
    if (p == j->end) {
        return ngx_ws_mgr_json_fail(j, p, "expected a value");
    }

    switch (*p) {

    case '"':
        return ngx_ws_mgr_json_string(j, p + 1);

    case 't':
        return ngx_ws_mgr_json_literal(j, p, "true", 4);

    case 'f':
        return ngx_ws_mgr_json_literal(j, p, "false", 5);

    case 'n':
        return ngx_ws_mgr_json_literal(j, p, "null", 4);

    default:
        return ngx_ws_mgr_json_numeral(j, p);
    }
}


/* goes to the value of the member */

static u_char *
ngx_ws_mgr_json_name(ngx_ws_mgr_json_t *j, u_char *p, ngx_str_t *name)
{
    u_char     *last;
    ngx_int_t   rc;

    if (p == j->end || *p != '"') {
        return ngx_ws_mgr_json_fail(j, p, "expected a name in quotes");
    }

    j->at = p;

    p = ngx_ws_mgr_json_string(j, p + 1);
    if (p == NULL) {
        return NULL;
    }

    name->data = j->at + 1;
    name->len = p - 1 - name->data;

    if (j->escaped) {
        last = ngx_pnalloc(j->pool, name->len);
        if (last == NULL) {
            (void) ngx_ws_mgr_json_no_memory(j);
            return NULL;
        }

        name->data = last;
        last = ngx_ws_mgr_string_decode(last, j->at + 1, p - 1);
        name->len = last - name->data;

        if (ngx_strlchr(name->data, last, '\0')) {
            return ngx_ws_mgr_json_fail(j, j->at, "name has a NUL");
        }
    }

    rc = ngx_ws_mgr_json_add(j, name);

    if (rc == NGX_ERROR) {
        return NULL;
    }

    if (rc == NGX_DECLINED) {
        j->twice = *name;
        return ngx_ws_mgr_json_fail(j, j->at, "name stands twice");
    }

    p = ngx_ws_mgr_json_blank(p, j->end);

    if (p == j->end || *p != ':') {
        return ngx_ws_mgr_json_fail(j, p, "expected a colon after the name");
    }

    return ngx_ws_mgr_json_blank(p + 1, j->end);
}


/* p is behind the opening quote */

static u_char *
ngx_ws_mgr_json_string(ngx_ws_mgr_json_t *j, u_char *p)
{
    ngx_ws_mgr_string_t  s;

    p = ngx_ws_mgr_string_scan(&s, p, j->end);

    if (p == NULL) {
        return ngx_ws_mgr_json_fail(j, s.where, s.error);
    }

    j->escaped = s.escaped;

    return p;
}


static ngx_inline u_char *
ngx_ws_mgr_json_digits(u_char *p, u_char *end)
{
    while (p < end && *p >= '0' && *p <= '9') {
        p++;
    }

    return p;
}


static u_char *
ngx_ws_mgr_json_numeral(ngx_ws_mgr_json_t *j, u_char *p)
{
    u_char  *start, *digits;

    start = p;

    if (*p == '-') {
        p++;
    }

    digits = p;
    p = ngx_ws_mgr_json_digits(p, j->end);

    if (p == digits) {
        return ngx_ws_mgr_json_fail(j, start, (*start == '-')
                                              ? "expected a digit"
                                              : "expected a value");
    }

    if (*digits == '0' && p != digits + 1) {
        return ngx_ws_mgr_json_fail(j, digits, "number begins with a zero");
    }

    if (p < j->end && *p == '.') {
        digits = ++p;
        p = ngx_ws_mgr_json_digits(p, j->end);

        if (p == digits) {
            return ngx_ws_mgr_json_fail(j, p, "expected a digit");
        }
    }

    if (p < j->end && (*p == 'e' || *p == 'E')) {
        p++;

        if (p < j->end && (*p == '+' || *p == '-')) {
            p++;
        }

        digits = p;
        p = ngx_ws_mgr_json_digits(p, j->end);

        if (p == digits) {
            return ngx_ws_mgr_json_fail(j, p, "expected a digit");
        }
    }

    return p;
}


static u_char *
ngx_ws_mgr_json_literal(ngx_ws_mgr_json_t *j, u_char *p, const char *text,
    size_t len)
{
    if ((size_t) (j->end - p) < len || ngx_memcmp(p, text, len) != 0) {
        return ngx_ws_mgr_json_fail(j, p, "expected a value");
    }

    return p + len;
}


ngx_int_t
ngx_ws_mgr_json_add(ngx_ws_mgr_json_t *j, ngx_str_t *name)
{
    ngx_int_t  rc;

    rc = ngx_ws_mgr_names_add(&j->names, &j->levels[j->depth].names, name);

    return (rc == NGX_ERROR) ? ngx_ws_mgr_json_no_memory(j) : rc;
}


ngx_int_t
ngx_ws_mgr_json_take(ngx_ws_mgr_json_t *j, ngx_ws_mgr_json_value_t *v)
{
    v->start = j->pos;

    if (ngx_ws_mgr_json_skip(j) != NGX_OK) {
        return NGX_ERROR;
    }

    v->end = j->pos;
    v->escaped = j->escaped;

    return NGX_OK;
}


ngx_int_t
ngx_ws_mgr_json_text(ngx_ws_mgr_json_t *j, ngx_ws_mgr_json_value_t *v,
    ngx_str_t *str)
{
    u_char  *p;

    if (*v->start != '"') {
        return NGX_DECLINED;
    }

    str->data = v->start + 1;
    str->len = v->end - 1 - str->data;

    if (!v->escaped) {
        return NGX_OK;
    }

    p = ngx_pnalloc(j->pool, str->len);
    if (p == NULL) {
        return ngx_ws_mgr_json_no_memory(j);
    }

    str->len = ngx_ws_mgr_string_decode(p, str->data, v->end - 1) - p;
    str->data = p;

    return NGX_OK;
}


ngx_int_t
ngx_ws_mgr_json_integer(ngx_ws_mgr_json_value_t *v, uint64_t *n)
{
    u_char    *p;
    uint64_t   value;

    if (v->end - v->start > NGX_WS_MGR_JSON_DIGITS) {
        return NGX_DECLINED;
    }

    value = 0;

    for (p = v->start; p < v->end; p++) {
        if (*p < '0' || *p > '9') {
            return NGX_DECLINED;
        }

        value = value * 10 + (*p - '0');
    }

    *n = value;

    return NGX_OK;
}


ngx_int_t
ngx_ws_mgr_json_number(ngx_ws_mgr_json_value_t *v, double *n)
{
    char    *end, text[NGX_WS_MGR_JSON_NUMBER];
    size_t   len;
    double   value;

    len = v->end - v->start;

    if (len >= sizeof(text)
        || (*v->start != '-' && (*v->start < '0' || *v->start > '9')))
    {
        return NGX_DECLINED;
    }

    ngx_memcpy(text, v->start, len);
    text[len] = '\0';

    value = strtod(text, &end);

    if (end != text + len || value > DBL_MAX || value < -DBL_MAX) {
        return NGX_DECLINED;
    }

    *n = value;

    return NGX_OK;
}


u_char *
ngx_ws_mgr_json_leap(u_char *p, u_char *end)
{
    u_char      *start;
    ngx_uint_t   depth;

    start = p;
    depth = 0;

    while (p < end) {

        switch (*p) {

        case '{':
        case '[':
            depth++;
            break;

        case '}':
        case ']':
            if (depth == 0) {
                return (p == start) ? NULL : p;
            }

            depth--;

            if (depth == 0) {
                return p + 1;
            }

            break;

        case '"':
            p = ngx_ws_mgr_string_run(p + 1, end);

            while (p < end && *p != '"') {
                p += (*p == '\\' && p + 1 < end) ? 2 : 1;
                p = ngx_ws_mgr_string_run(p, end);
            }

            if (p == end) {
                return NULL;
            }

            break;

        case ',':
        case ' ':
        case '\t':
        case '\r':
        case '\n':
            if (depth == 0) {
                return (p == start) ? NULL : p;
            }
        }

        p++;
    }

    return NULL;
}


ngx_int_t
ngx_ws_mgr_json_no_memory(ngx_ws_mgr_json_t *j)
{
    j->memory = 1;
    (void) ngx_ws_mgr_json_fail(j, j->pos, "no memory");

    return NGX_ERROR;
}


static u_char *
ngx_ws_mgr_json_fail(ngx_ws_mgr_json_t *j, u_char *where, const char *error)
{
    j->where = where;
    j->error = error;

    return NULL;
}
