
/*
 * Copyright (C) the ngx_ws_mgr authors
 */


#ifndef _NGX_WS_MGR_COUNTER_H_INCLUDED_
#define _NGX_WS_MGR_COUNTER_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/*
 * The one table of counters: X(NAME, "metric", "labels", "help").  Rows that
 * share a metric differ in their labels.  The order is the order of status
 * and metrics.  Each worker adds to the row of its own slot, without a lock;
 * readers sum the rows of all slots, which outlive their workers.
 */

#define NGX_WS_MGR_COUNTER_TABLE(X)                                           \
    X(UPGRADES, "ws_mgr_upgrades_total", "",                                  \
      "Upgrades answered with 101 and a session")                             \
    X(REFUSED_TICKET_MISSING, "ws_mgr_refusals_total",                        \
      "code=\"ticket_missing\"", "Upgrades refused, by code")                 \
    X(REFUSED_TICKET_INVALID, "ws_mgr_refusals_total",                        \
      "code=\"ticket_invalid\"", "")                                          \
    X(REFUSED_TICKET_EXPIRED, "ws_mgr_refusals_total",                        \
      "code=\"ticket_expired\"", "")                                          \
    X(REFUSED_TICKET_USED, "ws_mgr_refusals_total",                           \
      "code=\"ticket_used\"", "")                                             \
    X(REFUSED_FORBIDDEN, "ws_mgr_refusals_total",                             \
      "code=\"forbidden\"", "")                                               \
    X(REFUSED_ORIGIN, "ws_mgr_refusals_total",                                \
      "code=\"origin_denied\"", "")                                           \
    X(REFUSED_LIMIT_USER, "ws_mgr_refusals_total",                            \
      "code=\"limit_user\"", "")                                              \
    X(REFUSED_LIMIT_ADDRESS, "ws_mgr_refusals_total",                         \
      "code=\"limit_address\"", "")                                           \
    X(REFUSED_LIMIT_TOTAL, "ws_mgr_refusals_total",                           \
      "code=\"limit_total\"", "")                                             \
    X(REFUSED_STORE, "ws_mgr_refusals_total",                                 \
      "code=\"ticket_store_unavailable\"", "")                                \
    X(REFUSED_MEMORY, "ws_mgr_refusals_total",                                \
      "code=\"out_of_memory\"", "")                                           \
    X(REFUSED_DRAINING, "ws_mgr_refusals_total",                              \
      "code=\"draining\"", "")                                                \
    X(REFUSED_NO_SLOT, "ws_mgr_refusals_total",                               \
      "code=\"no_slot\"", "")                                                 \
    X(REFUSED_BAD_REQUEST, "ws_mgr_refusals_total",                           \
      "code=\"bad_request\"", "")                                             \
    X(REFUSED_UPGRADE_REQUIRED, "ws_mgr_refusals_total",                      \
      "code=\"upgrade_required\"", "")                                        \
    X(TICKETS_ISSUED, "ws_mgr_tickets_total", "result=\"issued\"",            \
      "Tickets, by what became of them")                                      \
    X(TICKETS_CONSUMED, "ws_mgr_tickets_total", "result=\"consumed\"", "")    \
    X(TICKETS_REVOKED, "ws_mgr_tickets_total", "result=\"revoked\"", "")      \
    X(TICKETS_REPLACED, "ws_mgr_tickets_total", "result=\"replaced\"", "")    \
    X(TICKETS_FORGOTTEN, "ws_mgr_tickets_total", "result=\"forgotten\"", "")  \
    X(TICKETS_EXPIRED, "ws_mgr_tickets_total", "result=\"expired\"", "")      \
    X(DEPRECATED_TICKET_ARG, "ws_mgr_deprecated_total",                       \
      "name=\"ticket_argument\"", "Uses of older names")                      \
    X(DEPRECATED_PATH, "ws_mgr_deprecated_total", "name=\"path\"", "")        \
    X(EVENTS_ACCEPTED, "ws_mgr_events_accepted_total", "",                    \
      "Events appended to a log, one for each user addressed")                \
    X(EVENTS_DUPLICATE, "ws_mgr_events_duplicate_total", "",                  \
      "Events answered from the log, since their event_id was there")         \
    X(EVENTS_REJECTED_JSON, "ws_mgr_events_rejected_total",                   \
      "code=\"invalid_json\"", "Events refused, by code")                     \
    X(EVENTS_REJECTED_EVENT, "ws_mgr_events_rejected_total",                  \
      "code=\"invalid_event\"", "")                                           \
    X(EVENTS_REJECTED_PLACEHOLDER, "ws_mgr_events_rejected_total",            \
      "code=\"placeholder_id\"", "")                                          \
    X(EVENTS_REJECTED_SCHEMA, "ws_mgr_events_rejected_total",                 \
      "code=\"schema\"", "")                                                  \
    X(EVENTS_REJECTED_RUN_ORDER, "ws_mgr_events_rejected_total",              \
      "code=\"run_order\"", "")                                               \
    X(EVENTS_REJECTED_CONFLICT, "ws_mgr_events_rejected_total",               \
      "code=\"event_id_conflict\"", "")                                       \
    X(EVENTS_REJECTED_BROADCAST, "ws_mgr_events_rejected_total",              \
      "code=\"broadcast_denied\"", "")                                        \
    X(EVENTS_REJECTED_LARGE, "ws_mgr_events_rejected_total",                  \
      "code=\"too_large\"", "")                                               \
    X(EVENTS_REJECTED_MEDIA, "ws_mgr_events_rejected_total",                  \
      "code=\"unsupported_media_type\"", "")                                  \
    X(EVENTS_REJECTED_UNAVAILABLE, "ws_mgr_events_rejected_total",            \
      "code=\"unavailable\"", "")                                             \
    X(SCHEMA_WARNED, "ws_mgr_events_warned_total", "check=\"schema\"",        \
      "Events delivered though a check found fault")                          \
    X(RUN_ORDER_WARNED, "ws_mgr_events_warned_total",                         \
      "check=\"run_order\"", "")                                              \
    X(DELIVERED, "ws_mgr_events_delivered_total", "",                         \
      "Events written to a socket")                                           \
    X(SKIPPED_LATEST, "ws_mgr_events_skipped_total", "class=\"latest\"",      \
      "Events that a socket that lagged did not get, as their class allows")  \
    X(SKIPPED_DROP, "ws_mgr_events_skipped_total", "class=\"drop\"", "")      \
    X(EVICTED_COUNT, "ws_mgr_log_evictions_total", "cause=\"events\"",        \
      "Events that left a log, by cause")                                     \
    X(EVICTED_BYTES, "ws_mgr_log_evictions_total", "cause=\"bytes\"", "")     \
    X(EVICTED_AGE, "ws_mgr_log_evictions_total", "cause=\"age\"", "")         \
    X(EVICTED_TTL, "ws_mgr_log_evictions_total", "cause=\"ttl\"", "")         \
    X(EVICTED_IDLE, "ws_mgr_log_evictions_total", "cause=\"idle\"", "")       \
    X(EVICTED_PRESSURE, "ws_mgr_log_evictions_total",                         \
      "cause=\"pressure\"", "")                                               \
    X(EVICTED_EPOCH, "ws_mgr_log_evictions_total", "cause=\"epoch\"", "")      \
    X(RUNS_FORGOTTEN, "ws_mgr_runs_forgotten_total", "",                      \
      "Runs dropped: over the cap of a user, or before their end")            \
    X(RUNS_TIMED_OUT, "ws_mgr_runs_timed_out_total", "",                      \
      "Runs that ws_mgr_run_timeout ended")                                   \
    X(RESUMES_OK, "ws_mgr_resumes_total", "outcome=\"resumed\"",              \
      "Positions presented, by outcome")                                      \
    X(RESUMES_GAP, "ws_mgr_resumes_total", "outcome=\"gap\"", "")             \
    X(GAPS, "ws_mgr_gaps_total", "", "Gap frames sent")                       \
    X(STREAM_RESETS, "ws_mgr_stream_resets_total", "",                        \
      "Frames that told a socket of a log whose past was lost")               \
    X(MESSAGES_IN, "ws_mgr_messages_received_total", "",                      \
      "Client messages")                                                \
    X(MESSAGES_REFUSED, "ws_mgr_messages_refused_total", "",                  \
      "Client messages answered with an error frame")                         \
    X(MESSAGES_RATE, "ws_mgr_messages_rate_limited_total", "",                \
      "Client messages over ws_mgr_message_rate")                             \
    X(MESSAGES_LATE, "ws_mgr_messages_late_total", "",                        \
      "Client messages that came while the connection was being closed")      \
    X(FORWARD_ACCEPTED, "ws_mgr_forwarded_total", "result=\"accepted\"",      \
      "Client messages for the agent backend, by what became of them")        \
    X(FORWARD_REFUSED, "ws_mgr_forwarded_total", "result=\"refused\"", "")    \
    X(FORWARD_FAILED, "ws_mgr_forwarded_total", "result=\"failed\"", "")      \
    X(FORWARD_TIMEOUT, "ws_mgr_forwarded_total", "result=\"timeout\"", "")    \
    X(FORWARD_BUSY, "ws_mgr_forwarded_total", "result=\"busy\"", "")          \
    X(FORWARD_EVENTS, "ws_mgr_forward_events_total", "",                      \
      "Answers of the agent backend that became events")                      \
    X(FORWARD_BAD_ANSWERS, "ws_mgr_forward_bad_answers_total", "",            \
      "Answers of the agent backend that are no event and could not pass")    \
    X(FORWARD_LATE, "ws_mgr_forward_late_total", "",                          \
      "Answers and errors for a connection that had ended")                   \
    X(NOTICES_TAKEN, "ws_mgr_notices_total", "result=\"taken\"",              \
      "Notices of sockets that come and go, by what became of them")          \
    X(NOTICES_FAILED, "ws_mgr_notices_total", "result=\"failed\"", "")        \
    X(NOTICES_DROPPED, "ws_mgr_notices_total", "result=\"dropped\"", "")      \
    X(CONFIRMATIONS, "ws_mgr_confirmations_total", "",                        \
      "Events confirmed by clients")                                          \
    X(BYTES_IN, "ws_mgr_received_bytes_total", "",                            \
      "Bytes read from sockets")                                              \
    X(BYTES_OUT, "ws_mgr_sent_bytes_total", "", "Bytes written to sockets")   \
    X(DEFLATED, "ws_mgr_deflated_total", "",                                  \
      "Compressions of events and other messages; one serves many sockets")   \
    X(DEFLATED_SAVED, "ws_mgr_deflated_saved_bytes_total", "",                \
      "Bytes that they were shorter by, each counted once")                   \
    X(PINGS, "ws_mgr_pings_total", "", "Protocol pings sent")                 \
    X(CLOSED_CLIENT, "ws_mgr_closes_total", "side=\"client\"",                \
      "Sessions ended, by who ended them")                                    \
    X(CLOSED_SERVER, "ws_mgr_closes_total", "side=\"server\"", "")            \
    X(CLOSED_LOST, "ws_mgr_closes_total", "side=\"lost\"", "")                \
    X(CODE_CLIENT_1000, "ws_mgr_close_codes_total",                           \
      "side=\"client\",code=\"1000\"",                                        \
      "Close frames, by who sent the first one and its code")                 \
    X(CODE_CLIENT_1001, "ws_mgr_close_codes_total",                           \
      "side=\"client\",code=\"1001\"", "")                                    \
    X(CODE_CLIENT_1002, "ws_mgr_close_codes_total",                           \
      "side=\"client\",code=\"1002\"", "")                                    \
    X(CODE_CLIENT_1003, "ws_mgr_close_codes_total",                           \
      "side=\"client\",code=\"1003\"", "")                                    \
    X(CODE_CLIENT_1005, "ws_mgr_close_codes_total",                           \
      "side=\"client\",code=\"1005\"", "")                                    \
    X(CODE_CLIENT_1007, "ws_mgr_close_codes_total",                           \
      "side=\"client\",code=\"1007\"", "")                                    \
    X(CODE_CLIENT_1008, "ws_mgr_close_codes_total",                           \
      "side=\"client\",code=\"1008\"", "")                                    \
    X(CODE_CLIENT_1009, "ws_mgr_close_codes_total",                           \
      "side=\"client\",code=\"1009\"", "")                                    \
    X(CODE_CLIENT_1011, "ws_mgr_close_codes_total",                           \
      "side=\"client\",code=\"1011\"", "")                                    \
    X(CODE_CLIENT_1012, "ws_mgr_close_codes_total",                           \
      "side=\"client\",code=\"1012\"", "")                                    \
    X(CODE_CLIENT_1013, "ws_mgr_close_codes_total",                           \
      "side=\"client\",code=\"1013\"", "")                                    \
    X(CODE_CLIENT_4001, "ws_mgr_close_codes_total",                           \
      "side=\"client\",code=\"4001\"", "")                                    \
    X(CODE_CLIENT_4002, "ws_mgr_close_codes_total",                           \
      "side=\"client\",code=\"4002\"", "")                                    \
    X(CODE_CLIENT_4003, "ws_mgr_close_codes_total",                           \
      "side=\"client\",code=\"4003\"", "")                                    \
    X(CODE_CLIENT_4005, "ws_mgr_close_codes_total",                           \
      "side=\"client\",code=\"4005\"", "")                                    \
    X(CODE_CLIENT_4501, "ws_mgr_close_codes_total",                           \
      "side=\"client\",code=\"4501\"", "")                                    \
    X(CODE_CLIENT_4502, "ws_mgr_close_codes_total",                           \
      "side=\"client\",code=\"4502\"", "")                                    \
    X(CODE_CLIENT_4508, "ws_mgr_close_codes_total",                           \
      "side=\"client\",code=\"4508\"", "")                                    \
    X(CODE_CLIENT_OTHER, "ws_mgr_close_codes_total",                          \
      "side=\"client\",code=\"other\"", "")                                   \
    X(CODE_SERVER_1000, "ws_mgr_close_codes_total",                           \
      "side=\"server\",code=\"1000\"", "")                                    \
    X(CODE_SERVER_1001, "ws_mgr_close_codes_total",                           \
      "side=\"server\",code=\"1001\"", "")                                    \
    X(CODE_SERVER_1002, "ws_mgr_close_codes_total",                           \
      "side=\"server\",code=\"1002\"", "")                                    \
    X(CODE_SERVER_1003, "ws_mgr_close_codes_total",                           \
      "side=\"server\",code=\"1003\"", "")                                    \
    X(CODE_SERVER_1005, "ws_mgr_close_codes_total",                           \
      "side=\"server\",code=\"1005\"", "")                                    \
    X(CODE_SERVER_1007, "ws_mgr_close_codes_total",                           \
      "side=\"server\",code=\"1007\"", "")                                    \
    X(CODE_SERVER_1008, "ws_mgr_close_codes_total",                           \
      "side=\"server\",code=\"1008\"", "")                                    \
    X(CODE_SERVER_1009, "ws_mgr_close_codes_total",                           \
      "side=\"server\",code=\"1009\"", "")                                    \
    X(CODE_SERVER_1011, "ws_mgr_close_codes_total",                           \
      "side=\"server\",code=\"1011\"", "")                                    \
    X(CODE_SERVER_1012, "ws_mgr_close_codes_total",                           \
      "side=\"server\",code=\"1012\"", "")                                    \
    X(CODE_SERVER_1013, "ws_mgr_close_codes_total",                           \
      "side=\"server\",code=\"1013\"", "")                                    \
    X(CODE_SERVER_4001, "ws_mgr_close_codes_total",                           \
      "side=\"server\",code=\"4001\"", "")                                    \
    X(CODE_SERVER_4002, "ws_mgr_close_codes_total",                           \
      "side=\"server\",code=\"4002\"", "")                                    \
    X(CODE_SERVER_4003, "ws_mgr_close_codes_total",                           \
      "side=\"server\",code=\"4003\"", "")                                    \
    X(CODE_SERVER_4005, "ws_mgr_close_codes_total",                           \
      "side=\"server\",code=\"4005\"", "")                                    \
    X(CODE_SERVER_4501, "ws_mgr_close_codes_total",                           \
      "side=\"server\",code=\"4501\"", "")                                    \
    X(CODE_SERVER_4502, "ws_mgr_close_codes_total",                           \
      "side=\"server\",code=\"4502\"", "")                                    \
    X(CODE_SERVER_4508, "ws_mgr_close_codes_total",                           \
      "side=\"server\",code=\"4508\"", "")                                    \
    X(CODE_SERVER_OTHER, "ws_mgr_close_codes_total",                          \
      "side=\"server\",code=\"other\"", "")                                   \
    X(CLOSED_SLOW, "ws_mgr_server_closes_total", "cause=\"slow_consumer\"",   \
      "Sessions ended by the server, by cause")                               \
    X(CLOSED_NO_PONG, "ws_mgr_server_closes_total", "cause=\"no_pong\"", "")  \
    X(CLOSED_AGE, "ws_mgr_server_closes_total", "cause=\"session_age\"", "")  \
    X(CLOSED_PROTOCOL, "ws_mgr_server_closes_total",                          \
      "cause=\"protocol_error\"", "")                                         \
    X(CLOSED_TOO_BIG, "ws_mgr_server_closes_total",                           \
      "cause=\"message_too_big\"", "")                                        \
    X(CLOSED_ABUSE, "ws_mgr_server_closes_total",                             \
      "cause=\"bad_messages\"", "")                                           \
    X(CLOSED_KICKED, "ws_mgr_server_closes_total", "cause=\"operator\"", "")  \
    X(CLOSED_REPLACED, "ws_mgr_server_closes_total",                          \
      "cause=\"newer_socket\"", "")                                           \
    X(CLOSED_DRAIN, "ws_mgr_server_closes_total", "cause=\"drain\"", "")      \
    X(CLOSED_MEMORY, "ws_mgr_server_closes_total",                            \
      "cause=\"out_of_memory\"", "")                                          \
    X(BELLS, "ws_mgr_bells_rung_total", "",                                   \
      "Wake-ups of other workers")                                            \
    X(DEAD_WORKERS, "ws_mgr_dead_workers_total", "",                          \
      "Workers that left without their slot and were swept")                  \
    X(LOCK_WAITS, "ws_mgr_lock_waits_total", "",                              \
      "Times that a shard was locked by another worker when it was wanted")   \
    X(SHARDS_REBUILT, "ws_mgr_shards_rebuilt_total", "",                      \
      "Shards emptied, since a worker died in the midst of a change")         \
    X(REDIS_CONNECTS, "ws_mgr_redis_connects_total", "",                      \
      "Connections to Redis that were logged in")                             \
    X(REDIS_COMMANDS, "ws_mgr_redis_commands_total", "",                      \
      "Commands sent to Redis")                                               \
    X(REDIS_FAILED_CONNECT, "ws_mgr_redis_failures_total",                    \
      "cause=\"connect\"", "Faults of Redis, by cause")                       \
    X(REDIS_FAILED_SILENT, "ws_mgr_redis_failures_total",                     \
      "cause=\"silent\"", "")                                                 \
    X(REDIS_FAILED_PROTOCOL, "ws_mgr_redis_failures_total",                   \
      "cause=\"protocol\"", "")                                               \
    X(REDIS_FAILED_REFUSED, "ws_mgr_redis_failures_total",                    \
      "cause=\"refused\"", "")                                                \
    X(REDIS_FAILED_LOST, "ws_mgr_redis_failures_total",                       \
      "cause=\"lost\"", "")                                                   \
    X(REDIS_FAILED_TIMEOUT, "ws_mgr_redis_failures_total",                    \
      "cause=\"timeout\"", "")                                                \
    X(ENGINE_HEARD, "ws_mgr_engine_messages_total", "",                       \
      "Messages of other workers and nodes that Redis passed on")             \
    X(REDIS_UNREADABLE, "ws_mgr_redis_unreadable_total", "",                  \
      "Messages and records in Redis that are none of ours")                  \
    X(REDIS_UNCLAIMED, "ws_mgr_redis_unclaimed_replies_total", "",            \
      "Replies that came too late, or whose client had left")                 \
    X(DRAINED, "ws_mgr_drained_total", "",                                    \
      "Sockets told to come back later, since their worker goes")             \
    X(API_REQUESTS, "ws_mgr_api_requests_total", "", "API requests")          \
    X(API_DENIED, "ws_mgr_api_denied_total", "",                              \
      "API requests refused by address or key")


