# "make help" says what there is.

SHELL =			/bin/bash
.DEFAULT_GOAL :=	all
.DELETE_ON_ERROR:
MAKEFLAGS +=		--no-print-directory

JOBS ?=			$(shell nproc)
V ?=
HOST ?=
PORT ?=

# The nginx to build with: the packaged one, or any source tree.

PACKAGED_SRC =		/usr/share/nginx/src
NGINX_SRC ?=		$(PACKAGED_SRC)
NGX_CONF ?=
NGX_CC ?=
STATIC ?=

PACKAGED =		$(if $(filter $(PACKAGED_SRC),$(NGINX_SRC)),yes)
BUILD =			$(CURDIR)/build
TREE ?=			$(BUILD)/$(if $(PACKAGED),nginx,of-$(notdir $(abspath \
				$(NGINX_SRC))))$(if $(STATIC),-static)
NGINX =			$(if $(PACKAGED),/usr/sbin/nginx,$(TREE)/objs/nginx)
MODULE =		$(if $(STATIC),,$(TREE)/objs/$(MODULE_FILE))
MODULE_FILE =		ngx_http_ws_mgr_module.so

CFLAGS ?=		-g -O2 -fstack-protector-strong -D_FORTIFY_SOURCE=2
LDFLAGS ?=		-Wl,-z,relro -Wl,-z,now
unexport CFLAGS LDFLAGS

BUILD_TREE =		CFLAGS='$(CFLAGS)' LDFLAGS='$(LDFLAGS)' \
			STATIC='$(STATIC)' NGX_CONF='$(NGX_CONF)' \
			NGX_CC='$(NGX_CC)' JOBS=$(JOBS) V='$(V)' \
			build-aux/build '$(NGINX_SRC)' '$(TREE)'

TEST_MK =		flock $(TREE)/.lock env -u MAKEFLAGS make $(if $(V),,-s) -j$(JOBS) \
			-C $(TREE) -f $(CURDIR)/build-aux/test.mk \
			TOP=$(CURDIR)


all:	deps-build$(if $(PACKAGED),-nginx)
	@$(BUILD_TREE) $(if $(PACKAGED),,binary) $(if $(STATIC),,modules)

help:
	@sed -n 's/^#: \?//p' Makefile

#: make                  the module, build/nginx/objs/ngx_http_ws_mgr_module.so
#: make NGINX_SRC=DIR    the module and nginx, of the source tree DIR; with
#:                       STATIC=1 the module is linked into nginx; NGX_CONF=
#:                       is for more arguments of nginx's ./configure
#: make run              a manager at 127.0.0.1:8080 (PORT=, HOST=), till ^C
#: make demo-page         the same: open http://127.0.0.1:8080/ in a browser
#: make demo             shows the golden path to a manager that runs (PORT=)
#: make test             all tests; T='t/tickets/ticket_use.t' for some of them
#: make test-asan        the same, with ASan and UBSan, nginx included
#: make embed            takes the status page (api/status_page.html) and the
#:                       scripts for Redis (*.lua) of ngx_ws_mgr/ into C
#: make docs             docs/metrics.md, of what a manager answers
#: make unit NOUN=frame  one unit test, even while other nouns do not compile
#: make chaos            ten minutes (SECONDS=) of reloads, killed workers and more
#: make chaos-asan       the same for three minutes, with ASan and UBSan
#: make fuzz-state       random steps (SEED=) of clients, workers, Redis and clocks,
#:                       against a model of the protocol, for SECONDS=
#:                       (ENGINE=, shm or redis)
#: make fuzz-memory      the same while one call in n for memory is refused
#: make fuzz             each fuzz target (NOUN=) for 60 seconds (SECONDS=)
#: make fuzz-corpus      takes into t/fuzz/corpus/ what "make fuzz" has found
#: make mutate           breaks N= (300) places of the module, one at a time (SEED=,
#:                       ONLY=, a pattern of file:line): which do no tests notice?
#: make bench            ourselves, a bare server and rivals, side by side (9 minutes);
#:                       then bench-memory
#: make bench-quick      our ratios to the bare server, against the last ones
#: make bench-memory     bytes for each idle connection, of 10000 (N=)
#: make bench-redis      CPU of ticket checks in Redis, as a ratio (N=)
#: make bench-frame      GB/s and frames/s of the frame parser, in one thread
#: make deb              a Debian package, build/deb/libnginx-mod-http-ws-mgr_*.deb
#: make install          the module into nginx's directories (DESTDIR=)
#: make fresh            what a newcomer does, in a fresh Debian of
#:                       DEBIAN=bookworm or trixie: run, demo, test (T=)
#: make dist             build/ngx_ws_mgr-VERSION.tar.gz, of the last commit
#: make lint             what clang-tidy, cppcheck, luac, shellcheck and the
#:                       measure of English say
#: make compile-commands  build/compile_commands.json, for editors
#: make cover            coverage by the tests (T=), by folder
#: make deps             installs every Debian package that these need
#: make clean            removes build/
#: V=1                   shows the commands

