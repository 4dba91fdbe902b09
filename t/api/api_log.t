#!/usr/bin/perl

# GET events/{user}: the log of a user.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;

my $mgr = manager(<<'CONF', workers => 2, http => 'ws_mgr_log events=8;');
    location /ws   { ws_mgr_socket; }
    location /api/ { ws_mgr_api; }
CONF

$mgr->is_problem($mgr->api(GET => 'events/ann'), 404, 'user_unknown');

my @ids = map { $mgr->post({ type => 'n', user_id => 'ann', n => $_ })->{id} }
          1 .. 10;
my $get = sub { $mgr->api(GET => "events/ann$_[0]")->{json} };
my $log = $get->('');

is_deeply [ map { $_->{n} } @{ $log->{events} } ], [ 3 .. 10 ],
          'what the log holds';
is $log->{events}[7]{id}, $ids[9], 'with its ids';
is_deeply [ map { $_->{n} } @{ $get->("?after=$ids[6]")->{events} } ],
          [ 8 .. 10 ], 'after a position';
is_deeply [ map { $_->{n} } @{ $get->("?after=$ids[4]&limit=2")->{events} } ],
          [ 6, 7 ], 'at most so many';
is_deeply $get->("?after=$ids[9]")->{events}, [], 'after the last';

for my $query ('limit=0', 'limit=x', 'limit=-1', 'after=nonsense') {
    is $mgr->api(GET => "events/ann?$query")->{status}, 400, $query;
}

my $big = '{"type":"n","user_id":"bob","n":12345678901234567890,"x":1.10}';

$mgr->post($big);
like $mgr->api(GET => 'events/bob')->{body},
     qr/"n":12345678901234567890,"x":1\.10\}/, 'byte for byte';
