#!/usr/bin/perl

# A body is never taken for a request: each method on each route, with each
# framing, in one packet and in two, directly and through a proxy that shows
# one route.  The body is a request of its own that posts an event.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;
use Test::WsMgr::Stream;

my $h2 = Test::WsMgr::Nginx::free_port();
my ($front, $back) = map { Test::WsMgr::Nginx::free_port() } 1, 2;

my $mgr = manager(<<'CONF', workers => 2, http => <<"HTTP");
    location /ws    { ws_mgr_socket; }
    location /soft  { ws_mgr_socket; ws_mgr_refuse close; }
    location /api/  { ws_mgr_api; }
    location /page  { ws_mgr_api health status; }
    location /after { return 200 "after\n"; }
CONF
    upstream back { server 127.0.0.1:$back; keepalive 4; }

    server {
        listen 127.0.0.1:$h2 http2;
        listen 127.0.0.1:$back;
        location /ws    { ws_mgr_socket; }
        location /api/  { ws_mgr_api; }
        location /after { return 200 "after\n"; }
    }

    server {
        listen 127.0.0.1:$front;
        proxy_http_version 1.1;
        proxy_set_header Connection "";
        location = /health { proxy_pass http://back/api/health; }
        location = /after  { proxy_pass http://back/after; }
    }
HTTP

my $event = '{"type":"planted","user_id":"planted"}';
my $planted = "POST /api/events HTTP/1.1\r\nHost: x\r\n"
            . "Content-Type: application/json\r\n"
            . 'Content-Length: ' . length($event) . "\r\n\r\n$event";
my $after = "GET /after HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

my @routes = qw{ events events/planted tickets tickets/x users users/planted
                 connections/x health status metrics nothing };
my @paths = ((map { "/api/$_" } '', @routes), '/page/', '/page/health',
             '/ws', '/soft');
my @methods = qw/ GET HEAD DELETE PUT PATCH OPTIONS POST /;
my %framing = (
    length  => sub { 'Content-Length: ' . length($_[0]) . "\r\n\r\n", $_[0] },
    chunked => sub { "Transfer-Encoding: chunked\r\n\r\n",
                     sprintf("%x\r\n%s\r\n0\r\n\r\n", length $_[0], $_[0]) },
);

# a route that reads a body answers when it has the body, others at once
my $reads = qr{^POST /api/(?:events|tickets)$};

# all that comes on a connection: statuses, and whether /after was the last
sub answers {
    my ($stream) = @_;
    my $text = $stream->take_all(now() + patience());

    return { statuses => [ $text =~ m{(?:^|\n)?HTTP/1\.\d (\d{3}) }g ],
             after => scalar($text =~ /\r\n\r\nafter\n\z/), text => $text };
}

# what must hold whatever the form
sub sound {
    my ($got, $name) = @_;
    my @wrong = grep { $_ >= 500 && $_ != 501 && $_ != 505 }
                @{ $got->{statuses} };

    local $Test::Builder::Level = $Test::Builder::Level + 1;

    return ok(!@wrong && @{ $got->{statuses} } >= 1
              && @{ $got->{statuses} } == 1 + $got->{after}, $name)
           || diag($got->{text});
}

my ($n, @bad) = (0);

for my $version ('1.1', '1.0') {
    for my $path (@paths) {
        for my $method (@methods) {
            for my $how ($version eq '1.0' ? 'length' : sort keys %framing) {
                for my $packets (1, 2) {
                    my ($head, $body) = $framing{$how}->($planted);
                    my $stream = Test::WsMgr::Stream->open($mgr->address);
                    my $keep = $version eq '1.0'
                               ? "Connection: keep-alive\r\n" : '';

                    $head = "$method $path HTTP/$version\r\nHost: x\r\n$keep"
                          . $head;

                    if ($packets == 1) {
                        $stream->write($head . $body . $after);

                    } else {
                        $stream->write($head);
                        $stream->fill(now() + patience())
                            if "$method $path" !~ $reads;
                        $stream->write($body . $after);
                    }

                    my $got = answers($stream);
                    my $count = @{ $got->{statuses} };

                    $n++;
                    push @bad, "$method $path HTTP/$version, $how,"
                             . " $packets packet(s): @{ $got->{statuses} }"
                        if $count < 1 || $count != 1 + $got->{after}
                           || grep { $_ >= 500 } @{ $got->{statuses} };
                }
            }
        }
    }
}

is_deeply \@bad, [], "$n requests with a body that is a request";
is $mgr->api(GET => 'events/planted')->{status}, 404, 'none was run';

# --- through a proxy that shows one route, and passes bodies on ---

for my $how (sort keys %framing) {
    for my $method (qw/ GET POST DELETE /) {
        my ($head, $body) = $framing{$how}->($planted);
        my $stream = Test::WsMgr::Stream->open("127.0.0.1:$front");

        $stream->write("$method /health HTTP/1.1\r\nHost: x\r\n$head$body"
                       . $after);
        sound(answers($stream), "$method /health through a proxy, $how");
    }
}

is $mgr->api(GET => 'events/planted')->{status}, 404,
   'nothing was run behind the proxy';

# --- over HTTP/2 ---

# (curl 7.88 takes the RST_STREAM behind an early answer for an error)
my $client = <<'JS';
    const session = require('http2').connect(process.argv[1]);
    const ask = (method, body) => new Promise((done) => {
        const s = session.request({ ':method': method,
                                    ':path': '/api/health' },
                                  { endStream: !body });
        let status = 0;
        s.on('response', (head) => { status = head[':status']; });
        s.on('error', () => {});
        s.on('close', () => done(status));
        s.resume();
        if (body) s.end(body);
    });
    (async () => {
        for (const method of ['GET', 'DELETE', 'PUT', 'POST']) {
            console.log(method, await ask(method, process.argv[2]),
                        await ask('GET'));
        }
        session.close();
    })();
JS

open my $node, '-|', 'node', '-e', $client, "http://127.0.0.1:$h2", $planted
    or die "node: $!";
is join('', <$node>), "GET 200 200\nDELETE 405 200\nPUT 405 200\nPOST 405 200\n",
   'bodies over HTTP/2';

# --- forms that are not HTTP, or hardly ---

my $ten = 'x' x 10;
my @forms = (
    [ 'length and chunked', "Content-Length: 4\r\nTransfer-Encoding: chunked",
      "0\r\n\r\n" ],
    [ 'chunked and length', "Transfer-Encoding: chunked\r\nContent-Length: 4",
      "0\r\n\r\n" ],
    [ 'two lengths', "Content-Length: 10\r\nContent-Length: 0", $ten ],
    [ 'equal lengths', "Content-Length: 10\r\nContent-Length: 10", $ten ],
    [ 'a list of lengths', 'Content-Length: 10, 10', $ten ],
    [ 'a length with a sign', 'Content-Length: +10', $ten ],
    [ 'a negative length', 'Content-Length: -1', '' ],
    [ 'a hexadecimal length', 'Content-Length: 0xa', $ten ],
    [ 'an endless length', 'Content-Length: 99999999999999999999', $ten ],
    [ 'an unknown coding', 'Transfer-Encoding: xchunked', "0\r\n\r\n" ],
    [ 'two codings', 'Transfer-Encoding: gzip, chunked', "0\r\n\r\n" ],
    [ 'a broken chunk', 'Transfer-Encoding: chunked', "zz\r\n\r\n" ],
    [ 'a chunk too large', 'Transfer-Encoding: chunked',
      "ffffffffffffffffff\r\n\r\n" ],
    [ 'a folded field', "X-Folded: a\r\n b", '' ],
    [ 'a folded length', "Content-Length:\r\n 10", $ten ],
    [ 'a blank before the colon', 'Content-Length : 10', $ten ],
);

for my $row (@forms) {
    my ($name, $fields, $body) = @$row;

    for my $path (qw{ /api/health /api/events /ws }) {
        for my $method (qw/ GET POST /) {
            my $stream = Test::WsMgr::Stream->open($mgr->address);

            $stream->write("$method $path HTTP/1.1\r\nHost: x\r\n$fields\r\n"
                           . "\r\n$body");
            $stream->shut;

            my ($status) = $stream->take_all(now() + patience())
                           =~ m{^HTTP/1\.1 (\d{3})};

            ok !defined $status || $status < 500 || $status == 501,
               "$method $path, $name: " . ($status // 'closed');
        }
    }
}

my $stream = Test::WsMgr::Stream->open($mgr->address);

$stream->write("GET http://elsewhere/api/health HTTP/1.1\r\nHost: x\r\n\r\n"
               . "\r\n" . $after);
my $got = answers($stream);
is_deeply $got->{statuses}, [ 200, 200 ], 'an absolute URI, an empty line';

# three requests with bodies, one behind the other
$stream = Test::WsMgr::Stream->open($mgr->address);
my ($head, $body) = $framing{length}->($planted);

$stream->write("GET /api/health HTTP/1.1\r\nHost: x\r\n$head$body" x 3
               . $after);
$got = answers($stream);
is_deeply $got->{statuses}, [ (200) x 4 ], 'a pipeline of bodies';
ok $got->{after}, 'and what follows it';

is $mgr->api(GET => 'events/planted')->{status}, 404, 'nothing was run at all';
