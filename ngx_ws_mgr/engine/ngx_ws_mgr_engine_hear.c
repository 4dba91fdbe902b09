
/*
 * Copyright (C) the ngx_ws_mgr authors
 *
 * Messages on the channel of this worker: events, joins and kicks.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_ws_mgr_engine_io.h>
#include <ngx_ws_mgr_registry.h>
#include <ngx_ws_mgr_user_wait.h>


typedef struct {
    u_char                    *pos;
    u_char                    *last;
} ngx_ws_mgr_engine_text_t;


static ngx_int_t ngx_ws_mgr_engine_number(ngx_ws_mgr_engine_text_t *text,
    u_char end, uint64_t *n);
static void ngx_ws_mgr_engine_hear_events(ngx_ws_mgr_engine_text_t *text);
static ngx_int_t ngx_ws_mgr_engine_next(void *data,
    ngx_ws_mgr_engine_triple_t *triple);
static void ngx_ws_mgr_engine_hear_kick(ngx_ws_mgr_engine_text_t *text,
    ngx_uint_t conn);


/*
 * "E <epoch> <length>\n<user>" and events, each
 * "<seq> <ts> <length>\n<record>"; "J <user>", who has sockets now;
 * "K <code>\n<user>"; "C <code>\n<connection_id>".
 */

void
ngx_ws_mgr_engine_hear(void *data, redisReply *message)
{
    ngx_str_t                 user;
    ngx_ws_mgr_engine_text_t  text;

    (void) data;

    text.pos = (u_char *) message->str;
    text.last = text.pos + message->len;

    if (message->len < 2 || text.pos[1] != ' ') {
        ngx_ws_mgr_discard(REDIS_UNREADABLE);
        return;
    }

    text.pos += 2;

    switch (message->str[0]) {

    case NGX_WS_MGR_TELL_EVENTS:
        ngx_ws_mgr_engine_hear_events(&text);
        break;

    case NGX_WS_MGR_TELL_JOINED:
        user.data = text.pos;
        user.len = text.last - text.pos;
        ngx_ws_mgr_wait_stir(&user);
        break;

    case NGX_WS_MGR_TELL_KICK:
        ngx_ws_mgr_engine_hear_kick(&text, 0);
        break;

    case NGX_WS_MGR_TELL_CUT:
        ngx_ws_mgr_engine_hear_kick(&text, 1);
        break;

    default:
        ngx_ws_mgr_discard(REDIS_UNREADABLE);
        break;
    }
}


static ngx_int_t
ngx_ws_mgr_engine_number(ngx_ws_mgr_engine_text_t *text, u_char end,
    uint64_t *n)
{
    u_char     *p;
    ngx_int_t   value;

    p = ngx_strlchr(text->pos, text->last, end);
    if (p == NULL) {
        return NGX_ERROR;
    }

    value = ngx_atoi(text->pos, p - text->pos);
    if (value == NGX_ERROR) {
        return NGX_ERROR;
    }

    *n = value;
    text->pos = p + 1;

    return NGX_OK;
}


static void
ngx_ws_mgr_engine_hear_events(ngx_ws_mgr_engine_text_t *text)
{
    uint64_t            epoch, len;
    ngx_str_t           user;
    ngx_ws_mgr_feed_e   rc;

    if (ngx_ws_mgr_engine_number(text, ' ', &epoch) != NGX_OK
        || ngx_ws_mgr_engine_number(text, '\n', &len) != NGX_OK
        || len == 0 || len > 255
        || len > (uint64_t) (text->last - text->pos))
    {
        ngx_ws_mgr_discard(REDIS_UNREADABLE);
        return;
    }

    user.data = text->pos;
    user.len = len;
    text->pos += len;

    ngx_ws_mgr_count(ENGINE_HEARD);

    rc = ngx_ws_mgr_engine_feed(&user, epoch, ngx_ws_mgr_engine_next, text, 0,
                                0);

    if (rc != NGX_WS_MGR_FEED_OK) {
        ngx_ws_mgr_engine_follow_stale(&user, rc == NGX_WS_MGR_FEED_NOBODY);
    }
}


static ngx_int_t
ngx_ws_mgr_engine_next(void *data, ngx_ws_mgr_engine_triple_t *triple)
{
    uint64_t                   len;
    ngx_ws_mgr_engine_text_t  *text = data;

    if (text->pos == text->last) {
        return NGX_DONE;
    }

    if (ngx_ws_mgr_engine_number(text, ' ', &triple->seq) != NGX_OK
        || ngx_ws_mgr_engine_number(text, ' ', &triple->ts) != NGX_OK
        || ngx_ws_mgr_engine_number(text, '\n', &len) != NGX_OK
        || len > (uint64_t) (text->last - text->pos))
    {
        return NGX_ERROR;
    }

    triple->text = text->pos;
    triple->len = len;
    text->pos += len;

    return NGX_OK;
}


/* all workers of a node hear of it, and one of them is the first */

static void
ngx_ws_mgr_engine_hear_kick(ngx_ws_mgr_engine_text_t *text, ngx_uint_t conn)
{
    uint64_t   code, number;
    ngx_str_t  whom;

    if (ngx_ws_mgr_engine_number(text, '\n', &code) != NGX_OK
        || code < 1000 || code > 4999
        || text->pos == text->last || text->last - text->pos > 255)
    {
        ngx_ws_mgr_discard(REDIS_UNREADABLE);
        return;
    }

    whom.data = text->pos;
    whom.len = text->last - text->pos;

    if (!conn) {
        (void) ngx_ws_mgr_registry_kick_user(&whom, code);
        return;
    }

    if (ngx_ws_mgr_registry_conn_number(&whom, &number) == NGX_OK) {
        (void) ngx_ws_mgr_registry_kick_conn(number, code);
    }
}
