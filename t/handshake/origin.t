#!/usr/bin/perl

# Which pages may connect.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;

my $mgr = manager(<<'CONF');
    location /ws   { ws_mgr_socket; }
    location /some { ws_mgr_socket;
                     ws_mgr_origin https://app.example.org
                                   http://localhost:3000; }
    location /any  { ws_mgr_socket; ws_mgr_origin any; }
    location /api/ { ws_mgr_api; }
CONF

# where, the page's origin, the request's host, whether it may
my @table = (
    [ '/ws', undef, 'app.example.org', 1, 'no browser' ],
    [ '/ws', 'https://app.example.org', 'app.example.org', 1, 'own host' ],
    [ '/ws', 'https://APP.example.org', 'app.EXAMPLE.org', 1, 'any case' ],
    [ '/ws', 'http://app:8080', 'app:8080', 1, 'own host and port' ],
    [ '/ws', 'https://evil', 'app.example.org', 0, 'another host' ],
    [ '/ws', 'https://app.example.org.evil', 'app.example.org', 0,
      'longer host' ],
    [ '/ws', 'https://xapp.example.org', 'app.example.org', 0,
      'other beginning' ],
    [ '/ws', 'http://app:8081', 'app:8080', 0, 'another port' ],
    [ '/ws', 'null', 'app.example.org', 0, 'an opaque origin' ],
    [ '/ws', '', 'app.example.org', 0, 'an empty origin' ],
    [ '/some', 'https://app.example.org', 'x', 1, 'listed' ],
    [ '/some', 'http://localhost:3000', 'x', 1, 'listed with port' ],
    [ '/some', 'http://app.example.org', 'x', 0, 'another scheme' ],
    [ '/some', 'http://localhost', 'x', 0, 'without port' ],
    [ '/some', 'https://x', 'x', 0, 'own host, not listed' ],
    [ '/some', undef, 'x', 1, 'no browser' ],
    [ '/any', 'https://evil', 'x', 1, 'any' ],
    [ '/any', 'null', 'x', 1, 'any, opaque' ],
);

for (@table) {
    my ($where, $origin, $host, $allowed, $name) = @$_;
    my $socket = $mgr->upgrade(
        ticket  => $mgr->ticket("user of $name"),
        path    => $where,
        headers => { Origin => $origin, Host => $host },
    );

    if ($allowed) {
        is $socket->status, 101, "$where: $name";
    } else {
        $mgr->is_problem($socket->answer, 403, 'origin_denied',
                         "$where: $name is not");
    }
}
