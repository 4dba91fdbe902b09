#!/usr/bin/perl

# Tickets in Redis: any service writes them, each lets one in, and the API
# issues, looks and revokes.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;
use Test::WsMgr::Redis;

my $redis = Test::WsMgr::Redis->start;

my $mgr = manager(<<'CONF', http => 'ws_mgr_redis ' . $redis->unix . ';');
    ws_mgr_ping off;

    location /ws   { ws_mgr_socket; }
    location /room { ws_mgr_socket; ws_mgr_permission chat; }
    location /api/ { ws_mgr_api; }
CONF

sub answer_to {
    my ($id, $path) = @_;

    return $mgr->upgrade(ticket => $id, path => $path)->answer;
}

# what redis-cli writes is a ticket
my $typed = $mgr->remember('Y' x 43);

is $redis->cli(SET => "auth:ticket:$typed", encode({
    user_id => 'ann', expires_at => time + 60.5, permissions => ['chat'],
    shoe_size => 38,
}), EX => 60), 'OK', 'redis-cli has written a ticket';

my $ann = $mgr->upgrade(ticket => $typed, path => '/room');

is $ann->status, 101, 'it lets in';
is $ann->event->{user_id}, 'ann', 'as whom it says';
$mgr->is_problem(answer_to($typed), 401, 'ticket_used', 'once');

is $redis->say(GET => "auth:ticket:$typed"), '{"used":true}', 'a marker';
my $left = $redis->say(PTTL => "auth:ticket:$typed");
ok $left > 50_000 && $left <= 60_000, 'for its remaining life' or diag $left;

# one that may be used again
my $again = $redis->ticket('ann', single_use => JSON::PP::false);

is answer_to($again)->{status}, 101, "use $_ of a ticket for many" for 1 .. 3;

# one without Redis' own expiry has that of its record
my $lasting = $redis->ticket('ann', ttl => []);

is answer_to($lasting)->{status}, 101, 'without an expiry of its key';
$left = $redis->say(PTTL => "auth:ticket:$lasting");
ok $left > 50_000 && $left <= 60_000, 'its marker has one' or diag $left;

# what lets nobody in
my $expired = $redis->ticket('ann', expires_at => time - 1);

$mgr->is_problem(answer_to($expired), 401, 'ticket_expired');
like $redis->say(GET => "auth:ticket:$expired"), qr/ann/, 'it is left alone';
$mgr->is_problem(answer_to($redis->ticket('ann'), '/room'), 403, 'forbidden');
$mgr->is_problem(answer_to('Z' x 43), 401, 'ticket_invalid', 'unknown');
$mgr->is_problem(answer_to($redis->ticket('ann', used => JSON::PP::true)), 401,
                 'ticket_used', 'marked by a service');

my %bad = (
    'no JSON'               => { text => 'ann' },
    'no object'             => { text => '[1]' },
    'nothing'               => { text => '' },
    'two users'             => { text => '{"user_id":"ann","user_id":"bob",'
                                         . '"expires_at":9999999999}' },
    'no user'               => { user_id => undef },
    'a number for a user'   => { user_id => 7 },
    'nobody'                => { user_id => '' },
    'no expiry'             => { expires_at => undef },
    'text for an expiry'    => { expires_at => '9999999999' },
    'an expiry of no size'  => { text => '{"user_id":"ann","expires_at":nan}' },
    'too much'              => { metadata => { x => 'y' x 8192 } },
    'too deep for Redis'    => { text => '{"user_id":"ann","expires_at":'
                                         . '9999999999,"metadata":'
                                         . '[' x 1100 . ']' x 1100 . '}' },
);

for my $what (sort keys %bad) {
    my $id = $redis->ticket('ann', %{ $bad{$what} });

    # not even by trying again
    $mgr->is_problem(answer_to($id), 401,
                     $_ == 2 && $redis->say(GET => "auth:ticket:$id")
                                =~ /"used"/
                     ? 'ticket_used' : 'ticket_invalid', "$what, try $_")
        for 1, 2;
}

my $list = $mgr->remember('L' x 43);

$redis->say(RPUSH => "auth:ticket:$list", 'ann');
$mgr->is_problem(answer_to($list), 401, 'ticket_invalid', 'a list of Redis');

# the API
my $issued = $mgr->issue('bob', ttl_seconds => 120, permissions => ['chat'],
                         metadata => { shop => 7 });
my $key = "auth:ticket:$issued->{ticket_id}";
my $record = decode($redis->say(GET => $key));

is $record->{user_id}, 'bob', 'issued into Redis';
is $record->{metadata}{shop}, 7, 'whole';
cmp_ok $record->{expires_at}, '==', $issued->{expires_at}, 'till then';
$left = $redis->say(PTTL => $key);
ok $left > 110_000 && $left <= 180_000, 'Redis forgets it later' or diag $left;

my $look = $mgr->api('GET', "tickets/$issued->{ticket_id}")->{json};

is $look->{user_id}, 'bob', 'looked at';
ok !$look->{used}, 'not used';
is answer_to($issued->{ticket_id}, '/room')->{status}, 101, 'it lets in';
ok $mgr->api('GET', "tickets/$issued->{ticket_id}")->{json}{used}, 'used now';
$mgr->is_problem($mgr->api('DELETE', "tickets/$issued->{ticket_id}"), 410,
                 'ticket_used', 'nothing to revoke');

my $revoked = $mgr->ticket('bob');

$mgr->counts('ws_mgr_tickets_total{result="revoked"}', 1, sub {
    is $mgr->api('DELETE', "tickets/$revoked")->{status}, 200, 'revoked';
});
is $redis->say(EXISTS => "auth:ticket:$revoked"), 0, 'it is gone';
$mgr->is_problem(answer_to($revoked), 401, 'ticket_invalid', 'lets nobody in');
$mgr->is_problem($mgr->api('GET', 'tickets/' . 'Q' x 43), 404,
                 'ticket_unknown');
$mgr->is_problem($mgr->api('GET', "tickets/$expired"), 410,
                 'ticket_expired');

$mgr->counts('ws_mgr_tickets_total{result="consumed"}', 1, sub {
    ok $mgr->connect('cid'), 'and the usual way';
});

is $mgr->status->{tickets}, 0, 'none of all that is in shared memory';

# a restart of Redis' memory of scripts is nothing to anybody
$redis->say('SCRIPT', 'FLUSH');
is $mgr->connect('dan')->status, 101, 'after SCRIPT FLUSH';
is $mgr->watched('health')->{status}, 'healthy', 'healthy all along';
