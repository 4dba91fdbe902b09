#!/usr/bin/perl

# Where a browser may carry its ticket.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;

my $mgr = manager(<<'CONF');
    location /ws   { ws_mgr_socket; }
    location /api/ { ws_mgr_api; }
CONF

my $deprecated = 'ws_mgr_deprecated_total{name="ticket_argument"}';
my $ticket = $mgr->ticket('ann');

# as a subprotocol, in any order and beside others, in one header or several
my @offers = (
    sub { "ws-mgr.v1, ticket.$_[0]" },
    sub { "ticket.$_[0],ws-mgr.v1" },
    sub { "chat, ticket.$_[0] , ws-mgr.v1, superchat" },
    sub { [ 'ws-mgr.v1', "ticket.$_[0]" ] },
);

for my $offer (@offers) {
    my $socket = $mgr->upgrade(headers => {
        'Sec-WebSocket-Protocol' => $offer->($mgr->ticket('ann')),
    });

    is $socket->status, 101, 'let in by subprotocol';
    is $socket->header('sec-websocket-protocol'), 'ws-mgr.v1',
       'only the protocol is echoed';
}

my $socket = $mgr->upgrade(headers => {
    'Sec-WebSocket-Protocol' => 'ticket.' . $mgr->ticket('ann'),
});

is $socket->status, 101, 'without the protocol';
is $socket->header('sec-websocket-protocol'), undef, 'nothing is echoed';

# as an argument
$mgr->counts($deprecated, 0, sub {
    my $socket = $mgr->upgrade(query => 'ticket=' . $mgr->ticket('ann'));

    is $socket->status, 101, 'let in by argument';
    is $socket->event->{user_id}, 'ann', 'served the same';
});

for my $name (qw/ auth_ticket ticket_id /) {
    $mgr->counts($deprecated, 1, sub {
        my $query = "a=b&$name=" . $mgr->ticket('ann') . '&c=d';

        is $mgr->upgrade(query => $query)->status, 101, "let in by $name";
    });
}

for my $query ('', 'ticket=', 'x_ticket=' . 'A' x 43, 'a=b') {
    $mgr->is_problem($mgr->upgrade(query => $query)->answer, 401,
                     'ticket_missing', "no ticket in '$query'");
}
