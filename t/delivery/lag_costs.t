#!/usr/bin/perl

# Sockets that do not read cost the rest of one frame each, hold nobody up,
# and are noticed by pings.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;

my $mgr = manager(<<'CONF', http => 'ws_mgr_log events=4000 bytes=64m;');
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

# seconds of CPU for n posts
sub takes {
    my ($user, $n) = @_;
    my $start = ran();

    post($user, $n);

    return ran() - $start;
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

# with those, to without sockets: in turns, since the machine is not ours alone
my @slower = sort { $a <=> $b }
             map { my $alone = takes('nobody', 100); takes('ann', 100) / $alone }
             1 .. 11;

note sprintf 'with sockets a post takes %.2f to %.2f times the CPU', @slower[0, -1];
cmp_ok $slower[5], '<', 1.5, 'publishing is not slowed';

# one that is gone without a word, with much to be sent
my $gone = $mgr->connect('bob', to => $mgr->unix, path => '/ping');

$mgr->counts('ws_mgr_server_closes_total{cause="no_pong"}', 1, sub {
    post('bob', 60);
    eventually { !$mgr->connections_of('bob') } 'it leaves the registry';
});

is scalar($mgr->connections_of('ann')), $sockets, 'the others are not asked';
