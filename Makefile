# ngx_ws_mgr: "make help" says what there is.

SHELL =		/bin/bash
.DEFAULT_GOAL :=	all
.DELETE_ON_ERROR:
MAKEFLAGS +=	--no-print-directory
V ?=

TOP :=		$(CURDIR)
BUILD =		$(TOP)/build
JOBS ?=		$(shell nproc)

# The nginx to build against: the packaged one, or any source tree.

NGX_SRC ?=	/usr/share/nginx/src
STATIC ?=
NGX_CONF ?=

PACKAGED :=	$(if $(filter /usr/share/nginx/src,$(NGX_SRC)),1)
TREE =		$(BUILD)/$(if $(PACKAGED),nginx,$(notdir $(abspath \
			$(NGX_SRC))))$(if $(STATIC),-static)
MODULE =	$(if $(STATIC),,$(TREE)/objs/ngx_http_ws_mgr_module.so)
NGINX =		$(if $(PACKAGED),/usr/sbin/nginx,$(TREE)/objs/nginx)

CFLAGS ?=	-g -O2 -fstack-protector-strong -D_FORTIFY_SOURCE=2
LDFLAGS ?=	-Wl,-z,relro -Wl,-z,now
unexport CFLAGS LDFLAGS

# nginx's own flags have -Wall -Werror, and spare unused parameters: not ours.
STRICT =	$(if $(STATIC),,-Wextra -Wunused-parameter)

BUILD_TREE =	CFLAGS='$(CFLAGS) $(STRICT)' LDFLAGS='$(LDFLAGS)' \
			STATIC='$(STATIC)' NGX_CONF='$(NGX_CONF)' JOBS=$(JOBS) V=$(V) \
			build-aux/build $(NGX_SRC) $(TREE)
TEST_MK =	$(MAKE) $(if $(V),,-s) -C $(TREE) -f $(TOP)/build-aux/test.mk TOP=$(TOP) \
			OUT=$(TREE)/t STATIC=$(STATIC)


all:
	@$(BUILD_TREE) $(if $(PACKAGED),,binary) $(if $(STATIC),,modules)

units:	all
	@$(TEST_MK) -j$(JOBS)

# one noun's unit test, even while others of the module do not compile

unit:
	@test -n "$(NOUN)" || { echo "which one? make unit NOUN=frame"; exit 2; }
	-@KEEP_GOING=1 $(BUILD_TREE) modules
	@$(TEST_MK) NOUN=$(NOUN)
	WS_MGR_NGINX=$(NGINX) WS_MGR_UNIT=$(TREE)/t WS_MGR_NOUN=$(NOUN) \
		prove -v t/unit.t

.PHONY:	all units unit
