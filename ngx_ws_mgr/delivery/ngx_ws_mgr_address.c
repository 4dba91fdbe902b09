
/*
 * Copyright (C) the ngx_ws_mgr authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_ws_mgr_address.h>


ngx_int_t
ngx_ws_mgr_address_name(struct sockaddr *sa, u_char *buf, ngx_str_t *name)
{
    u_char               *p;
    struct sockaddr_in   *sin;
#if (NGX_HAVE_INET6)
    struct sockaddr_in6  *sin6;
#endif

    p = buf;
    *p++ = '\0';

    switch (sa->sa_family) {

    case AF_INET:
        sin = (struct sockaddr_in *) sa;
        p = ngx_cpymem(p, &sin->sin_addr, 4);
        break;

#if (NGX_HAVE_INET6)
    case AF_INET6:
        sin6 = (struct sockaddr_in6 *) sa;

        /* the same client, whichever socket it came to */

        p = IN6_IS_ADDR_V4MAPPED(&sin6->sin6_addr)
            ? ngx_cpymem(p, &sin6->sin6_addr.s6_addr[12], 4)
            : ngx_cpymem(p, &sin6->sin6_addr, 16);
        break;
#endif

    default:
        return NGX_DECLINED;
    }

    name->data = buf;
    name->len = p - buf;

    return NGX_OK;
}
