#!/usr/bin/perl

# What a reader can copy works, and what documents list is what there is.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::WsMgr;
use Test::WsMgr::Browser;

sub slurp {
    open my $file, '<', $_[0] or die "$_[0]: $!";
    local $/;

    return scalar <$file>;
}

# --- directives ---

my %module = slurp("$top/ngx_ws_mgr/ngx_ws_mgr_module.c")
             =~ /ngx_string\("(ws_mgr_\w+)"\),\s*(\S+?\|)/g;
my $directives = slurp("$top/docs/directives.md");
my @rows = $directives =~ /^\| \[`(ws_mgr_\w+)`\]\(#\1\) \|/mg;
my @sections = $directives =~ /^## (ws_mgr_\w+)$/mg;

delete @module{qw/ ws_mgr_user ws_mgr_connection ws_mgr_refusal /};
is_deeply [ sort @rows ], [ sort keys %module ], 'a row for each directive';
is_deeply \@sections, \@rows, 'and a section, in the same order';

for my $name (@rows) {
    my ($where) = $directives =~ /^\| \[`$name`\]\S* \| ([^|]*?) \|/m;
    my $context = $module{$name} =~ /MODULE_ANY/ ? 'http, server, location'
                : $module{$name} =~ /MAIN_CONF/ ? 'http' : 'location';

    is $where, $context, "$name: where it goes";
}

# --- paths and operations of the API ---

my $api = slurp("$top/ngx_ws_mgr/api/ngx_ws_mgr_api.c");
my %arg = (PLAIN => '', USER => '/{user}', ID => '/{id}');
my @have = map { lc $_->[0] . " /$_->[1]$arg{$_->[2]}" } grep { @$_ }
           map { [ /NGX_HTTP_(\w+), ngx_string\("(\w+)"\), NGX_WS_MGR_API_(\w+)/ ] }
           $api =~ /\{ (NGX_HTTP_\w+, ngx_string[^}]+)\}/g;
my ($path, @said);

for (split /\n/, slurp("$top/docs/openapi.yaml")) {
    $path = $1 if m{^  (/\S+):$};
    push @said, "$1 $path" if /^    (get|post|delete):$/;
}

cmp_ok scalar(@have), '>=', 13, 'the table of the API is found';
is_deeply [ sort @said ], [ sort @have ], 'openapi.yaml has each operation';

# --- types of frames ---

my %types = map { $_ => 1 } map { slurp($_) =~ /\\"type\\":\\"(\w+)\\"/g }
            glob "$top/ngx_ws_mgr/{session,delivery,socket}/*.c";
my $async = slurp("$top/docs/asyncapi.yaml");

cmp_ok scalar(keys %types), '>=', 5, 'frames are found';
is_deeply [ grep { $async !~ /^    $_:$/m } sort keys %types ], [],
          'asyncapi.yaml has each';

SKIP: {
    my $dir = clients_dir();

    skip 'npm has not brought its packages', 2 if !$dir;

    my @lint = `WS_MGR_CLIENTS=$dir node $top/t/browser/lint.mjs 2>&1`;

    for (@lint) {
        /^(ok|not ok) (.*)/ ? ok $1 eq 'ok', "lint: $2" : diag $_;
    }
}

# --- links ---

for my $file (glob "$top/README.md $top/docs/*.md $top/clients/*/README.md") {
    my $from = $file =~ s{/[^/]*$}{}r;
    my @links = grep { !/^(?:https?:|#)/ } slurp($file) =~ /\]\(([^)#\s]+)/g;

    is_deeply [ grep { !-e "$from/$_" } @links ], [], "$file: links lead somewhere";
}

# --- what can be copied ---

my $mgr = manager(<<'CONF');
    location /ws   { ws_mgr_socket; }
    location /api/ { ws_mgr_api; }
CONF

my $at = $mgr->address;
my %run = (
    bash => sub { "bash -eu $_[0]" },
    python => sub { "env PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$top/clients/python"
                    . " /usr/bin/python3 $_[0]" },
    mjs => sub { "node $_[0]" },
);
my $ann = $mgr->connect('ann');
my $n = 0;

for my $file (glob "$top/README.md $top/clients/*/README.md") {
    my $text = slurp($file);
    my $name = $file =~ s{^\Q$top\E/}{}r;

    while ($text =~ /^```(\w+)\n(.*?)^```/msg) {
        my ($kind, $block) = ($1, $2);

        $block =~ s/127\.0\.0\.1:8080/$at/g;
        $n++;

        if ($kind eq 'js') {
            # of a page: its syntax, and that what it imports is there
            $block =~ s{'\@ngx-ws-mgr/client(/agui)?'}
                       {"'$top/clients/js/" . ($1 ? 'agui.js' : 'index.js') . "'"}ge;
            my $path = $mgr->write_file("block$n.mjs", $block);
            my $said = `node --check $path 2>&1`;

            is $?, 0, "$name: a page's block parses" or diag $said;
            next;
        }

        my $run = $run{$kind} or next;
        my $path = $mgr->write_file("block$n" . ($kind eq 'mjs' ? '.mjs' : ''),
                                    $kind eq 'bash' && $block =~ /^ticket=/
                                    ? "$block\ntest \${#ticket} = 43\n" : $block);
        my $said = `@{[ $run->($path) ]} 2>&1`;

        is $?, 0, "$name: a block of $kind runs" or diag $said;
    }
}

cmp_ok $n, '>=', 7, "$n blocks";

my %heard = map { $_->{type} => 1 } map { $ann->event } 1 .. 8;

ok $heard{agent_started} && $heard{tool_completed} && $heard{progress},
   'and their events arrived';
