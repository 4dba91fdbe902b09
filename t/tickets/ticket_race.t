#!/usr/bin/perl

# Of sixty upgrades that race for one ticket exactly one gets in.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;

my $mgr = manager(<<'CONF', workers => 4);
    location /ws   { ws_mgr_socket; }
    location /api/ { ws_mgr_api; }
CONF

for my $round (1 .. 5) {
    my $ticket = $mgr->ticket('ann');
    my @racing = map { $mgr->begin_upgrade(ticket => $ticket) } 1 .. 60;
    my %ended;

    for my $socket (@racing) {
        $socket->finish;
        $ended{ $socket->answer->{json}{code} // $socket->status }++;
    }

    is_deeply \%ended, { 101 => 1, ticket_used => 59 }, "round $round";
}
