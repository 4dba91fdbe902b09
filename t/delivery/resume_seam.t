#!/usr/bin/perl

# At the seam of replay and live nothing is lost or repeated.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;

my $mgr = manager(<<'CONF', workers => 4, http => 'ws_mgr_log events=5000;');
    location /ws   { ws_mgr_socket; ws_mgr_connections user=100; }
    location /api/ { ws_mgr_api; }
CONF

# a publisher of its own posts while clients come and go
my $total = 3000;
my $start = $mgr->connect('ann')->{welcome}{position};
my $child = fork;

if ($child == 0) {
    my $client = $mgr->client;

    for my $n (1 .. $total) {
        $client->post('/api/events',
                      encode({ type => 'n', user_id => 'ann', n => $n }));
    }

    POSIX::_exit(0);
}

my ($position, $n, $reconnects, $wrong) = ($start, 0, 0, 0);

while ($n < $total && $reconnects++ < 1000) {
    my $ann = $mgr->connect('ann', query => "last_event_id=$position");

    if (!$ann->{welcome}{resumed}) {
        fail "resumed at $position";
        last;
    }

    for (1 .. 1 + int rand 100) {
        last if $n == $total;

        my $event = $ann->event;

        $wrong++ if ($event->{n} // 0) != ++$n;
        $position = $event->{id};
    }

    int rand 2 ? $ann->close(1000) : $ann->abort;
    last if $wrong;
}

waitpid $child, 0;
is $n, $total, "all of them, over $reconnects connections";
is $wrong, 0, 'none lost, repeated or out of order';
