package Test::WsMgr::Http;

# A small HTTP/1.1 client: keep-alive, raw bytes, answers taken apart.

use strict;
use warnings;

use JSON::PP ();
use Test::WsMgr::Stream;
use Test::WsMgr::Wait qw/ now patience /;

sub new {
    my ($class, $address, %option) = @_;

    return bless { address => $address, option => \%option }, $class;
}

# method, path, body, name => value, …
sub request {
    my ($self, @request) = @_;

    $self->send(@request);

    return $self->answer;
}

sub get    { my $self = shift; $self->request('GET', shift, undef, @_) }
sub delete { my $self = shift; $self->request('DELETE', shift, undef, @_) }
sub post   { my $self = shift; $self->request('POST', @_) }

# only the first half of request(): several clients may then wait at once
sub send {
    my ($self, $method, $path, $body, @headers) = @_;
    my %given = map { lc($_ // '') => 1 } @headers;
    my $text = "$method $path HTTP/1.1\r\n";

    $self->{head} = $method eq 'HEAD';

    $text .= "Host: localhost\r\n" if !exists $given{host};

    while (my ($name, $value) = splice @headers, 0, 2) {
        $text .= "$name: $value\r\n" if defined $value;
    }

    if (defined $body) {
        $text .= "Content-Type: application/json\r\n"
            if !exists $given{'content-type'};
        $text .= 'Content-Length: ' . length($body) . "\r\n"
            if !exists $given{'content-length'}
               && !exists $given{'transfer-encoding'};
    }

    $self->send_raw("$text\r\n" . (defined $body ? $body : ''));
}

sub send_raw {
    my ($self, $bytes) = @_;

    $self->stream->write($bytes);
}

sub stream {
    my ($self) = @_;

    if (!$self->{stream} || $self->{stream}->eof) {
        $self->{stream} = Test::WsMgr::Stream->open($self->{address},
                                                    %{ $self->{option} });
    }

    return $self->{stream};
}

# { status, headers (lower case names), body, json } or, in time, no status
sub answer {
    my ($self, $seconds) = @_;
    my $head = delete $self->{head};
    my $answer = read_answer($self->{stream}, $seconds, $head);

    if (($answer->{headers}{connection} || 'close') eq 'close') {
        $self->{stream}->close;
    }

    return $answer;
}

sub read_answer {
    my ($stream, $seconds, $head) = @_;
    my $deadline = now() + patience($seconds);
    my $text = $stream->take_to("\r\n\r\n", $deadline);

    return { status => 0, headers => {}, body => '' }
        if ($text // '') !~ m{^HTTP/1\.\d (\d{3})};

    my $status = $1;
    my ($line, @fields) = split /\r\n/, $text;
    my %headers;

    for (@fields) {
        my ($name, $value) = /^([^:]+):\s*(.*)$/;

        $name = lc $name;
        $headers{$name} = exists $headers{$name}
                          ? "$headers{$name}, $value" : $value;
    }

    my $answer = { status => $status, headers => \%headers, body => '',
                   head => $text };

    if ($status != 101 && $status != 204 && !$head) {
        $answer->{body} = read_body($stream, \%headers, $deadline);
    }

    if (($headers{'content-type'} || '') =~ /json/) {
        $answer->{json} = eval { JSON::PP::decode_json($answer->{body}) };
    }

    return $answer;
}

sub read_body {
    my ($stream, $headers, $deadline) = @_;

    if (defined $headers->{'content-length'}) {
        my $body = $stream->take($headers->{'content-length'}, $deadline);

        return defined $body ? $body : '';
    }

    if (($headers->{'transfer-encoding'} || '') ne 'chunked') {
        return $stream->take_all($deadline);
    }

    my $body = '';

    while (defined(my $size = $stream->take_to("\r\n", $deadline))) {
        my $chunk = $stream->take(hex($size =~ s/\r\n//r) + 2, $deadline);

        last if !defined $chunk || length $chunk == 2;

        $body .= substr $chunk, 0, -2;
    }

    return $body;
}

sub close {
    my ($self) = @_;

    $self->{stream}->close if $self->{stream};
    delete $self->{stream};
}

1;
