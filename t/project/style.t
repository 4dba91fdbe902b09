#!/usr/bin/perl

# Style and order of ngx_ws_mgr/, as tests.

use strict;
use warnings;

use Cwd qw/ abs_path /;
use File::Basename qw/ basename dirname /;
use Test::More;

# A file includes headers of its own folder and of the folders before it.
my @folders = qw/ core websocket session event shm http redis ticket engine
                  delivery conf posting socket api /;

my $root = dirname(dirname(dirname(abs_path(__FILE__))));
my $dir = "$root/ngx_ws_mgr";
my %path = map { basename($_) => $_ } glob "$dir/*.[ch] $dir/*/*.[ch]";
my %text = map { $_ => slurp($path{$_}) } keys %path;

sub slurp {
    open my $file, '<', $_[0] or die "$_[0]: $!";
    local $/;
    return scalar <$file>;
}

# comments and literals are blanked, lines stay where they are
sub code_of {
    my ($text) = @_;
    my $blank = sub { $_[0] =~ s/[^\n]/ /gr };

    $text =~ s{(/\*.*?\*/|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])+')}
              {$blank->($1)}gse;

    return $text;
}

# numbers of the lines that match, each counted once
sub lines_with {
    my ($text, $pattern) = @_;
    my $n = 0;

    return grep { $_ } map { $n++; /$pattern/ ? $n : 0 } split /\n/, $text;
}

sub none {
    my ($name, @found) = @_;

    ok(!@found, $name) || diag(join "\n", @found);
}

