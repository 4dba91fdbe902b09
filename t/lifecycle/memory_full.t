#!/usr/bin/perl

# Where shared memory is full the oldest goes, and refusals are told.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;

my $mgr = manager(<<'CONF', workers => 2, http => 'ws_mgr_zone 2m shards=1; ws_mgr_log events=10000 bytes=64m age=1h;');
    location /ws   { ws_mgr_socket; ws_mgr_connections user=10000; }
    location /api/ { ws_mgr_api; }
CONF

my $ann = $mgr->connect('ann');
my %status;

# far more than fits: what is old makes place
for my $n (1 .. 400) {
    my $answer = $mgr->try_post({ type => 'n', user_id => 'u' . $n % 20,
                                  n => $n, pad => 'x' x 20_000 });

    $status{ $answer->{status} }++;
}

is_deeply \%status, { 200 => 400 }, 'no post is refused while logs can go';
ok $mgr->counter('ws_mgr_log_evictions_total{cause="pressure"}') > 0, 'counted';

$mgr->post({ type => 'x', user_id => 'ann' });
is $ann->event->{type}, 'x', 'ann is served';

# tickets are bounded by memory too
my ($refused, $last);

for (1 .. 5000) {
    $last = $mgr->api(POST => 'tickets', { user_id => "t$_",
                                           metadata => { a => 'x' x 2000 } });
    $refused = $last, last if $last->{status} != 201;
}

SKIP: {
    skip 'tickets always found a place', 2 if !$refused;
    is $refused->{status}, 503, 'no place for a ticket';
    like $refused->{headers}{'retry-after'}, qr/^\d+$/, 'Retry-After';
}

$mgr->post({ type => 'y', user_id => 'ann' });
is $ann->event->{type}, 'y', 'ann is still served';
is $mgr->watched('health')->{status} =~ /^(healthy|degraded)$/ ? 1 : 0, 1,
   'and health says how it is';
