#!/usr/bin/perl

# permessage-deflate is agreed on with whoever offers it well, whatever else
# stands beside it, and an answer never has what was not offered to be limited.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;
use Test::WsMgr::Frames;

my $mgr = echoing();
my $off = echoing(socket => 'ws_mgr_deflate off;');
my $soft = echoing(socket => 'ws_mgr_refuse close;');

my $ext = 'permessage-deflate';
my $plain = "$ext; server_no_context_takeover; client_no_context_takeover";
my $text = text('compress me ' x 100);

# the offer, or several header fields, and what is answered; undef: nothing
my @rows = (
    [ $ext, $plain ],
    [ undef, undef ],
    [ '', undef ],
    [ 'x-webkit-deflate-frame', undef ],
    [ 'permessage-bzip2, permessage-snappy', undef ],
    [ "permessage-bzip2, $ext", $plain ],
    [ "x-other; a=1; b=\"2\" , $ext", $plain ],
    [ "$ext, x-other", $plain ],
    [ "$ext;client_max_window_bits", $plain ],
    [ "$ext ;\tclient_max_window_bits = 10", $plain ],
    [ "$ext; server_max_window_bits=\"9\"",
      "$plain; server_max_window_bits=9" ],

    # what a client cannot mean is not accepted
    (map { [ "$ext; $_", undef ] }
     'unknown', 'unknown=1', 'server_no_context_takeover=1',
     'client_no_context_takeover=false', 'server_max_window_bits',
     (map { my $side = $_; map { "${side}_max_window_bits=$_" }
            0, 1, 7, 16, 32, 100, '08', '015', '9.0', '+9', '-9', 'a' }
      qw/ server client /),
     (map { "$_; $_" } 'server_no_context_takeover',
      'client_no_context_takeover', 'server_max_window_bits=9',
      'client_max_window_bits'),
     'server_max_window_bits=9; server_max_window_bits=10',
     'Server_No_Context_Takeover'),
    [ 'Permessage-Deflate', undef ],

    # the first that can be accepted is
    [ "$ext; server_max_window_bits=7, $ext; unknown, $ext", $plain ],
    [ "$ext; server_max_window_bits=10, $ext",
      "$plain; server_max_window_bits=10" ],
    [ "$ext, $ext; server_max_window_bits=10", $plain ],
    [ "$ext; server_no_context_takeover; server_max_window_bits=8, "
      . "$ext; server_no_context_takeover, $ext",
      "$plain; server_max_window_bits=8" ],

    # in several fields, which are one list
    [ [ 'x-other', "$ext; server_max_window_bits=11" ],
      "$plain; server_max_window_bits=11" ],
    [ [ $ext, $ext ], $plain ],
    [ [ "$ext; unknown", '', "$ext; server_max_window_bits=12", $ext ],
      "$plain; server_max_window_bits=12" ],
);

# each combination of the parameters
for my $mask (0 .. 3) {
    my $takeover = join '; ', $ext,
                   ('server_no_context_takeover') x ($mask & 1),
                   ('client_no_context_takeover') x ($mask >> 1);

    for my $client ('', '; client_max_window_bits',
                    map { "; client_max_window_bits=$_" } 8 .. 15)
    {
        push @rows, [ "$takeover$client", $plain ], map {
            [ "$takeover$client; server_max_window_bits=$_",
              "$plain; server_max_window_bits=$_" ],
            [ "$takeover; server_max_window_bits=$_$client",
              "$plain; server_max_window_bits=$_" ],
        } 8 .. 15;
    }
}

for (@rows) {
    my ($offer, $answer) = @$_;
    my $name = ref $offer ? join ' | ', @$offer : $offer // 'no offer';
    my $socket = socket_of($mgr, extensions => $offer);

    is $socket->status, 101, $name;
    is $socket->header('sec-websocket-extensions'), $answer, 'is answered';
    $socket->raw(bytes(text('x'), $answer ? deflated($text) : $text));
    is_deeply [ heard($socket, 2) ],
              [ "text 'x'", Test::WsMgr::Frames::name($text) ], 'and served';
    is $socket->{compressed}, $answer ? 1 : undef, 'as was agreed';
    $socket->drop;
}

# nothing is agreed on where it is off, nor may a client do as if
my $socket = socket_of($off, extensions => $ext);

is $socket->header('sec-websocket-extensions'), undef, 'off';
$socket->raw(bytes($text));
is_deeply [ heard($socket, 1) ], [ Test::WsMgr::Frames::name($text) ],
          'and served';
is $socket->{compressed}, undef, 'as it is';
$socket->raw(bytes(deflated($text)));
is_deeply [ heard($socket) ], [ 'close 1002', 'end' ], 'RSV1 is not agreed on';

# who is refused by a close frame is sent nothing else
$socket = $soft->upgrade(query => 'ticket=' . 'x' x 43, extensions => $ext);
is $socket->status, 101, 'upgraded';
$socket->raw(bytes(deflated($text), $text));
is_deeply [ heard($socket) ], [ 'close 1008', 'end' ], 'and closed';

# what is no list of extensions fails the handshake; the ticket is not used up
for my $offer (';', "$ext;", "$ext; ; x", "$ext; a=", "$ext; a=\"b",
               "$ext; a=\"b c\"", "$ext; =8", "$ext x", "\"$ext\"", "$ext=1",
               "$ext; server_max_window_bits=\"\"", "caf\xe9",
               [ $ext, "$ext; a b" ], [ "$ext; a b", $ext ])
{
    my $ticket = $mgr->ticket('bob');
    my $name = ref $offer ? join ' | ', @$offer : $offer;

    $mgr->is_problem($mgr->upgrade(ticket => $ticket, extensions => $offer)
                         ->answer, 400, 'bad_request', "malformed: $name");
    is $mgr->upgrade(ticket => $ticket)->status, 101, 'the ticket is good yet';
}
