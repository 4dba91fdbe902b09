
/*
 * Copyright (C) the ngx_ws_mgr authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_ws_mgr_api_body.h>
#include <ngx_ws_mgr_api_connections.h>
#include <ngx_ws_mgr_fault.h>
#include <ngx_ws_mgr_api_ask_nodes.h>
#include <ngx_ws_mgr_uri.h>
#include <ngx_ws_mgr_api_users.h>
#include <ngx_ws_mgr_registry_query.h>
#include <ngx_ws_mgr_registry.h>
#include <ngx_ws_mgr_text.h>


#define NGX_WS_MGR_API_USERS_LIMIT  100
#define NGX_WS_MGR_API_USERS_MAX    1000
#define NGX_WS_MGR_API_USERS_LOOKS  64     /* pages looked at, at most */

/* of a cursor: a shard, a hash, and the name as base64url */
#define NGX_WS_MGR_API_USERS_HEAD   (2 + 8)
#define NGX_WS_MGR_API_USERS_CURSOR                                           \
    (NGX_WS_MGR_API_USERS_HEAD + ngx_base64_encoded_length(255))


typedef struct {
    ngx_uint_t               shard;
    ngx_ws_mgr_user_name_t   after;        /* name in data */
    u_char                   data[255];
} ngx_ws_mgr_users_cursor_t;


/* of a user that is disconnected */

typedef struct {
    ngx_str_t                user;
    ngx_uint_t               code;
    ngx_uint_t               n;            /* of this node */
    ngx_uint_t               known;
} ngx_ws_mgr_users_kick_t;


static ngx_int_t ngx_ws_mgr_users_kicked(ngx_http_request_t *r,
    ngx_ws_mgr_engine_op_t *op, void *data);
static ngx_int_t ngx_ws_mgr_users_read_cursor(ngx_http_request_t *r,
    ngx_ws_mgr_users_cursor_t *cursor);
static ngx_int_t ngx_ws_mgr_users_page(ngx_ws_mgr_users_cursor_t *cursor,
    ngx_ws_mgr_text_t *t, ngx_uint_t limit);
static void ngx_ws_mgr_users_cursor_text(ngx_ws_mgr_text_t *t,
    ngx_ws_mgr_users_cursor_t *cursor);


ngx_int_t
ngx_ws_mgr_api_users_list(ngx_http_request_t *r, ngx_str_t *arg)
{
    ngx_int_t                   rc;
    ngx_uint_t                  limit;
    ngx_ws_mgr_text_t           t;
    ngx_ws_mgr_usage_t          usage;
    ngx_ws_mgr_users_cursor_t   cursor;

    (void) arg;

    if (ngx_ws_mgr_api_query_number(r, "limit", 1, NGX_WS_MGR_API_USERS_MAX,
                                    NGX_WS_MGR_API_USERS_LIMIT, &limit)
        != NGX_OK)
    {
        return ngx_ws_mgr_api_fault_member(r, NGX_WS_MGR_FAULT_REQUEST,
                                           "limit", "limit is 1 to 1000");
    }

    if (ngx_ws_mgr_users_read_cursor(r, &cursor) != NGX_OK) {
        return ngx_ws_mgr_api_fault_member(r, NGX_WS_MGR_FAULT_REQUEST,
                                           "after",
                                           "after is what an answer had as"
                                           " next");
    }

    ngx_ws_mgr_census_usage(&usage);

    ngx_ws_mgr_text_init(&t, r->pool, 1024);
    ngx_ws_mgr_text_format(&t, 2 * NGX_INT_T_LEN + 64,
                           "{\"online\":%ui,\"connections\":%ui,\"users\":[",
                           usage.users, usage.connections);

    rc = ngx_ws_mgr_users_page(&cursor, &t, limit);

    if (rc == NGX_ERROR) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_ws_mgr_text_put(&t, "],\"next\":");

    if (rc == NGX_AGAIN) {
        ngx_ws_mgr_users_cursor_text(&t, &cursor);

    } else {
        ngx_ws_mgr_text_put(&t, "null");
    }

    ngx_ws_mgr_text_put(&t, "}");

    return ngx_ws_mgr_api_body_send(r, NGX_HTTP_OK, &t);
}


static ngx_int_t
ngx_ws_mgr_users_read_cursor(ngx_http_request_t *r,
    ngx_ws_mgr_users_cursor_t *cursor)
{
    ngx_int_t  rc, shard, hash;
    ngx_str_t  text, name;
    u_char     data[ngx_base64_decoded_length(NGX_WS_MGR_API_USERS_CURSOR)];

    cursor->shard = 0;
    cursor->after.hash = 0;
    cursor->after.name.len = 0;
    cursor->after.name.data = cursor->data;

    rc = ngx_ws_mgr_api_query(r, "after", &text);

    if (rc == NGX_DECLINED) {
        return NGX_OK;
    }

    if (rc != NGX_OK || text.len < NGX_WS_MGR_API_USERS_HEAD
        || text.len > NGX_WS_MGR_API_USERS_CURSOR)
    {
        return NGX_ABORT;
    }

    shard = ngx_hextoi(text.data, 2);
    hash = ngx_hextoi(text.data + 2, 8);

    if (shard == NGX_ERROR || hash == NGX_ERROR
        || (ngx_uint_t) shard >= ngx_ws_mgr_registry_conf->nshards)
    {
        return NGX_ABORT;
    }

    text.data += NGX_WS_MGR_API_USERS_HEAD;
    text.len -= NGX_WS_MGR_API_USERS_HEAD;
    name.data = data;
    name.len = 0;

    if (text.len != 0
        && (ngx_decode_base64url(&name, &text) != NGX_OK || name.len > 255))
    {
        return NGX_ABORT;
    }

    cursor->shard = shard;
    cursor->after.hash = (uint32_t) hash;
    cursor->after.name.len = name.len;
    ngx_memcpy(cursor->data, data, name.len);

    return NGX_OK;
}


