
/*
 * Copyright (C) the ngx_ws_mgr authors
 *
 * libwebsockets: see t/websocket/clients.t for what it is told and tells.
 */


#include <libwebsockets.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>


#define MOST  (1 << 20)                    /* bytes of a message */


/*
 * Commands are done one after the other.  One that sends does so when the
 * socket is writable; "receive", "ping" and "close" wait for what comes.
 */

typedef struct {
    char          **commands;              /* up to a NULL */
    const char     *part;                  /* of "parts", what is left to send */
    int             waiting;
    int             over;
    char            protocol[64];          /* that was agreed on */
    size_t          len;                   /* of the message that comes */
    unsigned char   out[LWS_PRE + MOST];
    unsigned char   in[MOST];
} client_t;


static client_t  client;


static void
tell(const char *what, const void *data, size_t len)
{
    printf("%s %.*s\n", what, (int) len, (const char *) data);
    fflush(stdout);
}


static void
pattern(unsigned char *p, size_t len)
{
    size_t  i;

    for (i = 0; i < len; i++) {
        p[i] = i % 251;
    }
}


/* the value of the command, or NULL where it is another one */

static const char *
command(const char *name)
{
    size_t       len;
    const char  *given;

    given = *client.commands;
    len = strlen(name);

    if (given == NULL || strncmp(given, name, len) != 0) {
        return NULL;
    }

    return (given[len] == ':') ? given + len + 1 : given[len] ? NULL : "";
}


static void
next_command(struct lws *wsi)
{
    client.commands++;
    client.waiting = 0;

    lws_callback_on_writable(wsi);
}


static int
send_frame(struct lws *wsi, const void *data, size_t len, int flags)
{
    if (data) {
        memcpy(client.out + LWS_PRE, data, len);
    }

    return lws_write(wsi, client.out + LWS_PRE, len, flags) < (int) len;
}


static int
send_part(struct lws *wsi, const char *parts)
{
    int          first, last;
    size_t       len;

    first = (client.part == NULL);

    if (first) {
        client.part = parts;
    }

    parts = client.part;
    len = strcspn(parts, ",");
    last = (parts[len] == '\0');

    if (send_frame(wsi, parts, len,
                   lws_write_ws_flags(LWS_WRITE_TEXT, first, last)))
    {
        return -1;
    }

    if (last) {
        client.part = NULL;
        next_command(wsi);

    } else {
        client.part = parts + len + 1;
        lws_callback_on_writable(wsi);
    }

    return 0;
}


static int
writable(struct lws *wsi)
{
    const char  *value, *reason;

    if (client.waiting) {
        return 0;
    }

    value = command("parts");
    if (value) {
        return send_part(wsi, value);
    }

    value = command("text");
    if (value) {
        next_command(wsi);
        return send_frame(wsi, value, strlen(value), LWS_WRITE_TEXT);
    }

    value = command("binary");
    if (value) {
        next_command(wsi);
        pattern(client.out + LWS_PRE, atoi(value));
        return send_frame(wsi, NULL, atoi(value), LWS_WRITE_BINARY);
    }

    client.waiting = 1;

    value = command("ping");
    if (value) {
        return send_frame(wsi, value, strlen(value), LWS_WRITE_PING);
    }

    value = command("close");
    if (value) {
        reason = strchr(value, ',') + 1;
        lws_close_reason(wsi, atoi(value), (unsigned char *) reason,
                         strlen(reason));
        return -1;
    }

    return 0;
}


/* messages come in parts as large as the protocol's buffer */

