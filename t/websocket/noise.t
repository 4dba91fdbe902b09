#!/usr/bin/perl

# Whatever bytes come in, the worker lives and serves the others.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;

my $mgr = manager(<<'CONF', workers => 2);
    location /ws   { ws_mgr_socket; ws_mgr_connections user=1000; }
    location /echo { ws_mgr_socket; ws_mgr_forward echo;
                     ws_mgr_connections user=1000; }
    location /api/ { ws_mgr_api; }
CONF

note "WS_MGR_SEED=$ENV{WS_MGR_SEED}";

my $ann = $mgr->connect('ann');
my $ticket = $mgr->ticket('eve', single_use => JSON::PP::false);
my $random = sub { join '', map { chr rand 256 } 1 .. int rand $_[0] };

# something sensible with some of its bytes changed, cut out or repeated
my $spoil = sub {
    my ($text) = @_;

    for (1 .. int rand 4) {
        my $at = int rand(1 + length $text);
        my @ways = (
            sub { substr($text, $at, 1) = chr rand 256 if $at < length $text },
            sub { substr($text, $at, int rand 9) = '' if $at < length $text },
            sub { substr($text, $at, 0) = $random->(9) },
            sub { $text .= substr $text, $at },
        );

        $ways[rand @ways]();
    }

    return $text;
};

my $frame = \&Test::WsMgr::WebSocket::build_frame;
my @said = (
    '{"type":"ping","ts":1}', '{"type":"ack","seq":1}',
    '{"type":"session_restore","position":"abc-1"}',
    '{"type":"thread_switched","thread_id":"t"}',
    '{"type":"event_confirmation","event_id":"e","status":"confirmed"}',
);
my @posted = (
    map({ encode($_) } agent_run('eve', 'run')),
    '{"events":[{"type":"a","user_id":"eve"},{"type":"b","user_id":"eve"}]}',
    '{"type":"x","user_ids":["eve","zoe"],"ttl_ms":5,"event_id":"e"}',
    '{"type":"x","user_id":"eve","tokens":{"input_tokens":1,"cost":0.5}}',
);
my @paths = map { "/api/$_" } qw{ events tickets users users/eve status health
    events/eve?limit=2&after=x-1 users/eve?wait=online&timeout=1
    connections/a-1 tickets/a };

my %act = (
    frames => sub {
        my $socket = $mgr->upgrade(query => "ticket=$ticket",
                                   path => ('/ws', '/echo')[rand 2]);
        my $bytes = join '', map {
            $frame->((1, 1, 1, 2, 0, 9, 10, 8)[rand 8],
                     rand() < 0.5 ? $said[rand @said] : $random->(200),
                     fin => rand() < 0.9, mask => rand() < 0.98 ? "abcd" : 0)
        } 1 .. 5;

        $bytes = $spoil->($bytes) if rand() < 0.7;
        $socket->raw_split($bytes, 1 + int rand 100);
        $socket->message(0);
        rand() < 0.5 ? $socket->abort : $socket->drop;
    },
    post => sub {
        $mgr->try_post($spoil->($posted[rand @posted]));
    },
    lines => sub {
        $mgr->try_post(join("\n", map { $spoil->($posted[rand @posted]) }
                                  1 .. 5), undef,
                       'Content-Type' => 'application/x-ndjson');
    },
    request => sub {
        my $client = $mgr->client;
        my $method = (qw/ GET POST DELETE PUT HEAD /)[rand 5];

        $client->send_raw($spoil->("$method $paths[rand @paths] HTTP/1.1\r\n"
                                   . "Host: x\r\nContent-Length: 9\r\n"
                                   . "Connection: close\r\n\r\n{\"a\":1}  "));
        $client->stream->shut;
        $client->answer(0.02);
        $client->close;
    },
    upgrade => sub {
        my $client = $mgr->client;

        $client->send_raw($spoil->(
            "GET /ws?ticket=$ticket HTTP/1.1\r\nHost: x\r\n"
            . "Upgrade: websocket\r\nConnection: Upgrade\r\n"
            . "Sec-WebSocket-Version: 13\r\n"
            . "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
            . "Sec-WebSocket-Protocol: ws-mgr.v1, ticket.abc\r\n\r\n"));
        $client->stream->ended(0.005);
        $client->close;
    },
);
my @acts = sort keys %act;
my $until = now() + ($ENV{WS_MGR_NOISE} || 8);
my $n = 0;

while (now() < $until) {
    $act{ $acts[rand @acts] }->();
    $n++;
}

# spoiled requests carried the ticket under names that are none
$mgr->{tickets} = [];

$mgr->post({ type => 'hello', user_id => 'ann' }, 'wait=sent');
is $ann->event->{type}, 'hello', "ann is served, after $n pieces of noise";
is scalar($mgr->workers), 2, 'both workers live';
