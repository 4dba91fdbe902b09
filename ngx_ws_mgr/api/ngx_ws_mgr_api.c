
/*
 * Copyright (C) the ngx_ws_mgr authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_ws_mgr_api.h>
#include <ngx_ws_mgr_api_body.h>
#include <ngx_ws_mgr_api_connections.h>
#include <ngx_ws_mgr_api_events_get.h>
#include <ngx_ws_mgr_fault.h>
#include <ngx_ws_mgr_api_access.h>
#include <ngx_ws_mgr_api_user.h>
#include <ngx_ws_mgr_uri.h>
#include <ngx_ws_mgr_api_events_post.h>
#include <ngx_ws_mgr_api_tickets.h>
#include <ngx_ws_mgr_api_users.h>
#include <ngx_ws_mgr_counter.h>
#include <ngx_ws_mgr_problem.h>
#include <ngx_ws_mgr_header.h>
#include <ngx_ws_mgr_status.h>
#include <ngx_ws_mgr_status_page.h>
#include <ngx_ws_mgr_text.h>


#define NGX_WS_MGR_API_ALLOW_LEN  sizeof("GET, HEAD, POST, DELETE")


/* what the page of the root asks */
#define NGX_WS_MGR_API_PAGE  (NGX_WS_MGR_API_STATUS | NGX_WS_MGR_API_USERS)


typedef enum {
    NGX_WS_MGR_API_PLAIN = 0,              /* <resource> */
    NGX_WS_MGR_API_USER,                   /* <resource>/<user> */
    NGX_WS_MGR_API_ID                      /* <resource>/<id> */
} ngx_ws_mgr_api_arg_e;


typedef struct {
    ngx_uint_t              method;
    ngx_str_t               resource;
    ngx_ws_mgr_api_arg_e    arg;
    ngx_uint_t              bit;           /* of lcf->api */
    ngx_ws_mgr_api_pt       handler;
} ngx_ws_mgr_api_row_t;


static ngx_int_t ngx_ws_mgr_api_route(ngx_http_request_t *r,
    ngx_ws_mgr_loc_conf_t *conf, ngx_str_t *resource, ngx_str_t *arg);
static ngx_int_t ngx_ws_mgr_api_check_user(ngx_ws_mgr_loc_conf_t *conf,
    ngx_ws_mgr_api_row_t *row, ngx_str_t *user);
static ngx_int_t ngx_ws_mgr_api_not_allowed(ngx_http_request_t *r,
    ngx_uint_t methods);
static ngx_int_t ngx_ws_mgr_api_index(ngx_http_request_t *r,
    ngx_ws_mgr_loc_conf_t *conf);
static ngx_int_t ngx_ws_mgr_api_page(ngx_http_request_t *r);
static ngx_int_t ngx_ws_mgr_api_list(ngx_http_request_t *r,
    ngx_ws_mgr_loc_conf_t *conf);


static ngx_ws_mgr_api_row_t  ngx_ws_mgr_api_rows[] = {

    { NGX_HTTP_POST, ngx_string("events"), NGX_WS_MGR_API_PLAIN,
      NGX_WS_MGR_API_EVENTS, ngx_ws_mgr_api_publish },

    { NGX_HTTP_GET, ngx_string("events"), NGX_WS_MGR_API_USER,
      NGX_WS_MGR_API_EVENTS, ngx_ws_mgr_api_events },

    { NGX_HTTP_POST, ngx_string("tickets"), NGX_WS_MGR_API_PLAIN,
      NGX_WS_MGR_API_TICKETS, ngx_ws_mgr_api_tickets_issue },

    { NGX_HTTP_GET, ngx_string("tickets"), NGX_WS_MGR_API_ID,
      NGX_WS_MGR_API_TICKETS, ngx_ws_mgr_api_tickets_look },

    { NGX_HTTP_DELETE, ngx_string("tickets"), NGX_WS_MGR_API_ID,
      NGX_WS_MGR_API_TICKETS, ngx_ws_mgr_api_tickets_revoke },

    { NGX_HTTP_GET, ngx_string("users"), NGX_WS_MGR_API_PLAIN,
      NGX_WS_MGR_API_USERS, ngx_ws_mgr_api_users_list },

    { NGX_HTTP_GET, ngx_string("users"), NGX_WS_MGR_API_USER,
      NGX_WS_MGR_API_USERS, ngx_ws_mgr_api_online },

    { NGX_HTTP_DELETE, ngx_string("users"), NGX_WS_MGR_API_USER,
      NGX_WS_MGR_API_USERS, ngx_ws_mgr_api_users_disconnect },

    { NGX_HTTP_GET, ngx_string("connections"), NGX_WS_MGR_API_ID,
      NGX_WS_MGR_API_CONNECTIONS, ngx_ws_mgr_api_connections_look },

    { NGX_HTTP_DELETE, ngx_string("connections"), NGX_WS_MGR_API_ID,
      NGX_WS_MGR_API_CONNECTIONS, ngx_ws_mgr_api_connections_disconnect },

    { NGX_HTTP_GET, ngx_string("health"), NGX_WS_MGR_API_PLAIN,
      NGX_WS_MGR_API_HEALTH, ngx_ws_mgr_status_health },

    { NGX_HTTP_GET, ngx_string("status"), NGX_WS_MGR_API_PLAIN,
      NGX_WS_MGR_API_STATUS, ngx_ws_mgr_status_all },

    { NGX_HTTP_GET, ngx_string("metrics"), NGX_WS_MGR_API_PLAIN,
      NGX_WS_MGR_API_METRICS, ngx_ws_mgr_status_metrics },

    { 0, ngx_null_string, NGX_WS_MGR_API_PLAIN, 0, NULL }
};


