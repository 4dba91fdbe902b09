#!/usr/bin/perl

# When nginx quits, each socket is told.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;

my $mgr = manager(<<'CONF', workers => 2, http => 'ws_mgr_drain 1s;');
    location /ws   { ws_mgr_socket; ws_mgr_connections user=100; }
    location /api/ { ws_mgr_api; }
CONF

my @ann = map { $mgr->connect('ann') } 1 .. 10;

$mgr->signal('QUIT');

for my $socket (@ann) {
    my $last = $socket->event;

    is $last->{type}, 'server_shutdown', 'told';
    ok $last->{reconnect_after_ms} >= 0, 'when to come back';
    like $socket->closed, qr/^10(01|12)$/, 'closed as going away';
    ok $socket->ended, 'ended';
}

ok $mgr->quit, 'then nginx ends';
is((() = $mgr->log('access.log') =~ /close=10(?:01|12) by=server/g), 10,
   'ten lives in the access log');
