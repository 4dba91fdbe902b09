#!/usr/bin/perl

# What a newcomer does on a fresh Debian, with the files that git knows: make
# run, make demo and a part of the tests.  Ten minutes for each that is named in
# WS_MGR_FRESH ("bookworm trixie"), which only root can do, by debootstrap.

use strict;
use warnings;

use Cwd qw/ abs_path /;
use File::Basename qw/ dirname /;
use Test::More;

my $top = dirname(dirname(dirname(abs_path(__FILE__))));
my @suites = split ' ', $ENV{WS_MGR_FRESH} // '';

plan skip_all => 'WS_MGR_FRESH names no Debian' if !@suites;

my $tests = $ENV{WS_MGR_FRESH_TESTS}
            // 't/unit.t t/project/client_js.t t/project/embed.t'
               . ' t/delivery/golden_path.t t/nodes/engine.t';

delete @ENV{grep { /^WS_MGR_/ } keys %ENV};

for my $suite (@suites) {
    my $said = `$top/build-aux/fresh $suite $top/build/fresh "build-aux/newcomer $tests" 2>&1`;
    my $code = $? >> 8;

    SKIP: {
        skip $said =~ s/\n.*//sr, 1 if $code == 77;
        is $code, 0, "Debian $suite: make run, make demo, $tests"
            or diag substr $said, -4000;
    }
}

done_testing;
