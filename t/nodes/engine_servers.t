#!/usr/bin/perl

# Several Redis servers: users are spread over them, each at one, the same for
# every node; one that is away takes its own users along and nobody else.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;
use Test::WsMgr::Engine;
use Test::WsMgr::Redis;

my @redis = map { Test::WsMgr::Redis->start } 1 .. 3;
my ($here) = nodes(1, \@redis, http => 'ws_mgr_ticket_store shm;');
my ($there) = nodes(1, [ reverse @redis ], http => 'ws_mgr_ticket_store shm;');

my @users = map { "user $_" } 1 .. 60;
my %socket = map { $_ => $there->connect($_) } @users;

for my $user (@users) {
    is $here->post({ type => 'x', user_id => $user })->{nodes}, 1,
       "$user: heard at the other node";
    is $socket{$user}->event->{type}, 'x', 'and by its socket';
}

my %keys = map { my $i = $_; $i => { map { /\{(user \d+)\}/ ? ($1 => 1) : () }
                                     @{ $redis[$i]->say('KEYS', '*') } } } 0 .. 2;
my @shares = map { scalar keys %{ $keys{$_} } } 0 .. 2;

is $shares[0] + $shares[1] + $shares[2], @users, 'each user at one server';
cmp_ok $_, '>', 5, "a share of $_" for @shares;

$redis[1]->stop('KILL');

for my $user (@users) {
    my $answer = $here->try_post({ type => 'y', user_id => $user });

    is $answer->{status}, $keys{1}{$user} ? 503 : 200,
       "$user: " . ($keys{1}{$user} ? 'its server is away' : 'goes on');
    is $socket{$user}->event->{type}, 'y', 'heard' if !$keys{1}{$user};
}

is $here->watched('health')->{status}, 'degraded', 'degraded';
