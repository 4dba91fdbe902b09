#!/usr/bin/perl

# A publisher that reads late gets every answer whole, in order and once: also
# those of which the kernel first took only a part.

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::WsMgr;

use constant { POSTS => 10_000, CLIENTS => 3 };

my $mgr = manager(<<'CONF', http => 'ws_mgr_log events=10;');
    location /api/ { ws_mgr_api; keepalive_requests 100000; }
CONF

my $accepted = 'ws_mgr_events_accepted_total';

sub event { encode({ type => 'x', user_id => $_[0],
                     event_id => sprintf '%0200d', $_[1] }) }

# until two looks find the same
sub stalls {
    my $last = -1;

    return wait_until {
        my $n = $mgr->counter($accepted);
        my $still = $n == $last;

        $last = $n;
        select undef, undef, undef, 0.1 if !$still;

        $still && $n
    };
}

# --- an answer to each request ---

my @clients = map { $mgr->client(receive_buffer => 65536) } 1 .. CLIENTS;

for my $i (0 .. $#clients) {
    my $requests = '';

    for my $n (1 .. POSTS) {
        my $body = event("ann$i", $n);

        $requests .= "POST /api/events HTTP/1.1\r\nHost: localhost\r\n"
                     . "Content-Type: application/json\r\nContent-Length: "
                     . length($body) . "\r\n\r\n$body";
    }

    $clients[$i]->send_raw($requests);
}

cmp_ok stalls(), '<', CLIENTS * POSTS, 'answers that are not read stop it';

for my $client (@clients) {
    my $right = 0;

    for my $n (1 .. POSTS) {
        my $event = $client->answer->{json}{events}[0] || last;

        last if $event->{seq} != $n || $event->{event_id} != $n;
        $right++;
    }

    is $right, POSTS, 'each is answered, in order';
    ok $client->stream->silent, 'and once';
}

# --- a line to each line of a stream ---

my $agent = $mgr->client(receive_buffer => 65536);
my $before = $mgr->counter($accepted);

$agent->send_raw(join "\r\n", 'POST /api/events HTTP/1.1', 'Host: localhost',
                 'Content-Type: application/x-ndjson',
                 'Transfer-Encoding: chunked', '', '');

for my $n (1 .. POSTS) {
    my $line = event('bob', $n) . "\n";

    $agent->send_raw(sprintf "%x\r\n%s\r\n", length $line, $line);
}

cmp_ok stalls() - $before, '<', POSTS, 'a stream stops as well';

$agent->send_raw("0\r\n\r\n");

my @lines = split /\n/, $agent->answer->{body};
my @wrong = grep { decode($lines[$_])->{seq} != $_ + 1 } 0 .. $#lines;

is @lines, POSTS, 'each line is answered';
is "@wrong", '', 'in order';
