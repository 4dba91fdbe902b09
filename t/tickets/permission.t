#!/usr/bin/perl

# A location asks for a permission, which the ticket has or has not.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;

my $mgr = manager(<<'CONF');
    ws_mgr_permission websocket;

    location /ws    { ws_mgr_socket; }
    location /agent { ws_mgr_socket; ws_mgr_permission agent:execute; }
    location /api/  { ws_mgr_api; }
CONF

# the ticket's permissions, the answers of both locations
my @table = (
    [ [ 'websocket' ], 101, 403 ],
    [ [ 'agent:execute' ], 403, 101 ],
    [ [ 'read', 'websocket', 'agent:execute' ], 101, 101 ],
    [ [ 'websocket2', 'websocke', 'agent' ], 403, 403 ],
    [ [ 'WEBSOCKET' ], 403, 403 ],
    [ [], 403, 403 ],
);

for (@table) {
    my ($permissions, @expected) = @$_;

    for my $where ('/ws', '/agent') {
        my $ticket = $mgr->ticket('ann', permissions => $permissions);
        my $socket = $mgr->upgrade(ticket => $ticket, path => $where);

        is $socket->status, shift @expected, "@$permissions at $where";
        $socket->close if $socket->status == 101;
    }
}
