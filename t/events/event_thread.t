#!/usr/bin/perl

# An event for those sockets that show its thread.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;

my $mgr = manager(<<'CONF', workers => 4, http => 'ws_mgr_log events=8;');
    location /ws   { ws_mgr_socket; }
    location /api/ { ws_mgr_api; }
CONF

my ($one, $two, $none) = map { $mgr->connect('ann') } 1 .. 3;
my $shown = sub {
    my ($socket) = @_;

    return $mgr->watched("connections/$socket->{id}")->{thread_id};
};

$one->say({ type => 'thread_switched', thread_id => 't1' });
$two->say({ type => 'thread_switched', thread_id => 't2' });
eventually { ($shown->($one) // '') eq 't1' } 'one shows t1';
eventually { ($shown->($two) // '') eq 't2' } 'two shows t2';

my $aimed = sub {
    my ($thread, $sockets) = @_;
    my $result = $mgr->post({ type => 'aimed', user_id => 'ann',
                              audience => 'thread', thread_id => $thread });

    is $result->{sockets}, $sockets, "$sockets socket(s) show $thread";
};

$aimed->('t1', 1);
$aimed->('t2', 1);
$aimed->('t3', 0);
$mgr->post({ type => 'all', user_id => 'ann', thread_id => 't3' });

is_deeply [ map { $_->{thread_id} } $one->events(2) ], [ 't1', 't3' ], 'one';
is_deeply [ map { $_->{thread_id} } $two->events(2) ], [ 't2', 't3' ], 'two';
is_deeply [ map { $_->{thread_id} } $none->events(1) ], [ 't3' ], 'none';

# another thread, and none
$one->say({ type => 'thread_switched', thread_id => 't2' });
eventually { ($shown->($one) // '') eq 't2' } 'one shows t2';
$aimed->('t2', 2);
is $_->event->{thread_id}, 't2', 'both hear it' for $one, $two;

$one->say({ type => 'thread_switched', thread_id => undef });
eventually { !defined $shown->($one) } 'one shows none';
$aimed->('t2', 1);

$mgr->is_problem($mgr->try_post({ type => 'x', user_id => 'ann',
                                  audience => 'thread' }),
                 422, 'invalid_event', 'a thread must be named');
$mgr->is_problem($mgr->try_post({ type => 'x', user_id => 'ann',
                                  audience => 'everyone' }),
                 422, 'invalid_event', 'no such audience');

# a replay has what the socket would have got
my $later = $mgr->connect('ann', query => 'last_event_id='
                          . $none->{welcome}{position});
is_deeply [ map { $_->{type} } $later->events(1) ], [ 'all' ],
          'nothing aimed at threads that it does not show';

# what is not for a socket does not leave it behind
my $start = $mgr->post({ type => 'start', user_id => 'ann' })->{seq};

is $none->event->{type}, 'start', 'none is there';

for (1 .. 40) {
    $mgr->post({ type => 'aimed', user_id => 'ann', audience => 'thread',
                 thread_id => 't2' }, 'wait=sent');
}

$mgr->post({ type => 'end', user_id => 'ann' });
is $none->event->{seq}, $start + 41, 'nor has none fallen behind';
