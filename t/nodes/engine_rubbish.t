#!/usr/bin/perl

# What others write into our keys and channels is counted, told as a gap where
# an event was expected, and does no harm; and what a log had of an epoch that is
# over is counted as it goes.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;
use Test::WsMgr::Engine;
use Test::WsMgr::Redis;

my $redis = Test::WsMgr::Redis->start;
my ($here) = nodes(1, $redis, workers => 1);
my $ann = $here->connect('ann');

$here->post({ type => 'x', user_id => 'ann', n => $_ }) for 1 .. 3;
is join(' ', map { $_->{n} } $ann->events(3)), '1 2 3', 'as ever';

my ($field) = $redis->say(HKEYS => 'ws_mgr:{ann}:members')->[0];
my $channel = "ws_mgr:worker:$field";
my ($epoch, $last) = @{ $redis->say(qw/ HMGET ws_mgr:{ann}:log epoch last / ) };
my @rubbish = ('', 'x', 'X y', 'E', 'E 1', "E 1 900\nann", "E x 3\nann",
               "E $epoch 3\nann9 9", "E $epoch 0\n", 'K 4001', "K 1\nann",
               "K 99999\nann", "C 4005\n", "K 4005\n");

$here->counts('ws_mgr_redis_unreadable_total', scalar @rubbish, sub {
    $redis->say(PUBLISH => $channel, $_) for @rubbish;
});
ok !$ann->ended(0), 'nothing came of it';

# a record in the midst of the stream
$redis->say('XADD', 'ws_mgr:{ann}:events', '4-0', 't', time . '000', 'i', '',
            'r', 'no record');
$redis->say(qw/ HSET ws_mgr:{ann}:log last 4 /);
$here->counts('ws_mgr_redis_unreadable_total', 1, sub {
    $here->post({ type => 'x', user_id => 'ann', n => 5 });

    my $gap = $ann->event;

    is $gap->{type}, 'gap', 'a record that is none is told';
    is $gap->{reason}, 'lost', 'as what it is';
});
is $ann->event->{n}, 5, 'and what comes behind it comes';

# a stream that somebody has cut: what the log has stays, what is gone is told
my $late = $here->connect('ann', query => 'last_event_id='
                          . $ann->{welcome}{position});

is $late->event->{type}, 'gap', 'a gap where the past is gone';

$here->counts('ws_mgr_log_evictions_total{cause="epoch"}', 1, sub {
    $redis->say('DEL', map { "ws_mgr:{ann}:$_" } qw/ log events ids /);
    $here->post({ type => 'x', user_id => 'ann', n => 6 });
    is $ann->event->{type}, 'stream_reset', 'keys gone: told';
    is $ann->event->{n}, 6, 'and goes on';
});

# keys of another kind: refused, and nothing is half done
$redis->say(qw/ SET ws_mgr:{bob}:log text /);
$here->is_problem($here->try_post({ type => 'x', user_id => 'bob' }), 503,
                  'unavailable', 'a key of another type: 503');
like "@{ $here->watched('health')->{reasons} }", qr/WRONGTYPE/, 'and why';
eventually { $here->watched('health')->{status} eq 'healthy' }
    'all others are served';
is $here->post({ type => 'x', user_id => 'ann', n => 7 })->{sockets}, 2, 'well';

# so many that the audit, which would find all of it, takes its minute
my @crowd = map { $here->connect("user $_") } 1 .. 120;

# an event that nobody was told of: it comes before the next one
my ($there) = nodes(1, $redis, workers => 1);
my $cat = $here->connect('cat');

$there->post({ type => 'x', user_id => 'cat', n => 1 });
is $cat->event->{n}, 1, 'as ever';

my ($entry) = @{ $redis->say('XRANGE', 'ws_mgr:{cat}:events', '1-0', '1-0') };
my @fields = @{ $entry->[1] };

$redis->say('XADD', 'ws_mgr:{cat}:events', '2-0', @fields);
$redis->say(qw/ HSET ws_mgr:{cat}:log last 2 /);
$there->post({ type => 'x', user_id => 'cat', n => 3 });

is join(' ', map { $_->{n} . ':' . $_->{seq} } $cat->events(2)), '1:2 3:3',
   'a hole is filled first';

# the same number for another event: the log is not what the stream is
$redis->say(qw/ DEL ws_mgr:{cat}:events /);
$redis->say('XADD', 'ws_mgr:{cat}:events', '3-0', t => $fields[1] - 1, i => '',
            r => $fields[5]);
my $other = $here->connect('cat');

is $cat->event->{type}, 'stream_reset', 'another past: told';

# all of it is gone, and nobody posts
eventually { $redis->say(qw/ EXISTS ws_mgr:{instance}:id /) } 'known by its id';
$redis->say('FLUSHALL');
is $cat->event(patience(3))->{type}, 'stream_reset', 'flushed: told';
