#!/usr/bin/perl

# No ticket in any log, at any level, whatever it was used for.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;

my $mgr = manager(<<'CONF', log_level => 'debug', workers => 2);
    location /ws   { ws_mgr_socket; }
    location /soft { ws_mgr_socket; ws_mgr_refuse close; }
    location /any  { ws_mgr_socket; ws_mgr_permission nobody.has; }
    location /no   { ws_mgr_socket; deny all; }
    location /api/ { ws_mgr_api; }
    location /else/ { ws_mgr_api; deny all; }
CONF

my @headers = (
    sub { 'Sec-WebSocket-Protocol' => "ws-mgr.v1, ticket.$_[0]" },
    sub { 'sec-websocket-protocol' => "TICKET.$_[0],ws-mgr.v1" },
    sub { 'Sec-WebSocket-Protocol' => [ 'ws-mgr.v1', "ticket.$_[0]" ] },
    sub { Referer => "https://app/?ticket=$_[0]" },
);

# every ticket that the harness hears of is looked for in all logs at the end
for my $where (qw{ /ws /soft /any /no /ws/deeper }) {
    for my $header (@headers) {
        $mgr->upgrade(path => $where,
                      headers => { $header->($mgr->ticket('ann')) })->drop;
    }

    for my $name (qw/ ticket auth_ticket ticket_id TICKET /) {
        for my $query ("$name=%s", "a=b&$name=%s&c=d", "$name=%s#x") {
            $mgr->upgrade(path => $where,
                          query => sprintf $query, $mgr->ticket('ann'))->drop;
        }
    }

    # refused before it is looked at
    $mgr->upgrade(path => $where, method => 'POST',
                  query => 'ticket=' . $mgr->ticket('ann'))->drop;
    $mgr->upgrade(path => $where, headers => { Origin => 'https://evil' },
                  query => 'ticket=' . $mgr->ticket('ann'))->drop;
    $mgr->upgrade(path => $where, headers => { Upgrade => undef },
                  ticket => $mgr->ticket('ann'))->drop;
}

# a ticket that is none is a secret too: it may be one of another deployment
$mgr->upgrade(ticket => 'NotATicketOfOursButPerhapsOneOfAnother12345')->drop;
$mgr->upgrade(query => 'ticket='
              . $mgr->remember('Another-secret-of-a-length-that-is-odd'))->drop;

for my $path ('/api', '/else') {
    for my $method (qw/ GET DELETE POST PUT /) {
        $mgr->client->request($method,
                              "$path/tickets/" . $mgr->ticket('ann'));
        $mgr->client->request($method, "$path/tickets/"
                              . $mgr->ticket('ann') . '?a=b');
    }
}

$mgr->api(POST => 'tickets', { user_id => 'ann', metadata =>
    { note => $mgr->remember('a-note-that-nobody-should-read') } });

my @left = map { $mgr->connect('eve', query => 'x=y') } 1 .. 3;
$_->close(1000) for @left;

cmp_ok length $mgr->log('error.log'), '>', 10_000, 'the log is a debug log';
like $mgr->log('access.log'), qr/ticket=\*+/, 'masked, not cut';
