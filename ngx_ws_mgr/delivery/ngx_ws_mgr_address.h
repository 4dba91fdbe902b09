
/*
 * Copyright (C) the ngx_ws_mgr authors
 *
 * The name under which the sockets of a client's address are counted.
 */


#ifndef _NGX_WS_MGR_ADDRESS_H_INCLUDED_
#define _NGX_WS_MGR_ADDRESS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


#define NGX_WS_MGR_ADDRESS_LEN  (1 + 16)


/* a NUL and the binary address, in buf, which has room for ADDRESS_LEN;
   NGX_DECLINED: it has none, such as a unix socket */
ngx_int_t ngx_ws_mgr_address_name(struct sockaddr *sa, u_char *buf,
    ngx_str_t *name);


#endif /* _NGX_WS_MGR_ADDRESS_H_INCLUDED_ */
