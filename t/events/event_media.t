#!/usr/bin/perl

# Content types of a post.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;

my $mgr = manager(<<'CONF');
    location /ws   { ws_mgr_socket; }
    location /api/ { ws_mgr_api; }
CONF

my $body = '{"type":"x","user_id":"ann"}';

for my $type ('application/json', 'application/json; charset=utf-8',
              'Application/JSON;charset=UTF-8', 'application/x-ndjson')
{
    is $mgr->try_post($body, undef, 'Content-Type' => $type)->{status}, 200,
       $type;
}

for my $type ('text/plain', 'application/x-www-form-urlencoded',
              'application/jsonx', 'application', 'multipart/form-data', '')
{
    $mgr->counts($mgr->rejection('unsupported_media_type'), 1, sub {
        $mgr->is_problem($mgr->try_post($body, undef,
                                        'Content-Type' => $type),
                         415, 'unsupported_media_type', "not '$type'");
    });
}

$mgr->is_problem($mgr->try_post($body, undef, 'Content-Type' => undef), 415,
                 'unsupported_media_type', 'none at all');
is $mgr->try_post($body)->{status}, 200, 'and the connection goes on';
