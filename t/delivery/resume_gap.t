#!/usr/bin/perl

# A position that cannot be honoured is told, never passed over.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;

my $mgr = manager(<<'CONF', http => 'ws_mgr_log events=4;');
    location /ws   { ws_mgr_socket; }
    location /api/ { ws_mgr_api; }
CONF

my @ids = map { $mgr->post({ type => 'n', user_id => 'ann', n => $_ })->{id} }
          1 .. 10;
my ($epoch) = $ids[0] =~ /^(\w+)-/;

# what is asked, the reason, what is still there
my @table = (
    [ $ids[0], 'evicted', 7 .. 10 ],
    [ $ids[4], 'evicted', 7 .. 10 ],
    [ "${epoch}x-3", 'unknown_epoch', 7 .. 10 ],
    [ 'zzzzzz-3', 'unknown_epoch', 7 .. 10 ],
    [ 'nonsense', 'malformed', 7 .. 10 ],
    [ "$epoch-", 'malformed', 7 .. 10 ],
    [ "$epoch--1", 'malformed', 7 .. 10 ],
    [ "$epoch-99999999999999999999999", 'malformed', 7 .. 10 ],
    [ "$epoch-1x", 'malformed', 7 .. 10 ],
    [ '%00', 'malformed', 7 .. 10 ],
    [ 'x' x 1000, 'malformed', 7 .. 10 ],
    [ $ids[5], undef, 7 .. 10 ],
    [ $ids[6], undef, 8 .. 10 ],
    [ $ids[9], undef ],
);

for (@table) {
    my ($position, $reason, @left) = @$_;
    my $name = substr $position, 0, 40;
    my $back = $mgr->connect('ann', query => "last_event_id=$position");

    if (defined $reason) {
        ok !$back->{welcome}{resumed}, "$name: not resumed";

        my $gap = $back->event;

        is $gap->{type}, 'gap', 'a gap';
        is $gap->{reason}, $reason, "since $reason";
        is $gap->{to}, $ids[5], 'up to the last that is gone';
        is $gap->{from}, $position, 'from what was asked'
            if $reason eq 'evicted';
    } else {
        ok $back->{welcome}{resumed}, "$name: resumed";
    }

    is $back->{welcome}{replayed}, scalar(@left), 'how many follow';
    is_deeply [ map { $_->{n} } $back->events(scalar @left) ], \@left,
              'what the log still has';
    $back->close(1000);
}

is $mgr->counter('ws_mgr_gaps_total'), 11, 'each gap is counted';

# a position of the future is no position of this log
my $ahead = $mgr->connect('ann', query => "last_event_id=$epoch-1000");

ok !$ahead->{welcome}{resumed}, 'from the future: not resumed';
is $ahead->event->{type}, 'gap', 'told';

# by bytes and by age the log is bounded too
my $small = manager(<<'CONF', http => 'ws_mgr_event_size 2k; ws_mgr_log events=100 bytes=8k age=1s;');
    location /ws   { ws_mgr_socket; }
    location /api/ { ws_mgr_api; }
CONF

my $first = $small->post({ type => 'n', user_id => 'bob', n => 0 })->{id};

$small->post({ type => 'n', user_id => 'bob', n => $_, pad => 'x' x 1000 })
    for 1 .. 20;

my $bob = $small->connect('bob', query => "last_event_id=$first");
my $gap = $bob->event;

is $gap->{reason}, 'evicted', 'evicted by size';
ok $bob->{welcome}{replayed} < 8, 'eight do not fit';
is $bob->event->{n}, 20 - $bob->{welcome}{replayed} + 1, 'the latest do';
ok $small->counter('ws_mgr_log_evictions_total{cause="bytes"}') > 12,
   'counted';

eventually {
    my $late = $small->connect('bob', query => "last_event_id=$first");
    my $left = $late->{welcome}{replayed};

    $late->close(1000);
    return $left == 0;
} 'evicted by age';
