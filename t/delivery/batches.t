#!/usr/bin/perl

# More at once than a worker copies out of the log in one go.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;

my $mgr = manager(<<'CONF', http => 'ws_mgr_log events=4000 bytes=8m;');
    location /ws   { ws_mgr_socket; }
    location /api/ { ws_mgr_api; ws_mgr_event_size 1m; }
CONF

# for n events of that size: every socket, and who comes later, has them all
sub each_has_all {
    my ($user, $n, $pad) = @_;
    my @sockets = map { $mgr->connect($user) } 1 .. 3;
    my $before = $sockets[0]{welcome}{position};
    my $answer = $mgr->try_post([ map { { type => 'n', user_id => $user,
                                          n => $_, pad => 'x' x $pad } }
                                  1 .. $n ]);

    is $answer->{json}{accepted}, $n, "$n events of $pad bytes";

    push @sockets, $mgr->connect($user, query => "last_event_id=$before");

    for my $socket (@sockets) {
        is_deeply [ map { $_->{n} } $socket->events($n) ], [ 1 .. $n ],
                  'all, in order, once';
    }
}

each_has_all('ann', 60, 8000);
each_has_all('bob', 2000, 10);
