#!/usr/bin/perl

# Who is online, and with what.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;

my $mgr = manager(<<'CONF', workers => 4);
    location /ws   { ws_mgr_socket; }
    location /api/ { ws_mgr_api; }
CONF

is_deeply $mgr->api(GET => 'users')->{json}{users}, [], 'nobody';
$mgr->is_problem($mgr->api(GET => 'users/ann'), 404, 'user_unknown');

my @ann = map { $mgr->connect('ann') } 1 .. 5;
my @bob = map { $mgr->connect('bob') } 1 .. 2;

my $users = $mgr->api(GET => 'users')->{json}{users};

is_deeply { map { $_->{user_id} => $_->{connections} } @$users },
          { ann => 5, bob => 2 }, 'who, with how many sockets';

$mgr->post($_) for agent_run('ann', 'run 1');

my $ann = $mgr->api(GET => 'users/ann')->{json};

is $ann->{user_id}, 'ann', 'one user';
ok $ann->{online}, 'online';
is_deeply [ sort map { $_->{connection_id} } @{ $ann->{connections} } ],
          [ sort map { $_->{id} } @ann ], 'her connections';
like $ann->{position}, qr/^\w+-5$/, 'the end of her log';
is_deeply [ map { $_->{run_id} } @{ $ann->{runs} } ], [ 'run 1' ], 'her runs';

is $ann[0]->close(1000), 1000, 'one goes';
eventually {
    @{ $mgr->api(GET => 'users/ann')->{json}{connections} } == 4;
} 'at once out of the registry';

# gone, but with a log
$_->close(1000) for @bob;
$mgr->post({ type => 'x', user_id => 'bob' });
eventually {
    my $bob = $mgr->api(GET => 'users/bob')->{json};

    !$bob->{online} && @{ $bob->{connections} } == 0;
} 'bob is known, and not online';
is_deeply [ map { $_->{user_id} } @{ $mgr->api(GET => 'users')->{json}{users} } ],
          [ 'ann' ], 'and not among those who are';

# however a socket ends it leaves once
my @ends = (
    sub { $_[0]->close(1000) }, sub { $_[0]->close }, sub { $_[0]->drop },
    sub { $_[0]->abort }, sub { $_[0]->raw("\xff" x 10) },
    sub { $_[0]{stream}->shut }, sub { $_[0]->text("\xff") },
);

for my $end (@ends) {
    my $eve = $mgr->connect('eve');

    is scalar($mgr->connections_of('eve')), 1, 'there';
    $end->($eve);
    eventually { $mgr->connections_of('eve') == 0 } 'gone';
}

is $mgr->status->{connections}, 4, 'the count is right';
is $mgr->status->{users}, 1, 'that of users too';
