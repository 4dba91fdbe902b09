
/*
 * Copyright (C) the ngx_ws_mgr authors
 *
 * A client enters the registry, is welcomed and begins to read; and it leaves.
 * A seat holds what a handshake has taken until the client takes it over.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_ws_mgr_address.h>
#include <ngx_ws_mgr_engine.h>
#include <ngx_ws_mgr_client_enter.h>
#include <ngx_ws_mgr_welcome.h>


static void ngx_ws_mgr_seat_release(ngx_ws_mgr_place_t *place,
    struct sockaddr *address, ngx_uint_t admitted);
static void ngx_ws_mgr_seat_join(ngx_ws_mgr_client_t *client, ngx_int_t rc);
static void ngx_ws_mgr_seat_broadcast(ngx_ws_mgr_client_t *client,
    ngx_ws_mgr_seek_t *seek, ngx_ws_mgr_who_t *who);


static ngx_str_t  ngx_ws_mgr_seat_everyone = ngx_string("*");


void
ngx_ws_mgr_seat_ask(ngx_ws_mgr_seat_t *seat, ngx_str_t *text)
{
    ngx_ws_mgr_position_t  position;

    if (ngx_ws_mgr_log_position_parse(text, &position) != NGX_OK) {
        return;
    }

    if (position.broadcast) {
        seat->from_broadcast = position;

    } else {
        seat->from = position;
    }
}


ngx_int_t
ngx_ws_mgr_seat_address(ngx_ws_mgr_seat_t *seat, struct sockaddr *sa,
    ngx_uint_t limit)
{
    u_char     buf[NGX_WS_MGR_ADDRESS_LEN];
    ngx_int_t  rc;
    ngx_str_t  name;

    if (ngx_ws_mgr_address_name(sa, buf, &name) != NGX_OK) {
        return NGX_OK;
    }

    rc = ngx_ws_mgr_member_enter(&name, limit);

    if (rc == NGX_OK) {
        seat->address = sa;
    }

    return rc;
}


void
ngx_ws_mgr_seat_abandon(ngx_ws_mgr_seat_t *seat)
{
    ngx_ws_mgr_seat_release(&seat->place, seat->address, seat->admitted);

    seat->address = NULL;
    seat->admitted = 0;
}


/* the place is emptied where it is: should its shard be found lost meanwhile,
   it is found there */

static void
ngx_ws_mgr_seat_release(ngx_ws_mgr_place_t *place, struct sockaddr *address,
    ngx_uint_t admitted)
{
    ngx_str_t  name;
    u_char     buf[NGX_WS_MGR_ADDRESS_LEN];

    if (address) {
        (void) ngx_ws_mgr_address_name(address, buf, &name);
        ngx_ws_mgr_member_leave(&name);
    }

    if (admitted) {
        ngx_ws_mgr_node_dismiss();
    }

    if (place->hold == NULL) {
        return;
    }

    if (ngx_ws_mgr_engine) {
        name.data = place->hold->name;
        name.len = place->hold->len;

        ngx_ws_mgr_engine->leave(&name);
    }

    ngx_ws_mgr_registry_disconnect(place);
}


void
ngx_ws_mgr_seat_take(ngx_ws_mgr_client_t *client, ngx_ws_mgr_seat_t *seat)
{
    ngx_int_t          rc;
    ngx_ws_mgr_who_t   who;
    ngx_ws_mgr_seek_t  own, broadcast;

    client->place = seat->place;
    client->place.addressed = (seat->address != NULL);
    client->place.admitted = seat->admitted;
    client->place.restorable = 1;

    seat->place.hold = NULL;
    seat->address = NULL;
    seat->admitted = 0;

    if (client->place.echo) {
        ngx_ws_mgr_seat_join(client,
                             ngx_ws_mgr_registry_settle(&client->place));
        (void) ngx_ws_mgr_fanout_check_kick(client);
        return;
    }

    broadcast.from = seat->from_broadcast;
    broadcast.asked = seat->from_broadcast.epoch != 0;

    own.from = seat->from;
    own.asked = seat->asked.len && (own.from.epoch || !broadcast.asked);
    own.match = ngx_ws_mgr_fanout_match;
    own.data = &who;

    ngx_ws_mgr_registry_who(&client->place, &who);
    rc = ngx_ws_mgr_registry_open(&client->place, &own);
    client->own.sub.cursor = own.cursor;
    client->own.sub.live = own.end.seq + 1;

    ngx_ws_mgr_seat_join(client, rc);

    if (client->place.hold == NULL) {
        return;
    }

    /* the hold of the name may be another one */
    ngx_ws_mgr_registry_who(&client->place, &who);

    ngx_ws_mgr_seat_broadcast(client, &broadcast, &who);

    if (client->place.hold == NULL) {
        return;
    }

    ngx_ws_mgr_welcome_send(&client->session, &who, &own,
                            client->place.everyone ? &broadcast : NULL);

    if (own.asked) {
        client->place.restorable = 0;
        ngx_ws_mgr_seat_tell(client, &seat->asked, &own);
    }

    if (client->place.everyone && broadcast.gap) {
        ngx_ws_mgr_welcome_gap(&client->session, &seat->asked,
                               &broadcast.gone, broadcast.gap);
    }

    if (ngx_ws_mgr_fanout_check_kick(client) == NGX_OK) {
        ngx_ws_mgr_fanout_pump(client);
    }
}


/* among the sockets of its user, from where it goes again where there was no
   memory for it */

static void
ngx_ws_mgr_seat_join(ngx_ws_mgr_client_t *client, ngx_int_t rc)
{
    ngx_ws_mgr_fanout_join(client);

    if (rc != NGX_OK) {
        ngx_ws_mgr_fanout_starve(client);
    }
}


void
ngx_ws_mgr_seat_leave(ngx_ws_mgr_client_t *client)
{
    ngx_uint_t           everyone;
    ngx_ws_mgr_place_t  *place;

    place = &client->place;
    everyone = place->everyone && !place->unheard;

    if (place->restoring) {
        ngx_ws_mgr_seat_restore_forget(client);
    }

    ngx_ws_mgr_fanout_part(client);

    if (everyone) {
        ngx_ws_mgr_member_leave(&ngx_ws_mgr_seat_everyone);
    }

    ngx_ws_mgr_seat_release(place,
                            place->addressed && !place->unaddressed
                            ? client->session.connection->sockaddr : NULL,
                            place->admitted);
}


static void
ngx_ws_mgr_seat_broadcast(ngx_ws_mgr_client_t *client,
    ngx_ws_mgr_seek_t *seek, ngx_ws_mgr_who_t *who)
{
    if (!ngx_ws_mgr_registry_conf->broadcast) {
        return;
    }

    if (ngx_ws_mgr_member_enter(&ngx_ws_mgr_seat_everyone, 0) != NGX_OK) {
        ngx_ws_mgr_fanout_starve(client);
        return;
    }

    seek->match = ngx_ws_mgr_fanout_match;
    seek->data = who;

    ngx_ws_mgr_fanout_join_everyone(client);
    ngx_ws_mgr_registry_seek(&ngx_ws_mgr_member_everyone, seek);
    client->broadcast.cursor = seek->cursor;
    client->broadcast.live = seek->end.seq + 1;
}
