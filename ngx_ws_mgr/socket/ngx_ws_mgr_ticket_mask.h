
/*
 * Copyright (C) the ngx_ws_mgr authors
 *
 * A ticket is never written to a log (PROTOCOL section 1).
 */


#ifndef _NGX_WS_MGR_TICKET_MASK_H_INCLUDED_
#define _NGX_WS_MGR_TICKET_MASK_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/*
 * Overwrites with '*', in place and without a change of length, what follows
 * "ticket=", "auth_ticket=", "ticket_id=" (as a query argument, up to '&',
 * '#', '?', white space, a quote or a comma), "ticket." (as a token in a
 * Sec-WebSocket-Protocol list), "tickets/" (a path segment and what is behind
 * it) and "ticket_id":" (JSON).  Letter case of the names is ignored, and
 * they may be percent-encoded.  Returns the number of tickets it masked.
 */
ngx_uint_t ngx_ws_mgr_mask_tickets(u_char *p, u_char *last);

/*
 * Makes an error log and those behind it in its chain, such as
 * clcf->error_log, mask what they write, debug levels included: nginx writes
 * the request line and the header lines there before any module is asked.
 * Where nginx writes a value alone, such as that of $arg_ticket, a ticket is
 * known by its form.  Keeps a writer (syslog, memory) that a log already has;
 * idempotent.  The logs are as they were once "pool", the cycle's, is
 * destroyed.
 */
ngx_int_t ngx_ws_mgr_mask_log(ngx_log_t *log, ngx_pool_t *pool);

/* the same for the cycle's own log and those of its listening sockets, from
   which accepted connections have theirs.  Both are to be called from
   init_module, again at each reload */
ngx_int_t ngx_ws_mgr_mask_logs(ngx_cycle_t *cycle);


#endif /* _NGX_WS_MGR_TICKET_MASK_H_INCLUDED_ */
