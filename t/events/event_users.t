#!/usr/bin/perl

# Users of every kind: long, with percent signs, in any script.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;

my $mgr = manager(<<'CONF', workers => 2);
    location /ws   { ws_mgr_socket; }
    location /api/ { ws_mgr_api; }
CONF

my @users = ('x', 'x' x 255, '%', '%41', 'a/b', '../api', 'a b+c', '?&=#',
             '"quoted" \\', "\x{e9}\x{4e2d}\x{1f600}", '.', "'", '**',
             "\x{e9}" x 127);

for my $user (@users) {
    my $bytes = $user;

    utf8::encode($bytes);

    my $socket = $mgr->connect($user);
    my $path = 'users/' . Test::WsMgr::escape($bytes);
    my $name = substr $bytes, 0, 20;

    is $socket->{welcome}{user_id}, $user, "welcome, $name";
    is $mgr->post({ type => 'x', user_id => $user })->{sockets}, 1, 'matched';
    is $socket->event->{user_id}, $user, 'delivered';
    is $mgr->api(GET => $path)->{json}{user_id}, $user, 'found by its path';
    is $mgr->api(POST => 'events?user=' . Test::WsMgr::escape($bytes),
                 { type => 'y' })->{status}, 200, 'posted to by argument';
    is $socket->event->{user_id}, $user, 'spliced in';
    is $mgr->api(DELETE => $path)->{status}, 200, 'sent away';
    is $socket->closed, 4005, 'and gone';
}

# who is no user is nowhere
for my $user ('x' x 256, "a\0b", "a\x1f", "\x{e9}" x 128, '') {
    my $answer = $mgr->try_post({ type => 'x', user_id => $user });

    $mgr->is_problem($answer, 422, 'invalid_event', 'refused');
}

for my $path ('%00', 'x' x 256, '%ff', '%C3%28', 'a%0Ab') {
    my $status = $mgr->api(GET => "users/$path")->{status};

    like $status, qr/^40[04]$/, "no such path: $path";
}

is $mgr->status->{users}, 0, 'nobody';
