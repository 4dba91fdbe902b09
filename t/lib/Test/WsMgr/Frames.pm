package Test::WsMgr::Frames;

# RFC 6455 as rows of tables: what a client sends, and what comes back.
#
#     my $mgr = echoing();
#
#     rows $mgr, (
#         [ 'a text',          [ text('hello') ], text('hello') ],
#         [ 'a ping within',   [ text('a', fin => 0), ping('p'), more('b') ],
#                              pong('p'), text('ab') ],
#         [ 'a reserved bit',  [ text('x', rsv => 4) ], 1002 ],
#     );
#
# A number is the code of the server's close frame.  Where there is none, the
# client says goodbye with 1000 once it has the rest.  Either way the server's
# close frame is the last that comes, and it is the server that ends TCP.
#
# Each row is sent whole, a frame at a time, a byte at a time, split at random.

use strict;
use warnings;

use Carp qw/ croak /;
use Digest::SHA qw/ sha1_hex /;
use Exporter qw/ import /;
use Test::More;
use Test::WsMgr ();
use Test::WsMgr::Deflate qw/ deflate /;
use Test::WsMgr::Wait qw/ now patience /;
use Test::WsMgr::WebSocket;

our @EXPORT = qw/ echoing rows heard socket_of bytes in_pieces split_up
                  text binary more ping pong bye reserved deflated fragments
                  random_bytes random_text impossible_at takes_less /;

use constant {
    MANY  => 1500,             # bytes that are not sent one by one any more
    SHOWN => 80,               # bytes of a payload in the name of a frame
};

# A manager that echoes at /ws, and a ticket for as many sockets as one likes.
# Options: extensions, which are offered; socket, directives of the location;
# those of a manager.
sub echoing {
    my %option = @_;
    my $offers = delete $option{extensions};
    my $socket = delete $option{socket} // '';

    my $mgr = Test::WsMgr::manager(<<"CONF", %option);
        location /ws   { ws_mgr_socket; ws_mgr_forward echo; ws_mgr_ping off;
                         ws_mgr_connections user=off;
                         ws_mgr_message_size 16m;
                         ws_mgr_message_rate 1000000/s burst=1000000;
                         $socket }
        location /api/ { ws_mgr_api; }
CONF

    my $ticket = $mgr->ticket('ann', single_use => JSON::PP::false);

    $mgr->{echo} = { query => "ticket=$ticket", extensions => $offers };
    note "WS_MGR_SEED=$ENV{WS_MGR_SEED}";

    return $mgr;
}

# one more socket
sub socket_of {
    my ($mgr, %option) = @_;

    return $mgr->upgrade(%{ $mgr->{echo} }, %option);
}

# --- frames: the opcode, the payload, options of WebSocket::build_frame ---

sub text     { [ 1, @_ ] }
sub binary   { [ 2, @_ ] }
sub more     { [ 0, @_ ] }
sub ping     { [ 9, @_ ? @_ : '' ] }
sub pong     { [ 10, @_ ? @_ : '' ] }
sub reserved { [ @_ ] }

