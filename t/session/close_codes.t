#!/usr/bin/perl

# Each close code has a counter of its own, for each side that may say it; what
# has none is "other".

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;

my $mgr = manager(<<'CONF');
    location /ws   { ws_mgr_socket; ws_mgr_connections user=off; }
    location /api/ { ws_mgr_api; }
CONF

sub closes { qq/ws_mgr_close_codes_total{side="$_[0]",code="$_[1]"}/ }

my @codes = (1000 .. 1003, 1007 .. 1009, 1011 .. 1013, 4001 .. 4003, 4005,
             4501, 4502, 4508);

for my $code (@codes) {
    $mgr->counts(closes(client => $code), 1, sub {
        is $mgr->connect('ann')->close($code), $code, "$code is answered";
    });
}

$mgr->counts(closes(client => 1005), 1, sub { $mgr->connect('ann')->close });

for my $code (3000, 4000, 4999) {
    $mgr->counts(closes(client => 'other'), 1, sub {
        $mgr->connect('ann')->close($code);
    });
}

# --- what the manager says ---

$mgr->counts(closes(server => 4501), 1, sub {
    my $ann = $mgr->connect('ann');

    $mgr->api(DELETE => 'users/ann?return=no');
    is $ann->closed, 4501, 'for good';
});

$mgr->counts(closes(server => 4005), 1, sub {
    my $ann = $mgr->connect('ann');

    $mgr->api(DELETE => 'users/ann');
    is $ann->closed, 4005, 'kicked';
});

$mgr->counts(closes(server => 1002), 1, sub {
    my $ann = $mgr->connect('ann');

    $ann->raw("\xff\xff");
    is $ann->closed, 1002, 'a protocol fault';
});
