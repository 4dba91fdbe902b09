
/*
 * Copyright (C) the ngx_ws_mgr authors
 *
 * A scanner of JSON (RFC 8259): it validates and walks, and builds nothing.
 * Neither recursion nor, where objects have few names and these no escapes,
 * allocation.
 */


#ifndef _NGX_WS_MGR_JSON_H_INCLUDED_
#define _NGX_WS_MGR_JSON_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_ws_mgr_json_names.h>


#define NGX_WS_MGR_JSON_DEPTH  256         /* nested arrays and objects */


typedef struct {
    ngx_ws_mgr_names_set_t    names;       /* those that it has so far */
    u_char                    close;       /* '}' or ']' */
} ngx_ws_mgr_json_level_t;


typedef struct {
    u_char                   *pos;         /* the next byte */
    u_char                   *end;
    u_char                   *at;          /* the quote of the latest name */
    ngx_pool_t               *pool;

    /* the fault: where, what; the name, if it is one that stands twice */
    u_char                   *where;
    const char               *error;       /* static text */
    ngx_str_t                 twice;

    unsigned                  memory:1;    /* the fault is that of the pool */
    unsigned                  escaped:1;   /* the latest string has escapes */
    unsigned                  fresh:1;     /* just behind '{' or '[' */

    ngx_uint_t                depth;
    ngx_ws_mgr_names_t        names;
    ngx_ws_mgr_json_level_t   levels[NGX_WS_MGR_JSON_DEPTH + 1];
} ngx_ws_mgr_json_t;


/* a valid value as it stands in the text */

typedef struct {
    u_char                   *start;
    u_char                   *end;
    ngx_uint_t                escaped;     /* a string that has escapes */
} ngx_ws_mgr_json_value_t;


/* over white space */

static ngx_inline u_char *
ngx_ws_mgr_json_blank(u_char *p, u_char *end)
{
    while (p < end && *p <= ' '
           && (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t'))
    {
        p++;
    }

    return p;
}


/*
 * The text is not changed and must outlive *j.  The pool is used for names
 * with escapes and for objects with very many names.  White space at the
 * start is gone over.
 */
void ngx_ws_mgr_json_init(ngx_ws_mgr_json_t *j, u_char *start, u_char *end,
    ngx_pool_t *pool);

/*
 * Validates the value at j->pos and goes behind it.  Where that is a string,
 * j->escaped says whether it has escapes.
 * NGX_ERROR: j->error, j->where.
 */
ngx_int_t ngx_ws_mgr_json_skip(ngx_ws_mgr_json_t *j);

/* the same, and says what it went over */
ngx_int_t ngx_ws_mgr_json_take(ngx_ws_mgr_json_t *j,
    ngx_ws_mgr_json_value_t *v);

/* j->pos is at '{' or '['; the caller then walks by ngx_ws_mgr_json_next() */
ngx_int_t ngx_ws_mgr_json_enter(ngx_ws_mgr_json_t *j);

/*
 * To the next value of the innermost object or array that was entered, after
 * the caller took the one before by skip or by enter and next.  NGX_OK: j->pos
 * is at the value, "name" is that of the member, decoded, and j->escaped says
 * that it was posted with escapes; NGX_DONE: j->pos is behind the closing
 * bracket, which ended the level; NGX_ERROR.
 */
ngx_int_t ngx_ws_mgr_json_next(ngx_ws_mgr_json_t *j, ngx_str_t *name);

/*
 * Adds to the names of the innermost level, for a caller who wants a set of
 * the strings of an array; the bytes outlive it.  NGX_DECLINED: it is there.
 */
ngx_int_t ngx_ws_mgr_json_add(ngx_ws_mgr_json_t *j, ngx_str_t *name);

/* NGX_ERROR: there is more than white space at j->pos */
ngx_int_t ngx_ws_mgr_json_end(ngx_ws_mgr_json_t *j);

/* notes that the fault is that of the pool; returns NGX_ERROR */
ngx_int_t ngx_ws_mgr_json_no_memory(ngx_ws_mgr_json_t *j);

/*
 * What a value is as a string (in the text, or in the pool where it has
 * escapes), as an integer (digits alone, at most 15), as a finite number.
 * NGX_DECLINED: it is none; NGX_ERROR: no memory.
 */
ngx_int_t ngx_ws_mgr_json_text(ngx_ws_mgr_json_t *j,
    ngx_ws_mgr_json_value_t *v, ngx_str_t *str);
ngx_int_t ngx_ws_mgr_json_integer(ngx_ws_mgr_json_value_t *v, uint64_t *n);
ngx_int_t ngx_ws_mgr_json_number(ngx_ws_mgr_json_value_t *v, double *n);

/*
 * The end of the value at p, if its text is valid: only strings and brackets
 * are looked at.  NULL: there is no end, or no value begins there.
 */
u_char *ngx_ws_mgr_json_leap(u_char *p, u_char *end);


#endif /* _NGX_WS_MGR_JSON_H_INCLUDED_ */
