#!/usr/bin/perl

# Many messages through one socket leave nothing behind: WS_MGR_MESSAGES, the
# million of them, takes two minutes.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;

my $n = $ENV{WS_MGR_MESSAGES} || 20_000;
my $burst = 50;

my $mgr = manager(<<'CONF');
    location /ws   { ws_mgr_socket; ws_mgr_forward /agent;
                     ws_mgr_message_rate 1000000/s burst=1000000; }
    location /api/ { ws_mgr_api; }
    location /agent {
        internal;
        default_type application/json;
        return 200 '{"type":"answer"}';
    }
CONF

my $ann = $mgr->connect('ann');
my ($worker) = $mgr->workers;
my $frame = Test::WsMgr::WebSocket::build_frame(1, '{"type":"chat"}');

sub descriptors { scalar(() = glob "/proc/$worker/fd/*") }

# sends and hears so many
sub talk {
    my ($count) = @_;
    my $heard = 0;

    for (1 .. $count / $burst) {
        $ann->raw($frame x $burst);
        $heard += $ann->next_text =~ /"type":"answer"/ for 1 .. $burst;
    }

    return $heard;
}

is talk(2_000), 2_000, 'warm';

my $descriptors = descriptors();
my $memory = $mgr->memory($worker, 'VmRSS');

is talk($n), $n, "$n messages, each with its answer";

is descriptors(), $descriptors, 'no descriptor is left';

SKIP: {
    skip 'memory under a sanitizer', 1 if $ENV{WS_MGR_ASAN};
    cmp_ok $mgr->memory($worker, 'VmRSS') - $memory, '<', 256,
           'kB of memory';
}

is $mgr->counter('ws_mgr_forwarded_total{result="accepted"}'), $n + 2_000,
   'all were counted';
is $mgr->client->get('/agent')->{status}, 404, 'an internal location';