deps:
	@build-aux/deps build nginx run test bench source fuzz

deps-%:
	@build-aux/deps $(subst -, ,$*)


run:	deps-build-run all
	@HOST='$(HOST)' PORT='$(PORT)' build-aux/run '$(MODULE)' '$(NGINX)' \
		'$(BUILD)/run'

demo-page:	run

demo:
	@demo/demo 127.0.0.1:$(or $(PORT),8080)


T ?=			t

units:	all
	@$(TEST_MK) OUT=$(TREE)/t STATIC=$(STATIC) SANITIZE='$(SANITIZE)' tests

clients:	deps-build-test
	@build-aux/clients $(BUILD)/clients

# workers that can be made to die wherever they hold a lock: t/lifecycle/faults.t

FAULTY =		-DNGX_WS_MGR_FAILPOINTS=1

failpoints:	all
	@$(MAKE) all TREE=$(BUILD)/failpoints CFLAGS='$(CFLAGS) $(FAULTY)'

# Node of build-aux/clients, where the system's is too old

WITH_NODE =		PATH=$(BUILD)/clients/node:"$$PATH"

TEST_ENV =		$(WITH_NODE) WS_MGR_NGINX=$(NGINX) WS_MGR_MODULE=$(MODULE) \
			WS_MGR_UNITS=$(TREE)/t WS_MGR_CLIENTS=$(BUILD)/clients \
			WS_MGR_FAILPOINTS_MODULE=$(if $(STATIC),,$(BUILD)/failpoints/objs/$(MODULE_FILE))

test:	deps-build-test units clients $(if $(STATIC),,failpoints)
	$(TEST_ENV) prove -j2 -r $(T)

# A root is kept from one run to the next: build/fresh/bookworm.

DEBIAN ?=		bookworm

fresh:
	@build-aux/fresh $(DEBIAN) $(BUILD)/fresh "build-aux/newcomer $(T)"

deb:	deps-build-nginx-deb
	@build-aux/deb $(BUILD)/deb

embed:
	@build-aux/embed

# The same bytes for the same commit: git archive takes its time of it.

VERSION =		$(shell sed -n 's/^.define NGX_WS_MGR_VERSION *"\(.*\)"/\1/p' \
				ngx_ws_mgr/conf/ngx_ws_mgr_conf.h)
DIST =			ngx_ws_mgr-$(VERSION)

dist:
	@mkdir -p $(BUILD)
	@git archive --format=tar --prefix=$(DIST)/ HEAD | gzip -9n \
		> $(BUILD)/$(DIST).tar.gz
	@echo $(BUILD)/$(DIST).tar.gz

compile-commands:	all
	@build-aux/compile-commands $(TREE) $(BUILD)/compile_commands.json

lint:	deps-lint compile-commands
	@build-aux/lint $(BUILD)

# Workers of nobody write what they counted beside the objects.

COVER =			TREE=$(BUILD)/cover CFLAGS='-g -O0 --coverage \
			-fprofile-update=atomic' LDFLAGS=--coverage

cover:	deps-lint
	@$(MAKE) units $(COVER)
	@find $(BUILD)/cover -name '*.gcda' -delete
	@chmod -R a+w $(BUILD)/cover/objs
	-$(MAKE) test $(COVER)
	@build-aux/cover $(BUILD)/cover

docs:	deps-build-test all
	@WS_MGR_DOCS=1 $(TEST_ENV) prove t/api/metrics.t

unit:	deps-build-test
	@test -n "$(NOUN)" || { echo "which one? make unit NOUN=frame"; exit 2; }
	-@KEEP_GOING=1 $(BUILD_TREE) modules
	@$(TEST_MK) OUT=$(TREE)/t NOUN=$(NOUN) tests
	@$(TEST_ENV) WS_MGR_NOUN=$(NOUN) prove -v t/unit.t


# What a test does for a quarter of a minute, for as long as one likes.

CHAOS =			WS_MGR_CHAOS=$(or $(SECONDS),600)
CHAOS_ASAN =		WS_MGR_CHAOS=$(or $(SECONDS),180)

chaos:
	@$(CHAOS) $(MAKE) test T=t/lifecycle/chaos.t

chaos-asan:
	@$(CHAOS_ASAN) $(MAKE) test-asan T=t/lifecycle/chaos.t

FUZZ_STATE =		WS_MGR_STATE=$(or $(SECONDS),600) WS_MGR_SEED=$(SEED) \
			WS_MGR_ENGINE='$(ENGINE)' $(MAKE) test

fuzz-state:
	@$(FUZZ_STATE) T=t/lifecycle/state.t

fuzz-memory:
	@$(FUZZ_STATE) T=t/lifecycle/memory_refused.t

mutate:	deps-build-test units clients
	@build-aux/mutate $(BUILD)/mutate $(or $(SEED),1) \
		$(if $(filter command,$(origin N)),$(N),300) '$(ONLY)'