static void
received(struct lws *wsi, const void *data, size_t len)
{
    char    line[64];
    size_t  n;

    if (len > MOST - client.len) {
        lwsl_err("too much\n");
        exit(1);
    }

    memcpy(client.in + client.len, data, len);
    client.len += len;

    if (!lws_is_final_fragment(wsi) || lws_remaining_packet_payload(wsi)) {
        return;
    }

    if (lws_frame_is_binary(wsi)) {
        n = client.len;
        pattern(client.out, n);
        snprintf(line, sizeof(line), "%zu %s", n,
                 memcmp(client.in, client.out, n) ? "False" : "True");
        tell("binary", line, strlen(line));

    } else {
        tell("text", client.in, client.len);
    }

    client.len = 0;

    if (command("receive")) {
        next_command(wsi);
    }
}


static void
closed(const unsigned char *p, size_t len)
{
    char  line[160];

    snprintf(line, sizeof(line), "%u %.*s", len < 2 ? 1005 : p[0] << 8 | p[1],
             len < 2 ? 0 : (int) len - 2, (const char *) p + 2);
    tell("closed", line, strlen(line));
}


static int
callback(struct lws *wsi, enum lws_callback_reasons reason, void *user,
    void *in, size_t len)
{
    (void) user;

    switch (reason) {

    case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
        tell("error", in ? in : "", in ? strlen(in) : 0);
        client.over = 1;
        return -1;

    case LWS_CALLBACK_CLIENT_FILTER_PRE_ESTABLISH:
        lws_hdr_copy(wsi, client.protocol, sizeof(client.protocol),
                     WSI_TOKEN_PROTOCOL);
        break;

    case LWS_CALLBACK_CLIENT_ESTABLISHED:
        tell("open", client.protocol, strlen(client.protocol));
        lws_callback_on_writable(wsi);
        break;

    case LWS_CALLBACK_CLIENT_WRITEABLE:
        return writable(wsi);

    case LWS_CALLBACK_CLIENT_RECEIVE:
        received(wsi, in, len);
        break;

    case LWS_CALLBACK_CLIENT_RECEIVE_PONG:
        tell("pong", in, len);

        if (command("ping")) {
            next_command(wsi);
        }

        break;

    case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
        closed(in, len);
        break;

    case LWS_CALLBACK_CLIENT_CLOSED:
        client.over = 1;
        break;

    default:
        break;
    }

    return 0;
}


static const struct lws_protocols  protocols[] = {
    { "client", callback, 0, 4096, 0, NULL, 0 },
    { NULL, NULL, 0, 0, 0, NULL, 0 }
};


static const struct lws_extension  extensions[] = {
    { "permessage-deflate", lws_extension_callback_pm_deflate,
      "permessage-deflate; client_no_context_takeover; "
      "client_max_window_bits" },
    { NULL, NULL, NULL }
};


/* ws://host:port/path, ticket, "deflate" or "plain", commands */

int
main(int argc, char **argv)
{
    int                              port;
    char                             offer[256], path[1024], host[256];
    struct lws_context              *context;
    struct lws_client_connect_info   to;
    struct lws_context_creation_info info;

    if (argc < 4 || sscanf(argv[1], "ws://%255[^:]:%d%1023s", host, &port,
                           path) != 3)
    {
        return 2;
    }

    (void) alarm(30);

    client.commands = argv + 4;
    snprintf(offer, sizeof(offer), "ws-mgr.v1, ticket.%s", argv[2]);

    lws_set_log_level(LLL_ERR, NULL);

    memset(&info, 0, sizeof(info));
    info.port = CONTEXT_PORT_NO_LISTEN;
    info.protocols = protocols;
    info.extensions = strcmp(argv[3], "deflate") == 0 ? extensions : NULL;

    context = lws_create_context(&info);
    if (context == NULL) {
        return 1;
    }

    memset(&to, 0, sizeof(to));
    to.context = context;
    to.address = host;
    to.host = host;
    to.port = port;
    to.path = path;
    to.protocol = offer;
    to.local_protocol_name = "client";

    if (lws_client_connect_via_info(&to) == NULL) {
        return 1;
    }

    while (!client.over && lws_service(context, 0) >= 0) {
        continue;
    }

    lws_context_destroy(context);

    return 0;
}
