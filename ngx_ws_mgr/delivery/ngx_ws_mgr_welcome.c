
/*
 * Copyright (C) the ngx_ws_mgr authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_ws_mgr_welcome.h>


/* of a presented position that is told back, more than any real one has */
#define NGX_WS_MGR_WELCOME_ASKED  64
/* a byte of a JSON string is at most \u00XX */
#define NGX_WS_MGR_WELCOME_USER   (6 * 255)


void
ngx_ws_mgr_welcome_send(ngx_ws_mgr_session_t *s, ngx_ws_mgr_who_t *who,
    ngx_ws_mgr_seek_t *own, ngx_ws_mgr_seek_t *broadcast)
{
    u_char      *p;
    ngx_msec_t   beat;
    u_char       text[1024 + NGX_WS_MGR_WELCOME_USER];

    /* a page sees heartbeats; where there are none, this is how often a ping
       of its own makes sense */
    beat = s->conf->heartbeat ? s->conf->heartbeat : s->conf->ping_interval;

    p = ngx_sprintf(text, "{\"type\":\"connection_established\",\"version\":1,"
                          "\"connection_id\":\"");
    p = ngx_ws_mgr_registry_conn_id(p, who->number);
    p = ngx_sprintf(p, "\",\"user_id\":\"");
    p = (u_char *) ngx_escape_json(p, who->user, who->user_len);
    p = ngx_sprintf(p, "\",\"connection_ready\":true,\"position\":\"");
    p = ngx_ws_mgr_log_position(p, &own->end);

    if (broadcast) {
        p = ngx_sprintf(p, "\",\"broadcast_position\":\"");
        p = ngx_ws_mgr_log_position(p, &broadcast->end);
    }

    p = ngx_sprintf(p, "\",\"resumed\":%s,\"replayed\":%ui,"
                       "\"server_time\":%uL,\"heartbeat_ms\":%M,"
                       "\"max_message_bytes\":%uz}",
                    own->asked && own->gap == NULL ? "true" : "false",
                    own->replay + (broadcast ? broadcast->replay : 0),
                    ngx_ws_mgr_now(), beat, s->conf->message_size);

    ngx_ws_mgr_session_send(s, NGX_WS_MGR_OP_TEXT, text, p - text);
}


void
ngx_ws_mgr_welcome_gap(ngx_ws_mgr_session_t *s, ngx_str_t *from,
    ngx_ws_mgr_position_t *to, const char *reason)
{
    u_char  *p, *q;
    size_t   i;
    u_char   asked[NGX_WS_MGR_WELCOME_ASKED];
    u_char   text[256 + 6 * NGX_WS_MGR_WELCOME_ASKED];

    /* the bytes come from a query: what is not ASCII would not be UTF-8 when
       it is cut */

    q = asked;

    for (i = 0; i < from->len && i < NGX_WS_MGR_WELCOME_ASKED; i++) {
        *q++ = (from->data[i] < 0x80) ? from->data[i] : '?';
    }

    p = ngx_sprintf(text, "{\"type\":\"gap\",\"from\":\"");
    p = (u_char *) ngx_escape_json(p, asked, q - asked);
    p = ngx_sprintf(p, "\",\"to\":\"");
    p = ngx_ws_mgr_log_position(p, to);
    p = ngx_sprintf(p, "\",\"reason\":\"%s\"}", reason);

    ngx_ws_mgr_count(GAPS);
    ngx_ws_mgr_session_send(s, NGX_WS_MGR_OP_TEXT, text, p - text);
}


void
ngx_ws_mgr_welcome_reset(ngx_ws_mgr_session_t *s,
    ngx_ws_mgr_position_t *position, const char *reason)
{
    u_char  *p, text[128 + NGX_WS_MGR_POSITION_LEN];

    p = ngx_sprintf(text, "{\"type\":\"stream_reset\",\"position\":\"");
    p = ngx_ws_mgr_log_position(p, position);
    p = ngx_sprintf(p, "\",\"reason\":\"%s\"}", reason);

    ngx_ws_mgr_count(STREAM_RESETS);
    ngx_ws_mgr_session_send(s, NGX_WS_MGR_OP_TEXT, text, p - text);
}
