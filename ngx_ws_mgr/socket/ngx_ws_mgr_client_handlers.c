
/*
 * Copyright (C) the ngx_ws_mgr authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_ws_mgr_access_log.h>
#include <ngx_ws_mgr_client_handlers.h>
#include <ngx_ws_mgr_conf.h>
#include <ngx_ws_mgr_forward.h>
#include <ngx_ws_mgr_client_message.h>
#include <ngx_ws_mgr_notify.h>
#include <ngx_ws_mgr_client_enter.h>


/* client->own.edge after leave(): what end() logs of a record that is gone */

typedef struct {
    ngx_str_t    user;
    ngx_str_t    connection;
} ngx_ws_mgr_client_name_t;


#define ngx_ws_mgr_client_forwards(s)                                         \
    (ngx_ws_mgr_conf_of_session((s)->conf)->forward                           \
     == NGX_WS_MGR_FORWARD_URI)


static void ngx_ws_mgr_client_message(ngx_ws_mgr_session_t *s,
    ngx_uint_t opcode, ngx_str_t *payload);
static void ngx_ws_mgr_client_limited(ngx_ws_mgr_session_t *s);
static void ngx_ws_mgr_client_writable(ngx_ws_mgr_session_t *s);
static void ngx_ws_mgr_client_heartbeat(ngx_ws_mgr_session_t *s);
static void ngx_ws_mgr_client_drain(ngx_ws_mgr_session_t *s,
    ngx_msec_t reconnect_ms);
static void ngx_ws_mgr_client_leave(ngx_ws_mgr_session_t *s);
static void ngx_ws_mgr_client_end(ngx_ws_mgr_session_t *s);
static ngx_ws_mgr_client_name_t *ngx_ws_mgr_client_name(
    ngx_ws_mgr_place_t *place);


const ngx_ws_mgr_session_handlers_t  ngx_ws_mgr_client_handlers = {
    ngx_ws_mgr_client_message,
    ngx_ws_mgr_client_limited,
    ngx_ws_mgr_client_writable,
    ngx_ws_mgr_client_heartbeat,
    ngx_ws_mgr_client_drain,
    ngx_ws_mgr_client_leave,
    ngx_ws_mgr_client_end
};


static void
ngx_ws_mgr_client_message(ngx_ws_mgr_session_t *s, ngx_uint_t opcode,
    ngx_str_t *payload)
{
    ngx_str_t             ref;
    ngx_uint_t            forward;
    ngx_ws_mgr_client_t  *client;

    client = (ngx_ws_mgr_client_t *) s;

    if (client->place.hold == NULL) {
        return;
    }

    ngx_ws_mgr_fanout_account(client);

    if (client->place.echo) {
        ngx_ws_mgr_session_send(s, opcode, payload->data, payload->len);
        return;
    }

    forward = ngx_ws_mgr_client_forwards(s);

    if (ngx_ws_mgr_message_handle(client, opcode, payload,
                                  forward ? &ref : NULL)
        == NGX_DECLINED)
    {
        ngx_ws_mgr_forward_message(client, opcode, payload, &ref);
    }
}


static void
ngx_ws_mgr_client_limited(ngx_ws_mgr_session_t *s)
{
    ngx_ws_mgr_client_t  *client;

    client = (ngx_ws_mgr_client_t *) s;

    if (client->place.hold) {
        ngx_ws_mgr_message_limited(client);
    }
}


static void
ngx_ws_mgr_client_writable(ngx_ws_mgr_session_t *s)
{
    ngx_ws_mgr_client_t  *client;

    client = (ngx_ws_mgr_client_t *) s;

    if (client->place.hold && !client->place.echo) {
        ngx_ws_mgr_fanout_pump(client);
    }
}


static void
ngx_ws_mgr_client_heartbeat(ngx_ws_mgr_session_t *s)
{
    ngx_ws_mgr_client_t  *client;

    client = (ngx_ws_mgr_client_t *) s;

    if (client->place.hold && !client->place.echo) {
        ngx_ws_mgr_message_heartbeat(client);
    }
}


static void
ngx_ws_mgr_client_drain(ngx_ws_mgr_session_t *s, ngx_msec_t reconnect_ms)
{
    ngx_ws_mgr_client_t  *client;

    client = (ngx_ws_mgr_client_t *) s;

    if (client->place.hold && !client->place.echo) {
        ngx_ws_mgr_count(DRAINED);
        ngx_ws_mgr_message_shutdown(client, reconnect_ms);
    }
}


static void
ngx_ws_mgr_client_leave(ngx_ws_mgr_session_t *s)
{
    ngx_ws_mgr_client_t       *client;
    ngx_ws_mgr_client_name_t  *name;

    client = (ngx_ws_mgr_client_t *) s;

    if (client->place.hold == NULL) {
        return;
    }

    if (ngx_ws_mgr_client_forwards(s)) {
        ngx_ws_mgr_forward_leave(client);
    }

    ngx_ws_mgr_notify_disconnect(s, &client->place);

    name = ngx_ws_mgr_client_name(&client->place);

    ngx_ws_mgr_seat_leave(client);

    client->own.edge = name;
}


static void
ngx_ws_mgr_client_end(ngx_ws_mgr_session_t *s)
{
    ngx_ws_mgr_client_t       *client;
    ngx_ws_mgr_client_name_t  *name, none;

    client = (ngx_ws_mgr_client_t *) s;

    ngx_memzero(&none, sizeof(ngx_ws_mgr_client_name_t));
    name = client->own.edge ? client->own.edge : &none;

    ngx_ws_mgr_access_log(s, ngx_ws_mgr_conf_of_session(s->conf),
                          &name->user, &name->connection);

    if (name != &none) {
        ngx_free(name);
    }
}


static ngx_ws_mgr_client_name_t *
ngx_ws_mgr_client_name(ngx_ws_mgr_place_t *place)
{
    u_char                    *p;
    ngx_ws_mgr_who_t           who;
    ngx_ws_mgr_client_name_t  *name;

    ngx_ws_mgr_registry_who(place, &who);

    name = ngx_alloc(sizeof(ngx_ws_mgr_client_name_t) + who.user_len
                     + NGX_WS_MGR_CONN_LEN, ngx_cycle->log);
    if (name == NULL) {
        return NULL;
    }

    name->user.data = (u_char *) (name + 1);
    name->user.len = who.user_len;

    p = ngx_cpymem(name->user.data, who.user, who.user_len);

    name->connection.data = p;
    name->connection.len = ngx_ws_mgr_registry_conn_id(p, who.number) - p;

    return name;
}
