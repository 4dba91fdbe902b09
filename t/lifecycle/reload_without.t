#!/usr/bin/perl

# A configuration that does without the manager, and takes it up again.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;

my $mgr = manager(<<'CONF', workers => 2, http => 'ws_mgr_drain 1s;');
    location /ws   { ws_mgr_socket; }
    location /api/ { ws_mgr_api; }
CONF

sub reload_with {
    my ($conf) = @_;
    my %old = map { $_ => 1 } $mgr->children;

    $mgr->forget;
    $mgr->write_file('nginx.conf', $conf);
    $mgr->signal('HUP');

    eventually {
        my @workers = $mgr->workers;

        @workers == 2 && !grep { $old{$_} } @workers;
    } 'reloaded', 10;
}

sub descriptors { return scalar(() = glob "/proc/$mgr->{pid}/fd/*") }

my $with = $mgr->log('nginx.conf');
my $without = $with =~ s/ws_mgr_(?:socket|api|drain)[^;]*;//gr
                    =~ s/ \w+=\$ws_mgr_\w+//gr;
my $unloaded = $without =~ s/load_module[^;]*;//r;
my $before = descriptors();

for my $conf ($without, $unloaded) {
    my @sockets = map { $mgr->connect('ann') } 1 .. 4;

    reload_with($conf);
    is $_->closed, 1012, 'sent away' for @sockets;
    eventually { $mgr->children == 2 } 'the old workers have gone', 10;

    reload_with($with);

    my $ann = $mgr->connect('ann');

    $mgr->post({ type => 'x', user_id => 'ann' });
    is $ann->event->{type}, 'x', 'at work again';
    eventually { descriptors() == $before }
        'the master has the descriptors it had', 10;
}
