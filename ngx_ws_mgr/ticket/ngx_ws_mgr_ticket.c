
/*
 * Copyright (C) the ngx_ws_mgr authors
 */


#include <ngx_ws_mgr_ticket.h>
#include <openssl/rand.h>


static const char *ngx_ws_mgr_ticket_read(json_t *record,
    ngx_ws_mgr_ticket_t *t);
static size_t ngx_ws_mgr_ticket_permissions(json_t *list, u_char *p);
static ngx_int_t ngx_ws_mgr_ticket_check_permission(json_t *name);


ngx_int_t
ngx_ws_mgr_ticket_check_id(ngx_str_t *id)
{
    u_char  c, *p, *last;

    if (id->len != NGX_WS_MGR_TICKET_ID) {
        return NGX_DECLINED;
    }

    last = id->data + id->len;

    for (p = id->data; p < last; p++) {
        c = *p | 0x20;

        if ((c >= 'a' && c <= 'z') || (*p >= '0' && *p <= '9')
            || *p == '-' || *p == '_')
        {
            continue;
        }

        return NGX_DECLINED;
    }

    return NGX_OK;
}


ngx_int_t
ngx_ws_mgr_ticket_make_id(u_char *p)
{
    u_char     random[32];
    ngx_str_t  src, dst;

    if (RAND_bytes(random, sizeof(random)) != 1) {
        return NGX_ERROR;
    }

    src.len = sizeof(random);
    src.data = random;
    dst.data = p;

    ngx_encode_base64url(&dst, &src);

    return NGX_OK;
}


/*
 * jansson reports a syntax error where it lacks memory for a token, and nothing
 * at all where it lacks memory for a value.  malloc() sets errno.
 */

ngx_int_t
ngx_ws_mgr_ticket_load(ngx_str_t *text, size_t flags, json_t **root,
    json_error_t *error)
{
    ngx_set_errno(0);

    *root = json_loadb((char *) text->data, text->len,
                       JSON_REJECT_DUPLICATES|JSON_ALLOW_NUL|flags, error);
    if (*root) {
        return NGX_OK;
    }

    return (ngx_errno == NGX_ENOMEM) ? NGX_ERROR : NGX_DECLINED;
}


ngx_int_t
ngx_ws_mgr_ticket_parse(ngx_str_t *record, ngx_pool_t *pool,
    ngx_ws_mgr_ticket_t *t, const char **error)
{
    u_char     *user, *permissions;
    json_t     *root, *list;
    ngx_int_t   rc;

    if (record->len > NGX_WS_MGR_TICKET_RECORD) {
        *error = "the record is too large";
        return NGX_DECLINED;
    }

    rc = ngx_ws_mgr_ticket_load(record, 0, &root, NULL);
    if (rc != NGX_OK) {
        *error = "the record is not JSON";
        return rc;
    }

    *error = ngx_ws_mgr_ticket_read(root, t);
    if (*error) {
        json_decref(root);
        return NGX_DECLINED;
    }

    list = json_object_get(root, "permissions");

    t->permissions.len = ngx_ws_mgr_ticket_permissions(list, NULL);

    user = ngx_pnalloc(pool, t->user.len + t->permissions.len);
    if (user == NULL) {
        json_decref(root);
        return NGX_ERROR;
    }

    permissions = ngx_cpymem(user, t->user.data, t->user.len);
    (void) ngx_ws_mgr_ticket_permissions(list, permissions);

    t->user.data = user;
    t->permissions.data = permissions;

    json_decref(root);

    return NGX_OK;
}


/* the user stays in the tree; what is wrong with the record, or NULL */

static const char *
ngx_ws_mgr_ticket_read(json_t *record, ngx_ws_mgr_ticket_t *t)
{
    json_t  *user, *expires;

    if (!json_is_object(record)) {
        return "the record is not an object";
    }

    user = json_object_get(record, "user_id");
    if (!json_is_string(user)) {
        return "user_id is missing or not a string";
    }

    t->user.len = json_string_length(user);
    t->user.data = (u_char *) json_string_value(user);

    if (ngx_ws_mgr_ticket_check_user(&t->user) != NGX_OK) {
        return "user_id is not a user";
    }

    expires = json_object_get(record, "expires_at");
    if (!json_is_number(expires)) {
        return "expires_at is missing or not a number";
    }

    t->expires_at = json_number_value(expires);
    t->single_use = !json_is_false(json_object_get(record, "single_use"));

    return NULL;
}


