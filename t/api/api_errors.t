#!/usr/bin/perl

# What the API does not have, and how it says so.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;

my $mgr = manager(<<'CONF');
    location /ws        { ws_mgr_socket; }
    location /api/      { ws_mgr_api; }
    location /api/some/ { ws_mgr_api tickets health; }
CONF

for my $path ('', 'nothing', 'users/a/b',
              'status/x', 'connections', 'Events', 'some/events',
              'some/users/ann', 'some/status')
{
    my $answer = $mgr->api(GET => $path);

    next if $path eq '' && $answer->{status} == 200;
    $mgr->is_problem($answer, 404, 'not_found', "no such thing: '$path'");
}

my %allow = (
    'events'        => [ 'DELETE', 'POST' ],
    'tickets'       => [ 'GET', 'POST' ],
    'users'         => [ 'POST', 'GET' ],
    'users/a'       => [ 'POST', 'GET', 'DELETE' ],
    'connections/a' => [ 'PUT', 'GET', 'DELETE' ],
    'health'        => [ 'POST', 'GET' ],
    'status'        => [ 'DELETE', 'GET' ],
);

for my $path (sort keys %allow) {
    my ($wrong, @right) = @{ $allow{$path} };
    my $answer = $mgr->api($wrong => $path);

    $mgr->is_problem($answer, 405, 'method_not_allowed', "$wrong $path");
    like $answer->{headers}{allow} // '', qr/\b$_\b/, "Allow: $_" for @right;
    unlike $answer->{headers}{allow} // '', qr/\b$wrong\b/, "not $wrong";
}

is $mgr->api(GET => 'some/health')->{status}, 200, 'a resource that is named';
is $mgr->api(GET => 'health')->{json}{status}, 'healthy', 'healthy';
is ref $mgr->api(GET => 'status')->{json}{counters}, 'HASH', 'counters';

# HEAD and pipelined requests
my $client = $mgr->client;

is $client->request(HEAD => '/api/health')->{body}, '', 'HEAD has no body';
$client->send_raw("GET /api/health HTTP/1.1\r\nHost: x\r\n\r\n" x 3);
is $client->answer->{json}{status}, 'healthy', "pipelined, $_" for 1 .. 3;

# an error does not end the connection, nor what follows on it
$client->send_raw("POST /api/nothing HTTP/1.1\r\nHost: x\r\n"
                  . "Content-Length: 5\r\n\r\nhelloGET /api/health"
                  . " HTTP/1.1\r\nHost: x\r\n\r\n");
is $client->answer->{status}, 404, 'a body for nothing';
is $client->answer->{json}{status}, 'healthy', 'is not the next request';
