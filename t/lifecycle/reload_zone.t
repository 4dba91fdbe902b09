#!/usr/bin/perl

# A reload with a zone of another size: the log says what that means, and each
# client is told what it lacks.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;

my $mgr = manager(<<'CONF', workers => 2, http => 'ws_mgr_zone 8m; ws_mgr_drain 500ms;');
    location /ws   { ws_mgr_socket; }
    location /api/ { ws_mgr_api; }
CONF

my $ann = $mgr->connect('ann');

$mgr->post({ type => 'n', user_id => 'ann', n => 1 });

my $position = $ann->event->{id};

$mgr->reload;
unlike $mgr->log('error.log'), qr/"ws_mgr_zone" was/, 'nothing is said of the same';
$ann->closed;
$ann = $mgr->connect('ann', query => "last_event_id=$position");
ok $ann->{welcome}{resumed}, 'and the log is there';

for my $zone ('ws_mgr_zone 16m;', 'ws_mgr_zone 16m shards=8;') {
    my $ticket = $mgr->ticket('bob');

    $mgr->reload(http => "$zone ws_mgr_drain 500ms;");

    # the old workers go on with what they have
    is $ann->event->{type}, 'server_shutdown', 'sent away';
    is $ann->closed, 1012, 'with 1012';

    my ($size) = $zone =~ /(\d+)m/;

    $size *= 1024 * 1024;
    like $mgr->log('error.log'),
         qr/\[warn\] .*"ws_mgr_zone" was \d+ bytes in \d shards and is $size bytes in \d now: the new workers begin with empty logs/,
         "said: $zone";

    $ann = $mgr->connect('ann', query => "last_event_id=$position");
    ok !$ann->{welcome}{resumed}, 'the client is told';
    is $ann->event->{type}, 'gap', 'of the gap';
    is $mgr->upgrade(ticket => $ticket)->status, 401,
       'a ticket of before lets nobody in';

    $mgr->post({ type => 'n', user_id => 'ann', n => 2 });
    is $ann->event->{n}, 2, 'and all goes on';
}

eventually { $mgr->children == 2 } 'the old workers have gone', 10;
