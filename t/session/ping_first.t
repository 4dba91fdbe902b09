#!/usr/bin/perl

# Who came together is not pinged together: the first ping comes at any time of
# the interval, the next ones an interval apart.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;

my ($n, $interval) = (60, 1);

my $mgr = manager(<<'CONF', workers => 2);
    location /ws   { ws_mgr_socket; ws_mgr_ping 1s 10s;
                     ws_mgr_connections user=off; }
    location /api/ { ws_mgr_api; }
CONF

my @sockets = map { my $start = now();
                    { start => $start, pings => [],
                      socket => $mgr->connect('ann') } } 1 .. $n;
my $end = now() + 2.5 * $interval;

while (now() < $end) {
    for my $of (@sockets) {
        my $socket = $of->{socket};

        $socket->message(0);
        push @{ $of->{pings} }, now() if $socket->{pings} > @{ $of->{pings} };
    }

    wait_until { 0 } 0.01 / patience(1);
}

my @first = sort { $a <=> $b } map { $_->{pings}[0] - $_->{start} } @sockets;

note sprintf 'first after %.2f to %.2f s', @first[0, -1];
cmp_ok $first[0], '<', 0.25 * $interval, 'some are pinged soon';
cmp_ok $first[-1], '>', 0.75 * $interval, 'others later';
cmp_ok $first[-1], '<', $interval + patience(0.3), 'all within the interval';

# of ten parts of the interval none has many
my %parts;

$parts{int 10 * $_}++ for @first;

my ($most) = sort { $b <=> $a } values %parts;

cmp_ok $most, '<', $n / 3, "at most $most of $n at about the same time";

# one interval behind an answer, not behind the first ping of all
my @apart = sort { $a <=> $b }
            map { $_->{pings}[1] - $_->{pings}[0] } @sockets;

note sprintf 'then after %.2f to %.2f s', @apart[0, -1];
cmp_ok $apart[0], '>', 0.9 * $interval, 'the next is an interval later';
cmp_ok $apart[@apart / 2], '<', $interval + patience(0.3), 'and not more';
