#!/usr/bin/perl

# A socket that the log has left behind is closed with 4001.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;

my $mgr = manager(<<'CONF', workers => 2, http => 'ws_mgr_log events=16 bytes=4m;');
    location /ws   { ws_mgr_socket; }
    location /api/ { ws_mgr_api; }
CONF

my $stuck = $mgr->connect('ann', to => $mgr->unix);
my $quick = $mgr->connect('ann');
my $pad = 'x' x 100_000;

for my $i (1 .. 150) {
    $mgr->post(qq/{"type":"n","user_id":"ann","n":$i,"pad":"$pad"}/);
    $quick->next_text =~ /"n":$i,/ or fail "the quick one has $i";
}

eventually { $mgr->connections_of('ann') == 1 } 'it has left the registry';
is $mgr->counter('ws_mgr_server_closes_total{cause="slow_consumer"}'), 1,
   'counted';

# what it can still read ends with the goodbye, or in a reset
my ($last, $event) = (0);

while ($event = $stuck->message) {
    my ($n) = $event->{payload} =~ /"n":(\d+)/;

    is $n, $last + 1, 'whole and in order' if $n != $last + 1;
    $last = $n;
}

ok $last < 150, "it read $last of 150";
like $stuck->closed, qr/^(4001|1006)$/, 'closed as a slow consumer';

eventually { $mgr->log('access.log') =~ /close=4001 by=server/ }
    'and so it is logged';
$mgr->post({ type => 'still', user_id => 'ann' });
is $quick->event->{type}, 'still', 'the quick one goes on';