ngx_int_t
ngx_ws_mgr_api_handler(ngx_http_request_t *r)
{
    ngx_int_t               rc;
    ngx_str_t               resource, arg;
    ngx_ws_mgr_loc_conf_t  *conf;

    ngx_ws_mgr_count(API_REQUESTS);

    conf = ngx_http_get_module_loc_conf(r, ngx_http_ws_mgr_module);

    rc = ngx_ws_mgr_api_guard(r, conf);
    if (rc != NGX_DECLINED) {
        return rc;
    }

    /* what contrib/compat adds to a path that it rewrites */

    if (ngx_http_arg(r, (u_char *) "deprecated", sizeof("deprecated") - 1, &arg)
        == NGX_OK)
    {
        ngx_ws_mgr_count(DEPRECATED_PATH);
    }

    rc = ngx_ws_mgr_api_path(r, &resource, &arg);

    switch (rc) {

    case NGX_OK:
        break;

    case NGX_ABORT:
        return ngx_ws_mgr_api_fault(r, NGX_WS_MGR_FAULT_REQUEST,
                                    "the path is not percent-encoded UTF-8"
                                    " without NUL");

    case NGX_DECLINED:
        return ngx_ws_mgr_api_fault(r, NGX_WS_MGR_FAULT_NOT_FOUND,
                                    "the path names no resource");

    default:
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (resource.len == 0) {

        if (!(r->method & (NGX_HTTP_GET|NGX_HTTP_HEAD))) {
            return ngx_ws_mgr_api_not_allowed(r, NGX_HTTP_GET);
        }

        return ngx_ws_mgr_api_index(r, conf);
    }

    return ngx_ws_mgr_api_route(r, conf, &resource, &arg);
}


static ngx_int_t
ngx_ws_mgr_api_route(ngx_http_request_t *r, ngx_ws_mgr_loc_conf_t *conf,
    ngx_str_t *resource, ngx_str_t *arg)
{
    ngx_uint_t             method, methods;
    ngx_ws_mgr_api_row_t  *row;

    method = (r->method == NGX_HTTP_HEAD) ? NGX_HTTP_GET : r->method;
    methods = 0;

    for (row = ngx_ws_mgr_api_rows; row->handler != NULL; row++) {

        if (!(conf->api & row->bit)
            || row->resource.len != resource->len
            || ngx_memcmp(row->resource.data, resource->data, resource->len)
               != 0
            || (row->arg == NGX_WS_MGR_API_PLAIN) != (arg->len == 0))
        {
            continue;
        }

        methods |= row->method;

        if (row->method != method) {
            continue;
        }

        if (row->arg != NGX_WS_MGR_API_USER) {
            return row->handler(r, arg);
        }

        switch (ngx_ws_mgr_api_check_user(conf, row, arg)) {

        case NGX_OK:
            return row->handler(r, arg);

        case NGX_DECLINED:
            return ngx_ws_mgr_api_fault(r, NGX_WS_MGR_FAULT_USER,
                                        "\"*\" is no user");
        default:
            return ngx_ws_mgr_api_fault(r, NGX_WS_MGR_FAULT_REQUEST,
                                        "a user is 1 to 255 bytes of UTF-8"
                                        " without control characters");
        }
    }

    if (methods != 0) {
        return ngx_ws_mgr_api_not_allowed(r, methods);
    }

    return ngx_ws_mgr_api_fault(r, NGX_WS_MGR_FAULT_NOT_FOUND,
                                "the path names no resource of this"
                                " location");
}


/* "*" is no user, but has a log where one may broadcast */

static ngx_int_t
ngx_ws_mgr_api_check_user(ngx_ws_mgr_loc_conf_t *conf,
    ngx_ws_mgr_api_row_t *row, ngx_str_t *user)
{
    if (user->len == 1 && user->data[0] == '*') {
        return (row->bit == NGX_WS_MGR_API_EVENTS
                && (conf->api & NGX_WS_MGR_API_BROADCAST))
               ? NGX_OK : NGX_DECLINED;
    }

    return (ngx_ws_mgr_ticket_check_user(user) == NGX_OK) ? NGX_OK
                                                          : NGX_ABORT;
}


static ngx_int_t
ngx_ws_mgr_api_not_allowed(ngx_http_request_t *r, ngx_uint_t methods)
{
    u_char     *p;
    ngx_str_t   allow;

    allow.data = ngx_pnalloc(r->pool, NGX_WS_MGR_API_ALLOW_LEN);
    if (allow.data == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    p = allow.data;

    if (methods & NGX_HTTP_GET) {
        p = ngx_cpymem(p, "GET, HEAD, ", sizeof("GET, HEAD, ") - 1);
    }

    if (methods & NGX_HTTP_POST) {
        p = ngx_cpymem(p, "POST, ", sizeof("POST, ") - 1);
    }

    if (methods & NGX_HTTP_DELETE) {
        p = ngx_cpymem(p, "DELETE, ", sizeof("DELETE, ") - 1);
    }

    allow.len = p - allow.data - (sizeof(", ") - 1);

    if (ngx_ws_mgr_problem_header(r, "Allow", &allow) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_ws_mgr_api_fault(r, NGX_WS_MGR_FAULT_METHOD,
                                "the resource knows the methods that the"
                                " header Allow lists");
}


/* the resources that the location has */

static ngx_int_t
ngx_ws_mgr_api_index(ngx_http_request_t *r, ngx_ws_mgr_loc_conf_t *conf)
{
    if (ngx_ws_mgr_header_has(r, "accept", "text/html")
        && (conf->api & NGX_WS_MGR_API_PAGE) == NGX_WS_MGR_API_PAGE)
    {
        return ngx_ws_mgr_api_page(r);
    }

    return ngx_ws_mgr_api_list(r, conf);
}


static ngx_int_t
ngx_ws_mgr_api_page(ngx_http_request_t *r)
{
    ngx_str_t  html, accept;

    ngx_str_set(&html, "text/html; charset=utf-8");
    ngx_str_set(&accept, "Accept");

    if (ngx_ws_mgr_problem_header(r, "Content-Security-Policy",
                                  &ngx_ws_mgr_status_policy)
        != NGX_OK
        || ngx_ws_mgr_problem_header(r, "Vary", &accept) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_ws_mgr_problem_send_body(r, NGX_HTTP_OK, &html,
                                        &ngx_ws_mgr_status_page);
}


static ngx_int_t
ngx_ws_mgr_api_list(ngx_http_request_t *r, ngx_ws_mgr_loc_conf_t *conf)
{
    ngx_uint_t             bits;
    ngx_ws_mgr_text_t      t;
    ngx_ws_mgr_api_row_t  *row;

    ngx_ws_mgr_text_init(&t, r->pool, 0);
    ngx_ws_mgr_text_put(&t, "{\"version\":\"" NGX_WS_MGR_VERSION
                            "\",\"resources\":[");
    bits = 0;

    for (row = ngx_ws_mgr_api_rows; row->handler != NULL; row++) {

        if (!(conf->api & row->bit) || (bits & row->bit)) {
            continue;
        }

        if (bits != 0) {
            ngx_ws_mgr_text_put(&t, ",");
        }

        ngx_ws_mgr_text_string(&t, &row->resource);
        bits |= row->bit;
    }

    ngx_ws_mgr_text_put(&t, "]}");

    return ngx_ws_mgr_api_body_send(r, NGX_HTTP_OK, &t);
}
