package Test::WsMgr::Redis;

# A real redis-server of a test's own, on a unix socket (or, with tcp => 1, on
# a port too), without persistence unless its arguments say so; and a fake one
# for what a real one does not do.

use strict;
use warnings;

use Carp qw/ croak /;
use File::Temp qw/ tempdir /;
use IO::Select;
use IO::Socket::UNIX;
use JSON::PP ();
use POSIX ();
use Test::WsMgr::Nginx;
use Test::WsMgr::Stream;
use Test::WsMgr::Wait qw/ now patience wait_until /;

# Options: tcp, args (more of redis-server's arguments)
sub start {
    my $self = new(@_);

    $self->spawn or croak 'redis-server did not start: ' . $self->log;

    return $self;
}

sub new {
    my ($class, %option) = @_;

    my $self = bless {
        args  => [],
        %option,
        dir   => tempdir('ws_mgr_redis_XXXXXX', TMPDIR => 1, CLEANUP => 1),
        owner => $$,
    }, $class;

    chmod 0755, $self->{dir};

    return $self;
}

sub path { "$_[0]{dir}/redis.sock" }
sub unix { 'unix:' . $_[0]->path }
sub address { "127.0.0.1:$_[0]{port}" }

# true once it answers, be it that it loads
sub spawn {
    my ($self) = @_;

    for (1 .. 5) {
        $self->{port} ||= Test::WsMgr::Nginx::free_port() if $self->{tcp};

        $self->run(sub {
            open STDOUT, '>>', "$self->{dir}/log";
            open STDERR, '>&', \*STDOUT;
            exec 'redis-server', '--port', $self->{port} || 0,
                 '--bind', '127.0.0.1', '--dir', $self->{dir},
                 '--unixsocket', $self->path, '--unixsocketperm', 777,
                 '--save', '', '--daemonize', 'no', @{ $self->{args} };
        });

        my $state = wait_until {
            return 'ended' if waitpid($self->{pid}, POSIX::WNOHANG) != 0;
            return $self->try('PING') && 'ready';
        } 10;

        return 1 if $state eq 'ready';

        delete @$self{qw/ pid port /};
    }

    return 0;
}

sub run {
    my ($self, $child) = @_;

    $self->{pid} = fork // croak "fork: $!";

    if ($self->{pid} == 0) {
        @SIG{qw/ INT TERM PIPE /} = ('DEFAULT') x 3;
        $child->();
        POSIX::_exit(127);
    }
}

sub log {
    my ($self) = @_;

    open my $file, '<:raw', "$self->{dir}/log" or return '';
    local $/;

    return scalar <$file> // '';
}

sub signal {
    my ($self, $name) = @_;

    return kill $name => $self->{pid};
}

# ends it: KILL, or TERM, at which it may save
sub stop {
    my ($self, $signal) = @_;

    return if !$self->{pid};

    delete $self->{stream};
    kill CONT => $self->{pid};
    kill $signal || 'KILL' => $self->{pid};
    waitpid $self->{pid}, 0;
    delete $self->{pid};
    unlink $self->path;
}

# --- what a service says to it ---

# the reply to a command: text, a number, undef or a list; dies of an error
sub say {
    my ($self, @command) = @_;
    my $reply = $self->ask(@command);

    croak "@command: $$reply" if ref $reply eq 'SCALAR';

    return $reply;
}

# the same, where it may not answer at all; an error is a reference to its text
sub try {
    my ($self, @command) = @_;

    return eval { $self->ask(@command) };
}

sub ask {
    my ($self, @command) = @_;
    my $stream = $self->{stream} ||= Test::WsMgr::Stream->open($self->unix);

    $stream->write(resp(@command));

    return $self->reply($stream, now() + patience());
}

sub resp {
    return '*' . @_ . "\r\n"
           . join '', map { '$' . length($_) . "\r\n$_\r\n" } @_;
}

sub reply {
    my ($self, $stream, $deadline) = @_;
    my $line = $stream->take_to("\r\n", $deadline);

    if (!defined $line) {
        delete $self->{stream};
        croak 'no reply';
    }

    my ($type, $rest) = $line =~ /^(.)(.*)\r\n$/;

    return $rest if $type eq '+' || $type eq ':';
    return \$rest if $type eq '-';
    return if $rest < 0;
    return [ map { $self->reply($stream, $deadline) } 1 .. $rest ]
        if $type eq '*';

    return substr $stream->take($rest + 2, $deadline), 0, -2;
}

# A ticket as a service writes it: members of the record besides user_id and
# expires_at (undef leaves one out), ttl (Redis' own expiry, a list), text (in
# place of all that).  Returns its id.
my $tickets = 'A' x 12;

sub ticket {
    my ($self, $user, %change) = @_;
    my $id = 'service-ticket-' . '0' x 16 . $tickets++;
    my %record = (user_id => $user, expires_at => time + 60, %change);
    my @ttl = @{ delete $record{ttl} || [ EX => 60 ] };
    my $text = delete $record{text};

    delete @record{ grep { !defined $record{$_} } keys %record };
    $self->say(SET => "auth:ticket:$id",
               $text // JSON::PP->new->utf8->encode(\%record), @ttl);

    return $id;
}

# by the tool that comes with it: what it prints
sub cli {
    my ($self, @command) = @_;

    open my $tool, '-|', 'redis-cli', '-s', $self->path, @command
        or croak "redis-cli: $!";
    local $/;

    return (<$tool> // '') =~ s/\n\z//r;
}

# --- a fake ---

# A server that answers each command with what the block makes of it: bytes to
# send; undef: it closes.  The block runs in a process of its own, with the
# command's arguments.
sub fake {
    my ($class, $answer) = @_;
    my $self = $class->new;

    my $listen = IO::Socket::UNIX->new(Local => $self->path, Listen => 64)
        or croak "no socket: $!";

    chmod 0777, $self->path;
    $self->run(sub { serve($listen, $answer) });

    return $self;
}

sub serve {
    my ($listen, $answer) = @_;
    my $select = IO::Select->new($listen);
    my %in;

    local $SIG{PIPE} = 'IGNORE';

    while (my @ready = $select->can_read) {
        for my $socket (@ready) {
            if ($socket == $listen) {
                $select->add(scalar $listen->accept);
                next;
            }

            if (!sysread $socket, $in{$socket}, 65536,
                         length($in{$socket} //= ''))
            {
                delete $in{$socket};
                $select->remove($socket);
                next;
            }

            while (my @command = take_command(\$in{$socket})) {
                my $bytes = $answer->(@command);

                if (!defined $bytes) {
                    delete $in{$socket};
                    $select->remove($socket);
                    shutdown $socket, 2;
                    last;
                }

                syswrite $socket, $bytes;
            }
        }
    }
}

# the arguments of the first whole command, which is taken out
sub take_command {
    my ($in) = @_;
    my ($at, @args) = (0);

    return if ($$in // '') !~ /^\*(\d+)\r\n/g;

    my $n = $1;

    for (1 .. $n) {
        return if $$in !~ /\G\$(\d+)\r\n/gc || length($$in) < pos($$in) + $1 + 2;

        push @args, substr $$in, pos $$in, $1;
        pos($$in) += $1 + 2;
    }

    substr $$in, 0, pos $$in, '';

    return @args;
}

sub DESTROY {
    my ($self) = @_;

    return if $self->{owner} != $$;

    local ($?, $!);
    $self->stop;
}

1;
