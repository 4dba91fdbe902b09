#!/usr/bin/perl

# WebSocket is of HTTP/1.1 alone: over HTTP/2 an upgrade is refused cleanly, and
# the API serves as ever.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;

my ($clear, $tls) = map { Test::WsMgr::Nginx::free_port() } 1 .. 2;

# the certificate is the harness' own
my $mgr = manager(<<'CONF', tls => 1, http => <<"HTTP");
    location /ws   { ws_mgr_socket; }
    location /soft { ws_mgr_socket; ws_mgr_refuse close; }
    location /api/ { ws_mgr_api; }
CONF
    ssl_certificate     cert.pem;
    ssl_certificate_key key.pem;

    server {
        listen 127.0.0.1:$clear http2;
        listen 127.0.0.1:$tls ssl http2;
        location /ws   { ws_mgr_socket; }
        location /soft { ws_mgr_socket; ws_mgr_refuse close; }
        location /api/ { ws_mgr_api; }
    }
HTTP

my %over = ("http://127.0.0.1:$clear" => '--http2-prior-knowledge',
            "https://127.0.0.1:$tls"  => '--http2 -k');

for my $base (sort keys %over) {
    my $curl = "curl -s -i $over{$base}";
    my $ticket = $mgr->ticket('ann');
    my $upgrade = "-H 'Sec-WebSocket-Version: 13'"
                . " -H 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=='"
                . " -H 'Sec-WebSocket-Protocol: ws-mgr.v1, ticket.$ticket'";

    for my $path (qw{ /ws /soft }) {
        my $said = `$curl $upgrade $base$path`;

        like $said, qr{^HTTP/2 400\b}, "$base$path is refused";
        like $said, qr{^content-type: application/problem\+json}mi,
             'with a problem';
        like $said, qr/"code":"bad_request"/, 'which is that of the request';
        like $said, qr{HTTP/1\.1}, 'and says what there is';
        unlike $said, qr/^(?:upgrade|connection):/mi, 'in the form of HTTP/2';

        # as a browser might try it, RFC 8441: nothing like it is announced
        like `curl -s -o /dev/null -w '%{http_code}' $over{$base} \\
              -X CONNECT $upgrade $base$path`, qr/^(?:000|4\d\d|501)$/,
             'nor is there CONNECT';
    }

    like `$curl --json '{"type":"x","user_id":"ann"}' $base/api/events`,
         qr{^HTTP/2 200\b.*"accepted":1}s, 'events are taken';
    like `$curl $base/api/users/nobody`, qr{^HTTP/2 404\b.*"user_unknown"}s,
         'problems are told';

    # without "h2" in the offer it is what it was
    is $mgr->upgrade(ticket => $ticket)->status, 101, 'the ticket is good yet';
}

is $mgr->upgrade(ticket => $mgr->ticket('ann'), tls => 1,
                 to => "127.0.0.1:$tls")->status, 101,
   'a client of HTTP/1.1 is let in where HTTP/2 is';
