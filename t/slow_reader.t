#!/usr/bin/perl

# A socket that lags costs nobody anything, and catches up.

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::WsMgr;

my $mgr = manager(<<'CONF', workers => 2, http => 'ws_mgr_log events=1000 bytes=32m;');
    location /ws   { ws_mgr_socket; }
    location /api/ { ws_mgr_api; }
CONF

my $slow = $mgr->connect('ann', receive_buffer => 4096);
my $quick = $mgr->connect('ann');

# far more than the kernel buffers
my ($n, $pad) = (120, 'x' x 100_000);
my ($last, $wrong) = (undef, 0);

for my $i (1 .. $n) {
    $last = $mgr->post({ type => 'n', user_id => 'ann', n => $i,
                         pad => $pad });
    $wrong++ if $quick->event->{n} != $i;
}

is $wrong, 0, 'the quick one is not held up';

my $sent = $mgr->watched("connections/$slow->{id}")->{sent} // '';

unlike $sent, qr/\b$last->{seq}$/, 'the slow one lags';

for my $i (1 .. $n) {
    my $event = $slow->event;

    $wrong++ if ($event->{n} // 0) != $i || $event->{pad} ne $pad;
}

is $wrong, 0, 'then it has all of them, in order, unharmed';
$mgr->post({ type => 'live', user_id => 'ann' });
is $slow->event->{type}, 'live', 'and is live again';
