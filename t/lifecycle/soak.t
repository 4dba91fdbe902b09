#!/usr/bin/perl

# Half a minute of comings and goings, and all is as it was.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;

my $seconds = $ENV{WS_MGR_SOAK} || 30;
my $mgr = manager(<<'CONF', workers => 2, http => 'ws_mgr_log age=1s;');
    location /ws   { ws_mgr_socket; ws_mgr_connections user=1000; }
    location /api/ { ws_mgr_api; }
CONF

my %count;

# tickets that can be used again leave no marker behind
my @tickets = map {
    $mgr->ticket("user $_", single_use => JSON::PP::false, ttl_seconds => 3600)
} 0 .. 49;

# private memory of the workers, in kB
my $private = sub {
    my $sum = 0;

    for my $pid ($mgr->workers) {
        open my $file, '<', "/proc/$pid/smaps_rollup" or next;
        /^Private_(?:Clean|Dirty):\s+(\d+)/ and $sum += $1 for <$file>;
    }

    return $sum;
};

# what is used of shared memory, once nobody is left and the logs are old
my $shared = sub {
    my $memory;

    wait_until {
        my $status = $mgr->status;

        $memory = $status->{zone};
        return !$status->{connections} && !$status->{logs}{users};
    } 10;

    return $memory->{size} - $memory->{free};
};

my @sockets;
my $n = 0;

my %act = (
    come => sub {
        push @sockets, $mgr->upgrade(ticket => $tickets[rand @tickets]);
    },
    go => sub {
        my $socket = splice @sockets, rand @sockets, 1 if @sockets;
        my @ways = qw/ close drop abort /;

        $socket->${\ $ways[rand @ways] }() if $socket;
    },
    post => sub {
        $mgr->post({ type => 'n', user_id => 'user ' . int rand 50, n => $n++,
                     pad => 'x' x int rand 5000, run_id => "r$n",
                     event_id => "e$n" });
    },
    talk => sub {
        my $socket = $sockets[rand @sockets];

        $socket->say({ type => 'ping' }) if $socket;
    },
    hear => sub {
        my $socket = $sockets[rand @sockets];

        1 while $socket && $socket->message(0);
    },
    refused => sub { $mgr->upgrade(ticket => 'A' x 43)->drop },
    nonsense => sub { $mgr->try_post('{"type":') },
    ticket => sub {
        $mgr->api(DELETE => 'tickets/' . $mgr->ticket('ann'));
    },
    kick => sub {
        my $socket = splice @sockets, rand @sockets, 1 if @sockets;

        return if !$socket;

        my $id = $socket->event->{connection_id};

        $mgr->api(DELETE => "connections/$id") if defined $id;
    },
);
my @acts = ((sort keys %act), ('post') x 6, 'come', 'hear', 'hear');

my $run = sub {
    my $until = now() + $_[0];

    while (now() < $until) {
        my $what = $acts[rand @acts];

        $what = 'go' if @sockets > 150;
        $act{$what}->();
        $count{$what}++;
    }

    $_->drop for splice @sockets;
};

# what the first seconds take is for good: buffers, caches, arenas
$run->($seconds / 4);
my ($shared_before, $private_before) = ($shared->(), $private->());

$run->($seconds * 3 / 4);
my ($shared_after, $private_after) = ($shared->(), $private->());

note join ', ', map { "$_ $count{$_}" } sort keys %count;
note "shared $shared_before to $shared_after bytes, "
     . "private $private_before to $private_after kB";

cmp_ok $shared_after, '<=', $shared_before + 65_536,
       'shared memory is where it was';

SKIP: {
    skip 'a sanitizer keeps what is freed', 1 if $ENV{WS_MGR_ASAN};
    cmp_ok $private_after, '<=', $private_before * 1.2 + 1024,
           'so is that of the workers';
}
