
/*
 * Copyright (C) the ngx_ws_mgr authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_ws_mgr_address.h>
#include <ngx_ws_mgr_engine.h>
#include <ngx_ws_mgr_shard_lost.h>
#include <ngx_ws_mgr_client_enter.h>
#include <ngx_ws_mgr_user_wait.h>
#include <ngx_ws_mgr_welcome.h>


static void ngx_ws_mgr_rejoin_loss(ngx_uint_t shard, ngx_uint_t rebuilt);
static void ngx_ws_mgr_rejoin_forget(ngx_ws_mgr_client_t *client,
    ngx_uint_t shard);
static void ngx_ws_mgr_rejoin_handler(ngx_event_t *ev);
static void ngx_ws_mgr_rejoin_reload(void);
static void ngx_ws_mgr_rejoin_client(ngx_ws_mgr_client_t *client);
static ngx_int_t ngx_ws_mgr_rejoin_own(ngx_ws_mgr_client_t *client);
static ngx_int_t ngx_ws_mgr_rejoin_everyone(ngx_ws_mgr_client_t *client);
static ngx_int_t ngx_ws_mgr_rejoin_address(ngx_ws_mgr_client_t *client);
static void ngx_ws_mgr_rejoin_reset(ngx_ws_mgr_client_t *client,
    ngx_ws_mgr_sub_t *sub, ngx_ws_mgr_position_t *position);
static void ngx_ws_mgr_rejoin_moved(ngx_ws_mgr_client_t *client,
    ngx_ws_mgr_sub_t *sub, ngx_ws_mgr_position_t *position, ngx_uint_t epoch);


static ngx_event_t  ngx_ws_mgr_rejoin_event;
static ngx_uint_t   ngx_ws_mgr_rejoin_at;          /* of session_each() */
static uint64_t     ngx_ws_mgr_rejoin_lost;        /* shards */


void
ngx_ws_mgr_rejoin_init(ngx_cycle_t *cycle)
{
    ngx_ws_mgr_rejoin_event.handler = ngx_ws_mgr_rejoin_handler;
    ngx_ws_mgr_rejoin_event.log = cycle->log;

    ngx_ws_mgr_shard_on_loss(ngx_ws_mgr_rejoin_loss);
    ngx_ws_mgr_fanout_on_reset(ngx_ws_mgr_rejoin_moved);
}


static void
ngx_ws_mgr_rejoin_loss(ngx_uint_t shard, ngx_uint_t rebuilt)
{
    ngx_uint_t             i;
    ngx_ws_mgr_session_t  *s;

    if (rebuilt) {
        ngx_ws_mgr_member_alert(shard);
    }

    if (ngx_ws_mgr_member_everyone.shard == shard) {
        ngx_ws_mgr_member_everyone.member = NULL;
    }

    ngx_ws_mgr_wait_lose(shard);

    ngx_ws_mgr_rejoin_lost |= (uint64_t) 1 << shard;
    for (i = 0, s = ngx_ws_mgr_session_each(&i);
         s != NULL;
         s = ngx_ws_mgr_session_each(&i))
    {
        ngx_ws_mgr_rejoin_forget((ngx_ws_mgr_client_t *) s, shard);
    }

    ngx_ws_mgr_rejoin_at = 0;
    ngx_post_event(&ngx_ws_mgr_rejoin_event, &ngx_posted_events);
}


/* a place that is not settled yet looks for itself */

static void
ngx_ws_mgr_rejoin_forget(ngx_ws_mgr_client_t *client, ngx_uint_t shard)
{
    ngx_str_t            name;
    ngx_ws_mgr_place_t  *place;
    u_char               buf[NGX_WS_MGR_ADDRESS_LEN];

    place = &client->place;

    if (place->hold == NULL) {
        return;
    }

    if (place->settled && place->hold->shard == shard) {
        place->conn = NULL;
        place->hold->member = NULL;
    }

    if (place->everyone && ngx_ws_mgr_member_everyone.shard == shard) {
        place->unheard = 1;
    }

    if (place->addressed
        && ngx_ws_mgr_address_name(client->session.connection->sockaddr, buf,
                                   &name)
           == NGX_OK
        && ngx_ws_mgr_shard_index(&name) == shard)
    {
        place->unaddressed = 1;
    }
}


static void
ngx_ws_mgr_rejoin_handler(ngx_event_t *ev)
{
    ngx_uint_t             n;
    ngx_ws_mgr_session_t  *s;

    for (n = 0; n < NGX_WS_MGR_SLICE; n++) {
        s = ngx_ws_mgr_session_each(&ngx_ws_mgr_rejoin_at);

        if (s == NULL) {
            ngx_ws_mgr_wait_resume();
            ngx_ws_mgr_rejoin_reload();
            return;
        }

        ngx_ws_mgr_rejoin_client((ngx_ws_mgr_client_t *) s);
    }

    ngx_post_event(ev, &ngx_posted_next_events);
}


