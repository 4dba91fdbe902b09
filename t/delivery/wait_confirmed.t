#!/usr/bin/perl

# A post that waits until a client has said that it was handled.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;

my $mgr = manager(<<'CONF', workers => 4);
    location /ws   { ws_mgr_socket; }
    location /api/ { ws_mgr_api; }
CONF

my @ann = map { $mgr->connect('ann') } 1 .. 3;
my $poster = $mgr->client;

my $post = sub {
    my ($event, $timeout) = @_;

    $poster->send(POST => "/api/events?wait=confirmed&timeout=$timeout",
                  encode({ type => 'x', user_id => 'ann', %$event }));
};
my $state = sub {
    my ($result, $socket) = @_;
    my ($found) = grep { $_->{connection_id} eq $socket->{id} }
                  @{ $result->{connections} || [] };

    return $found->{state};
};

my @ways = (
    sub { { type => 'event_confirmation', id => $_[0]{id},
            status => 'confirmed' } },
    sub { { type => 'event_confirmation', event_id => $_[0]{event_id},
            status => 'confirmed' } },
    sub { { type => 'ack', seq => $_[0]{seq} } },
);

for my $n (0 .. 2) {
    $post->({ event_id => "e$n" }, 10_000);

    my @heard = map { $_->event } @ann;

    $ann[$n]->say($ways[$n]->($heard[$n]));

    my $result = $poster->answer->{json}{events}[0];

    is $result->{event_id}, "e$n", 'answered once one has confirmed';
    is $state->($result, $ann[$n]), 'confirmed', 'it is named';
    isnt $state->($result, $_), 'confirmed', 'the others are not'
        for grep { $_ != $ann[$n] } @ann;
}

# an acknowledgement is of all that came before
my @heard;

$mgr->post({ type => 'x', user_id => 'ann' }) for 1 .. 5;
push @heard, $ann[0]->event for 1 .. 5;
$ann[0]->say({ type => 'ack', seq => $heard[3]{seq} });
eventually {
    my $seen = $mgr->watched("connections/$ann[0]{id}");

    ($seen->{confirmed} // '') =~ /\b$heard[3]{seq}$/;
} 'confirmed up to there';

# nobody confirms
my $start = now();

$post->({}, 200);

my $answer = $poster->answer;

is $answer->{status}, 200, 'still an answer';
ok now() - $start >= 0.15, 'after its timeout';
isnt $state->($answer->{json}{events}[0], $_), 'confirmed', 'that says so'
    for @ann;

# the poster goes away while it waits, and the socket too
$post->({}, 10_000);
wait_until { $ann[1]->event->{type} };
$poster->close;
$ann[1]->abort;
eventually { $mgr->connections_of('ann') == 2 } 'nothing is left of it';
