package Test::WsMgr::Chaos::Client;

# A browser that checks all that it is sent, without ever waiting: the driver
# asks it to read when there is something.
#
# Events of a user are numbered, n, from 1 on.  On a socket n goes up by one,
# unless the client was told otherwise: by a gap, by stream_reset, or since it
# came without a position.  What it finds is counted in a tally that clients
# share: lost (untold), repeated, disordered, leaked.

use strict;
use warnings;

use IO::Socket::INET;
use IO::Socket::UNIX;
use Socket qw/ SOL_SOCKET SO_LINGER /;
use Test::WsMgr::Deflate;

sub new {
    my ($class, %option) = @_;

    # user, connect (address to connect to), ticket, tally
    return bless { last => undef, position => undef, %option }, $class;
}

# begins an upgrade, with the position where it has one and is to use it
sub open {
    my ($self, $resume) = @_;
    my ($path) = $self->{connect} =~ /^unix:(.*)/;
    my $socket = $path ? IO::Socket::UNIX->new(Peer => $path)
                       : IO::Socket::INET->new(PeerAddr => $self->{connect});

    return 0 if !$socket;

    my $query = $resume && defined $self->{position}
                ? "?last_event_id=$self->{position}" : '';

    # without a position nothing that was before is owed
    $self->{last} = undef if !$query;
    $self->{seq} = undef;
    $self->{upgraded} = 0;
    $self->{buffer} = '';
    $self->{socket} = $socket;
    $self->{resumes} = $query ne '';

    $socket->blocking(0);
    syswrite $socket, "GET /ws$query HTTP/1.1\r\nHost: x\r\n"
        . "Upgrade: websocket\r\nConnection: Upgrade\r\n"
        . "Sec-WebSocket-Version: 13\r\n"
        . "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
        . ($self->{deflate} ? "Sec-WebSocket-Extensions: permessage-deflate\r\n"
                            : '')
        . "Sec-WebSocket-Protocol: ws-mgr.v1, ticket.$self->{ticket}\r\n\r\n";

    return 1;
}

sub close { my ($self) = @_; CORE::close delete $self->{socket} }

# gone without a word, and with a reset
sub vanish {
    my ($self) = @_;

    setsockopt $self->{socket}, SOL_SOCKET, SO_LINGER, pack 'ii', 1, 0;
    $self->close;
}

# Takes what there is.  False: the socket has ended, and {ended} says how:
# "refused 401", "closed 1012" or "lost".
sub read {
    my ($self) = @_;
    my $got = sysread $self->{socket}, $self->{buffer}, 262_144,
                      length $self->{buffer};

    return 1 if !defined $got && $!{EAGAIN};

    if (!$got) {
        $self->{ended} ||= 'lost';
        $self->close;
        return 0;
    }

    if (!$self->{upgraded}) {
        $self->{buffer} =~ /\AHTTP\/1.1 (\d+).*?\r\n\r\n/s or return 1;

        if ($1 != 101) {
            $self->{ended} = "refused $1";
            $self->close;
            return 0;
        }

        $self->agree(substr $self->{buffer}, 0, $+[0], '');
        $self->{upgraded} = 1;
    }

    return $self->frames;
}

# what the answer says of permessage-deflate
sub agree {
    my ($self, $head) = @_;

    delete @$self{qw/ window inflater /};

    my ($agreed) = $head =~ /^sec-websocket-extensions: (.*)\r$/mi or return;

    $self->{window} = $agreed =~ /server_max_window_bits=(\d+)/ ? $1 : 15;
    $self->{keeps_window} = $agreed !~ /server_no_context_takeover/;
}

# what a compressed payload stands for
sub inflated {
    my ($self, $payload) = @_;

    delete $self->{inflater} if !$self->{keeps_window};
    $self->{inflater} ||= Test::WsMgr::Deflate::inflater($self->{window});

    return Test::WsMgr::Deflate::inflate($self->{inflater}, $payload)
           // 'no DEFLATE';
}

