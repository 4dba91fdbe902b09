#!/usr/bin/perl

# GET users/{user}?wait=online answers when the user is there.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;

my $mgr = manager(<<'CONF', workers => 4);
    location /ws   { ws_mgr_socket; }
    location /api/ { ws_mgr_api; }
CONF

my @waiting = map { $mgr->client } 1 .. 8;
my $get = '/api/users/ann?wait=online&timeout=10000';
my $start = now();

$_->send(GET => $get) for @waiting;

# some worker has them all before ann comes
ok !$mgr->api(GET => 'users/bob?wait=online&timeout=100')->{json}{online},
   'bob does not come in time';
ok now() - $start < 4, 'which is told in time';

my $ann = $mgr->connect('ann');

for my $client (@waiting) {
    my $answer = $client->answer;

    is $answer->{status}, 200, 'ann is there';
    is $answer->{json}{connections}[0]{connection_id}, $ann->{id}, 'she is';
}

ok now() - $start < 5, 'told at once, not at the timeout';
is $waiting[0]->get($get)->{status}, 200, 'who is there is not waited for';

# one who has a log but no socket
$mgr->post({ type => 'x', user_id => 'eve' });
$start = now();

my $eve = $mgr->api(GET => 'users/eve?wait=online&timeout=200');

ok now() - $start > 0.15, 'eve was waited for';
ok !$eve->{json}{online}, 'and is not online';

# who waits may go away
$waiting[1]->send(GET => '/api/users/zoe?wait=online&timeout=10000');
$waiting[1]->close;
$mgr->connect('zoe');

for my $query ('wait=offline', 'wait=online&timeout=soon') {
    is $mgr->api(GET => "users/ann?$query")->{status}, 400, $query;
}
