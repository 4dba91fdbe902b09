#!/usr/bin/perl

# POST tickets: the record of a new ticket, and what is refused.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;

use utf8;

my $mgr = manager(<<'CONF');
    location /ws   { ws_mgr_socket; }
    location /api/ { ws_mgr_api; }
CONF

my $answer = $mgr->api(POST => 'tickets', { user_id => 'ann' });
my $record = $answer->{json};

$mgr->remember($record->{ticket_id});
is $answer->{status}, 201, 'created';
like $record->{ticket_id}, qr/^[A-Za-z0-9_-]{43}$/, '32 bytes as base64url';
is $record->{user_id}, 'ann', 'user_id';
ok abs($record->{created_at} - time) < 60, 'created_at in seconds';
ok abs($record->{expires_at} - $record->{created_at} - 300) < 0.01,
   'five minutes to live';
ok $record->{single_use}, 'for single use';
like $record->{websocket_url}, qr{^wss?://}, 'websocket_url';

my %members = (
    user_id     => 'ünïcode/用户 %00',
    email       => 'someone@example.org',
    permissions => [ 'read', 'agent:execute' ],
    single_use  => JSON::PP::false,
    metadata    => { plan => 'pro', nested => [ 1, { a => undef } ] },
);

$record = $mgr->issue(delete $members{user_id}, %members, ttl_seconds => 30);
is $record->{user_id}, 'ünïcode/用户 %00', 'any UTF-8 user';
is_deeply $record->{$_}, decode(encode($members{$_})), $_
    for sort keys %members;
ok abs($record->{expires_at} - $record->{created_at} - 30) < 0.01,
   'half a minute to live';

isnt $mgr->ticket('ann'), $mgr->ticket('ann'), 'never the same twice';
ok $mgr->ticket('ann', ttl_seconds => $_), "ttl $_" for 30, 3600;
ok $mgr->ticket('x' x 255), 'a user of 255 bytes';

my %wrong = (
    'no user'             => {},
    'empty user'          => { user_id => '' },
    'user of 256 bytes'   => { user_id => 'x' x 256 },
    '128 characters that are 256 bytes' => { user_id => 'ü' x 128 },
    'user is a number'    => { user_id => 7 },
    'user with a NUL'     => { user_id => "a\0b" },
    'user with a newline' => { user_id => "a\nb" },
    'user with a DEL'     => { user_id => "a\x7f" },
    'the broadcast user'  => { user_id => '*' },
    'ttl 29'              => { user_id => 'a', ttl_seconds => 29 },
    'ttl 3601'            => { user_id => 'a', ttl_seconds => 3601 },
    'ttl as text'         => { user_id => 'a', ttl_seconds => '300' },
    'negative ttl'        => { user_id => 'a', ttl_seconds => -1 },
    'single_use as text'  => { user_id => 'a', single_use => 'yes' },
    'permissions as text' => { user_id => 'a', permissions => 'read' },
    'permission a number' => { user_id => 'a', permissions => [ 1 ] },
    'metadata as list'    => { user_id => 'a', metadata => [] },
    'email a number'      => { user_id => 'a', email => 1 },
);

for my $name (sort keys %wrong) {
    my $answer = $mgr->api(POST => 'tickets', $wrong{$name});
    my ($member) = grep { $_ ne 'user_id' } keys %{ $wrong{$name} };

    is $answer->{status}, 422, $name;
    is $answer->{headers}{'content-type'}, 'application/problem+json',
       'a problem';
    is $answer->{json}{member}, $member || 'user_id', 'which says where';
}

for my $body ('', '{', '[]x', '{"user_id":"a"} {}', "{\"user_id\":\"\xff\"}",
              '{"user_id":"a","user_id":"b"}', '{"user_id":"\ud800"}')
{
    $mgr->is_problem($mgr->api(POST => 'tickets', $body), 400,
                     'invalid_json', "not JSON: $body");
}

is $mgr->api(POST => 'tickets', '[]')->{status}, 422, 'a list is no ticket';
is $mgr->api(POST => 'tickets', '"ann"')->{status}, 422, 'nor is a string';
$mgr->is_problem($mgr->api(POST => 'tickets', '{"user_id":"a"}',
                           'Content-Type' => 'text/plain'),
                 415, 'unsupported_media_type');
