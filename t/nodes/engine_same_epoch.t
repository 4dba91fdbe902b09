#!/usr/bin/perl

# Two users whose logs have the same epoch: neither receives, compressed or not,
# an event of the other.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;
use Test::WsMgr::Deflate qw/ inflate inflater /;
use Test::WsMgr::Engine;
use Test::WsMgr::Redis;

my $redis = Test::WsMgr::Redis->start;
my ($node) = nodes(1, $redis, workers => 1, server => <<'CONF');
    location /ws   { ws_mgr_socket; ws_mgr_deflate on min=1; ws_mgr_ping off; }
    location /api/ { ws_mgr_api; }
CONF

my @users = ('ann', 'bob');
my %socket;

for my $user (@users) {
    $redis->say('HSET', "ws_mgr:{$user}:log", epoch => 1764580000000000,
                last => 0, floor => 0, bytes => 0);

    $socket{$user} = $node->upgrade(
        ticket  => $node->ticket($user),
        headers => { 'Sec-WebSocket-Extensions' => 'permessage-deflate' });

    $socket{$user}->next_frame;
}

my $epoch;

for my $n (1 .. 5) {
    for my $user (@users) {
        my $answer = $node->post({ type => 'x', user_id => $user,
                                   secret => "of $user, " x 20 });

        $epoch //= $answer->{id} =~ s/-.*//r;
        is $answer->{id}, "$epoch-$n", "$user: event $n of the epoch";
    }

    for my $user (@users) {
        my $frame = $socket{$user}->next_frame || {};

        is $frame->{rsv}, 4, 'compressed';

        my $event = decode(inflate(inflater(15), $frame->{payload}));

        is $event->{user_id}, $user, "$user receives an event of $user";
        is $event->{secret}, "of $user, " x 20, 'with its content';
    }
}

# sockets of one user still share what was compressed
my $other = $node->upgrade(
    ticket  => $node->ticket('ann'),
    headers => { 'Sec-WebSocket-Extensions' => 'permessage-deflate' });

$other->next_frame;

$node->counts('ws_mgr_deflated_total', 1, sub {
    $node->post({ type => 'x', user_id => 'ann', secret => 'once ' x 20 });

    for my $socket ($socket{ann}, $other) {
        my $frame = $socket->next_frame || {};

        is decode(inflate(inflater(15), $frame->{payload}))->{secret}, 'once ' x 20,
           'one socket of two of a user';
    }
});
