#!/usr/bin/perl

# An event for one socket of a user.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;

my $mgr = manager(<<'CONF', workers => 4);
    location /ws   { ws_mgr_socket; }
    location /api/ { ws_mgr_api; }
CONF

my @ann = map { $mgr->connect('ann') } 1 .. 4;
my $bob = $mgr->connect('bob');

for my $n (0 .. 3) {
    my $result = $mgr->post({ type => 'one', user_id => 'ann', n => $n,
                              connection_id => $ann[$n]{id} });

    is $result->{sockets}, 1, 'for one socket';
}

# bob's socket is none of ann's
is $mgr->post({ type => 'one', user_id => 'ann',
                connection_id => $bob->{id} })->{sockets}, 0,
   "another user's socket is not matched";

my $result = $mgr->post({ type => 'all', user_id => 'ann' });

is $result->{sockets}, 4, 'for all';

for my $n (0 .. 3) {
    my ($one, $all) = $ann[$n]->events(2);

    is $one->{n}, $n, "socket $n has its own";
    is $one->{connection_id}, undef, 'which does not name it';
    is $all->{type}, 'all', 'and then what is for all';
    is $all->{seq}, $result->{seq}, 'with a hole in seq';
}

$mgr->post({ type => 'fence', user_id => 'bob' });
is $bob->event->{type}, 'fence', 'bob heard nothing';

for my $id (1, '', [], undef) {
    $mgr->is_problem($mgr->try_post({ type => 'x', user_id => 'ann',
                                      connection_id => $id }),
                     422, 'invalid_event', 'ill-typed connection_id');
}
