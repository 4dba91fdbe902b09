#!/usr/bin/perl

# When nginx stops at once, each socket is told as far as that goes.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;

my $mgr = manager(<<'CONF', workers => 2);
    location /ws   { ws_mgr_socket; ws_mgr_connections user=100; }
    location /api/ { ws_mgr_api; }
CONF

my @ann = map { $mgr->connect('ann') } 1 .. 10;
my %delay;

$mgr->post({ type => 'last', user_id => 'ann' });
$mgr->signal('TERM');

for my $socket (@ann) {
    is $socket->event->{type}, 'last', 'what was posted is there';

    my $bye = $socket->event;

    is $bye->{type}, 'server_shutdown', 'told';
    $delay{ $bye->{reconnect_after_ms} } = 1;
    is $socket->closed, 1012, 'closed';
}

cmp_ok keys %delay, '>', 5, 'each is to come back at its own time';
eventually { $mgr->reaped } 'nginx ended';
is((() = $mgr->log('access.log') =~ /close=1012 by=server/g), 10,
   'ten lives in the access log');
