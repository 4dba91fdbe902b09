package Test::WsMgr::WebSocket;

# A WebSocket client that can also misbehave.

use strict;
use warnings;

use Digest::SHA qw/ sha1_base64 /;
use JSON::PP ();
use MIME::Base64 qw/ encode_base64 /;
use Test::More ();
use Test::WsMgr::Deflate;
use Test::WsMgr::Http;
use Test::WsMgr::Stream;
use Test::WsMgr::Wait qw/ now patience /;

use constant { CONTINUATION => 0, TEXT => 1, BINARY => 2,
               CLOSE => 8, PING => 9, PONG => 10 };

# Sends the upgrade.  Options: path, headers (replace the usual ones by name,
# undef leaves one out), protocols, extensions (what is offered), method,
# version, early (bytes that follow the request), hesitant, auto_pong, and those
# of Stream.
sub start {
    my ($class, $address, %option) = @_;
    my $key = encode_base64(join('', map { chr rand 256 } 1 .. 16), '');

    my @protocols = @{ $option{protocols} || [] };
    my %headers = (
        'Host'                  => 'localhost',
        'Upgrade'               => 'websocket',
        'Connection'            => 'Upgrade',
        'Sec-WebSocket-Version' => '13',
        'Sec-WebSocket-Key'     => $key,
        (@protocols ? ('Sec-WebSocket-Protocol' => join ', ', @protocols)
                    : ()),
        'Sec-WebSocket-Extensions' => $option{extensions},
        %{ $option{headers} || {} },
    );

    my $text = ($option{method} || 'GET') . ' ' . ($option{path} || '/ws')
               . ' HTTP/' . ($option{version} || '1.1') . "\r\n";

    for my $name (sort keys %headers) {
        my $value = $headers{$name};

        $text .= "$name: $_\r\n"
            for grep { defined } ref $value ? @$value : $value;
    }

    my $self = bless {
        key       => $headers{'Sec-WebSocket-Key'},
        auto_pong => 1,
        pings     => 0,
        pongs     => [],
        sent      => 0,
        %option,
        stream    => Test::WsMgr::Stream->open($address, %option),
    }, $class;

    $self->{rest} = "\r\n" . (defined $option{early} ? $option{early} : '');
    $self->{stream}->write($text);
    $self->go_on if !$option{hesitant};

    return $self;
}

# the end of the request, which a hesitant client holds back
sub go_on {
    my ($self) = @_;

    $self->{stream}->write(delete $self->{rest});
}

# Reads the answer to the upgrade: 101, or a refusal as of Http.pm.
sub finish {
    my ($self, $seconds) = @_;

    $self->{answer} = Test::WsMgr::Http::read_answer(
        $self->{stream}, $seconds, ($self->{method} || '') eq 'HEAD');

    my $agreed = $self->header('sec-websocket-extensions') // '';

    if ($agreed =~ /^permessage-deflate\b/) {
        my ($bits) = $agreed =~ /server_max_window_bits=(\d+)/;

        $self->{window} = $bits // 15;
        $self->{keeps_window} = $agreed !~ /server_no_context_takeover/;
    }

    return $self;
}

sub open {
    my $class = shift;

    return $class->start(@_)->finish;
}

sub answer { $_[0]{answer} }
sub status { $_[0]{answer}{status} }
sub header { $_[0]{answer}{headers}{ $_[1] } }

# the worker that has the socket, where the location tells it
sub worker { $_[0]->header('x-worker') }

sub accept_is_right {
    my ($self) = @_;
    my $expected = sha1_base64(
        "$self->{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11") . '=';

    return ($self->header('sec-websocket-accept') || '') eq $expected;
}

# --- what the client says ---

# opcode, payload, and as options: fin, rsv (of the three bits), mask (false:
# none), length (bytes of the length field: 0, 2 or 8)
sub build_frame {
    my ($opcode, $payload, %option) = @_;
    my $fin = exists $option{fin} ? $option{fin} : 1;
    my $masked = !exists $option{mask} || $option{mask};
    my $n = length $payload;
    my $size = defined $option{length} ? $option{length}
               : $n < 126 ? 0 : $n < 65536 ? 2 : 8;

    my $frame = chr(($fin ? 0x80 : 0) | ($option{rsv} || 0) << 4 | $opcode);
    my $bit = $masked ? 0x80 : 0;

    $frame .= $size == 0 ? chr($bit | $n)
              : $size == 2 ? chr($bit | 126) . pack('n', $n)
              : chr($bit | 127) . pack('Q>', $n);

    if ($masked) {
        my $mask = $option{mask} || pack 'N', rand 2 ** 32;

        $frame .= $mask;
        $payload ^= substr $mask x (1 + $n / 4), 0, $n;
    }

    return $frame . $payload;
}

sub frame {
    my ($self, @frame) = @_;

    return $self->{stream}->write(build_frame(@frame));
}

sub raw {
    my ($self, $bytes) = @_;

    return $self->{stream}->write($bytes);
}

# one byte, or n, a packet
sub raw_split {
    my ($self, $bytes, $n) = @_;

    for my $piece (unpack '(a' . ($n || 1) . ')*', $bytes) {
        $self->{stream}->write($piece) || return 0;
        select undef, undef, undef, 0;
    }

    return 1;
}

sub text { my $self = shift; $self->frame(TEXT, shift, @_) }
sub binary { my $self = shift; $self->frame(BINARY, shift, @_) }

# one JSON message
sub say {
    my ($self, $message) = @_;

    return $self->text(JSON::PP->new->canonical->utf8->encode($message));
}

# the client's goodbye: it sends a close frame and waits for the answer
sub close {
    my ($self, $code, $reason) = @_;

    $self->{sent_close} = 1;
    $self->frame(CLOSE, defined $code
                        ? pack('n', $code) . (defined $reason ? $reason : '')
                        : '');

    return $self->closed;
}

