#!/usr/bin/perl

# GET connections/{id}: one socket from the inside.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;

my $mgr = manager(<<'CONF', workers => 4);
    location /ws   { ws_mgr_socket; }
    location /api/ { ws_mgr_api; }
CONF

my $ann = $mgr->connect('ann');
my $of = sub { $mgr->api(GET => "connections/$ann->{id}")->{json} };
my $seen = $of->();

is $seen->{connection_id}, $ann->{id}, 'its id';
is $seen->{user_id}, 'ann', 'whose';
is $seen->{state}, 'open', 'state';
is $seen->{thread_id}, undef, 'no thread';
ok exists $seen->{$_}, $_ for qw/ sent confirmed bytes_in bytes_out /;
ok exists $seen->{age_ms} || exists $seen->{age_seconds}, 'age';

my $result = $mgr->post({ type => 'x', user_id => 'ann' }, 'wait=sent');
my $event = $ann->event;

like $of->()->{sent}, qr/\b$result->{seq}$/, 'sent up to there';
ok $of->()->{bytes_out} > $seen->{bytes_out}, 'bytes that went out';

$ann->say({ type => 'ack', seq => $event->{seq} });
$ann->say({ type => 'thread_switched', thread_id => 'a thread' });
eventually { ($of->()->{thread_id} // '') eq 'a thread' } 'its thread';
like $of->()->{confirmed}, qr/\b$result->{seq}$/, 'confirmed up to there';
ok $of->()->{bytes_in} > $seen->{bytes_in}, 'bytes that came in';

$ann->close(1000);
eventually {
    $mgr->api(GET => "connections/$ann->{id}")->{status} == 404;
} 'not found when it has gone';

my $other = $mgr->connect('ann');

isnt $other->{id}, $ann->{id}, 'an id is used once';

for my $id ('nonsense', 'x' x 500, '-', $ann->{id} . '0') {
    $mgr->is_problem($mgr->api(GET => "connections/$id"), 404,
                     'connection_unknown', "none: $id");
}
