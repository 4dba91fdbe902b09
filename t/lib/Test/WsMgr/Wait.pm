package Test::WsMgr::Wait;

# Waiting for conditions: never for time to pass.

use strict;
use warnings;

use Exporter 'import';
use Test::More ();
use Time::HiRes qw/ clock_gettime CLOCK_MONOTONIC /;

our @EXPORT_OK = qw/ now patience wait_until eventually readable writable /;

sub now {
    return clock_gettime(CLOCK_MONOTONIC);
}

# the longest that anything may take, in seconds; a sanitizer is slower
sub patience {
    my ($seconds) = @_;

    $seconds = 5 if !defined $seconds;

    return $ENV{WS_MGR_ASAN} ? 4 * $seconds : $seconds;
}

# the first true value that the block returns, or its last one in the end
sub wait_until(&;$) {
    my ($condition, $seconds) = @_;
    my $deadline = now() + patience($seconds);

    while (1) {
        my $value = $condition->();

        return $value if $value || now() > $deadline;

        select undef, undef, undef, 0.01;
    }
}

# the same as a test
sub eventually(&;$$) {
    my ($condition, $name, $seconds) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;

    return Test::More::ok(&wait_until($condition, $seconds), $name);
}

sub readable {
    my ($handle, $seconds) = @_;
    my $set = '';

    vec($set, fileno $handle, 1) = 1;

    return select($set, undef, undef, $seconds > 0 ? $seconds : 0) > 0;
}

sub writable {
    my ($handle, $seconds) = @_;
    my $set = '';

    vec($set, fileno $handle, 1) = 1;

    return select(undef, $set, undef, $seconds > 0 ? $seconds : 0) > 0;
}

1;
