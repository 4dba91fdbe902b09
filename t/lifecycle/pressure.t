#!/usr/bin/perl

# Shared memory that is full of one thing or another: what can go goes in its
# order, each by its cause; no user takes from another; all heals by itself.
# What is full of sockets: t/lifecycle/memory_sockets.t.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;

my $mgr = manager(<<'CONF', workers => 2, http => <<'HTTP');
    location /ws   { ws_mgr_socket; }
    location /api/ { ws_mgr_api; }
CONF
    ws_mgr_zone 2m shards=1;
    ws_mgr_log events=1000 bytes=300k age=1s;
HTTP

sub evicted { $mgr->counter(qq/ws_mgr_log_evictions_total{cause="$_[0]"}/) }

sub event {
    my ($user, $pad) = @_;

    return { type => 'n', user_id => $user, pad => 'x' x $pad };
}

my $ann = $mgr->connect('ann');
my $first = $mgr->post(event('ann', 10))->{id};
$ann->event;

# --- one giant user: his own log's bounds, before anybody else is touched ---

$mgr->post(event('giant', 20_000)) for 1 .. 100;
cmp_ok evicted('bytes'), '>', 50, 'a giant is held by the bytes of his log';
is evicted('pressure'), 0, 'and presses on nobody';

# --- logs: what is over goes first, then the oldest of the longest ---

$mgr->post(event("big$_", 20_000)) for map { ($_) x 12 } 1 .. 8;
cmp_ok evicted('pressure'), '>', 0, 'where all is full, logs give way';
is $mgr->watched('events/ann')->{events}[0]{id}, $first,
   'but not the shortest of them';

my $before = evicted('idle');

eventually {
    $mgr->status->{logs}{events} <= 1;
} 'logs of those who are gone expire by themselves', 10;
cmp_ok evicted('idle') + evicted('age'), '>', $before, 'and count as such';

# --- tickets: of one user, without an end ---

my $bobs = $mgr->ticket('bob');
my $own = $mgr->ticket('cat');

$mgr->ticket('cat') for 1 .. 100;
is $mgr->upgrade(ticket => $own)->status, 401, 'over the cap the oldest goes';
is $mgr->counter('ws_mgr_tickets_total{result="replaced"}'), 1, 'counted';
is $mgr->upgrade(ticket => $bobs)->status, 101, 'nobody else is touched';

# --- tickets: of all the users there are ---

my ($issued, $refused) = (0);

for my $n (1 .. 10_000) {
    my $answer = $mgr->try_issue("t$n", ttl_seconds => 30,
                                 metadata => { a => 'x' x 3000 });

    $refused = $answer, last if $answer->{status} != 201;
    $mgr->remember($answer->{json}{ticket_id});
    $issued++;
}

$mgr->is_problem($refused, 503, 'out_of_memory', "after $issued tickets: no more");
ok $refused->{headers}{'retry-after'}, 'for a while';
$mgr->post(event('ann', 20_000));
is length $ann->event->{pad}, 20_000, 'events still find a place';

# --- and all heals ---

$mgr->post(event('ann', 10)) for 1 .. 3;
is $ann->event->{type}, 'n', 'ann is served as ever' for 1 .. 3;