# whole frames of the buffer
sub frames {
    my ($self) = @_;
    my $at = 0;

    while (length($self->{buffer}) - $at >= 2) {
        my ($first, $length) = unpack "x$at CC", $self->{buffer};
        my $head = 2;

        if ($length == 126) {
            last if length($self->{buffer}) - $at < 4;
            $length = unpack "x$at x2 n", $self->{buffer};
            $head = 4;
        } elsif ($length == 127) {
            last if length($self->{buffer}) - $at < 10;
            $length = unpack "x$at x2 Q>", $self->{buffer};
            $head = 10;
        }

        last if length($self->{buffer}) - $at < $head + $length;

        my $payload = substr $self->{buffer}, $at + $head, $length;
        $at += $head + $length;

        my $opcode = $first & 0xf;

        if ($opcode == 1) {
            $self->take($first & 0x40 ? $self->inflated($payload) : $payload);
        } elsif ($opcode == 9) {
            syswrite $self->{socket},
                     pack('CCN', 0x8a, 0x80 | length $payload, 0) . $payload;
        } elsif ($opcode == 8) {
            $self->{ended} = 'closed '
                . (length $payload >= 2 ? unpack 'n', $payload : 1005);
            syswrite $self->{socket},
                     pack('CCN', 0x88, 0x80 | length $payload, 0) . $payload;
            $self->close;
            return 0;
        }
    }

    substr($self->{buffer}, 0, $at) = '';

    return 1;
}

# what an event of a user has to look like, n and all
sub body {
    my ($user, $n, $pad) = @_;

    return qq/"user_id":"$user","type":"chaos","n":$n,"event_id":"$user-$n",/
         . qq/"check":"/ . ($n * 7919 % 10_007) . qq/","pad":"/ . 'x' x $pad
         . '"}';
}

# one text frame
sub take {
    my ($self, $text) = @_;
    my $tally = $self->{tally};

    if ($text =~ /\A\{"id":"((\w+)-(\d+))","seq":(\d+),"ts":\d+,(.*)\z/s) {
        my ($id, $epoch, $number, $seq, $rest) = ($1, $2, $3, $4, $5);

        $tally->{events}++;

        my ($user, $n) = $rest =~ /\A"user_id":"([^"]+)",.*?"n":(\d+),/;

        if (!defined $user || $user ne $self->{user}
            || $rest ne body($user, $n, $self->{pad}) || $number != $seq)
        {
            $self->found(leaked => $text);
            return;
        }

        if (defined $self->{seq} && $seq <= $self->{seq}) {
            $self->found(disordered => "seq $seq after $self->{seq}");
        }

        if (defined $self->{last}) {
            if ($n <= $self->{last}) {
                $self->found(repeated => "n $n after $self->{last}");
            } elsif ($n > $self->{last} + 1) {
                $self->found(lost => "n $n after $self->{last}");
            }
        }

        $self->{last} = $n;
        $self->{seq} = $seq;
        $self->{position} = $id;

    } elsif ($text =~ /\A\{"type":"connection_established".*"position":"([^"]+)","resumed":(true|false)/)
    {
        $self->{connected} = 1;
        $tally->{welcomes}++;

        if (!$self->{resumes}) {
            $self->{position} = $1;
        } elsif ($2 eq 'false') {
            # a gap has to follow; from there on it is new
            $self->{untold} = 1;
        }

    } elsif ($text =~ /\A\{"type":"gap"/) {
        $tally->{gaps}++;
        $self->{untold} = 0;
        $self->{last} = undef;

    } elsif ($text =~ /\A\{"type":"stream_reset","position":"([^"]+)"/) {
        $tally->{resets}++;
        $self->{position} = $1;
        $self->{last} = undef;
        $self->{seq} = undef;

    } elsif ($text =~ /\A\{"type":"server_shutdown"/) {
        $tally->{shutdowns}++;

    } else {
        $self->found(leaked => $text);
    }
}

sub found {
    my ($self, $what, $how) = @_;

    $self->{tally}{$what}++;
    push @{ $self->{tally}{said} }, substr "$what: $self->{user}: $how", 0, 200
        if @{ $self->{tally}{said} ||= [] } < 20;
}

1;
