#!/usr/bin/perl

# "make dist": the same bytes for the same commit, with all that git knows.

use strict;
use warnings;

use Cwd qw/ abs_path /;
use File::Basename qw/ dirname /;
use File::Temp qw/ tempdir /;
use Test::More;

my $top = dirname(dirname(dirname(abs_path(__FILE__))));

plan skip_all => 'no repository'
    if system("git -C $top rev-parse -q --verify HEAD > /dev/null 2>&1");

my @dirs = map { tempdir(CLEANUP => 1) } 1 .. 2;
my @made = map { scalar `env -u MAKEFLAGS make -s -C $top dist BUILD=$_ 2>&1` } @dirs;

chomp @made;

my ($name) = $made[0] =~ m{/(ngx_ws_mgr-\d[\d.]*)\.tar\.gz$};

ok $name, 'it is made' or BAIL_OUT($made[0]);
is system('cmp', @made), 0, 'twice the same';

my @there = sort map { s{^\Q$name\E/}{}r } grep { !m{/$} } `tar -tzf $made[0]`;
my @known = sort `git -C $top ls-tree -r --name-only HEAD`;

cmp_ok scalar @known, '>', 300, 'files are known';
is_deeply \@there, \@known, 'and all are in it';

# what needs no git there
is system("tar -xzf $made[0] -C $dirs[0]"), 0, 'unpacked';

for ('build-aux/embed --check', 'build-aux/prose --check', 'make -n all') {
    my $said = `cd $dirs[0]/$name && GIT_CEILING_DIRECTORIES=$dirs[0] $_ 2>&1`;

    is $?, 0, "$_ in it" or diag $said;
}

done_testing;
