#!/usr/bin/perl

# A service gets a ticket, a browser connects, an agent posts its five events.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;

for my $workers (1, 4) {
    my $mgr = manager(<<'CONF', workers => $workers);
        location /ws   { ws_mgr_socket; }
        location /api/ { ws_mgr_api; }
CONF

    my $ticket = $mgr->ticket('ann', email => 'ann@example.org');
    my $first = $mgr->upgrade(ticket => $ticket);

    is $first->status, 101, "upgraded, $workers worker(s)";
    ok $first->accept_is_right, 'Sec-WebSocket-Accept';
    is $first->header('sec-websocket-protocol'), 'ws-mgr.v1',
       'the subprotocol, without the ticket';

    my $welcome = $first->event;

    is $welcome->{type}, 'connection_established', 'the first frame';
    is $welcome->{version}, 1, 'version';
    is $welcome->{user_id}, 'ann', 'who';
    ok $welcome->{connection_ready}, 'ready';
    ok length $welcome->{connection_id}, 'an id';
    like $welcome->{position}, qr/^\w+-\d+$/, 'a position';
    ok !$welcome->{resumed}, 'not resumed';
    is $welcome->{replayed}, 0, 'nothing replayed';
    ok abs($welcome->{server_time} / 1000 - time) < 60, 'server time in ms';
    is $welcome->{heartbeat_ms}, 25000, 'heartbeat_ms';
    is $welcome->{max_message_bytes}, 65536, 'max_message_bytes';

    # routable from the welcome on, whichever workers they are in
    my @sockets = ($first, map { $mgr->connect('ann') } 1 .. 5);
    my $bob = $mgr->connect('bob');

    for my $event (agent_run('ann', 'run-1')) {
        my $result = $mgr->post($event);

        is $result->{sockets}, 6, "$event->{type} is for six sockets";
        is $result->{nodes}, 1, 'of one node';
        ok $result->{stored} && !$result->{duplicate}, 'stored';

        for my $socket (@sockets) {
            my $heard = $socket->event;
            my %server = map { $_ => delete $heard->{$_} } qw/ id seq ts /;

            is_deeply $heard, decode(encode($event)), 'as posted';
            is $server{id}, $result->{id}, 'with the id of the answer';
            is $server{seq}, $result->{seq}, 'with its seq';
            ok abs($server{ts} / 1000 - time) < 60, 'ts in ms';
        }
    }

    $mgr->post({ type => 'fence', user_id => 'bob' });
    is $bob->event->{type}, 'fence', 'bob heard nothing of it';

    is $first->close(1000), 1000, 'goodbye';
    eventually { $mgr->connections_of('ann') == 5 } 'five are left';

    $mgr->finish;
}