/* NGX_AGAIN: there may be more behind the cursor */

static ngx_int_t
ngx_ws_mgr_users_page(ngx_ws_mgr_users_cursor_t *cursor, ngx_ws_mgr_text_t *t,
    ngx_uint_t limit)
{
    ngx_int_t                rc;
    ngx_uint_t               i, n, shown, looks;
    ngx_ws_mgr_user_name_t  *names;

    names = ngx_palloc(t->pool, limit * sizeof(ngx_ws_mgr_user_name_t));
    if (names == NULL) {
        return NGX_ERROR;
    }

    shown = 0;
    looks = NGX_WS_MGR_API_USERS_LOOKS;

    while (cursor->shard < ngx_ws_mgr_registry_conf->nshards) {

        if (shown == limit || looks-- == 0) {
            return NGX_AGAIN;
        }

        n = limit - shown;

        rc = ngx_ws_mgr_census_users(cursor->shard, &cursor->after, names, &n,
                                     t->pool);
        if (rc == NGX_ERROR) {
            return NGX_ERROR;
        }

        for (i = 0; i < n; i++) {
            if (shown++) {
                ngx_ws_mgr_text_put(t, ",");
            }

            ngx_ws_mgr_text_put(t, "{\"user_id\":");
            ngx_ws_mgr_text_string(t, &names[i].name);
            ngx_ws_mgr_text_format(t, NGX_INT_T_LEN + 32,
                                   ",\"connections\":%ui}",
                                   names[i].connections);
        }

        if (rc == NGX_OK) {
            cursor->shard++;
            cursor->after.hash = 0;
            cursor->after.name.len = 0;
        }
    }

    return NGX_OK;
}


static void
ngx_ws_mgr_users_cursor_text(ngx_ws_mgr_text_t *t,
    ngx_ws_mgr_users_cursor_t *cursor)
{
    u_char     data[ngx_base64_encoded_length(255)];
    ngx_str_t  name;

    name.data = data;
    ngx_encode_base64url(&name, &cursor->after.name);

    ngx_ws_mgr_text_format(t, NGX_WS_MGR_API_USERS_CURSOR + 2,
                           "\"%02xui%08xD%V\"", cursor->shard,
                           cursor->after.hash, &name);
}


ngx_int_t
ngx_ws_mgr_api_users_disconnect(ngx_http_request_t *r, ngx_str_t *user)
{
    ngx_uint_t                code;
    ngx_ws_mgr_api_look_t    *look;
    ngx_ws_mgr_user_info_t    info;
    ngx_ws_mgr_users_kick_t  *kick;

    if (ngx_ws_mgr_api_connections_code(r, &code) != NGX_OK) {
        return ngx_ws_mgr_api_fault_member(r, NGX_WS_MGR_FAULT_REQUEST,
                                           "return",
                                           "return is \"yes\" or \"no\"");
    }

    kick = ngx_palloc(r->pool, sizeof(ngx_ws_mgr_users_kick_t));
    if (kick == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    kick->user = *user;
    kick->code = code;
    kick->known = (ngx_ws_mgr_census_user_info(user, &info) == NGX_OK);

    if (ngx_ws_mgr_engine == NULL) {
        kick->n = ngx_ws_mgr_registry_kick_user(user, code);
        return ngx_ws_mgr_users_kicked(r, NULL, kick);
    }

    look = ngx_ws_mgr_api_look_create(r, ngx_ws_mgr_users_kicked, kick);
    if (look == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_ws_mgr_engine->kick_user(&look->op, user, code);
    kick->n = ngx_ws_mgr_registry_kick_user(user, code);

    return ngx_ws_mgr_api_look_go(look);
}


static ngx_int_t
ngx_ws_mgr_users_kicked(ngx_http_request_t *r, ngx_ws_mgr_engine_op_t *op,
    void *data)
{
    ngx_ws_mgr_text_t         t;
    ngx_ws_mgr_users_kick_t  *kick = data;

    if (op && op->failed) {
        return ngx_ws_mgr_api_fault(r, NGX_WS_MGR_FAULT_UNAVAILABLE,
                                    "redis did not answer: the user's"
                                    " connections to this node are being"
                                    " closed, those to other nodes may not");
    }

    if (!kick->known && !(op && op->nodes->nelts)) {
        return ngx_ws_mgr_api_fault(r, NGX_WS_MGR_FAULT_USER,
                                    "the user has no log and no connection");
    }

    ngx_ws_mgr_text_init(&t, r->pool, 0);
    ngx_ws_mgr_text_put(&t, "{\"user_id\":");
    ngx_ws_mgr_text_string(&t, &kick->user);
    ngx_ws_mgr_text_format(&t, 2 * NGX_INT_T_LEN + 64,
                           ",\"disconnected\":%ui,\"close_code\":%ui", kick->n,
                           kick->code);

    if (op) {
        ngx_ws_mgr_text_format(&t, NGX_INT_T_LEN + 16, ",\"nodes\":%ui",
                               op->nodes->nelts);
    }

    ngx_ws_mgr_text_put(&t, "}");

    return ngx_ws_mgr_api_body_send(r, NGX_HTTP_OK, &t);
}
