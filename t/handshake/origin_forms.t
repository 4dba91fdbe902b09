#!/usr/bin/perl

# Wildcards, ports that go without saying, and what is no origin.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;

my $mgr = manager(<<'CONF');
    ws_mgr_connections user=off;

    location /own  { ws_mgr_socket; }
    location /wild { ws_mgr_socket; ws_mgr_origin https://*.example.com
                                                  http://*.local:8080; }
    location /port { ws_mgr_socket; ws_mgr_origin https://a.com:443
                                                  http://b.com
                                                  HTTPS://C.com:8443; }
    location /any  { ws_mgr_socket; ws_mgr_origin any; }
    location /api/ { ws_mgr_api; }
CONF

my $ticket = $mgr->ticket('ann', single_use => JSON::PP::false);

# where, the page's origin, the request's host, whether it may
my @table = (
    [ '/own', 'https://a.com', 'a.com:443', 1 ],
    [ '/own', 'https://a.com:443', 'a.com', 1 ],
    [ '/own', 'http://a.com:80', 'a.com', 1 ],
    [ '/own', 'http://a.com', 'a.com:80', 1 ],
    [ '/own', 'https://a.com', 'a.com:80', 0 ],
    [ '/own', 'http://a.com', 'a.com:443', 0 ],
    [ '/own', 'http://[::1]:8080', '[::1]:8080', 1 ],
    [ '/own', 'http://[::1]:8080', '[::1]', 0 ],
    [ '/own', 'https://a.com/', 'a.com', 0 ],
    [ '/own', 'a.com', 'a.com', 0 ],
    [ '/own', 'https://a.com https://a.com', 'a.com', 0 ],
    [ '/own', 'https://*.a.com', 'x.a.com', 0 ],
    [ '/own', [ 'https://a.com', 'https://a.com' ], 'a.com', 0 ],
    [ '/any', [ 'https://a.com', 'https://b.com' ], 'a.com', 0 ],
    [ '/wild', 'https://x.example.com', 'x', 1 ],
    [ '/wild', 'https://X.y.EXAMPLE.com', 'x', 1 ],
    [ '/wild', 'https://x.example.com:443', 'x', 1 ],
    [ '/wild', 'https://example.com', 'x', 0 ],
    [ '/wild', 'https://.example.com', 'x', 0 ],
    [ '/wild', 'https://xexample.com', 'x', 0 ],
    [ '/wild', 'https://x.example.com.evil', 'x', 0 ],
    [ '/wild', 'https://x.example.com:8443', 'x', 0 ],
    [ '/wild', 'http://x.example.com', 'x', 0 ],
    [ '/wild', 'http://x.local:8080', 'x', 1 ],
    [ '/wild', 'http://x.local', 'x', 0 ],
    [ '/port', 'https://a.com', 'x', 1 ],
    [ '/port', 'http://b.com:80', 'x', 1 ],
    [ '/port', 'http://b.com:8080', 'x', 0 ],
    [ '/port', 'https://c.com:8443', 'x', 1 ],
);

for (@table) {
    my ($where, $origin, $host, $allowed) = @$_;
    my $socket = $mgr->upgrade(
        query   => "ticket=$ticket",
        path    => $where,
        headers => { Origin => $origin, Host => $host },
    );
    my $name = "$where: " . (ref $origin ? "@$origin" : $origin) . " at $host";

    is $socket->status, $allowed ? 101 : 403, $name;
}
