#!/usr/bin/perl

# A socket that lags costs nobody anything, and catches up.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;

my $mgr = manager(<<'CONF', workers => 2, http => 'ws_mgr_log events=1000 bytes=32m;');
    location /ws   { ws_mgr_socket; }
    location /api/ { ws_mgr_api; }
CONF

# of the next event, without the cost of decoding it
sub number {
    return ($_[0]->next_text // '') =~ /"n":(\d+)/ ? $1 : 0;
}

my $slow = $mgr->connect('ann', to => $mgr->unix);
my $quick = $mgr->connect('ann');

# far more than the kernel buffers
my ($n, $pad) = (120, 'x' x 100_000);
my ($last, $wrong) = (undef, 0);

for my $i (1 .. $n) {
    $last = $mgr->post(qq/{"type":"n","user_id":"ann","n":$i,"pad":"$pad"}/);
    $wrong++ if number($quick) != $i;
}

is $wrong, 0, 'the quick one is not held up';

my $sent = $mgr->watched("connections/$slow->{id}")->{sent} // '';

unlike $sent, qr/\b$last->{seq}$/, 'the slow one lags';

for my $i (1 .. $n) {
    $wrong++ if number($slow) != $i || $slow->{raw} !~ /"\Q$pad\E"/;
}

is $wrong, 0, 'then it has all of them, in order, unharmed';
$mgr->post({ type => 'live', user_id => 'ann' });
is $slow->event->{type}, 'live', 'and is live again';
