#!/usr/bin/perl

# An idle connection that has agreed on compression, and has used it, costs no
# more than one that has not, within 200 bytes.  What a message needs while it
# comes is given back.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;
use Test::WsMgr::Frames;

my $n = 2000;
my $text = text(join '', map { "$_ bottles of beer on the wall, " } 1 .. 99);

# what each of n sockets costs that sends and hears a message, and is idle then
sub each_costs {
    my ($offer) = @_;
    my $mgr = echoing(extensions => $offer, connections => $n + 500);
    my ($worker) = $mgr->workers;
    my $sent = $offer ? deflated($text) : $text;
    my $talk = sub {
        my $socket = socket_of($mgr);

        $socket->raw(bytes(fragments($sent, 100)));
        $socket->message;
        return $socket;
    };

    # what there is once, for the first of its kind
    my @first = map { $talk->() } 1 .. 20;
    my $before = $mgr->memory($worker, 'Pss');
    my @held = map { $talk->() } 1 .. $n;

    is $mgr->status->{connections}, 20 + $n, 'all are there';
    is !!$held[-1]{window}, !!$offer, 'as agreed';

    my $each = ($mgr->memory($worker, 'Pss') - $before) * 1024 / $n;

    $_->drop for @first, @held;
    $mgr->finish;

    return $each;
}

my $plain = each_costs(undef);
my $deflate = each_costs('permessage-deflate; client_max_window_bits');

note sprintf '%.0f bytes, with compression %.0f', $plain, $deflate;
takes_less $deflate - $plain, 200, 'bytes more with compression';

# many that are all in the midst of a message, again and again
my $mgr = echoing(extensions => 'permessage-deflate');
my ($worker) = $mgr->workers;
my ($head, $rest) = unpack 'a100a*', bytes(deflated($text));
my @after;

for (1 .. 6) {
    my @sockets = map { socket_of($mgr, to => $mgr->unix) } 1 .. 200;

    for (@sockets) {
        $_->raw($head);
        $_->{stream}->is_read;
    }

    $_->raw($rest) for @sockets;
    is scalar(grep { $_->message->{payload} eq $text->[1] } @sockets), 200,
       'two hundred at once';
    $_->drop for @sockets;
    eventually { $mgr->status->{connections} == 0 } 'gone';
    push @after, $mgr->memory($worker, 'Pss');
}

takes_less $after[-1] - $after[2], 2000, 'kB left by three times more';
