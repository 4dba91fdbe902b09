#!/usr/bin/perl

# Ten thousand users at once.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;

my $users = $ENV{WS_MGR_FULL} ? 10_000 : 2_000;
my $mgr = manager(<<'CONF', workers => 4, connections => 16_384);
    location /ws   { ws_mgr_socket; ws_mgr_ping off; }
    location /api/ { ws_mgr_api; }
CONF

my @sockets = map { $mgr->connect("user-$_") } 1 .. $users;

is scalar(grep { $_->status == 101 } @sockets), $users, 'all are let in';
is $mgr->status->{users}, $users, 'all are there';

for my $part (0 .. $users / 1000 - 1) {
    my $answer = $mgr->try_post({
        type => 'x', user_ids => [ map { 'user-' . ($part * 1000 + $_) }
                                   1 .. 1000 ] });

    is $answer->{json}{events}[0]{sockets}, 1000, 'a thousand at a time';
}

is scalar(grep { my $name = 'user-' . ($_ + 1);
                 ($sockets[$_]->next_text // '') =~ /"user_id":"$name"/ }
          0 .. $#sockets), $users, 'each has its own';

# the list of them comes in pieces that a client can take
my (%listed, $after);

for (1 .. 100) {
    my $query = defined $after ? "?after=$after" : '';
    my $list = $mgr->api(GET => "users$query")->{json};

    $listed{ $_->{user_id} }++ for @{ $list->{users} };
    $after = $list->{next};
    last if !defined $after;
}

is scalar(keys %listed), $users, 'all are listed';
is scalar(grep { $_ != 1 } values %listed), 0, 'once each';
