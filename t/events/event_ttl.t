#!/usr/bin/perl

# An event that has outlived its ttl_ms is not delivered late.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;

my $mgr = manager(<<'CONF');
    location /ws   { ws_mgr_socket; }
    location /api/ { ws_mgr_api; }
CONF

my $ann = $mgr->connect('ann');
my $start = $ann->{welcome}{position};

$mgr->post({ type => 'short', user_id => 'ann', ttl_ms => 50 });
$mgr->post({ type => 'long', user_id => 'ann', ttl_ms => 600_000 });
$mgr->post({ type => 'ever', user_id => 'ann' });

is_deeply [ map { $_->{type} } $ann->events(3) ], [ qw/ short long ever / ],
          'in time for who is there';
is $ann->{raw} =~ /ttl_ms/, '', 'which need not know of it';

eventually {
    my $late = $mgr->connect('ann', query => "last_event_id=$start");
    my @types = map { $_->{type} } $late->events_to('ever');

    $late->close(1000);
    return "@types" eq 'long ever';
} 'too late for who comes later';

for my $ttl (0, -1, '50', 1.5, [], undef) {
    $mgr->is_problem($mgr->try_post({ type => 'x', user_id => 'ann',
                                      ttl_ms => $ttl }),
                     422, 'invalid_event', 'not a ttl: ' . encode($ttl));
}
