
/*
 * Copyright (C) the ngx_ws_mgr authors
 *
 * A ticket is never written to a log (PROTOCOL section 1).
 */


#ifndef _NGX_WS_MGR_MASK_H_INCLUDED_
#define _NGX_WS_MGR_MASK_H_INCLUDED_


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
 * Makes every error log of the cycle mask what it writes, debug levels
 * included: nginx writes the request line and the header lines there before
 * any module is asked.  Where nginx writes a value alone, such as that of
 * $arg_ticket, a ticket is known by its form.  Called from init_module, again
 * at each reload; keeps a writer (syslog, memory) that a log already has.
 */
ngx_int_t ngx_ws_mgr_mask_logs(ngx_cycle_t *cycle);

/* the same for the chain of one log, such as clcf->error_log; idempotent.
   The logs are as they were once "pool", the cycle's, is destroyed */
ngx_int_t ngx_ws_mgr_mask_log(ngx_log_t *log, ngx_pool_t *pool);


#endif /* _NGX_WS_MGR_MASK_H_INCLUDED_ */
