#!/usr/bin/perl

# The header fields of an upgrade, RFC 6455 section 4.2.1, in all the forms
# that HTTP allows for them, and the answer's, section 4.2.2.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;

my $mgr = manager(<<'CONF');
    ws_mgr_connections user=off;

    location /ws   { ws_mgr_socket; }
    location /api/ { ws_mgr_api; }
CONF

my $ticket = $mgr->ticket('ann', single_use => JSON::PP::false);
my $key = 'dGhlIHNhbXBsZSBub25jZQ==';

# replaces the usual fields by name; a list is several fields
my @good = (
    [ 'Connection in two fields', Connection => [ 'keep-alive', 'Upgrade' ] ],
    [ 'Connection in two fields, the other way round',
      Connection => [ 'Upgrade', 'keep-alive' ] ],
    [ 'Connection in any case', Connection => 'uPgRaDe' ],
    [ 'Connection with tabs', Connection => "keep-alive\t,\tUpgrade\t" ],
    [ 'Connection with empty elements', Connection => ', ,Upgrade,,' ],
    [ 'Upgrade in any case', Upgrade => 'WEBSOCKET' ],
    [ 'Upgrade in a list', Upgrade => 'h2c, websocket' ],
    [ 'Upgrade in two fields', Upgrade => [ 'h2c', 'websocket' ] ],
    [ 'space around the key', 'Sec-WebSocket-Key' => "  $key  " ],
    [ 'space around the version', 'Sec-WebSocket-Version' => "  13 " ],
    [ 'a key of zeros', 'Sec-WebSocket-Key' => 'A' x 22 . '==' ],
    [ 'a key of + and /', 'Sec-WebSocket-Key' => '+/' x 10 . '+w==' ],
    [ 'an empty list of extensions', 'Sec-WebSocket-Extensions' => '' ],
    [ 'an Origin of its own', Origin => 'http://localhost' ],
    [ 'an Origin of another scheme in any case', Origin => 'HTTP://LocalHost' ],
);

for (@good) {
    my ($name, %headers) = @$_;
    my $socket = $mgr->upgrade(query => "ticket=$ticket", headers => \%headers);

    is $socket->status, 101, $name;
    is $socket->event->{type}, 'connection_established', 'served';
    $socket->drop;
}

# names in any case, and the request's target in absolute form
my $shout = $mgr->client;

$shout->send_raw("GET http://localhost/ws?ticket=$ticket HTTP/1.1\r\n"
    . "HOST: localhost\r\nCONNECTION: Upgrade\r\nupgrade: websocket\r\n"
    . "SEC-WEBSOCKET-VERSION: 13\r\nsec-websocket-key: $key\r\n\r\n");

my $answer = $shout->answer;

is $answer->{status}, 101, 'names in any case, an absolute target';
$shout->close;

# the answer has what it must, once, and nothing that was not asked for
my $socket = $mgr->upgrade(query => "ticket=$ticket",
                           headers => { 'Sec-WebSocket-Key' => $key });
my $head = $socket->answer->{head};

like $head, qr{^HTTP/1\.1 101 Switching Protocols\r\n}, 'the status line';
is scalar(() = $head =~ /^$_:/gmi), 1, "$_, once"
    for qw/ Upgrade Connection Sec-WebSocket-Accept /;
unlike $head, qr/^$_:/mi, "no $_"
    for qw/ Sec-WebSocket-Protocol Sec-WebSocket-Extensions
            Sec-WebSocket-Version Sec-WebSocket-Key Content-Length
            Transfer-Encoding Content-Type Keep-Alive /;
is $socket->header('sec-websocket-accept'), 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=',
   "the RFC's example";

# how it is refused: 426 names the version that there is
my @bad = (
    (map { [ 426, "version '$_'", 'Sec-WebSocket-Version' => $_ ] }
     '', 0, 1, 7, 8, 12, 14, 25, 255, 256, '+13', '013', '13.0', '13, 8',
     '8, 13', 'thirteen'),
    [ 426, 'the version twice', 'Sec-WebSocket-Version' => [ 13, 13 ] ],
    [ 426, 'two versions', 'Sec-WebSocket-Version' => [ 8, 13 ] ],
    [ 426, 'Upgrade of another name', Upgrade => 'websockets' ],
    [ 426, 'Upgrade with a version', Upgrade => 'websocket/13' ],
    [ 426, 'Upgrade of nothing', Upgrade => '' ],
    [ 426, 'Connection of nothing', Connection => '' ],
    [ 426, 'Connection of a part of it', Connection => 'up, grade' ],
    [ 426, 'Connection with a space in it', Connection => 'keep-alive Upgrade' ],
    (map { [ 400, "key '$_'", 'Sec-WebSocket-Key' => $_ ] }
     'dGhlIHNhbXBsZSBub25jZQ= =', 'dGhlIHNhbXBsZSBub25jZQ=A',
     'dGhlIHNhbXBsZSBub25j====', '-_' x 10 . '-w==', '=' x 24,
     'A' x 21 . '===', 'dGhlIHNhbXBsZSBu' x 2, "$key, $key"),
    [ 400, 'a key and an empty one', 'Sec-WebSocket-Key' => [ $key, '' ] ],
);

for (@bad) {
    my ($status, $name, %headers) = @$_;
    my $answer = $mgr->upgrade(query => "ticket=$ticket",
                               headers => \%headers)->answer;

    $mgr->is_problem($answer, $status, $status == 400 ? 'bad_request'
                                                      : 'upgrade_required',
                     $name);
    next if $status != 426;
    is $answer->{headers}{'sec-websocket-version'}, 13, 'names the version';
    is lc $answer->{headers}{upgrade}, 'websocket', 'and the protocol';
}

# what is no request of HTTP/1.1 at all is nginx's to refuse
for my $line ('GET /ws', "get /ws HTTP/1.1", "GET /ws HTTP/2.0",
              "GET /ws HTTP/1.1\r\nHost: a\r\nHost: b")
{
    my $client = $mgr->client;

    $client->send_raw("$line\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        . "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: $key\r\n\r\n");

    my $said = $client->stream->take_all(now() + patience());

    unlike $said, qr{^HTTP/1\.1 101}, "not upgraded: $line";
}

for my $method (qw/ POST PUT DELETE OPTIONS PATCH /) {
    my $answer = $mgr->upgrade(query => "ticket=$ticket",
                               method => $method)->answer;

    $mgr->is_problem($answer, 400, 'bad_request', $method);
}

# all of it is counted, and costs no ticket
my $once = $mgr->ticket('bob');

$mgr->counts($mgr->refusal('upgrade_required'), 1, sub {
    $mgr->upgrade(ticket => $once,
                  headers => { 'Sec-WebSocket-Version' => 8 });
});
$mgr->counts($mgr->refusal('bad_request'), 1, sub {
    $mgr->upgrade(ticket => $once, headers => { 'Sec-WebSocket-Key' => 'x' });
});
is $mgr->upgrade(ticket => $once)->status, 101, 'the ticket is good yet';
