#!/usr/bin/perl

# Users who came and went, by whatever way, leave no shared memory behind.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;

my $n = 400;
my $mgr = manager(<<'CONF', http => 'ws_mgr_zone 2m shards=1; ws_mgr_log age=1s;');
    location /ws   { ws_mgr_socket; }
    location /api/ { ws_mgr_api; }
CONF

sub free_bytes {
    my ($text) = $mgr->client->get('/api/metrics')->{body}
                 =~ /^ws_mgr_zone_free_bytes(?:\{[^}]*\})? (\d+)/m;

    return $text;
}

# each with a ticket that goes too: a used one would leave a mark
sub visit {
    my ($user) = @_;
    my $ticket = $mgr->ticket($user, single_use => JSON::PP::false);
    my $socket = $mgr->upgrade(ticket => $ticket);

    $socket->event;
    $mgr->api(DELETE => "tickets/$ticket");

    return $socket;
}

# the first ones make what stays: tables, and pages of each size
$_->drop for map { visit("first $_") } 1 .. 20;
eventually { $mgr->status->{connections} == 0 } 'the first have gone';

my $before = free_bytes();

for my $round (1 .. 3) {
    my @sockets = map { visit("user $round $_") } 1 .. $n;

    cmp_ok free_bytes(), '<', $before - 4096 * 4, 'they take memory';
    $_ % 2 ? $sockets[$_]->drop : $sockets[$_]->abort for 0 .. $#sockets;
    eventually { $mgr->status->{connections} == 0 } 'all have gone';
}

eventually { free_bytes() >= $before - 4096 * 4 }
    'no more memory is taken than before';
diag('free before ' . $before . ', after ' . free_bytes());
