
/*
 * Copyright (C) the ngx_ws_mgr authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_ws_mgr_api_access.h>
#include <ngx_ws_mgr_counter.h>
#include <ngx_ws_mgr_problem.h>


/*
 * The rules of "allow" and "deny" as ngx_http_access_module keeps them; the
 * types are private to it.
 */

typedef struct {
    in_addr_t           mask;
    in_addr_t           addr;
    ngx_uint_t          deny;
} ngx_ws_mgr_guard_rule_t;


#if (NGX_HAVE_INET6)

typedef struct {
    struct in6_addr     addr;
    struct in6_addr     mask;
    ngx_uint_t          deny;
} ngx_ws_mgr_guard_rule6_t;

#endif


typedef struct {
    ngx_array_t        *rules;
#if (NGX_HAVE_INET6)
    ngx_array_t        *rules6;
#endif
#if (NGX_HAVE_UNIX_DOMAIN)
    ngx_array_t        *rules_un;
#endif
} ngx_ws_mgr_guard_rules_t;


static ngx_int_t ngx_ws_mgr_guard_key(ngx_http_request_t *r,
    ngx_array_t *keys);
static ngx_uint_t ngx_ws_mgr_guard_equal(ngx_str_t *given, ngx_str_t *key);
static ngx_uint_t ngx_ws_mgr_guard_local(struct sockaddr *sa);
static ngx_uint_t ngx_ws_mgr_guard_forwarded(ngx_http_request_t *r);
static ngx_ws_mgr_guard_rules_t *ngx_ws_mgr_guard_rules(
    ngx_http_request_t *r);
static ngx_uint_t ngx_ws_mgr_guard_named(ngx_ws_mgr_guard_rules_t *rules,
    struct sockaddr *sa);
static ngx_uint_t ngx_ws_mgr_guard_inet(ngx_array_t *rules, in_addr_t addr);


ngx_int_t
ngx_ws_mgr_api_guard(ngx_http_request_t *r, ngx_ws_mgr_loc_conf_t *conf)
{
    ngx_uint_t                 forwarded;
    struct sockaddr           *sa;
    ngx_ws_mgr_problem_t       problem;
    ngx_ws_mgr_guard_rules_t  *rules;

    if (conf->keys != NULL) {
        return ngx_ws_mgr_guard_key(r, conf->keys);
    }

    sa = r->connection->sockaddr;
    forwarded = ngx_ws_mgr_guard_forwarded(r);

    if (!forwarded && ngx_ws_mgr_guard_local(sa)) {
        return NGX_DECLINED;
    }

    rules = ngx_ws_mgr_guard_rules(r);

    if (rules != NULL && ngx_ws_mgr_guard_named(rules, sa)) {
        return NGX_DECLINED;
    }

    ngx_ws_mgr_count(API_DENIED);

    ngx_memzero(&problem, sizeof(ngx_ws_mgr_problem_t));

    problem.status = NGX_HTTP_FORBIDDEN;
    problem.code = "api_denied";
    problem.title = "API access denied";
    problem.detail = forwarded
                     ? "a proxied request needs ws_mgr_api_key, or \"allow\""
                       " in the location"
                     : "only loopback and unix socket peers may, unless"
                       " ws_mgr_api_key or \"allow\" in the location says so";

    return ngx_ws_mgr_problem_send(r, &problem);
}