/* writes the permissions space separated, or with p == NULL measures them */

static size_t
ngx_ws_mgr_ticket_permissions(json_t *list, u_char *p)
{
    size_t   i, len, n;
    json_t  *name;

    len = 0;

    json_array_foreach(list, i, name) {

        if (ngx_ws_mgr_ticket_check_permission(name) != NGX_OK) {
            continue;
        }

        n = json_string_length(name);

        if (p) {
            if (len) {
                *p++ = ' ';
            }

            p = ngx_cpymem(p, json_string_value(name), n);
        }

        len += (len ? 1 : 0) + n;
    }

    return len;
}


/* it travels as a word of a header field */

static ngx_int_t
ngx_ws_mgr_ticket_check_permission(json_t *name)
{
    size_t         n;
    const u_char  *p;

    if (!json_is_string(name) || json_string_length(name) == 0) {
        return NGX_DECLINED;
    }

    p = (const u_char *) json_string_value(name);

    for (n = json_string_length(name); n; n--, p++) {
        if (*p <= ' ' || *p == 0x7f) {
            return NGX_DECLINED;
        }
    }

    return NGX_OK;
}


ngx_ws_mgr_ticket_result_e
ngx_ws_mgr_ticket_check(ngx_ws_mgr_ticket_op_t *op, ngx_ws_mgr_ticket_t *t)
{
    ngx_int_t    rc;
    const char  *error;

    rc = ngx_ws_mgr_ticket_parse(&op->record, op->pool, t, &error);

    if (rc == NGX_ERROR) {
        return NGX_WS_MGR_TICKET_NO_MEMORY;
    }

    if (rc == NGX_DECLINED) {
        ngx_log_error(NGX_LOG_ALERT, op->log, 0,
                      "ws_mgr ticket cannot be issued: %s", error);
        return NGX_WS_MGR_TICKET_UNAVAILABLE;
    }

    return NGX_WS_MGR_TICKET_OK;
}


ngx_uint_t
ngx_ws_mgr_ticket_permits(ngx_str_t *permissions, ngx_str_t *name)
{
    u_char  *p, *end, *word, *last;

    word = permissions->data;
    last = word + permissions->len;

    for ( ;; ) {
        p = ngx_strlchr(word, last, ' ');
        end = (p == NULL) ? last : p;

        if ((size_t) (end - word) == name->len
            && ngx_strncmp(word, name->data, name->len) == 0)
        {
            return 1;
        }

        if (p == NULL) {
            return 0;
        }

        word = p + 1;
    }
}


ngx_int_t
ngx_ws_mgr_ticket_check_user(ngx_str_t *user)
{
    u_char    *p, *start, *last;
    uint32_t   u;

    if (user->len == 0 || user->len > NGX_WS_MGR_USER_MAX
        || (user->len == 1 && user->data[0] == '*'))
    {
        return NGX_DECLINED;
    }

    p = user->data;
    last = p + user->len;

    while (p < last) {

        if (*p < 0x80) {
            if (*p < 0x20 || *p == 0x7f) {
                return NGX_DECLINED;
            }

            p++;
            continue;
        }

        start = p;
        u = ngx_utf8_decode(&p, last - p);

        /* RFC 3629; ngx_utf8_decode() is laxer about the bytes themselves */

        if (u > 0x10ffff || u < 0xa0 || (u >= 0xd800 && u <= 0xdfff)
            || *start > 0xf4)
        {
            return NGX_DECLINED;
        }

        while (++start < p) {
            if ((*start & 0xc0) != 0x80) {
                return NGX_DECLINED;
            }
        }
    }

    return NGX_OK;
}
