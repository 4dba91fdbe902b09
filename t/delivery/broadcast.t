#!/usr/bin/perl

# An event for everyone, only where the API names it.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;

my $mgr = manager(<<'CONF', workers => 4);
    location /ws      { ws_mgr_socket; }
    location /api/    { ws_mgr_api; }
    location /api/all/ { ws_mgr_api events broadcast; }
CONF

my %socket = map { $_ => $mgr->connect($_) } qw/ ann bob eve zoe /;
my $second = $mgr->connect('ann');
my $everyone = sub {
    my (%more) = @_;

    return $mgr->api(POST => 'all/events',
                     { type => 'news', user_id => '*', %more });
};

$mgr->post({ type => 'own', user_id => 'ann' });
is $_->event->{type}, 'own', 'a log of her own' for $socket{ann}, $second;

my $result = $everyone->()->{json}{events}[0];

like $result->{id}, qr/^\w+-b\d+$/, 'the position says broadcast';
is $result->{sockets} // 5, 5, 'five sockets, or not known';

for my $name (sort keys %socket) {
    my $heard = $socket{$name}->event;

    is $heard->{type}, 'news', "$name hears it";
    is $heard->{id}, $result->{id}, 'under one id';
    is $heard->{user_id}, '*', 'as posted';
}

is $second->event->{type}, 'news', 'every socket';

# the user's own seq is not touched by it
my $before = $mgr->post({ type => 'own', user_id => 'bob' });
$everyone->();
my $after = $mgr->post({ type => 'own', user_id => 'bob' });

is $after->{seq}, $before->{seq} + 1, 'never mixed into a user\'s';
is_deeply [ sort map { $_->{type} } $socket{bob}->events(3) ],
          [ qw/ news own own / ], 'bob has all three';
$_->event for @socket{qw/ ann eve zoe /}, $second;

# the log of all is nobody's, and is not listed
my @listed = map { $_->{user_id} } @{ $mgr->watched('users')->{users} };

is_deeply [ sort @listed ], [ qw/ ann bob eve zoe / ], '* is not online';
is $mgr->status->{users}, 4, 'nor counted';

# all but some, by their whole names
my $anna = $mgr->connect('anna');
my $an = $mgr->connect('an');

$everyone->(exclude_users => [ 'ann', 'zoe', 'nobody' ]);
is $socket{$_}->event->{type}, 'news', "$_ is not excluded" for qw/ bob eve /;
is $anna->event->{type}, 'news', 'nor is anna';
is $an->event->{type}, 'news', 'nor is an';
unlike $socket{bob}{raw}, qr/exclude|zoe/, 'nor told who is';
$everyone->(n => 2);
is $_->event->{n}, 2, 'those who were get the next one'
    for @socket{qw/ ann zoe /}, $second;

# not where it is not named, nor with what makes no sense
my $refused = $mgr->try_post({ type => 'news', user_id => '*' });
like $refused->{status}, qr/^4(03|22)$/, 'refused elsewhere';
$mgr->is_problem($everyone->(exclude_users => 'ann'), 422, 'invalid_event');
$mgr->is_problem($everyone->(exclude_users => [ 1 ]), 422, 'invalid_event');
is $mgr->api(GET => 'users/*')->{status}, 404, '* is no user';
is $mgr->api(GET => 'all/users')->{status}, 404, 'a resource not named';

$socket{eve}->events(1);
$mgr->post({ type => 'fence', user_id => 'eve' });
is $socket{eve}->event->{type}, 'fence', 'nothing of the refused ones';
