package Test::WsMgr::Proxy;

# A network between a manager and a server on a unix socket: each piece takes
# its time ("delay", seconds, each way), and answers can be lost.

use strict;
use warnings;

use Carp qw/ croak /;
use File::Temp qw/ tempdir /;
use IO::Select;
use IO::Socket::UNIX;
use POSIX ();
use Test::WsMgr::Wait qw/ now /;

sub start {
    my ($class, $path, %option) = @_;

    my $self = bless {
        delay => 0,
        %option,
        to    => $path,
        dir   => tempdir('ws_mgr_proxy_XXXXXX', TMPDIR => 1, CLEANUP => 1),
        owner => $$,
    }, $class;

    chmod 0755, $self->{dir};

    my $listen = IO::Socket::UNIX->new(Local => $self->path, Listen => 64)
        or croak "no socket: $!";

    chmod 0777, $self->path;

    $self->{pid} = fork // croak "fork: $!";

    if ($self->{pid} == 0) {
        @SIG{qw/ INT TERM /} = ('DEFAULT') x 2;
        local $SIG{PIPE} = 'IGNORE';
        $self->serve($listen);
        POSIX::_exit(0);
    }

    return $self;
}

sub path { "$_[0]{dir}/proxy.sock" }
sub unix { 'unix:' . $_[0]->path }

# the next answer to a command that has that text in it is lost, and its
# connection with it; true as long as none was
sub lose {
    my ($self, $text) = @_;

    open my $file, '>', "$self->{dir}/lose" or croak "lose: $!";
    print $file $text;
    close $file;
    rename "$self->{dir}/lose", "$self->{dir}/losing";
}

sub losing { -e "$_[0]{dir}/losing" }

sub lost_text {
    my ($self) = @_;

    open my $file, '<', "$self->{dir}/losing" or return;

    return scalar <$file>;
}

sub serve {
    my ($self, $listen) = @_;
    my $select = IO::Select->new($listen);
    my (%peer, %is_client, %doomed, @late);

    my $end = sub {
        for my $socket (@_) {
            $select->remove($socket);
            delete @$_{$socket} for \%peer, \%is_client, \%doomed;
            close $socket;
        }
    };

    while (1) {
        my $wait = @late ? $late[0][0] - now() : 1;

        for my $socket ($select->can_read($wait > 0 ? $wait : 0)) {
            if ($socket == $listen) {
                my $client = $listen->accept or next;
                my $server = IO::Socket::UNIX->new(Peer => $self->{to});

                if (!$server) {
                    close $client;
                    next;
                }

                @peer{$client, $server} = ($server, $client);
                $is_client{$client} = 1;
                $select->add($client, $server);
                next;
            }

            my $peer = $peer{$socket} or next;

            my $bytes;

            if (!sysread $socket, $bytes, 65536) {
                $end->($socket, $peer);
                next;
            }

            if ($is_client{$socket}) {
                my $text = $self->lost_text;

                $doomed{$peer} = 1
                    if defined $text && index($bytes, $text) >= 0;

            } elsif ($doomed{$socket}) {
                unlink "$self->{dir}/losing";
                $end->($socket, $peer);
                next;
            }

            push @late, [ now() + $self->{delay}, $peer, $bytes ];
        }

        while (@late && $late[0][0] <= now()) {
            my (undef, $to, $bytes) = @{ shift @late };

            while (length $bytes && $peer{$to}) {
                my $n = syswrite $to, $bytes;

                last if !$n;
                substr $bytes, 0, $n, '';
            }
        }
    }
}

sub DESTROY {
    my ($self) = @_;

    return if $self->{owner} != $$ || !$self->{pid};

    local ($?, $!);
    kill KILL => $self->{pid};
    waitpid $self->{pid}, 0;
}

1;
