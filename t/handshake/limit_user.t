#!/usr/bin/perl

# A user has at most n sockets; another gets in when one has left.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;

my $mgr = manager(<<'CONF', workers => 4);
    location /ws     { ws_mgr_socket; ws_mgr_connections user=3; }
    location /oldest { ws_mgr_socket; ws_mgr_connections user=3 over=oldest; }
    location /ten    { ws_mgr_socket; }
    location /api/   { ws_mgr_api; }
CONF

my @ann = map { $mgr->connect('ann') } 1 .. 3;

is $ann[2]->status, 101, 'the third is let in';
$mgr->is_problem($mgr->upgrade(ticket => $mgr->ticket('ann'))->answer, 429,
                 'limit_user', 'the fourth is not');
is $mgr->connect('bob')->status, 101, 'another user is';

$_->close(1000) for splice @ann, 0, 1;
eventually { $mgr->connections_of('ann') == 2 } 'one has left';
push @ann, $mgr->connect('ann');
is $ann[-1]->status, 101, 'so one more is let in';

# where the newer socket wins
my @eve = map { $mgr->connect('eve', path => '/oldest') } 1 .. 3;
my $newer = $mgr->connect('eve', path => '/oldest');

is $newer->status, 101, 'a fourth of eve is let in';
is $eve[0]->closed, 4502, 'her oldest is sent away with 4502';
eventually { $mgr->connections_of('eve') == 3 } 'three are left';

$mgr->post({ type => 'hello', user_id => 'eve' });
is $_->event->{type}, 'hello', 'which go on' for $eve[1], $eve[2], $newer;

# the limit that nobody configured
my @zoe = map { $mgr->connect('zoe', path => '/ten') } 1 .. 10;

is $zoe[9]->status, 101, 'ten by default';
is $mgr->upgrade(ticket => $mgr->ticket('zoe'), path => '/ten')->status, 429,
   'and not eleven';
