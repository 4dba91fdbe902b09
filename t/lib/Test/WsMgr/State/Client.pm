package Test::WsMgr::State::Client;

# A client of the stateful test: a socket of Chaos::Client, whose frames are
# judged by the model in place of that client's own checks.

use strict;
use warnings;

use Test::WsMgr::Chaos::Client;

our @ISA = 'Test::WsMgr::Chaos::Client';

# one text frame
sub take {
    my ($self, $text) = @_;
    my $model = $self->{model};

    if ($text =~ /\A\{"id":"([^"]+)","seq":(\d+),"ts":\d+,(.*)\z/s) {
        $self->{tally}{events}++;
        $model->heard($self, $1, $3);

    } elsif ($text =~ /\A\{"type":"connection_established".*"position":"([^"]+)","resumed":(true|false)/)
    {
        $self->{welcomed} = 1;
        $self->{connection} = $1 if $text =~ /"connection_id":"([^"]+)"/;
        $self->{tally}{welcomes}++;
        $model->welcome($self, $text =~ /"position":"([^"]+)"/,
                        $text =~ /"resumed":true/);

    } elsif ($text =~ /\A\{"type":"gap","from":"[^"]*","to":"([^"]+)","reason":"(\w+)"/) {
        my ($to, $reason) = ($1, $2);

        return if $to =~ /-b\d+$/;          # of broadcasts

        $self->{tally}{gaps}++;
        $model->told($self, "gap $reason", $to);

    } elsif ($text =~ /\A\{"type":"stream_reset","position":"([^"]+)"/) {
        my $to = $1;

        return if $to =~ /-b\d+$/;

        $self->{tally}{resets}++;
        $model->told($self, 'stream_reset', $to);

    } elsif ($text =~ /\A\{"type":"pong"/) {
        $self->{ponged}++;

    } elsif ($text =~ /\A\{"type":"error"/) {
        $self->{errors}++;

    } elsif ($text !~ /\A\{"type":"(?:server_shutdown|heartbeat)"/) {
        $model->wrong($self, leaked => $text);
    }
}

1;
