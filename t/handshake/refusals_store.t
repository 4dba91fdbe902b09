#!/usr/bin/perl

# A ticket store that cannot answer lets nobody in, and says so truly.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;

my $fakes = $ENV{WS_MGR_UNITS} || "$top/build/nginx/t";

my $mgr = manager(<<'CONF', main => "load_module $fakes/fake/store.so;");
    ws_mgr_ping off;

    location /ws   { ws_mgr_socket; }
    location /soft { ws_mgr_socket; ws_mgr_refuse close; }
    location /api/ { ws_mgr_api; }
CONF

# a ticket that begins so is the fake store's, one in 20 of all
my $ticket;

1 while ($ticket = $mgr->ticket('ann')) =~ /^[UMN]/;

my $ann = $mgr->upgrade(ticket => $ticket);
is $ann->event->{type}, 'connection_established', 'one who is in';

for ([ ticket_store_unavailable => 'U', 'Try again later' ],
     [ out_of_memory => 'M', undef ])
{
    my ($code, $letter, $reason) = @$_;
    my $ticket = $letter . 'A' x 42;

    $mgr->counts($mgr->refusal($code), 1, sub {
        my $answer = $mgr->upgrade(ticket => $ticket)->answer;

        $mgr->is_problem($answer, 503, $code);
        like $answer->{headers}{'retry-after'}, qr/^[1-9]\d*$/, 'Retry-After';
    });

    $mgr->counts($mgr->refusal($code), 1, sub {
        my $soft = $mgr->upgrade(ticket => $ticket, path => '/soft');

        is $soft->status, 101, "$code, softly";
        is $soft->closed, 1013, 'closed with 1013';
        is $soft->close_reason, $reason, $reason if defined $reason;
        ok $soft->ended, 'and ended';
    });
}

# never taken for a bad ticket
$mgr->counts($mgr->refusal('ticket_invalid'), 0, sub {
    $mgr->upgrade(ticket => 'U' . 'A' x 42)->answer;
});

# who goes away while the store is silent takes the question back
my $said = sub { scalar(() = $mgr->log('error.log') =~ /fake store: $_[0]/g) };

for my $letter ('N', 'U') {
    my ($asked, $cancelled) = map { $said->($_) } 'asked', 'cancelled';
    my $client = $mgr->client;

    $client->send_raw(join "\r\n", 'GET /ws HTTP/1.1', 'Host: localhost',
                      'Upgrade: websocket', 'Connection: Upgrade',
                      'Sec-WebSocket-Version: 13',
                      'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
                      'Sec-WebSocket-Protocol: ticket.' . $letter . 'A' x 42,
                      '', '');
    eventually { $said->('asked') > $asked } 'asked';
    $client->close;
    eventually { $said->('cancelled') > $cancelled } 'taken back'
        if $letter eq 'N';
}

$mgr->post({ type => 'hello', user_id => 'ann' });
is $ann->event->{type}, 'hello', 'who was in was not disturbed';
ok $mgr->connect('bob'), 'and others come in';
