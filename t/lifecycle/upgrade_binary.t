#!/usr/bin/perl

# Another binary in place of the one that runs (USR2, WINCH, QUIT): the old side
# sends its sockets away, they come back to the new one, and are told what they
# lack.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;

my $mgr = manager(<<'CONF', workers => 2, http => 'ws_mgr_drain 500ms;');
    location /ws   { ws_mgr_socket; ws_mgr_connections user=100;
                     add_header X-Worker $pid always; }
    location /api/ { ws_mgr_api; }
CONF

# nginx takes USR2 only once the process that has started it is gone
ok $mgr->quit, 'not as a child of ours';
$mgr->forget;
$mgr->write_file('nginx.conf', $mgr->log('nginx.conf') =~ s/daemon off;//r);
is system($mgr->command), 0, 'but as a daemon';

sub master {
    open my $file, '<', $mgr->path('nginx.pid') or return 0;

    return (<$file> // '') =~ /^(\d+)$/ ? $1 : 0;
}

$mgr->{pid} = wait_until { master() };
eventually { $mgr->workers == 2 } 'with workers';

my @old = map { $mgr->connect('ann') } 1 .. 10;

$mgr->post({ type => 'n', user_id => 'ann', n => 1 });

my ($position) = map { $_->event->{id} } @old;
my $before = $mgr->{pid};
my %first = map { $_ => 1 } $mgr->workers;

$mgr->forget;
$mgr->signal('USR2');

# the new master is a child of the old one
my $new = wait_until { master() != $before && master() };

ok $new, 'a new master';

sub workers_of {
    my ($master) = @_;

    return grep { Test::WsMgr::Nginx::parent($_) == $master
                  && Test::WsMgr::Nginx::title($_) =~ /worker process/ }
           map { m{(\d+)$} } glob '/proc/[0-9]*';
}

eventually { workers_of($new) == 2 } 'with workers';
kill WINCH => $before;

my %delay;

for my $socket (@old) {
    my $last = $socket->event;

    is $last->{type}, 'server_shutdown', 'the old side says goodbye';
    $delay{ $last->{reconnect_after_ms} } = 1;
    is $socket->closed, 1012, 'with 1012';
}

eventually { !grep { $first{$_} } workers_of($before) } 'its workers go', 10;

my $back = $mgr->connect('ann', query => "last_event_id=$position");

ok !$first{ $back->worker }, 'who comes back comes to the new side';
ok !$back->{welcome}{resumed}, 'is told that its position is unknown there';
is $back->event->{reason}, 'unknown_epoch', 'by a gap';

$mgr->post({ type => 'n', user_id => 'ann', n => 2 });
is $back->event->{n}, 2, 'and hears what comes';

# the old master goes, and the harness has the new one
kill QUIT => $before;
eventually { !-e "/proc/$before" } 'the old master ends';
$mgr->post({ type => 'n', user_id => 'ann', n => 3 });
is $back->event->{n}, 3, 'the new one goes on';

kill QUIT => $new;
is $back->event->{type}, 'server_shutdown', 'it too says goodbye';
$back->closed;
eventually { !workers_of($new) && !-e "/proc/$new" } 'and ends', 10;
delete $mgr->{pid};
$mgr->{exit} = 0;
