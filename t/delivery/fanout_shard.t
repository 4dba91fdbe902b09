#!/usr/bin/perl

# Users that share a shard and are sent to in one turn of a worker's loop: more
# of them than there can be shards, so that some do.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;

my $mgr = manager(<<'CONF');
    location /ws      { ws_mgr_socket; }
    location /api/    { ws_mgr_api; }
CONF

my @users = map { "user-$_" } 1 .. 65;
my %socket = map { $_ => $mgr->connect($_) } @users;

for my $round (1 .. 3) {
    my $body = join "\n",
               map { qq/{"type":"t","user_id":"$_","round":$round}/ } @users;
    my $answer = $mgr->client->request(
        POST => '/api/events', $body, 'Content-Type' => 'application/x-ndjson');

    is $answer->{status}, 200, "round $round is taken";

    is join(' ', map { my $event = $socket{$_}->event;
                       "$event->{user_id}:$event->{round}" } @users),
       join(' ', map { "$_:$round" } @users), 'each has its own';
}
