#!/usr/bin/perl

# An idle connection that has agreed on compression, and has used it, costs no
# more than one that has not, within 200 bytes.

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::WsMgr;
use Test::WsMgr::Frames;

my $n = 2000;
my $text = text(join '', map { "$_ bottles of beer on the wall, " } 1 .. 99);

# of the worker, in bytes
sub memory {
    my ($worker) = @_;

    open my $file, '<', "/proc/$worker/smaps_rollup" or die "worker: $!";
    local $/;

    return <$file> =~ /^Pss:\s+(\d+) kB/m ? $1 * 1024 : die 'no Pss';
}

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
    my $before = memory($worker);
    my @held = map { $talk->() } 1 .. $n;

    is $mgr->status->{connections}, 20 + $n, 'all are there';
    is !!$held[-1]{window}, !!$offer, 'as agreed';

    my $each = (memory($worker) - $before) / $n;

    $_->drop for @first, @held;
    $mgr->finish;

    return $each;
}

my $plain = each_costs(undef);
my $deflate = each_costs('permessage-deflate; client_max_window_bits');

note sprintf '%.0f bytes, with compression %.0f', $plain, $deflate;
cmp_ok $deflate - $plain, '<', 200, 'the difference';