# The sanitizers want nginx to be compiled with them; nginx-dev has no sources.

SOURCE =		$(BUILD)/source/nginx
SANITIZE =
SANITIZED =		-g -O1 -fno-omit-frame-pointer -DNGX_DEBUG_PALLOC=1 $(FAULTY)

source:	deps-build-nginx-source
	@build-aux/source $(BUILD)/source

test-asan:	source
	@ASAN_OPTIONS=suppressions=$(CURDIR)/build-aux/asan.supp \
	LSAN_OPTIONS=suppressions=$(CURDIR)/build-aux/lsan.supp \
	UBSAN_OPTIONS=print_stacktrace=1 WS_MGR_ASAN=1 \
	$(MAKE) test NGINX_SRC=$(SOURCE) TREE=$(BUILD)/asan STATIC=1 \
		SANITIZE='-fsanitize=address,undefined' \
		CFLAGS='$(SANITIZED) $$(SANITIZE)' LDFLAGS='$$(SANITIZE)'

FUZZ =			NGINX_SRC=$(SOURCE) TREE=$(BUILD)/fuzz STATIC=1 \
			NGX_CC=clang SANITIZE='-fsanitize=address,fuzzer-no-link' \
			CFLAGS='$(SANITIZED) $$(SANITIZE)' \
			LDFLAGS='-fsanitize=address'
FUZZ_NOUNS =		$(or $(NOUN),$(filter-out driver replay,$(basename \
				$(notdir $(wildcard t/fuzz/*.c)))))

fuzzers:	source deps-fuzz
	@$(MAKE) $(FUZZ) fuzz-link

fuzz-link:	all
	@$(TEST_MK) OUT=$(TREE)/t NOUN=$(NOUN) fuzzers

fuzz:	fuzzers
	cd $(BUILD)/fuzz && for noun in $(FUZZ_NOUNS); do \
		dict=$(CURDIR)/t/fuzz/$$noun.dict; \
		mkdir -p found/$$noun && t/$$noun -max_total_time=$(or $(SECONDS),60) \
			$$(test ! -f $$dict || echo -dict=$$dict) \
			-timeout=10 -print_final_stats=1 \
			-artifact_prefix=$$noun- found/$$noun \
			$(CURDIR)/t/fuzz/corpus/$$noun || exit 1; \
	done

fuzz-corpus:	fuzzers
	for noun in $(FUZZ_NOUNS); do \
		mkdir -p t/fuzz/corpus/$$noun && $(BUILD)/fuzz/t/$$noun \
			-merge=1 t/fuzz/corpus/$$noun \
			$(BUILD)/fuzz/found/$$noun || exit 1; \
	done


N ?=			10000

SIDE =			$(WITH_NODE) WS_MGR_CLIENTS=$(BUILD)/clients bench/compare/side $(NGINX) \
			'$(MODULE)' $(BUILD)/side

bench:	deps-build-bench-rivals clients all
	@$(SIDE) $(if $(WRITE),--write)
	@$(MAKE) bench-memory

bench-quick:	deps-build-bench all
	@$(SIDE) --quick

bench-memory:	deps-build-bench all
	bench/memory $(NGINX) '$(MODULE)' $(BUILD)/bench $(N)

bench-redis:	deps-build-test-bench all
	bench/redis $(NGINX) '$(MODULE)' $(BUILD)/bench-redis \
		$(if $(filter file,$(origin N)),,$(N))

bench-frame:	deps-build-test-bench all
	@$(TEST_MK) OUT=$(TREE)/t STATIC=$(STATIC) benches
	@bench/frame/run $(NGINX) $(TREE)/t/bench/frame.so $(BUILD)/bench-frame


# as Debian's own modules have it

MODULES_DIR ?=		/usr/lib/nginx/modules
AVAILABLE_DIR ?=	/usr/share/nginx/modules-available
ENABLED_DIR =		/etc/nginx/modules-enabled
AVAILABLE =		$(AVAILABLE_DIR)/mod-http-ws-mgr.conf

install:	all
	install -d $(DESTDIR)$(MODULES_DIR) $(DESTDIR)$(AVAILABLE_DIR)
	install -m 644 $(MODULE) $(DESTDIR)$(MODULES_DIR)/$(MODULE_FILE)
	echo 'load_module modules/$(MODULE_FILE);' > $(DESTDIR)$(AVAILABLE)
	@echo
	@echo 'To load it: ln -s $(AVAILABLE) $(ENABLED_DIR)/50-mod-http-ws-mgr.conf'

clean:
	rm -rf $(BUILD)

.PHONY:	mutate fuzz-state fuzz-memory all help deps fresh bench bench-quick run demo-page demo units clients test docs embed dist compile-commands lint cover deb unit source test-asan fuzzers \
	fuzz-link fuzz fuzz-corpus bench-memory bench-redis bench-frame install clean
