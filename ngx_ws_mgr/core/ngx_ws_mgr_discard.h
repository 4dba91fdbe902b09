
/*
 * Copyright (C) the ngx_ws_mgr authors
 *
 * Whatever is thrown away is counted here, by what it was and why: nothing is
 * lost in silence.
 */


#ifndef _NGX_WS_MGR_DISCARD_H_INCLUDED_
#define _NGX_WS_MGR_DISCARD_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_ws_mgr_counter.h>


/*
 * X(COUNTER, "what", "why").  t/project/silence.t sees that each has a test,
 * and that what takes things away counts them by a row of this table.
 */

#define NGX_WS_MGR_DISCARD_TABLE(X)                                           \
    X(EVICTED_COUNT, "event", "its log held as many as ws_mgr_log allows")    \
    X(EVICTED_BYTES, "event", "its log held as many bytes as it may")         \
    X(EVICTED_AGE, "event", "it was older than ws_mgr_log allows")            \
    X(EVICTED_TTL, "event", "its ttl_ms was over")                            \
    X(EVICTED_IDLE, "event", "its user was gone for the age of the log")      \
    X(EVICTED_PRESSURE, "event", "shared memory was full")                    \
    X(EVICTED_EPOCH, "event", "Redis has lost it, or goes on elsewhere")      \
    X(SKIPPED_LATEST, "event on a socket",                                    \
      "the socket lagged, and there was a newer one")                         \
    X(SKIPPED_DROP, "event on a socket", "the socket lagged")                 \
    X(RUNS_FORGOTTEN, "run",                                                  \
      "the user had too many, or left memory before its end")                 \
    X(MESSAGES_RATE, "client message", "over ws_mgr_message_rate")            \
    X(MESSAGES_LATE, "client message", "the connection was being closed")     \
    X(FORWARD_BUSY, "client message",                                         \
      "too many waited for the agent backend")                                \
    X(FORWARD_LATE, "backend answer", "its connection had ended")             \
    X(FORWARD_BAD_ANSWERS, "backend answer", "it was no event")               \
    X(NOTICES_DROPPED, "notice",                                              \
      "too many waited, or the worker had to go")                             \
    X(TICKETS_EXPIRED, "ticket", "it expired without having been used")       \
    X(TICKETS_REPLACED, "ticket", "its user had too many")                    \
    X(TICKETS_FORGOTTEN, "used ticket", "there was no room to tell of it")    \
    X(REDIS_UNCLAIMED, "Redis reply",                                         \
      "it came too late, or its client had left")                             \
    X(REDIS_UNREADABLE, "Redis message", "it was none of ours")               \
    X(SHARDS_REBUILT, "shard", "a worker died while it changed it")


/* only what is in the table can be discarded */

typedef enum {
#define NGX_WS_MGR_DISCARD_ENUM(name, what, why)                              \
    NGX_WS_MGR_DISCARD_##name = NGX_WS_MGR_##name,
    NGX_WS_MGR_DISCARD_TABLE(NGX_WS_MGR_DISCARD_ENUM)
#undef NGX_WS_MGR_DISCARD_ENUM
    NGX_WS_MGR_DISCARD_NONE = NGX_WS_MGR_COUNTERS
} ngx_ws_mgr_discard_e;


#define ngx_ws_mgr_discard(name)                                              \
    ngx_ws_mgr_count_at(NGX_WS_MGR_DISCARD_##name)
#define ngx_ws_mgr_discard_add(name, n)                                       \
    ngx_ws_mgr_count_by(NGX_WS_MGR_DISCARD_##name, n)
/* by value */
#define ngx_ws_mgr_discard_at(id)  ngx_ws_mgr_count_at(id)


#endif /* _NGX_WS_MGR_DISCARD_H_INCLUDED_ */
