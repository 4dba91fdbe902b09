#!/usr/bin/perl

# The answer to an upgrade and the welcome come in one packet: one read has both.

use FindBin;
use lib "$FindBin::Bin/../lib";
use IO::Socket::INET;
use Test::WsMgr;

my $mgr = manager(<<'CONF');
    location /ws   { ws_mgr_socket; }
    location /api/ { ws_mgr_api; }
CONF

for my $n (1 .. 20) {
    my $socket = IO::Socket::INET->new(PeerAddr => $mgr->address) or die $@;
    my $ticket = $mgr->ticket("user$n");

    $socket->syswrite(join "\r\n", 'GET /ws HTTP/1.1', 'Host: x',
                      'Connection: Upgrade', 'Upgrade: websocket',
                      'Sec-WebSocket-Version: 13',
                      'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
                      "Sec-WebSocket-Protocol: ws-mgr.v1, ticket.$ticket",
                      '', '');
    $socket->sysread(my $read, 65536);
    like $read, qr/^HTTP.1.1 101 .*\r\n\r\n.*"connection_established"/s,
         "$n: both";
}
