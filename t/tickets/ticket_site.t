#!/usr/bin/perl

# websocket_url names the site that browsers know, not the listener of the API.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;

sub url_of {
    my ($name, $listen, $host, $path) = @_;
    my ($site, $plain, $side) = map { Test::WsMgr::Nginx::free_port() } 1 .. 3;
    my $ports = sub { $_[0] =~ s/SITE/$site/r =~ s/PLAIN/$plain/r };

    ($listen, $host) = map { $ports->($_) } $listen, $host;

    my $mgr = manager('location / { return 404; }', tls => 1, http => <<"CONF");
    server {
        listen 127.0.0.1:$side;
        location /api/ { ws_mgr_api; }
    }
    server {
        $listen
        $name
        ssl_certificate cert.pem;
        ssl_certificate_key key.pem;
        location /ws { ws_mgr_socket; }
        location /same/ { ws_mgr_api; }
    }
CONF

    my $to = $path eq 'api' ? "127.0.0.1:$side" : "127.0.0.1:$plain";
    my $answer = $mgr->client(to => $to)->request(
        'POST', "/$path/tickets", '{"user_id":"ann"}', Host => $host);

    is $answer->{status}, 201, "$listen $name";
    $answer->{json}{websocket_url} =~ s/\?ticket=[\w-]{43}$//;

    return $answer->{json}{websocket_url} =~ s/:$site\b/:SITE/r
                                          =~ s/:$plain\b/:PLAIN/r;
}

my ($tls, $http) = ('listen 127.0.0.1:SITE ssl;', 'listen 127.0.0.1:PLAIN;');

for (
    # the name of the server, and TLS rather than plain
    [ "server_name ws.example.org;", "$http $tls", '127.0.0.1', 'api',
      "wss://ws.example.org:SITE/ws" ],
    [ "server_name ws.example.org *.example.org;", $http, '127.0.0.1', 'api',
      "ws://ws.example.org:PLAIN/ws" ],
    [ "server_name ws.example.org;", "$http $tls", 'localhost', 'same',
      "wss://ws.example.org:SITE/ws" ],
    # no name that a browser could use: the host that was asked, and the
    # listener of ws_mgr_socket
    [ "server_name _;", "$http $tls", 'localhost:1', 'api',
      "wss://localhost:SITE/ws" ],
    [ "server_name *.example.org;", $http, '[::1]:1', 'api',
      "ws://[::1]:PLAIN/ws" ],
    [ "server_name ~^ws;", $http, '127.0.0.1', 'api',
      "ws://127.0.0.1:PLAIN/ws" ],
    # asked at the site itself
    [ '', $http, "127.0.0.1:PLAIN", 'same', "ws://127.0.0.1:PLAIN/ws" ],
) {
    my ($name, $listen, $host, $path, $url) = @$_;

    is url_of($name, $listen, $host, $path), $url, $url;
}
