package Test::WsMgr::Stream;

# A byte stream to nginx: TCP, unix or TLS, with a read buffer and deadlines.

use strict;
use warnings;

use Carp qw/ croak /;
use Errno qw/ EAGAIN EINTR /;
use IO::Socket::INET;
use IO::Socket::UNIX;
use Socket qw/ IPPROTO_TCP SOL_SOCKET SO_LINGER SO_RCVBUF TCP_NODELAY /;
use Test::WsMgr::Wait qw/ now patience readable writable /;

use constant TIOCOUTQ => 0x5411;

# address: "host:port" or "unix:/path"; options: tls, from (local address),
# receive_buffer
sub open {
    my ($class, $address, %option) = @_;
    my $socket;

    if ($address =~ /^unix:(.*)/) {
        $socket = IO::Socket::UNIX->new(Peer => $1);

    } else {
        my ($host, $port) = $address =~ /^(.*):(\d+)$/;

        $socket = IO::Socket::INET->new(
            PeerAddr  => $host,
            PeerPort  => $port,
            LocalAddr => $option{from},
            Timeout   => patience(),
        );
    }

    croak "cannot connect to $address: $!" if !$socket;

    # what is written in pieces arrives in pieces
    if ($socket->isa('IO::Socket::INET')) {
        setsockopt $socket, IPPROTO_TCP, TCP_NODELAY, 1;
    }

    if ($option{receive_buffer}) {
        setsockopt $socket, SOL_SOCKET, SO_RCVBUF, $option{receive_buffer};
    }

    if ($option{tls}) {
        require IO::Socket::SSL;

        IO::Socket::SSL->start_SSL($socket, SSL_verify_mode => 0)
            || croak "no TLS with $address: "
                     . IO::Socket::SSL::errstr();
    }

    $socket->blocking(0);

    return bless { socket => $socket, in => '', tls => $option{tls} }, $class;
}

sub write {
    my ($self, $bytes) = @_;
    my $deadline = now() + patience();
    my $sent = 0;

    local $SIG{PIPE} = 'IGNORE';

    while ($sent < length $bytes) {
        my $n = $self->{socket}->syswrite($bytes, length($bytes) - $sent,
                                          $sent);

        if (defined $n) {
            $sent += $n;
            next;
        }

        return 0 if $! != EAGAIN && $! != EINTR;
        return 0 if now() > $deadline;

        writable($self->{socket}, $deadline - now());
    }

    return 1;
}

# how many bytes the kernel took, without waiting
sub write_some {
    my ($self, $bytes) = @_;

    local $SIG{PIPE} = 'IGNORE';

    return $self->{socket}->syswrite($bytes) || 0;
}

# True once the peer has read all that was written: over a unix socket only,
# where the kernel knows it.  What comes meanwhile is read into the buffer.
sub is_read {
    my ($self) = @_;

    my $deadline = now() + patience();

    while (ioctl $self->{socket}, TIOCOUTQ, my $left = pack 'i', 0) {
        $self->fill(0);

        return 1 if unpack('i', $left) == 0;
        return 0 if now() > $deadline;

        select undef, undef, undef, 0.000_02;
    }

    return 0;
}

# reads what there is into the buffer; false: nothing until the deadline
sub fill {
    my ($self, $deadline) = @_;

    while (!$self->{eof}) {
        my $n = $self->{socket}->sysread(my $bytes, 65536);

        if ($n) {
            $self->{in} .= $bytes;
            return 1;
        }

        if (defined $n || ($! != EAGAIN && $! != EINTR)) {
            $self->{eof} = 1;
            $self->{reset} = !defined $n;
            return 0;
        }

        return 0 if !readable($self->{socket}, $deadline - now());
    }

    return 0;
}

# exactly n bytes, or undef
sub take {
    my ($self, $n, $deadline) = @_;

    while (length $self->{in} < $n) {
        $self->fill($deadline) || return;
    }

    return substr $self->{in}, 0, $n, '';
}

# everything up to and with the delimiter, or undef
sub take_to {
    my ($self, $delimiter, $deadline) = @_;
    my $at;

    while (($at = index $self->{in}, $delimiter) < 0) {
        $self->fill($deadline) || return;
    }

    return substr $self->{in}, 0, $at + length $delimiter, '';
}

sub take_all {
    my ($self, $deadline) = @_;

    while ($self->fill($deadline)) {
        # until the peer closes
    }

    return substr $self->{in}, 0, length $self->{in}, '';
}

sub buffered { length $_[0]{in} }

# true if nothing has come
sub silent { my ($self) = @_; !$self->fill(0) && !length $self->{in} }
sub eof { $_[0]{eof} }

# true once the peer has closed
sub ended {
    my ($self, $seconds) = @_;
    my $deadline = now() + patience($seconds);

    while ($self->fill($deadline)) {
        # what comes before is kept in the buffer
    }

    return $self->{eof};
}

sub close {
    my ($self) = @_;

    close $self->{socket} if $self->{socket};
    $self->{eof} = 1;
}

# with a reset, as a peer that lost its memory
sub abort {
    my ($self) = @_;

    setsockopt $self->{socket}, SOL_SOCKET, SO_LINGER, pack 'II', 1, 0;
    $self->close;
}

# no more of ours, but the peer's is still read
sub shut {
    my ($self) = @_;

    shutdown $self->{socket}, 1;
}

1;
