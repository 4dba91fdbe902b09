#!/usr/bin/perl

# Of any number of upgrades that race for one ticket, over two nodes of two
# workers each, exactly one gets in.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;
use Test::WsMgr::Redis;

my $redis = Test::WsMgr::Redis->start;

# many at once on a busy machine: not to be about time
my $http = 'ws_mgr_redis ' . $redis->unix . ' timeout=10s;'
           . 'ws_mgr_ticket_store redis timeout=10s;';

my @nodes = map {
    manager(<<'CONF', http => $http, workers => 2);
    ws_mgr_connections user=off;

    location /ws   { ws_mgr_socket; }
    location /api/ { ws_mgr_api; }
CONF
} 1 .. 2;

for my $round (1 .. 5) {
    my $ticket = $redis->ticket('ann');

    # all but the last bytes of each are there before any goes on
    my @racers = map {
        $nodes[$_ % 2]->begin_upgrade(ticket => $ticket, hesitant => 1)
    } 1 .. 60;

    $_->go_on for @racers;
    $_->finish for @racers;

    my %got;

    $got{ $_->status == 101 ? 101 : $_->answer->{json}{code} }++ for @racers;

    is_deeply \%got, { 101 => 1, ticket_used => 59 }, "race $round";
}

# one that a node issues is good at the other
my $ticket = $nodes[0]->ticket('bob');

is $nodes[1]->upgrade(ticket => $ticket)->status, 101, 'issued by the other';
$nodes[0]->is_problem($nodes[0]->upgrade(ticket => $ticket)->answer, 401,
                      'ticket_used', 'and used there');
