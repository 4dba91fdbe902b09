#!/usr/bin/perl

# What other logs and proxies may know of a socket.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;

my $mgr = manager(<<'CONF');
    location /ws   { ws_mgr_socket; ws_mgr_permission websocket;
                     add_header X-User $ws_mgr_user always;
                     add_header X-Connection $ws_mgr_connection always;
                     add_header X-Refusal $ws_mgr_refusal always; }
    location /api/ { ws_mgr_api; }
    location /     { add_header X-User "-$ws_mgr_user-" always; return 200; }
CONF

my $in = $mgr->upgrade(ticket => $mgr->ticket('ann',
                                              permissions => [ 'websocket' ]));

is $in->header('x-user'), 'ann', '$ws_mgr_user';
is $in->header('x-connection'), $in->event->{connection_id},
   '$ws_mgr_connection';
is $in->header('x-refusal'), undef, 'no $ws_mgr_refusal';

my $out = $mgr->upgrade(ticket => $mgr->ticket('ann', permissions => []));

is $out->header('x-refusal'), 'forbidden', '$ws_mgr_refusal';
is $mgr->client->get('/')->{headers}{'x-user'}, '--', 'empty elsewhere';
