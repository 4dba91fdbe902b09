#!/usr/bin/perl

# A node dies: its users go to another and miss nothing.  One ticket lets in one
# of many, whatever the node.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;
use Test::WsMgr::Engine;
use Test::WsMgr::Redis;

my $redis = Test::WsMgr::Redis->start;
my ($first, $second) = nodes(2, $redis);

my $dying = Test::WsMgr::Nginx->new(
    server => 'location /ws { ws_mgr_socket; } location /api/ { ws_mgr_api; }',
    http => 'ws_mgr_redis ' . $redis->unix . '; ws_mgr_engine redis;',
    workers => 2);

$dying->spawn or die 'no node';

my %at;

for my $user ('u1' .. 'u8') {
    my $ticket = $first->ticket($user);
    my $socket = Test::WsMgr::WebSocket->start($dying->address,
        path => '/ws', protocols => [ 'ws-mgr.v1', "ticket.$ticket" ])->finish;

    $socket->event;
    $at{$user} = { socket => $socket, n => 0 };
}

my $post = sub { $first->post({ type => 'n', user_id => $_, n => $_[0] })
                 for sort keys %at };

$post->($_) for 1 .. 20;

for my $user (sort keys %at) {
    $at{$user}{id} = $at{$user}{socket}->event->{id} for 1 .. 10;
}

kill KILL => $dying->{pid}, $dying->workers;
waitpid $dying->{pid}, 0;
$post->($_) for 21 .. 40;

for my $user (sort keys %at) {
    my $socket = $at{$user}{socket}
        = $second->connect($user, query => "last_event_id=$at{$user}{id}");

    ok $socket->{welcome}{resumed}, "$user: resumed at another node";
    is join(' ', map { $socket->event->{n} } 11 .. 40), join(' ', 11 .. 40),
       'and missed nothing';
}

is $first->post({ type => 'n', user_id => 'u1', n => 41 })->{nodes}, 1,
   'the dead node is not counted';

# --- 60 upgrades, one ticket ---

my $ticket = $first->ticket('racer');
my @upgrades = map { ($first, $second)[$_ % 2]->begin_upgrade(ticket => $ticket) }
               1 .. 60;
my @status = map { $_->finish->status } @upgrades;

is scalar(grep { $_ == 101 } @status), 1, 'one of sixty gets in';
is scalar(grep { $_ == 401 } @status), 59, 'all others do not';
