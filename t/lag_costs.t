#!/usr/bin/perl

# Sockets that do not read cost the rest of one frame each, hold nobody up,
# and are noticed by pings.

use FindBin;
use lib "$FindBin::Bin/lib";
use List::Util qw/ min /;
use Test::WsMgr;

my $mgr = manager(<<'CONF', http => 'ws_mgr_log events=2000 bytes=64m;');
    location /ws   { ws_mgr_socket; ws_mgr_connections user=100; ws_mgr_ping off; }
    location /ping { ws_mgr_socket; ws_mgr_ping 400ms 400ms; }
    location /api/ { ws_mgr_api; }
CONF

my ($sockets, $frame) = (50, 10_000);
my $text = '{"type":"x","user_id":"%s","pad":"' . 'x' x $frame . '"}';

sub post {
    my ($user, $n) = @_;

    $mgr->post(sprintf $text, $user) for 1 .. $n;
}

# seconds for n posts, at best
sub takes {
    my ($user, $n) = @_;

    return min map { my $start = ran(); post($user, $n); ran() - $start }
               1 .. 5;
}

# seconds of CPU that the worker has had
sub ran {
    my ($pid) = $mgr->workers;

    open my $file, '<', "/proc/$pid/schedstat" or die "schedstat: $!";
    return (split ' ', <$file>)[0] / 1e9;
}

# memory of the worker that is no other's, in bytes
sub private {
    my ($pid) = $mgr->workers;
    my $sum = 0;

    open my $file, '<', "/proc/$pid/smaps_rollup" or return 0;
    /^Anonymous:\s+(\d+)/ and $sum += 1024 * $1 for <$file>;

    return $sum;
}

post('nobody', 200);

my @stuck = map { $mgr->connect('ann', to => $mgr->unix) } 1 .. $sockets;
my $before = private();

# far more than the kernel buffers
post('ann', 60);

my $seq = $mgr->post({ type => 'last', user_id => 'ann' })->{seq};
my $lag = grep { $_->{sent} !~ /-$seq$/ } $mgr->connections_of('ann');

is $lag, $sockets, "none of $sockets takes any more";

my $stuck = private();

note sprintf '%d bytes for each', ($stuck - $before) / $sockets;

SKIP: {
    skip 'a sanitizer keeps what is freed', 2 if $ENV{WS_MGR_ASAN};

    cmp_ok $stuck - $before, '<', $sockets * 1.2 * $frame + 200_000,
           'each costs the rest of a frame';
    post('ann', 1000);
    cmp_ok private() - $stuck, '<', 100_000, 'and no more, whatever is posted';
}

# without sockets, and with those
my ($alone, $with) = (takes('nobody', 100), takes('ann', 100));

note sprintf '%.1f us of CPU a post without sockets, %.1f us with them',
             $alone * 1e4, $with * 1e4;
cmp_ok $with, '<', 1.5 * $alone, 'publishing is not slowed';

# one that is gone without a word, with much to be sent
my $gone = $mgr->connect('bob', to => $mgr->unix, path => '/ping');

$mgr->counts('ws_mgr_server_closes_total{cause="no_pong"}', 1, sub {
    post('bob', 60);
    eventually { !$mgr->connections_of('bob') } 'it leaves the registry';
});

is scalar($mgr->connections_of('ann')), $sockets, 'the others are not asked';
