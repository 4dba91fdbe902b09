package Test::WsMgr::Backend;

# An agent backend: a process of its own that answers HTTP/1.1 as the body of
# each request asks for, and tells of all that it was sent.
#
#     my $backend = Test::WsMgr::Backend->start;      # or: start($port)
#     … proxy_pass http://$backend->{address};
#
#     {"type":"x","answer":{"status":422,"type":"text/plain","body":"no",
#                           "delay":0.2}}
#
# "status" 0 is a connection that is closed without an answer; a negative one
# is an answer that never comes.  Without "answer" it is 204.

use strict;
use warnings;

use IO::Socket::INET;
use JSON::PP ();
use Test::WsMgr::Wait qw/ now patience readable /;

my $json = JSON::PP->new->utf8->canonical;

sub start {
    my ($class, $port) = @_;
    my $listen = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 64,
                                       LocalPort => $port || 0, ReuseAddr => 1)
        or die "listen: $!";

    pipe my $in, my $out or die "pipe: $!";

    my $pid = fork // die "fork: $!";

    if (!$pid) {
        close $in;
        $out->autoflush;
        $SIG{TERM} = $SIG{INT} = 'DEFAULT';
        $SIG{PIPE} = 'IGNORE';
        serve($listen, $out);
    }

    close $out;

    return bless {
        address => '127.0.0.1:' . $listen->sockport,
        pid => $pid, owner => $$, told => $in, buffer => '',
    }, $class;
}

sub DESTROY {
    my ($self) = @_;

    $self->stop if $$ == $self->{owner};
}

sub stop {
    my ($self) = @_;
    my $pid = delete $self->{pid} or return;

    local $?;
    kill TERM => $pid;
    waitpid $pid, 0;
}

# the next request: { method, uri, headers, body, message (the JSON of it),
# connection (of the backend, counted) }; undef: none came in time
sub request {
    my ($self, $seconds) = @_;
    my $deadline = now() + patience($seconds);

    while (index($self->{buffer}, "\n") < 0) {
        return undef if !readable($self->{told}, $deadline - now());
        sysread $self->{told}, $self->{buffer}, 65536, length $self->{buffer}
            or return undef;
    }

    $self->{buffer} =~ s/^(.*)\n//;

    return $json->decode($1);
}

# --- the process ---

sub serve {
    my ($listen, $out) = @_;
    my (%buffer, %number, @later);
    my $n = 0;

    while (1) {
        my $set = '';

        vec($set, fileno $_->[0], 1) = 1 for values %buffer;
        vec($set, fileno $listen, 1) = 1;

        @later = sort { $a->[0] <=> $b->[0] } @later;
        my $wait = @later ? $later[0][0] - now() : undef;

        select $set, undef, undef, defined $wait && $wait < 0 ? 0 : $wait;

        while (@later && $later[0][0] <= now()) {
            my (undef, $socket, $bytes) = @{ shift @later };

            syswrite $socket, $bytes;
        }

        if (vec $set, fileno $listen, 1) {
            my $socket = $listen->accept or next;

            $buffer{ fileno $socket } = [ $socket, '' ];
            $number{ fileno $socket } = ++$n;
        }

        for my $fd (keys %buffer) {
            next if !vec $set, $fd, 1;

            my ($socket) = @{ $buffer{$fd} };

            if (!sysread $socket, $buffer{$fd}[1], 1 << 20,
                         length $buffer{$fd}[1])
            {
                delete $buffer{$fd};
                next;
            }

            while (my $request = take(\$buffer{$fd}[1])) {
                $request->{connection} = $number{$fd};
                print {$out} $json->encode($request), "\n";

                my ($delay, $bytes) = answer($request);

                if (!defined $bytes) {
                    delete $buffer{$fd};
                    last;
                }

                push @later, [ now() + $delay, $socket, $bytes ]
                    if length $bytes;
            }
        }
    }
}

# one whole request from the front of the buffer
sub take {
    my ($buffer) = @_;

    $$buffer =~ /\A(\S+) (\S+) HTTP\/1\.[01]\r\n(.*?\r\n)\r\n/s or return;

    my ($end, %request) = ($+[0], method => $1, uri => $2);
    my @fields = map { [ split /: /, $_, 2 ] } split /\r\n/, $3;

    push @{ $request{headers}{ lc $_->[0] } }, $_->[1] for @fields;
    $_ = join '|', @$_ for values %{ $request{headers} };

    my $length = $request{headers}{'content-length'} // 0;

    return if length $$buffer < $end + $length;

    $request{body} = substr $$buffer, $end, $length;
    substr($$buffer, 0, $end + $length) = '';

    $request{message} = eval { $json->decode($request{body}) };

    return \%request;
}

sub answer {
    my ($request) = @_;
    my $message = $request->{message};
    my $asked = ref $message eq 'HASH' && $message->{answer} || {};
    my $status = $asked->{status} // 204;
    my $delay = $asked->{delay} || 0;

    return if $status == 0;
    return (0, '') if $status < 0;

    my $body = $asked->{body} // '';

    utf8::encode($body);

    my $head = "HTTP/1.1 $status Whatever\r\n";

    $head .= 'Content-Type: ' . ($asked->{type} || 'application/json') . "\r\n"
        if length $body;
    $head .= 'Content-Length: ' . length($body) . "\r\n" if $status != 204;

    return ($delay, "$head\r\n$body");
}

1;
