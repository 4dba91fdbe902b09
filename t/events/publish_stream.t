#!/usr/bin/perl

# POST events with an NDJSON body of unknown length: each line is published and
# answered when it is there, for as long as it takes.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;
use Test::WsMgr::Engine;
use Test::WsMgr::Redis;

my $redis = Test::WsMgr::Redis->start;
my $mgr = manager(<<'CONF', http => <<'HTTP');
    location /ws     { ws_mgr_socket; ws_mgr_ping off; }
    location /api/   { ws_mgr_api; client_max_body_size 0;
                       ws_mgr_event_size 4k; }
    location /small/ { ws_mgr_api; client_max_body_size 300; }
    location /silent/ { ws_mgr_api; client_body_timeout 200ms; }
CONF
    ws_mgr_log events=4000 bytes=8m;
    ws_mgr_connections user=off;
HTTP
my ($node) = nodes(1, $redis);

sub opened {
    my ($mgr, %option) = @_;
    my $client = $mgr->client;

    $client->send_raw(join "\r\n", 'POST ' . ($option{path} // '/api/events')
                      . ' HTTP/1.1', 'Host: localhost',
                      'Content-Type: application/x-ndjson',
                      'Transfer-Encoding: chunked', '', '');
    return $client;
}

sub chunk { sprintf "%x\r\n%s\r\n", length $_[0], $_[0] }

# the header of the answer, once; then lines
sub line_of {
    my ($client, $seconds) = @_;
    my $stream = $client->stream;
    my $deadline = now() + patience($seconds // 5);

    if (!$client->{head}) {
        $client->{head} = $stream->take_to("\r\n\r\n", $deadline) // return;
    }

    while (!@{ $client->{lines} ||= [] }) {
        my $size = $stream->take_to("\r\n", $deadline) // return;
        my $n = hex($size =~ s{\r\n}{}r);


        if ($n == 0) {
            $stream->take(2, $deadline);
            return;
        }

        push @{ $client->{lines} },
             split /\n/, substr $stream->take($n + 2, $deadline), 0, -2;
    }

    return decode(shift @{ $client->{lines} });
}

for my $at ($mgr, $node) {
    my $what = $at == $mgr ? 'embedded' : 'redis';
    my $ann = $at->connect('ann');
    my $agent = opened($at);

    # a token stream: each is answered, and heard, before the next one is sent
    for my $n (1 .. 50) {
        $agent->send_raw(chunk(encode({ type => 'token', user_id => 'ann',
                                        n => $n }) . "\n"));
        my $result = line_of($agent) or BAIL_OUT('no answer');

        is $result->{sockets}, 1, "$what: token $n is answered";
        is $ann->event->{n}, $n, 'and heard';
    }

    like $agent->{head}, qr{^HTTP/1\.1 200.*Content-Type: application/x-ndjson}s,
         'as lines';

    # in pieces, and many at once
    my $text = join '', map { encode({ type => 'n', user_id => 'ann', n => $_ })
                              . "\n" } 1 .. 500;

    $agent->send_raw(chunk($1)) while $text =~ /\G(.{1,777})/gs;

    my @seq = map { line_of($agent)->{seq} } 1 .. 500;

    is "@seq", join(' ', $seq[0] .. $seq[0] + 499), 'a burst: in order';
    is join(' ', map { $ann->event->{n} } 1 .. 500), join(' ', 1 .. 500),
       'and heard so';

    # what is wrong with a line does not stop the others
    $agent->send_raw(chunk(join "\n", '{"type":"x","user_id":"ann"}', '', '{',
                           '{"type":"x"}', '{"type":"y","user_id":"ann"}', ''));

    my @results = map { line_of($agent) } 1 .. 4;

    is join(' ', map { $_->{code} // 'ok' } @results),
       'ok invalid_json invalid_event ok', 'each line is judged alone';
    is $results[1]{line}, 553, 'and told by its number';
    is join(' ', map { $ann->event->{type} } 1, 2), 'x y', 'the good ones come';

    # a last line need not end
    $agent->send_raw(chunk('{"type":"last","user_id":"ann"}') . "0\r\n\r\n");
    ok line_of($agent)->{seq}, 'the last line';
    is line_of($agent), undef, 'and the end';
    is $ann->event->{type}, 'last', 'heard';

    # the connection is good for another request
    is $agent->get('/api/health')->{status}, 200, 'and goes on';
}

# --- lines that are too long ---

my $ann = $mgr->connect('ann');
my $agent = opened($mgr);

$agent->send_raw(chunk('{"type":"x","user_id":"ann","pad":"' . 'x' x 5000
                       . "\"}\n"));
is line_of($agent)->{code}, 'too_large', 'longer than ws_mgr_event_size';

$agent->send_raw(chunk('{"type":"x","user_id":"ann","pad":"' . 'x' x 50_000))
    for 1 .. 4;
is line_of($agent)->{code}, 'too_large', 'without an end: refused at once';
$agent->send_raw(chunk('xxx' x 9000 . "\"}\n" . '{"type":"z","user_id":"ann"}'
                       . "\n"));
ok line_of($agent)->{seq}, 'the next line is one again';
is $ann->event->{type}, 'z', 'heard';

# --- who does not read is not read ---

my $pushed = 0;
my $socket = $agent->stream->{socket};
my $lines = chunk(join '', map { '{"type":"d","user_id":"dan","class":"drop"}' . "\n" }
                           1 .. 200);
my $left = '';

for (;;) {
    $left = $lines if !length $left;

    my $n = syswrite $socket, $left;

    if (!defined $n) {
        last if !Test::WsMgr::Wait::writable($socket, 0.5);
        next;
    }

    substr $left, 0, $n, '';
    $pushed++ if !length $left;
    last if $pushed > 20_000;
}

cmp_ok $pushed, '<', 20_000, 'a publisher that does not read is stopped';

my $answered = 0;

while ($answered < 200 * $pushed) {
    line_of($agent) or last;
    $answered++;
}

is $answered, 200 * $pushed, 'and goes on when it reads: each has its answer';
$agent->close;

# --- cut ---

my $cut = opened($mgr);

$cut->send_raw(chunk('{"type":"whole","user_id":"ann"}' . "\n"
                     . '{"type":"half","user_id":"ann"}'));
ok line_of($cut)->{seq}, 'a whole line';
$cut->stream->abort;
$mgr->post({ type => 'after', user_id => 'ann' });
is join(' ', map { $ann->event->{type} } 1, 2), 'whole after',
   'half of one is not published';

# --- others ---

my $waits = opened($mgr, path => '/api/events?wait=sent');

$waits->send_raw("0\r\n\r\n");
$mgr->is_problem($waits->answer, 400, 'bad_request', 'nothing is waited for');

# client_max_body_size is for a body that is held: of a stream only a line is
my $small = opened($mgr, path => '/small/events');

for (1 .. 20) {
    $small->send_raw(chunk('{"type":"x","user_id":"eve"}' . "\n"));
    ok line_of($small)->{seq}, "small: line $_";
}

my $empty = opened($mgr);

$empty->send_raw("0\r\n\r\n");
is $empty->answer->{status}, 200, 'a stream of no line';

# --- the browser comes before the publisher ---

{
    my @eves = map { $mgr->connect('eve') } 1 .. 200;
    my $agent = opened($mgr);
    my $all = '';

    vec($all, fileno $_->{stream}{socket}, 1) = 1 for @eves;

    for my $n (1 .. 10) {
        $agent->send_raw(chunk('{"type":"n","user_id":"eve"}' . "\n"));
        line_of($agent);
        is select(my $there = $all, undef, undef, 0), 200, "$n: each has it";
        $_->event for @eves;
    }

    $_->drop for @eves;
}

# who is silent for longer than client_body_timeout is left
my $silent = opened($mgr, path => '/silent/events');

$silent->send_raw(chunk('{"type":"x","user_id":"eve"}' . "\n"));
ok line_of($silent)->{seq}, 'silent: what came before is published';
ok $silent->stream->ended(5), 'and then it is left';

# --- Redis is not there, and then nor is who posted ---

{
    my $ann = $node->connect('ann');
    my @agents = map { opened($node) } 1, 2;
    my $line = chunk('{"type":"x","user_id":"ann"}' . "\n");

    $redis->signal('STOP');
    $_->send_raw($line) for @agents;
    $agents[0]->stream->abort;
    is line_of($agents[1])->{code}, 'unavailable', 'redis hangs: told';
    $agents[1]->send_raw($line);
    $redis->signal('CONT');

    my $result;

    wait_until {
        $result = line_of($agents[1]);
        $agents[1]->send_raw($line) if !$result->{seq};
        $result->{seq};
    };
    ok $result->{seq}, 'and goes on when it is back';
    $_->stream->close for @agents;
}

# --- a stream has no end, nor does its memory grow ---

my ($worker) = $mgr->workers;
my $long = opened($mgr);
my $one = chunk('{"type":"d","user_id":"dan","class":"drop","escaped":"\u00e4"}'
                . "\n");
my $before;

for my $n (1 .. 30_000) {
    $long->send_raw($one);
    line_of($long);
    $before = $mgr->memory($worker, 'Pss') if $n == 5000;
}

SKIP: {
    skip 'a sanitizer keeps what is freed', 1 if $ENV{WS_MGR_ASAN};
    cmp_ok $mgr->memory($worker, 'Pss') - $before, '<', 300,
           '25,000 more lines, no more memory';
}

$long->send_raw("0\r\n\r\n");
is line_of($long), undef, 'ends';
