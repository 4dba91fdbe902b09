#!/usr/bin/perl

# GET tickets/{id} looks without consuming; DELETE revokes.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;

my $mgr = manager(<<'CONF', workers => 2);
    location /ws   { ws_mgr_socket; }
    location /api/ { ws_mgr_api; }
CONF

my $record = $mgr->issue('ann', email => 'a@b', metadata => { a => 1 });
my $id = $record->{ticket_id};

for (1, 2) {
    my $answer = $mgr->api(GET => "tickets/$id");

    is $answer->{status}, 200, 'found';
    is_deeply { map { $_ => $answer->{json}{$_} } grep { $_ ne 'websocket_url' }
                keys %$record },
              { map { $_ => $record->{$_} } grep { $_ ne 'websocket_url' }
                keys %$record },
              'the same record';
}

is $mgr->upgrade(ticket => $id)->status, 101, 'looking did not consume it';

my $gone = $mgr->ticket('ann');
my $answer = $mgr->api(DELETE => "tickets/$gone");

ok $answer->{status} == 204 || $answer->{status} == 200, 'revoked';
$mgr->is_problem($mgr->upgrade(ticket => $gone)->answer, 401,
                 'ticket_invalid', 'a revoked ticket opens nothing');
$mgr->is_problem($mgr->api(GET => "tickets/$gone"), 404, 'ticket_unknown',
                 'nor is it found');
$mgr->is_problem($mgr->api(DELETE => "tickets/$gone"), 404, 'ticket_unknown',
                 'nor revoked again');

for my $unknown ('A' x 43, 'short', 'x' x 500, 'a%2Fb') {
    $mgr->is_problem($mgr->api(GET => "tickets/$unknown"), 404, 'ticket_unknown',
                     "unknown: $unknown");
}

$mgr->counts('ws_mgr_tickets_total{result="revoked"}', 1,
             sub { $mgr->api(DELETE => 'tickets/' . $mgr->ticket('ann')) });
