#!/usr/bin/perl

# A publisher that reads late gets every answer whole, in order and once: also
# those of which the kernel first took only a part.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;

use constant PORTION => 5000;

my $mgr = manager(<<'CONF', http => 'ws_mgr_log events=10;');
    location /api/ { ws_mgr_api; keepalive_requests 1000000; }
CONF

sub accepted { $mgr->counter('ws_mgr_events_accepted_total') }

# event n, with an answer of some length
sub event {
    my ($user, $n) = @_;

    return encode({ type => 'x', user_id => $user,
                    event_id => sprintf '%0200d', $n });
}

# posts portions until one is not taken whole, since the answers to what came
# before it fill all buffers; how many that were
sub post_until_stalled {
    my ($post) = @_;
    my $before = accepted();

    for (my $sent = PORTION; $sent <= 40 * PORTION; $sent += PORTION) {
        $post->($sent - PORTION + 1 .. $sent);

        my $last = -1;

        wait_until {
            my $n = accepted();
            my $still = $n == $last;

            $last = $n;
            select undef, undef, undef, 0.1 if !$still;

            $still
        };

        return $sent if $last - $before < $sent;
    }

    BAIL_OUT('answers that are not read stop nothing');
}

# --- an answer to each request ---

my $client = $mgr->client(receive_buffer => 65536);

my $posts = post_until_stalled(sub {
    $client->send_raw(join '', map {
        my $body = event('ann', $_);

        "POST /api/events HTTP/1.1\r\nHost: localhost\r\n"
        . "Content-Type: application/json\r\nContent-Length: "
        . length($body) . "\r\n\r\n$body"
    } @_);
});

my $right = 0;

for my $n (1 .. $posts) {
    my $event = $client->answer->{json}{events}[0] || last;

    last if $event->{seq} != $n || $event->{event_id} != $n;
    $right++;
}

is $right, $posts, 'each is answered, in order';
ok $client->stream->silent, 'and once';

# --- a line to each line of a stream ---

my $agent = $mgr->client(receive_buffer => 65536);

$agent->send_raw(join "\r\n", 'POST /api/events HTTP/1.1', 'Host: localhost',
                 'Content-Type: application/x-ndjson',
                 'Transfer-Encoding: chunked', '', '');

my $lines = post_until_stalled(sub {
    $agent->send_raw(join '', map {
        my $line = event('bob', $_) . "\n";

        sprintf "%x\r\n%s\r\n", length $line, $line
    } @_);
});

$agent->send_raw("0\r\n\r\n");

my @answers = split /\n/, $agent->answer->{body};
my @wrong = grep { decode($answers[$_])->{seq} != $_ + 1 } 0 .. $#answers;

is @answers, $lines, 'each line is answered';
is "@wrong", '', 'in order';
