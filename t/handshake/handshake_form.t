#!/usr/bin/perl

# The forms in which an upgrade may come.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;

my $mgr = manager(<<'CONF');
    ws_mgr_connections user=0;

    location /ws   { ws_mgr_socket; }
    location /api/ { ws_mgr_api; }
CONF

my $ticket = $mgr->ticket('ann', single_use => JSON::PP::false);

my @good = (
    [ 'Upgrade in capitals' => { Upgrade => 'WebSocket' } ],
    [ 'Connection in small letters' => { Connection => 'upgrade' } ],
    [ 'Connection with other tokens' => { Connection => 'keep-alive, Upgrade' } ],
    [ 'Connection without spaces' => { Connection => 'keep-alive,upgrade,x' } ],
    [ 'headers of the future' => { 'X-Unknown' => 'x' x 500 } ],
    [ 'offers of extensions' => { 'Sec-WebSocket-Extensions' =>
        'unknown-extension; a=b, permessage-unknown' } ],
    [ 'cookies' => { Cookie => 'a=b; c=d' } ],
);

for (@good) {
    my ($name, $headers) = @$_;
    my $socket = $mgr->upgrade(query => "ticket=$ticket",
                               headers => $headers);

    is $socket->status, 101, $name;
    ok $socket->accept_is_right, 'accepted by its key';
    is lc $socket->header('upgrade'), 'websocket', 'Upgrade';
    is lc $socket->header('connection'), 'upgrade', 'Connection';
    is $socket->header('content-length'), undef, 'no body';
    is $socket->header('sec-websocket-protocol'), undef,
       'no protocol that was not offered';
    is $socket->event->{type}, 'connection_established', 'served';
}

my $good_key = 'dGhlIHNhbXBsZSBub25jZQ==';
my $socket = $mgr->upgrade(query => "ticket=$ticket",
                           headers => { 'Sec-WebSocket-Key' => $good_key });

is $socket->header('sec-websocket-accept'), 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=',
   "the RFC's own example";

my @bad = (
    [ 'POST', method => 'POST' ],
    [ 'HEAD', method => 'HEAD' ],
    [ 'HTTP/1.0', version => '1.0' ],
    [ 'no Connection', headers => { Connection => undef } ],
    [ 'Connection: close', headers => { Connection => 'close' } ],
    [ 'Connection: upgraded', headers => { Connection => 'upgraded' } ],
    [ 'no Upgrade', headers => { Upgrade => undef } ],
    [ 'Upgrade: h2c', headers => { Upgrade => 'h2c' } ],
    [ 'no version', headers => { 'Sec-WebSocket-Version' => undef } ],
    [ 'version 8', headers => { 'Sec-WebSocket-Version' => 8 } ],
    [ 'version 130', headers => { 'Sec-WebSocket-Version' => 130 } ],
    (map { [ "key '$_'", headers => { 'Sec-WebSocket-Key' => $_ } ] }
     '', 'x', 'dGhlIHNhbXBsZSBub25jZQ', 'dGhlIHNhbXBsZSBub25jZQ===',
     'dGhlIHNhbXBsZSBub25jZTE=', 'dGhlIHNhbXBsZSBub25j', '!' x 22 . '=='),
    [ 'no key', headers => { 'Sec-WebSocket-Key' => undef } ],
    [ 'two keys', headers => { 'Sec-WebSocket-Key' => [ ($good_key) x 2 ] } ],
);

for (@bad) {
    my ($name, %upgrade) = @$_;
    my $answer = $mgr->upgrade(query => "ticket=$ticket", %upgrade)->answer;

    like $answer->{status}, qr/^(?:400|405|426)$/, $name;
    is $answer->{headers}{'content-type'}, 'application/problem+json',
       'a problem';
    next if $answer->{status} != 426;
    is $answer->{headers}{'sec-websocket-version'}, 13, 'names the version';
}