# { name, line, lines, depth } of each function in a .c file
sub functions_of {
    my ($code) = @_;
    my (@functions, $current, $depth);
    my @lines = split /\n/, $code;

    for my $i (0 .. $#lines) {
        if ($lines[$i] =~ /^\{/ && $i && $lines[$i - 1] =~ /\)\s*$/) {
            my $start = $i - 1;

            $start-- while $start > 0 && $lines[$start] !~ /^\w+\(/;

            my ($name) = $lines[$start] =~ /^(\w+)\(/;

            $current = { name => $name // '?', line => $start + 1, depth => 0,
                         type => $start ? $lines[$start - 1] : '' };
            $depth = 0;
        }

        next if !$current;

        for my $brace ($lines[$i] =~ /[{}]/g) {
            $depth += $brace eq '{' ? 1 : -1;
            $current->{depth} = $depth - 1 if $depth - 1 > $current->{depth};
        }

        if ($depth == 0 && $lines[$i] =~ /^\}/) {
            $current->{lines} = $i + 2 - $current->{line};
            push @functions, $current;
            undef $current;
        }
    }

    return @functions;
}

ok keys %text > 20, scalar(keys %text) . ' files';

# the order of folders
my %rank = map { $folders[$_] => $_ } 0 .. $#folders;
my %folder = map { $_ => basename(dirname($path{$_})) } keys %path;

$rank{ngx_ws_mgr} = @folders;

none('every file is in a folder of the list',
     grep { !exists $rank{$folder{$_}} } sort keys %text);
is_deeply [ grep { $folder{$_} eq 'ngx_ws_mgr' } sort keys %text ],
          [ 'ngx_ws_mgr_module.c' ], 'the module alone stands on top';

my (@upward, $includes);

for my $file (sort keys %text) {
    push @upward, "$file includes a .c file" if $text{$file} =~ /#include.*\.c>/;

    for my $header ($text{$file} =~ /#include\s+[<"](ngx_\w*ws_mgr_\w+\.h)/g) {
        $includes++;
        push @upward, "$folder{$file}/$file includes "
                      . ($folder{$header} // 'no') . "/$header"
            if !exists $folder{$header}
               || $rank{$folder{$header}} > $rank{$folder{$file}};
    }
}

cmp_ok $includes // 0, '>', 300, 'includes are found';
none('a file includes its own folder and those before it', @upward);

# form
my %never = (
    'a tab'                   => qr/\t/,
    'space at the end'        => qr/[ \t]$/,
    'more than 80 columns'    => qr/^.{81}/,
    'a carriage return'       => qr/\r/,
    'TODO, FIXME or XXX'      => qr/\b(?:TODO|FIXME|XXX)\b/,
    'a copyright of no one'   => qr/\(c\) 20/i,
);

my %never_in_code = (
    'a // comment'            => qr{//},
    'assert()'                => qr/\bassert\s*\(/,
    'assignment inside if'    => qr/\bif \((?:[^=!<>]|[!<>=]=)*[^=!<>]=[^=]/,
    'a call of the C library' => qr/\b(?:sprintf|strcpy|strcat|gets|atoi)\s*\(/,
);

for my $what (sort keys %never) {
    none("no $what", map { my $file = $_;
                           map { "$file:$_" }
                           lines_with($text{$file}, $never{$what}) }
                     sort keys %text);
}

my %code = map { $_ => code_of($text{$_}) } keys %text;

for my $what (sort keys %never_in_code) {
    none("no $what", map { my $file = $_;
                           map { "$file:$_" }
                           lines_with($code{$file}, $never_in_code{$what}) }
                     sort keys %code);
}

none('every file begins with a blank line and the copyright',
     grep { $text{$_} !~ m{\A\n/\*\n \* Copyright \(C\) } } sort keys %text);
none('every file ends with one newline',
     grep { $text{$_} !~ /[^\n]\n\z/ } sort keys %text);
none('a file that is not made has at most 700 lines',
     grep { $text{$_} !~ /Made by "make embed"/
            && ($text{$_} =~ tr/\n//) > 700 } sort keys %text);

# braces always: what follows if, else, for, while and do is a brace, at the
# end of the line or, where the condition wraps, on the next
my @bare;

for my $file (sort keys %code) {
    my $code = $code{$file} =~ s/^\s*#(?:.*\\\n)*.*$//gmr;
    my $nested = qr/(\((?:[^()]++|(?-1))*+\))/;

    while ($code =~ /\b(?:if|for|while|switch)\s*$nested(\s*)(\S)/g) {
        my $line = 1 + (substr($code, 0, $-[0]) =~ tr/\n//);

        push @bare, "$file:$line" if $3 ne '{' && $3 ne ';';
    }

    while ($code =~ /\belse\b\s*(\S\w?)/g) {
        my $line = 1 + (substr($code, 0, $-[0]) =~ tr/\n//);

        push @bare, "$file:$line" if $1 !~ /^\{/ && $1 ne 'if';
    }
}

none('braces always', @bare);

# functions
my (@long, @deep, @types, @spaces, @lengths);

for my $file (grep { /\.c$/ } sort keys %code) {
    for my $f (functions_of($code{$file})) {
        my $where = "$file:$f->{line} $f->{name}";

        push @lengths, $f->{lines};
        push @long, "$where: $f->{lines} lines" if $f->{lines} > 100;
        push @deep, "$where: depth $f->{depth}" if $f->{depth} > 4;
        push @types, $where if $f->{type} !~ /^\w[\w \*]*$/;
    }

    my @lines = split /\n/, $text{$file};

    for my $i (3 .. $#lines) {
        push @spaces, "$file:" . ($i + 1)
            if $lines[$i - 1] eq '' && $lines[$i - 2] eq ''
               && $lines[$i] eq '';
    }
}

@lengths = sort { $a <=> $b } @lengths;

none('a function has at most 100 lines', @long);
none('nesting is at most 4 deep', @deep);
none('the return type stands on its own line', @types);
none('never three blank lines', @spaces);
cmp_ok $lengths[@lengths / 2] // 0, '<', 30, 'half the functions are under 30 lines';

# every header compiles alone, where nginx's own are at hand
SKIP: {
    my ($tree) = grep { -e "$_/objs/ngx_auto_config.h" }
                 map { glob } "$root/build/nginx", "$root/build/*", '/opt/src/b';

    skip 'no configured nginx tree', 1 if !$tree;

    my $include = join ' ', (map { "-I$tree/$_" }
                  qw{ src/core src/event src/event/modules src/os/unix objs
                      src/http src/http/modules src/http/v2 }),
                  map { "-I$dir/$_" } @folders;
    my @broken;

    for my $header (grep { /\.h$/ } sort keys %text) {
        my $said = `echo '#include <$header>' | gcc -std=gnu11 -Wall -Wextra \\
                    -Werror -fsyntax-only -x c $include - 2>&1`;

        push @broken, $said if $?;
    }

    none('every header compiles alone', @broken);
}

# names
my ($module) = grep { -e } map { glob "$root/$_" }
               'build/nginx/objs/ngx_http_ws_mgr_module.so',
               'build/*/objs/ngx_http_ws_mgr_module.so';

SKIP: {
    skip 'no module', 1 if !$module;

    my @symbols = grep { length } map { (split)[2] // '' }
                  `nm -D --defined-only $module`;

    none('every global symbol has our prefix',
         grep { !/^ngx_(?:http_)?ws_mgr_/
                && !/^(?:ngx_modules|ngx_module_names|ngx_module_order)$/ }
         @symbols);
}

for my $file (qw/ README.md CHANGES LICENSE Makefile config .editorconfig
                  conf.example .ci\/run /)
{
    ok -e "$root/$file", "$file is there";
}

like slurp("$root/CHANGES"), qr/^ {4}\*\) (?:Feature|Bugfix|Change): /m,
     "CHANGES has nginx's form" if -e "$root/CHANGES";

# English
my $figures = `$root/build-aux/prose --check 2>&1`;

is $?, 0, 'comments and documents are within the limits of build-aux/prose'
    or diag $figures;

# one version
my ($version) = slurp($path{'ngx_ws_mgr_conf.h'})
                =~ /^#define NGX_WS_MGR_VERSION +"([\d.]+)"/m;

ok $version, 'the module has a version';

for (['packaging/debian/changelog', qr/^ngx-ws-mgr \(([^)]+)\)/],
     ['clients/js/package.json', qr/"version": "([^"]+)"/],
     ['clients/python/pyproject.toml', qr/^version = "([^"]+)"/m],
     ['clients/python/ws_mgr/__init__.py', qr/^__version__ = '([^']+)'/m],
     ['docs/openapi.yaml', qr/^  version: (\S+)/m],
     ['docs/asyncapi.yaml', qr/^  version: (\S+)/m])
{
    my ($file, $pattern) = @$_;
    my ($other) = slurp("$root/$file") =~ $pattern;

    is $other, $version, "$file has the module's version";
}

my ($newest) = slurp("$root/CHANGES") =~ /^Changes with ngx_ws_mgr ([\d.]+)/m;

ok defined $newest && "$version." =~ /^\Q$newest\E\./, "and so has CHANGES";

done_testing;
