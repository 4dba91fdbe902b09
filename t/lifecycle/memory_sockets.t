#!/usr/bin/perl

# Where shared memory has no place for a socket, that is told.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;

my $mgr = manager(<<'CONF', connections => 16_384, http => 'ws_mgr_zone 1m shards=1;');
    location /ws   { ws_mgr_socket; }
    location /soft { ws_mgr_socket; ws_mgr_refuse close; }
    location /api/ { ws_mgr_api; }
CONF

# tickets that are spent later, since they need a place too
my $ticket = sub { $mgr->api(POST => 'tickets', { user_id => $_[0] })
                       ->{json}{ticket_id} };
my (@in, $refused);

for my $n (1 .. 12_000) {
    my $id = $ticket->("user number $n") // last;
    my $socket = $mgr->upgrade(ticket => $id);

    if ($socket->status != 101) {
        $refused = $socket;
        last;
    }

    push @in, $socket;
}

note scalar(@in) . ' sockets';
cmp_ok scalar(@in), '>', 200, 'many found a place';

SKIP: {
    skip 'the tickets found no place first', 2 if !$refused;
    $mgr->is_problem($refused->answer, 503, 'out_of_memory');
    like $refused->header('retry-after'), qr/^\d+$/, 'Retry-After';
}

# who is in is served; and when some have gone others may come
is scalar(grep { $_->status == 101 } @in), scalar(@in), 'all are in';
$_->drop for splice @in, 0, 100;
eventually { $mgr->status->{connections} == @in } 'a hundred have gone';
is $mgr->connect('newcomer')->status, 101, 'a newcomer finds a place';
$mgr->post({ type => 'x', user_id => 'newcomer' });

# what told of used tickets went first
cmp_ok $mgr->counter('ws_mgr_tickets_total{result="forgotten"}'), '>', 0,
       'used tickets were forgotten for new ones';