typedef enum {
#define NGX_WS_MGR_COUNTER_ENUM(name, metric, labels, help)                   \
    NGX_WS_MGR_##name,
    NGX_WS_MGR_COUNTER_TABLE(NGX_WS_MGR_COUNTER_ENUM)
#undef NGX_WS_MGR_COUNTER_ENUM
    NGX_WS_MGR_COUNTERS
} ngx_ws_mgr_counter_e;


typedef struct {
    const char  *metric;
    const char  *labels;
    const char  *help;
} ngx_ws_mgr_counter_desc_t;


/* one row a counter; "help" is empty on all but a metric's first row */
extern const ngx_ws_mgr_counter_desc_t  ngx_ws_mgr_counter_table[];

/* this worker's row; a scratch row until the worker is of the node */
extern uint64_t  *ngx_ws_mgr_counters;

/* true where that row, and the one of histograms, is not this worker's own */
extern ngx_uint_t  ngx_ws_mgr_counters_shared;


#define ngx_ws_mgr_count(name)                                                \
    ngx_ws_mgr_count_by(NGX_WS_MGR_##name, 1)
#define ngx_ws_mgr_count_add(name, n)                                         \
    ngx_ws_mgr_count_by(NGX_WS_MGR_##name, n)
/* by value, where a table holds the counter */
#define ngx_ws_mgr_count_at(id)       ngx_ws_mgr_count_by(id, 1)

/* workers without a slot share one row */
#define ngx_ws_mgr_count_by(id, n)                                            \
    (ngx_ws_mgr_counters_shared                                               \
     ? (void) __atomic_fetch_add(&ngx_ws_mgr_counters[id], n,                 \
                                 __ATOMIC_RELAXED)                            \
     : (void) (ngx_ws_mgr_counters[id] += (n)))


#endif /* _NGX_WS_MGR_COUNTER_H_INCLUDED_ */
