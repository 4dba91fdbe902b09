#!/usr/bin/perl

# Events that an earlier configuration let in are served by a stricter one.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;

my $http = 'ws_mgr_log bytes=1m; ws_mgr_event_size';
my $mgr = manager(<<'CONF', http => "$http 256k;");
    location /ws   { ws_mgr_socket; }
    location /api/ { ws_mgr_api; }
CONF

my $pad = 'x' x 200_000;
my $small = $mgr->post({ type => 'small', user_id => 'ann' });

$mgr->post({ type => 'big', user_id => 'ann', pad => $pad });
$mgr->post({ type => 'last', user_id => 'ann' });

ok $mgr->reload(http => "$http 1k;"), 'smaller events';

my $answer = $mgr->api(GET => 'events/ann');

is $answer->{status}, 200, 'the log is shown';
is_deeply [ map { $_->{type} } @{ $answer->{json}{events} || [] } ],
          [ qw/ small big last / ], 'whole';

my $ann = $mgr->connect('ann', query => "last_event_id=$small->{id}");

is_deeply [ map { $_->{type} } $ann->events(2) ], [ qw/ big last / ],
          'and replayed';
