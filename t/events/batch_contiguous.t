#!/usr/bin/perl

# The events of one body for one user stand together in the log, whoever else
# posts for the same user meanwhile.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;

my $mgr = manager(<<'CONF', workers => 4, http => 'ws_mgr_log events=60000 bytes=64m;');
    location /ws   { ws_mgr_socket; }
    location /api/ { ws_mgr_api; }
CONF

my ($publishers, $posts) = (4, 25);
my @sizes = (256, 7, 100, 64, 65);

# what a publisher posts: some lists, some lines, some with what is refused or
# is for others in between
sub body {
    my ($publisher, $post) = @_;
    my $size = $sizes[$post % @sizes];
    my @events = map { encode({ type => 'n', user_id => 'ann',
                                who => "$publisher:$post:$_/$size" }) }
                 1 .. $size;

    return join "\n", @events if $post % 2;

    splice @events, $size / 2, 0, '{"type":1}' if $post % 3 == 0;

    return '{"events":[' . join(',', @events) . ']}';
}

my @ann = map { $mgr->connect('ann') } 1, 2;
my @children;

for my $publisher (1 .. $publishers) {
    push @children, fork;
    next if $children[-1];

    my $client = $mgr->client;

    for my $post (1 .. $posts) {
        $client->request(POST => '/api/events', body($publisher, $post),
                         'Content-Type' => $post % 2 ? 'application/x-ndjson'
                                                     : 'application/json');
    }

    POSIX::_exit(0);
}

waitpid $_, 0 for @children;
$mgr->post({ type => 'end', user_id => 'ann' });

for my $socket (@ann) {
    my (%bodies, $left, $current, $last);
    my $broken = 0;

    while (my $text = $socket->next_text(15)) {
        last if $text =~ /"end"/;

        my ($body, $n, $size) = $text =~ /"who":"(\d+:\d+):(\d+)\/(\d+)"/;

        if ($n == 1) {
            $broken++ if $left;
            $bodies{$body}++;
            ($current, $left) = ($body, $size);
        }

        $broken++ if $body ne $current || $n != $size - $left + 1;
        $left--;
    }

    is keys %bodies, $publishers * $posts, 'every body arrived';
    is $broken, 0, 'none was broken up';
}

# one after the other in the log, as in the body, also where each event is for
# another user than the one before
my $answer = $mgr->try_post([ map { { type => 'n', n => $_, user_id =>
                                      $_ % 2 ? 'bob' : 'carl' } } 1 .. 20 ]);

is_deeply [ map { $_->{seq} } @{ $answer->{json}{events} } ],
          [ map { ($_) x 2 } 1 .. 10 ], 'two users in turns';

# several users of one event keep its place
$answer = $mgr->try_post([
    { type => 'a', user_id => 'dan' }, { type => 'b', user_id => 'dan' },
    { type => 'c', user_ids => [ 'dan', 'eve' ] },
    { type => 'd', user_id => 'dan' },
]);
is_deeply [ map { $_->{type} } @{ $mgr->api(GET => 'events/dan')->{json}{events} } ],
          [ qw/ a b c d / ], 'an event for several keeps its place';
is_deeply [ map { $_->{seq} // $_->{users}[0]{seq} }
            @{ $answer->{json}{events} } ], [ 1 .. 4 ], 'in the answer too';

# where a body is too much for one turn of a worker's event loop, others have
# theirs, but not within what belongs together
my $busy = manager(<<'CONF', http => 'ws_mgr_log events=60000 bytes=64m;');
    location /api/ { ws_mgr_api; }
CONF

my $body = encode({ events => [ map { { type => 'n', user_id => $_ } }
                                ('bob') x 100, ('fay') x 256 ] });
my @others = map { $busy->client } 1 .. 4;
my ($broken, $between) = (0, 0);

for my $round (1 .. 20) {
    my $client = $busy->client;

    $client->send(POST => '/api/events', $body);
    $_->send(POST => '/api/events', '{"type":"n","user_id":"fay"}')
        for @others;

    my @seqs = map { $_->{seq} } @{ $client->answer->{json}{events} };
    my ($first, $last) = @seqs[100, -1];

    $broken++ if $last - $first != 255;
    $between++ for grep { $_->answer->{json}{events}[0]{seq} < $first }
                   @others;
}

is $broken, 0, 'it begins in the next turn and is whole';
note "$between others came before";