# code and reason, or nothing at all
sub bye {
    my ($code, $reason) = @_;

    return [ 8, defined $code ? pack('n', $code) . ($reason // '') : '' ];
}

# a message compressed, in ways of Test::WsMgr::Deflate
sub deflated {
    my ($frame, %how) = @_;

    return [ $frame->[0], deflate($frame->[1], %how), rsv => 4 ];
}

# A message in fragments: of so many bytes, or with the payloads given; and what
# is said behind each but the last.
sub fragments {
    my ($frame, $parts, @between) = @_;
    my ($opcode, $payload, %option) = @$frame;
    my @parts = ref $parts ? @$parts : unpack "(a$parts)*", $payload;
    my $last = pop @parts // '';
    my @frames = map { more($_, fin => 0), @between } @parts;

    return [ $opcode, $last, %option ] if !@frames;

    $frames[0] = [ $opcode, $parts[0], %option, fin => 0 ];

    return @frames, more($last);
}

# a frame as a client sends it; a string is sent as it is
sub bytes {
    return join '', map {
        ref ? Test::WsMgr::WebSocket::build_frame(@$_) : $_
    } @_;
}

my %NAME = (0 => 'more', 1 => 'text', 2 => 'binary', 8 => 'close',
            9 => 'ping', 10 => 'pong');

# a frame in words; what is long is known by its digest
sub name {
    my ($opcode, $payload) = @{ $_[0] };
    my $name = $NAME{$opcode} // "opcode $opcode";

    return "$name that cannot be inflated" if !defined $payload;

    return $name . ' ' . (length $payload ? unpack 'n', $payload : 1005)
        if $opcode == 8;
    return "$name of " . length($payload) . ', ' . sha1_hex($payload)
        if length $payload > SHOWN;
    return "$name '" . ($payload =~ s/([^ -~])/sprintf '\\x%02x', ord $1/ger)
           . "'";
}

# not the same within what DEFLATE looks back
sub random_bytes {
    my ($n) = @_;
    my $words = $n < 100_000 ? 1 + $n / 4 : 25_000;
    my $block = join '', map { pack 'N', rand 2 ** 32 } 1 .. $words;

    return substr $block x (1 + $n / length $block), 0, $n;
}

# valid UTF-8 of n bytes, with characters of every length in it
sub random_text {
    my ($n) = @_;
    my @some = map { my $c = chr; utf8::encode($c); $c }
               0, 0x24, 0x7f, 0x80, 0xa2, 0x7ff, 0x800, 0x20ac, 0xd7ff,
               0xe000, 0xfffd, 0x10000, 0x24b62, 0x10ffff;
    my $block = join '', map { $some[rand @some] } 1 .. 1000;
    my $text = $block x (1 + $n / length $block);

    $text = substr $text, 0, $n;
    $text =~ s/[\x80-\xff]+\z//;

    return $text . 'x' x ($n - length $text);
}

# --- sending ---

# Over a unix socket the kernel tells what the server has read: then each piece
# is read by itself.  Over TCP that is only likely.
my %WAYS = (
    'whole'           => { pieces => sub { bytes(@_) } },
    'split at random' => { pieces => sub { split_up(bytes(@_)) } },
    'by frames'       => { pieces => sub { map { bytes($_) } @_ }, unix => 1 },
    'by bytes'        => { pieces => sub { split //, bytes(@_) }, unix => 1 },
);

# true if all pieces were taken
sub in_pieces {
    my ($socket, $unix, @pieces) = @_;
    my $stream = $socket->{stream};

    for my $piece (@pieces) {
        $stream->write($piece) || return 0;

        if ($unix) {
            $stream->is_read || return 0;

        } elsif (@pieces > 1) {
            select undef, undef, undef, 0;
        }
    }

    return 1;
}

# at random, in some twenty pieces
sub split_up {
    my ($rest) = @_;
    my $most = 1 + length($rest) / 10;
    my @pieces;

    while (length $rest) {
        push @pieces, substr $rest, 0, 1 + int rand $most, '';
    }

    return @pieces;
}

# --- rows ---

sub rows {
    my ($mgr, @rows) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;

    for my $row (@rows) {
        my $size = length bytes(@{ $row->[1] });

        for my $way (sort keys %WAYS) {
            next if $way eq 'by bytes' && $size > MANY;
            next if $way eq 'by frames' && @{ $row->[1] } == 1;

            row($mgr, $way, @$row);
        }
    }
}

sub row {
    my ($mgr, $way, $name, $sent, @back) = @_;
    my $code = @back && !ref $back[-1] ? pop @back : undef;
    my @wanted = map { name($_) } @back;
    my $unix = $WAYS{$way}{unix};
    my $socket = socket_of($mgr, $unix ? (to => $mgr->unix) : ());

    local $Test::Builder::Level = $Test::Builder::Level + 1;

    in_pieces($socket, $unix, $WAYS{$way}{pieces}(@$sent));

    my @heard = defined $code ? () : heard($socket, scalar @wanted);

    $socket->raw(bytes(bye(1000))) if !defined $code;
    push @heard, heard($socket);

    is(story(@heard), story(@wanted, 'close ' . ($code // 1000), 'end'),
       "$name, $way");
    $socket->drop;
}

# as text, what is said many times once
sub story {
    my @lines;

    for my $line (@_) {
        if (@lines && $lines[-1][0] eq $line) {
            $lines[-1][1]++;
        } else {
            push @lines, [ $line, 1 ];
        }
    }

    return join "\n", map { $_->[1] > 1 ? "$_->[0], $_->[1] times" : $_->[0] }
                      @lines;
}

# What the server sends, in words: n frames, or all up to the end of TCP,
# which is "end" as it should be, "reset", or "nothing" where it is still open:
# who has seen that several times does not wait long any more, and gives up.
my $silences = 0;

sub heard {
    my ($socket, $n) = @_;
    my $deadline = now() + patience($silences < 3 ? 10 : 0.3);
    my @heard;

    while (!defined $n || @heard < $n) {
        my $frame = $socket->read_frame($deadline);

        if (!$frame) {
            croak 'silent too often'
                if !$socket->{stream}->eof && $silences++ > 20;

            push @heard, !$socket->{stream}->eof ? 'nothing'
                         : $socket->{stream}{reset} ? 'reset'
                         : length $socket->{stream}{in} ? 'half a frame'
                         : 'end';
            last;
        }

        if ($frame->{rsv} == 4 && $socket->{window}) {
            $frame->{payload} = $socket->inflated($frame->{payload});
            $frame->{rsv} = 0;
            $socket->{compressed}++;
        }

        push @heard, (!$frame->{fin} ? 'unfinished ' : '')
                     . ($frame->{rsv} ? "RSV $frame->{rsv} " : '')
                     . ($frame->{masked} ? 'masked ' : '')
                     . name([ @$frame{qw/ opcode payload /} ]);
    }

    return @heard;
}

# a figure of memory: not under a sanitizer, which keeps what is freed
sub takes_less {
    my ($figure, $most, $name) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;

    SKIP: {
        skip 'a sanitizer keeps what is freed', 1 if $ENV{WS_MGR_ASAN};

        cmp_ok($figure, '<', $most, sprintf "$name: %.0f", $figure);
    }
}

# --- UTF-8, by code points, as a plain decoder has it ---

# How many bytes there are before the first that no valid text could have
# there; undef: the bytes are valid, or the beginning of what is.
sub impossible_at {
    my ($bytes) = @_;

    # all first bytes, then what may follow each (Unicode, table 3-7)
    my @table = (
        [ qr/^[\x00-\x7f]$/ ],
        [ qr/^[\xc2-\xdf]$/, qr/^[\x80-\xbf]$/ ],
        [ qr/^\xe0$/, qr/^[\xa0-\xbf]$/, qr/^[\x80-\xbf]$/ ],
        [ qr/^[\xe1-\xec\xee\xef]$/, (qr/^[\x80-\xbf]$/) x 2 ],
        [ qr/^\xed$/, qr/^[\x80-\x9f]$/, qr/^[\x80-\xbf]$/ ],
        [ qr/^\xf0$/, qr/^[\x90-\xbf]$/, (qr/^[\x80-\xbf]$/) x 2 ],
        [ qr/^[\xf1-\xf3]$/, (qr/^[\x80-\xbf]$/) x 3 ],
        [ qr/^\xf4$/, qr/^[\x80-\x8f]$/, (qr/^[\x80-\xbf]$/) x 2 ],
    );
    my @next;

    for my $i (0 .. length($bytes) - 1) {
        my $byte = substr $bytes, $i, 1;

        if (!@next) {
            my ($row) = grep { $byte =~ $_->[0] } @table;

            return $i if !$row;
            @next = @$row;
        }

        return $i if $byte !~ shift @next;
    }

    return;
}

1;
