#!/usr/bin/perl

# A post that waits until the bytes have left.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;

my $mgr = manager(<<'CONF', workers => 4, http => 'ws_mgr_log bytes=8m;');
    location /ws   { ws_mgr_socket; }
    location /api/ { ws_mgr_api; }
CONF

my @ann = map { $mgr->connect('ann') } 1 .. 4;
my $stuck = $mgr->connect('bob', to => $mgr->unix);

my $states = sub {
    my ($result) = @_;

    return { map { $_->{connection_id} => $_->{state} }
             @{ $result->{connections} || [] } };
};

my $result = $mgr->post({ type => 'x', user_id => 'ann' }, 'wait=sent');

is_deeply $states->($result), { map { $_->{id} => 'sent' } @ann },
          'each socket has it';
is $result->{sockets}, 4, 'of four';
is $_->event->{seq}, $result->{seq}, 'and so it is' for @ann;

# nobody is there to wait for
my $start = now();

$result = $mgr->post({ type => 'x', user_id => 'nobody' },
                     'wait=sent&timeout=3000');
is $result->{sockets}, 0, 'nobody';
ok now() - $start < 2, 'is not waited for';

# a socket that does not read: its event is stored, not sent, and that is told
$mgr->post({ type => 'fill', user_id => 'bob', pad => 'x' x 200_000 })
    for 1 .. 30;
$start = now();
$result = $mgr->post({ type => 'last', user_id => 'bob' },
                     'wait=sent&timeout=300');

ok now() - $start > 0.25, 'waited';
ok $result->{stored}, 'stored';
isnt $states->($result)->{ $stuck->{id} } // 'closed', 'sent',
     'not sent, and not said to be';

for my $query ('wait=maybe', 'wait=', 'wait=sent&timeout=x',
               'wait=sent&timeout=-1')
{
    is $mgr->try_post({ type => 'x', user_id => 'ann' }, $query)->{status},
       400, "no such wait: $query";
}
