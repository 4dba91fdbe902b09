#!/usr/bin/perl

# No ticket in an access log of whatever format, even of requests that ended
# before anybody knew which location they were for.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;

my $mgr = manager(<<'CONF', http => <<'HTTP');
    access_log access.log all;

    if ($http_x_stop) { return 403; }

    location /ws    { ws_mgr_socket; }
    location /else/ { return 204; }
    location /api/  { ws_mgr_api; }
CONF
    log_format all '$request|$request_uri|$uri|$args|$query_string|'
                   '$arg_ticket|$arg_auth_ticket|$http_referer|'
                   '$http_sec_websocket_protocol|$status';
HTTP

my @ends = (
    [ 'is let in', 101 ],
    [ 'has no host', 400, headers => { Host => undef } ],
    [ 'has no good host', 400, headers => { Host => 'a b' } ],
    [ 'is stopped by the server', 403, headers => { 'X-Stop' => 1 } ],
    [ 'has a header too large', 400, headers => { X => 'x' x 9000 } ],
    [ 'has a line too long', 400, version => 'x' x 9000 ],
    [ 'is of another version', 505, version => '9.9' ],
    [ 'is of no version', 400, version => '1.1x' ],
    [ 'has no method', 400, method => 'get' ],
    [ 'has a method that nginx refuses', 405, method => 'TRACE' ],
);

# the harness looks for all tickets in all logs
for (@ends) {
    my ($name, $status, %upgrade) = @$_;

    for my $how (sub { (query => "ticket=$_[0]") },
                 sub { (query => "a=b&auth_ticket=$_[0]&c=d") },
                 sub { (path => "/nowhere/ticket=$_[0]") })
    {
        my $ticket = $mgr->ticket('ann');
        my %how = $how->($ticket);
        my $socket = $mgr->upgrade(%how, %upgrade);

        next if $how{path};
        is $socket->status, $status, $name;
        $socket->drop;
    }

    $mgr->upgrade(%upgrade, headers => {
        'Sec-WebSocket-Protocol' => 'ticket.' . $mgr->ticket('ann'),
        Referer                  => 'http://app/?ticket=' . $mgr->ticket('ann'),
        %{ $upgrade{headers} || {} },
    })->drop;
}

for my $path ('tickets/', 'tickets//', '%74ickets/', 'tickets%2f') {
    $mgr->client->get("/api/$path" . $mgr->ticket('ann'));
    $mgr->client->get("/api/$path" . $mgr->ticket('ann'), 'X-Stop' => 1);
}

# what is not ours is not touched
$mgr->client->get('/else/?ticket=their-own');
eventually { $mgr->log('access.log') =~ m{ /else/\?ticket=their-own } }
    'the arguments of another location';