/* what was in the shards may be had elsewhere */

static void
ngx_ws_mgr_rejoin_reload(void)
{
    uint64_t  lost;

    lost = ngx_ws_mgr_rejoin_lost;
    ngx_ws_mgr_rejoin_lost = 0;

    for ( /* void */ ; ngx_ws_mgr_engine && lost; lost &= lost - 1) {
        ngx_ws_mgr_engine->lost(__builtin_ctzll(lost));
    }
}


static void
ngx_ws_mgr_rejoin_client(ngx_ws_mgr_client_t *client)
{
    ngx_ws_mgr_place_t  *place;

    place = &client->place;

    if (place->hold == NULL || !place->settled) {
        return;
    }

    if ((place->conn == NULL && ngx_ws_mgr_rejoin_own(client) != NGX_OK)
        || (place->unheard && ngx_ws_mgr_rejoin_everyone(client) != NGX_OK)
        || (place->unaddressed && ngx_ws_mgr_rejoin_address(client) != NGX_OK))
    {
        ngx_ws_mgr_fanout_starve(client);
        return;
    }

    if (!place->echo && place->hold) {
        ngx_ws_mgr_fanout_pump(client);
    }
}


static ngx_int_t
ngx_ws_mgr_rejoin_own(ngx_ws_mgr_client_t *client)
{
    ngx_int_t              rc;
    ngx_ws_mgr_position_t  position;

    ngx_ws_mgr_fanout_part_own(client);
    rc = ngx_ws_mgr_registry_rejoin(&client->place, &position);
    ngx_ws_mgr_fanout_join(client);

    if (rc == NGX_OK) {
        client->place.restorable = 0;
        ngx_ws_mgr_rejoin_reset(client, &client->own.sub, &position);
    }

    return rc;
}


static ngx_int_t
ngx_ws_mgr_rejoin_everyone(ngx_ws_mgr_client_t *client)
{
    ngx_str_t          name;
    ngx_ws_mgr_seek_t  seek;

    ngx_str_set(&name, "*");

    if (ngx_ws_mgr_member_enter(&name, 0) != NGX_OK) {
        return NGX_ERROR;
    }

    client->place.unheard = 0;

    /* from the first of the new log on */

    seek.asked = 0;
    ngx_ws_mgr_registry_seek(&ngx_ws_mgr_member_everyone, &seek);
    ngx_ws_mgr_rejoin_reset(client, &client->broadcast, &seek.gone);

    return NGX_OK;
}


static ngx_int_t
ngx_ws_mgr_rejoin_address(ngx_ws_mgr_client_t *client)
{
    u_char     buf[NGX_WS_MGR_ADDRESS_LEN];
    ngx_str_t  name;

    (void) ngx_ws_mgr_address_name(client->session.connection->sockaddr, buf,
                                   &name);

    if (ngx_ws_mgr_member_enter(&name, 0) != NGX_OK) {
        return NGX_ERROR;
    }

    client->place.unaddressed = 0;

    return NGX_OK;
}


static void
ngx_ws_mgr_rejoin_reset(ngx_ws_mgr_client_t *client, ngx_ws_mgr_sub_t *sub,
    ngx_ws_mgr_position_t *position)
{
    ngx_ws_mgr_fanout_move(sub, position);

    if (!client->place.echo) {
        ngx_ws_mgr_welcome_reset(&client->session, position, "worker_died");
    }
}


/* the engine's order is another one now, or it has lost some of it */

static void
ngx_ws_mgr_rejoin_moved(ngx_ws_mgr_client_t *client, ngx_ws_mgr_sub_t *sub,
    ngx_ws_mgr_position_t *position, ngx_uint_t epoch)
{
    ngx_str_t              from;
    ngx_ws_mgr_position_t  old;
    u_char                 text[NGX_WS_MGR_POSITION_LEN];

    old = *position;
    old.seq = sub->cursor;

    if (!epoch && old.seq >= position->seq) {
        return;
    }

    ngx_ws_mgr_fanout_move(sub, position);

    if (client->place.echo) {
        return;
    }

    if (epoch) {
        client->place.restorable = 0;
        ngx_ws_mgr_welcome_reset(&client->session, position, "log_lost");
        return;
    }

    from.data = text;
    from.len = ngx_ws_mgr_log_position(text, &old) - text;

    ngx_ws_mgr_welcome_gap(&client->session, &from, position, "lost");
}