# the client is gone, without a word
sub drop  { $_[0]{stream}->close }
sub abort { $_[0]{stream}->abort }

# --- what the client hears ---

# the next frame { fin, rsv, opcode, masked, payload }; undef: none in time
sub next_frame {
    my ($self, $seconds) = @_;

    return $self->read_frame(now() + patience($seconds));
}

sub read_frame {
    my ($self, $deadline) = @_;
    my $stream = $self->{stream};

    while (1) {
        my $in = \$stream->{in};
        my $have = length $$in;
        my $need = 2;

        if ($have >= 2) {
            my ($first, $second) = unpack 'CC', $$in;
            my $length = $second & 0x7f;
            my $head = 2 + ($length == 126 ? 2 : $length == 127 ? 8 : 0)
                       + ($second & 0x80 ? 4 : 0);

            $need = $head;

            if ($have >= $head) {
                $need += $length == 126 ? unpack('x2n', $$in)
                         : $length == 127 ? unpack('x2Q>', $$in) : $length;
            }

            if ($have >= $need && $have >= $head) {
                my $frame = substr $$in, 0, $need, '';

                return {
                    fin     => $first >> 7,
                    rsv     => $first >> 4 & 7,
                    opcode  => $first & 15,
                    masked  => $second >> 7,
                    payload => substr($frame, $head),
                };
            }
        }

        $stream->fill($deadline) || return;
    }
}

# What a compressed payload stands for, by an inflater of the very window that
# was agreed on; undef: it needs more, or is no DEFLATE.
sub inflated {
    my ($self, $payload) = @_;

    return if !$self->{window};

    delete $self->{inflater} if !$self->{keeps_window};
    $self->{inflater} ||= Test::WsMgr::Deflate::inflater($self->{window});

    return Test::WsMgr::Deflate::inflate($self->{inflater}, $payload);
}

# The next whole message, as { opcode, payload }, and where it was compressed
# "deflated", the payload as it came; control frames on the way are answered
# and kept.  undef: none in time, or the socket is closed.
sub message {
    my ($self, $seconds) = @_;

    return $self->read_message(now() + patience($seconds));
}

sub read_message {
    my ($self, $deadline) = @_;
    my $message;

    while (1) {
        my $frame = $self->read_frame($deadline) || return;

        if ($frame->{opcode} >= CLOSE) {
            $self->control($frame) || return;
            next;
        }

        if ($frame->{opcode} == CONTINUATION) {
            $message->{payload} .= $frame->{payload};
        } else {
            $message = { opcode  => $frame->{opcode},
                         payload => $frame->{payload},
                         rsv     => $frame->{rsv} };
        }

        if ($frame->{fin}) {
            $self->open_message($message);
            return $message;
        }
    }
}

sub open_message {
    my ($self, $message) = @_;

    if ($message->{rsv} == 4) {
        $message->{deflated} = $message->{payload};
        $message->{payload} = $self->inflated($message->{deflated});
    }

    Test::More::fail('a message that can be read')
        if !defined $message->{payload} || $message->{rsv} & 3;
}

sub control {
    my ($self, $frame) = @_;

    if ($frame->{opcode} == PING) {
        $self->{pings}++;
        $self->frame(PONG, $frame->{payload}) if $self->{auto_pong};
        return 1;
    }

    if ($frame->{opcode} == PONG) {
        push @{ $self->{pongs} }, $frame->{payload};
        return 1;
    }

    my $payload = $frame->{payload};

    $self->{close} = {
        code   => length $payload ? unpack('n', $payload) : 1005,
        reason => length $payload > 2 ? substr($payload, 2) : '',
    };

    if (!$self->{sent_close}) {
        $self->{sent_close} = 1;
        $self->frame(CLOSE, substr $payload, 0, 2);
    }

    return 0;
}

# the text of the next message, or undef
sub next_text {
    my ($self, $seconds) = @_;
    my $message = $self->message($seconds);

    return if !$message;

    Test::More::fail('a text message') if $message->{opcode} != TEXT;

    $self->{raw} = $message->{payload};
    $self->{deflated} = $message->{deflated};

    return $message->{payload};
}

# the next message decoded; {} when there is none
sub event {
    my ($self, $seconds) = @_;
    my $text = $self->next_text($seconds);

    if (!defined $text) {
        Test::More::diag('nothing arrived'
            . ($self->{close} ? ", closed with $self->{close}{code}" : ''));
        return {};
    }

    my $event = eval { JSON::PP::decode_json($text) };

    Test::More::fail("valid JSON: $text") if !$event;

    return $event || {};
}

# the next n messages decoded
sub events {
    my ($self, $n) = @_;

    return map { $self->event } 1 .. $n;
}

# messages until one of that type, which is the last of the list
sub events_to {
    my ($self, $type) = @_;
    my @events;

    do {
        push @events, $self->event;
    } while (%{ $events[-1] } && $events[-1]{type} ne $type);

    return @events;
}

# Waits for the server's close frame, whatever comes before: its code, or
# 1006 where the connection ended without one, 0 where it is still open.
sub closed {
    my ($self, $seconds) = @_;
    my $deadline = now() + patience($seconds);

    while (!$self->{close} && !$self->{stream}->eof && now() < $deadline) {
        $self->read_message($deadline);
    }

    return $self->{close}{code} if $self->{close};
    return $self->{stream}->eof ? 1006 : 0;
}

sub close_reason { my ($self) = @_; $self->closed; $self->{close}{reason} }

# true once the server has closed the TCP connection too
sub ended { my ($self, $seconds) = @_; $self->{stream}->ended($seconds) }

1;
