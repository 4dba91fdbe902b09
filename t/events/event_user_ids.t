#!/usr/bin/perl

# One event for several users, none of whom learns of another.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;

my $mgr = manager(<<'CONF', workers => 2);
    location /ws   { ws_mgr_socket; }
    location /api/ { ws_mgr_api; }
CONF

my @names = ('ann', 'bob', 'eve "quoted" \\ and more');
my %socket = map { $_ => $mgr->connect($_) } @names;
my @two = ($socket{ann}, $mgr->connect('ann'));

my $result = $mgr->post({ type => 'x', user_ids => [ @names, 'offline' ],
                          a => 1 });
my @users = @{ $result->{users} || [] };

is $result->{sockets}, 4, 'four sockets in all';
is_deeply [ map { $_->{user_id} } @users ], [ @names, 'offline' ],
          'an answer for each user, in order';
is_deeply [ map { $_->{sockets} } @users ], [ 2, 1, 1, 0 ], 'sockets of each';
is scalar(grep { $_->{stored} && $_->{seq} && !$_->{duplicate} } @users), 4,
   'stored for each';

for my $name (@names) {
    my $heard = $socket{$name}->event;

    is_deeply [ sort keys %$heard ], [ qw/ a id seq ts type user_id / ],
              'no list of users';
    is $heard->{user_id}, $name, "the recipient's own name";
}

is $two[1]->event->{user_id}, 'ann', 'each of her sockets';

# it is in the log of each
my $late = $mgr->connect('offline', query => 'last_event_id='
                         . $users[3]{id} =~ s/-\d+$/-0/r);
is $late->event->{user_id}, 'offline', 'who comes late has it too';

my %wrong = (
    'both'             => { user_id => 'ann', user_ids => [ 'bob' ] },
    'an empty list'    => { user_ids => [] },
    'no list'          => { user_ids => 'ann' },
    'a number'         => { user_ids => [ 'ann', 1 ] },
    'an empty name'    => { user_ids => [ 'ann', '' ] },
    '1001 users'       => { user_ids => [ map { "u$_" } 1 .. 1001 ] },
    'everyone'         => { user_ids => [ '*' ] },
);

for my $name (sort keys %wrong) {
    my $answer = $mgr->try_post({ type => 'x', %{ $wrong{$name} } });

    $mgr->is_problem($answer, 422, 'invalid_event', $name);
    like $answer->{json}{member}, qr/^user_ids?$/, 'which says where';
}

$mgr->is_problem($mgr->try_post({ type => 'x',
                                  user_ids => [ 'ann', 'undefined' ] }),
                 422, 'placeholder_id');

$result = $mgr->post({ type => 'x', user_ids => [ map { "u$_" } 1 .. 1000 ] });
is scalar(@{ $result->{users} }), 1000, 'a thousand users';

$mgr->post({ type => 'fence', user_id => 'ann' });
is $two[1]->event->{type}, 'fence', 'nothing of the refused ones';
