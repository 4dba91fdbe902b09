#!/usr/bin/perl

# A worker is killed while older ones, of another zone, say goodbye.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;

my $drain = 'ws_mgr_drain 20s;';
my $mgr = manager(<<'CONF', http => "ws_mgr_zone 8m; $drain");
    location /ws   { ws_mgr_socket; }
    location /api/ { ws_mgr_api; }
CONF

my @old = map { $mgr->connect('bob') } 1 .. 8;

ok $mgr->reload(http => "ws_mgr_zone 16m; $drain"), 'another zone';

for my $round (1 .. 3) {
    my $ann = $mgr->connect('ann');
    my ($worker) = $mgr->workers;

    $mgr->kill_worker($worker);
    is $ann->closed, 1006, 'cut off';
    eventually { $mgr->workers == 1 && ($mgr->workers)[0] != $worker }
        'another worker takes the place';
    eventually { $mgr->connections_of('ann') == 0 } 'of which nothing is left';
}

ok $mgr->children > 1, 'the old worker is still there';