static ngx_int_t
ngx_ws_mgr_guard_key(ngx_http_request_t *r, ngx_array_t *keys)
{
    ngx_str_t             *key, given;
    ngx_uint_t             i, found;
    ngx_ws_mgr_problem_t   problem;

    static ngx_str_t  scheme = ngx_string("Bearer");

    ngx_str_set(&given, "");

    if (r->headers_in.authorization != NULL) {
        given = r->headers_in.authorization->value;

        if (given.len > sizeof("Bearer ") - 1
            && ngx_strncasecmp(given.data, (u_char *) "Bearer ",
                               sizeof("Bearer ") - 1)
               == 0)
        {
            given.data += sizeof("Bearer ") - 1;
            given.len -= sizeof("Bearer ") - 1;

        } else {
            given.len = 0;
        }
    }

    found = 0;
    key = keys->elts;

    for (i = 0; i < keys->nelts; i++) {
        found |= ngx_ws_mgr_guard_equal(&given, &key[i]);
    }

    if (found) {
        return NGX_DECLINED;
    }

    ngx_ws_mgr_count(API_DENIED);

    if (ngx_ws_mgr_problem_header(r, "WWW-Authenticate", &scheme) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_memzero(&problem, sizeof(ngx_ws_mgr_problem_t));

    problem.status = NGX_HTTP_UNAUTHORIZED;
    problem.code = "api_key";
    problem.title = "API key wanted";
    problem.detail = given.len ? "the key is not one of the key file"
                               : "no \"Authorization: Bearer\" with a key";

    return ngx_ws_mgr_problem_send(r, &problem);
}


/* the time it takes depends on the length of what was given, and on nothing
   of the key */

static ngx_uint_t
ngx_ws_mgr_guard_equal(ngx_str_t *given, ngx_str_t *key)
{
    size_t      i, k;
    ngx_uint_t  diff;

    if (key->len == 0) {
        return 0;
    }

    diff = given->len ^ key->len;

    for (i = 0, k = 0; i < given->len; i++) {
        diff |= given->data[i] ^ key->data[k];

        k++;
        k &= (size_t) 0 - (k < key->len);
    }

    return diff == 0;
}


static ngx_uint_t
ngx_ws_mgr_guard_local(struct sockaddr *sa)
{
    struct sockaddr_in   *sin;
#if (NGX_HAVE_INET6)
    struct sockaddr_in6  *sin6;
#endif

    switch (sa->sa_family) {

    case AF_INET:
        sin = (struct sockaddr_in *) sa;
        return (ntohl(sin->sin_addr.s_addr) >> 24) == 127;

#if (NGX_HAVE_INET6)
    case AF_INET6:
        sin6 = (struct sockaddr_in6 *) sa;

        return IN6_IS_ADDR_LOOPBACK(&sin6->sin6_addr)
               || (IN6_IS_ADDR_V4MAPPED(&sin6->sin6_addr)
                   && sin6->sin6_addr.s6_addr[12] == 127);
#endif

#if (NGX_HAVE_UNIX_DOMAIN)
    case AF_UNIX:
        return 1;
#endif

    default:
        return 0;
    }
}


static ngx_uint_t
ngx_ws_mgr_guard_forwarded(ngx_http_request_t *r)
{
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *header;

    if (r->connection->proxy_protocol != NULL) {
        return 1;
    }

    for (part = &r->headers_in.headers.part; part; part = part->next) {
        header = part->elts;

        for (i = 0; i < part->nelts; i++) {

            if ((header[i].key.len == sizeof("Forwarded") - 1
                 && ngx_strncmp(header[i].lowcase_key, "forwarded",
                                sizeof("Forwarded") - 1)
                    == 0)
                || (header[i].key.len == sizeof("X-Forwarded-For") - 1
                    && ngx_strncmp(header[i].lowcase_key, "x-forwarded-for",
                                   sizeof("X-Forwarded-For") - 1)
                       == 0))
            {
                return 1;
            }
        }
    }

    return 0;
}


/*
 * The rules that stand in the location, or in one around it; NULL: none do.
 * What a location inherits from its server was said about the server, e.g. to
 * keep one address out, and opens no API.
 */

static ngx_ws_mgr_guard_rules_t *
ngx_ws_mgr_guard_rules(ngx_http_request_t *r)
{
    ngx_uint_t                  i;
    ngx_module_t              **modules, *module;
    ngx_http_core_srv_conf_t   *cscf;
    ngx_ws_mgr_guard_rules_t   *location, *server;

    modules = ngx_cycle->modules;
    module = NULL;

    for (i = 0; modules[i] != NULL; i++) {
        if (ngx_strcmp(modules[i]->name, "ngx_http_access_module") == 0) {
            module = modules[i];
            break;
        }
    }

    if (module == NULL) {
        return NULL;
    }

    cscf = ngx_http_get_module_srv_conf(r, ngx_http_core_module);

    location = r->loc_conf[module->ctx_index];
    server = cscf->ctx->loc_conf[module->ctx_index];

    if (ngx_memcmp(location, server, sizeof(ngx_ws_mgr_guard_rules_t)) == 0) {
        return NULL;
    }

    return location;
}


/* true if some rule is about the peer, which then was let through by it */

static ngx_uint_t
ngx_ws_mgr_guard_named(ngx_ws_mgr_guard_rules_t *rules, struct sockaddr *sa)
{
#if (NGX_HAVE_INET6)
    u_char                    *p;
    in_addr_t                  addr;
    ngx_uint_t                 i, n;
    struct sockaddr_in6       *sin6;
    ngx_ws_mgr_guard_rule6_t  *rule6;
#endif

    if (sa->sa_family == AF_INET) {
        return ngx_ws_mgr_guard_inet(rules->rules,
                              ((struct sockaddr_in *) sa)->sin_addr.s_addr);
    }

#if (NGX_HAVE_UNIX_DOMAIN)

    if (sa->sa_family == AF_UNIX) {
        return rules->rules_un != NULL;
    }

#endif

#if (NGX_HAVE_INET6)

    if (sa->sa_family != AF_INET6) {
        return 0;
    }

    sin6 = (struct sockaddr_in6 *) sa;
    p = sin6->sin6_addr.s6_addr;

    if (IN6_IS_ADDR_V4MAPPED(&sin6->sin6_addr)) {
        ngx_memcpy(&addr, &p[12], sizeof(in_addr_t));
        return ngx_ws_mgr_guard_inet(rules->rules, addr);
    }

    if (rules->rules6 == NULL) {
        return 0;
    }

    rule6 = rules->rules6->elts;

    for (i = 0; i < rules->rules6->nelts; i++) {

        for (n = 0; n < 16; n++) {
            if ((p[n] & rule6[i].mask.s6_addr[n]) != rule6[i].addr.s6_addr[n])
            {
                break;
            }
        }

        if (n == 16) {
            return 1;
        }
    }

#endif

    return 0;
}


static ngx_uint_t
ngx_ws_mgr_guard_inet(ngx_array_t *rules, in_addr_t addr)
{
    ngx_uint_t                i;
    ngx_ws_mgr_guard_rule_t  *rule;

    if (rules == NULL) {
        return 0;
    }

    rule = rules->elts;

    for (i = 0; i < rules->nelts; i++) {
        if ((addr & rule[i].mask) == rule[i].addr) {
            return 1;
        }
    }

    return 0;
}
