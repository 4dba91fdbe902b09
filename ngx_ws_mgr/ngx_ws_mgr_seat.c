
/*
 * Copyright (C) the ngx_ws_mgr authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_ws_mgr_seat.h>
#include <ngx_ws_mgr_welcome.h>


static void ngx_ws_mgr_seat_tell(ngx_ws_mgr_client_t *client,
    ngx_str_t *asked, ngx_ws_mgr_seek_t *seek);
static void ngx_ws_mgr_seat_broadcast(ngx_ws_mgr_client_t *client,
    ngx_ws_mgr_seek_t *seek);


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


void
ngx_ws_mgr_seat_abandon(ngx_ws_mgr_seat_t *seat)
{
    if (seat->conn) {
        ngx_ws_mgr_registry_disconnect(seat->conn);
        seat->conn = NULL;
    }

    if (seat->address) {
        ngx_ws_mgr_member_leave(seat->address);
        seat->address = NULL;
    }

    if (seat->admitted) {
        ngx_ws_mgr_node_dismiss();
        seat->admitted = 0;
    }
}


void
ngx_ws_mgr_seat_take(ngx_ws_mgr_client_t *client, ngx_ws_mgr_seat_t *seat)
{
    ngx_ws_mgr_seek_t   own, broadcast;
    ngx_ws_mgr_conn_t  *conn;

    conn = seat->conn;

    client->conn = conn;
    client->address = seat->address;
    client->admitted = seat->admitted;
    client->restorable = 1;

    seat->conn = NULL;
    seat->address = NULL;
    seat->admitted = 0;

    ngx_ws_mgr_fanout_join(&client->own, conn->member);

    if (client->echo) {
        (void) ngx_ws_mgr_fanout_check_kick(client);
        return;
    }

    broadcast.from = seat->from_broadcast;
    broadcast.asked = seat->from_broadcast.epoch != 0;

    own.from = seat->from;
    own.asked = seat->asked.len && (own.from.epoch || !broadcast.asked);
    own.match = ngx_ws_mgr_fanout_match;
    own.data = conn;

    ngx_ws_mgr_registry_open(conn, &own);
    client->own.cursor = own.cursor;
    client->own.live = own.end.seq + 1;

    ngx_ws_mgr_seat_broadcast(client, &broadcast);

    if (client->conn == NULL) {
        return;
    }

    ngx_ws_mgr_welcome_send(&client->session, conn, &own,
                            client->broadcast.member ? &broadcast : NULL);

    if (own.asked) {
        client->restorable = 0;
        ngx_ws_mgr_seat_tell(client, &seat->asked, &own);
    }

    if (client->broadcast.member && broadcast.gap) {
        ngx_ws_mgr_welcome_gap(&client->session, &seat->asked,
                               &broadcast.gone, broadcast.gap);
    }

    if (ngx_ws_mgr_fanout_check_kick(client) == NGX_OK) {
        ngx_ws_mgr_fanout_pump(client);
    }
}


void
ngx_ws_mgr_seat_leave(ngx_ws_mgr_client_t *client)
{
    ngx_ws_mgr_seat_t  seat;

    ngx_ws_mgr_fanout_part(&client->own);

    if (client->broadcast.member) {
        ngx_ws_mgr_fanout_part(&client->broadcast);
        ngx_ws_mgr_member_leave(client->broadcast.member);
        client->broadcast.member = NULL;
    }

    client->own.member = NULL;

    seat.conn = client->conn;
    seat.address = client->address;
    seat.admitted = client->admitted;

    client->conn = NULL;
    client->address = NULL;
    client->admitted = 0;

    ngx_ws_mgr_seat_abandon(&seat);
}


void
ngx_ws_mgr_seat_restore(ngx_ws_mgr_client_t *client, ngx_str_t *position)
{
    ngx_ws_mgr_seek_t  seek;

    seek.match = ngx_ws_mgr_fanout_match;
    seek.data = client->conn;

    seek.asked = 1;

    if (ngx_ws_mgr_log_position_parse(position, &seek.from) != NGX_OK
        || seek.from.broadcast)
    {
        seek.from.epoch = 0;
    }

    ngx_ws_mgr_registry_seek(client->own.member, &seek);

    if (!client->restorable) {

        /* seq only rises on a socket: what lies before the events that were
           sent since the welcome can not follow them */

        if (seek.from.epoch != seek.end.epoch
            || seek.from.seq < client->own.cursor)
        {
            seek.gap = "late";
            seek.gone.seq = client->own.cursor;
            ngx_ws_mgr_seat_tell(client, position, &seek);
        }

        return;
    }

    client->restorable = 0;

    ngx_ws_mgr_seat_tell(client, position, &seek);

    client->own.cursor = seek.cursor;
    client->own.live = seek.end.seq + 1;
    ngx_ws_mgr_fanout_pump(client);
}


static void
ngx_ws_mgr_seat_tell(ngx_ws_mgr_client_t *client, ngx_str_t *asked,
    ngx_ws_mgr_seek_t *seek)
{
    if (seek->gap == NULL) {
        ngx_ws_mgr_count(RESUMES_OK);
        return;
    }

    ngx_ws_mgr_count(RESUMES_GAP);
    ngx_ws_mgr_welcome_gap(&client->session, asked, &seek->gone, seek->gap);
}


static void
ngx_ws_mgr_seat_broadcast(ngx_ws_mgr_client_t *client,
    ngx_ws_mgr_seek_t *seek)
{
    ngx_ws_mgr_member_t  *member;

    if (!ngx_ws_mgr_registry_conf->broadcast) {
        return;
    }

    if (ngx_ws_mgr_member_enter(&ngx_ws_mgr_seat_everyone, 0, &member)
        != NGX_OK)
    {
        ngx_ws_mgr_count(CLOSED_MEMORY);
        ngx_ws_mgr_session_close(&client->session, NGX_WS_MGR_CLOSE_TRY_LATER,
                                 "Out of memory");
        return;
    }

    seek->match = ngx_ws_mgr_fanout_match;
    seek->data = client->conn;

    ngx_ws_mgr_fanout_join(&client->broadcast, member);
    ngx_ws_mgr_registry_seek(member, seek);
    client->broadcast.cursor = seek->cursor;
    client->broadcast.live = seek->end.seq + 1;
}
