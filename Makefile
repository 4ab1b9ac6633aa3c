# meltshim: `make` builds, `make check` tests, `make demo` shows it at work, `make help` lists the rest.

BUILD ?= build
PREFIX ?= /usr/local
UNIT_DIR ?= $(PREFIX)/lib/systemd/system
# shell=where it looks below PREFIX/share
COMPLETIONS := bash=bash-completion/completions/meltshim zsh=zsh/site-functions/_meltshim \
    fish=fish/vendor_completions.d/meltshim.fish
VERSION := 0.1.0

CC ?= cc
OPT ?= -O2 -g
WARNINGS := -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
            -Wformat=2 -Wvla -Wwrite-strings
ifdef WERROR
WARNINGS += -Werror
endif
ifdef SAN
SANFLAGS := -fsanitize=$(SAN) -fno-omit-frame-pointer -fno-sanitize-recover=all
endif

# The executable links only what nearly every command needs; the rest lives in modules that are
# opened on first use, because a start that links them all costs eight times as much.
CORE_PACKAGES := yaml-0.1 sqlite3 nettle
HTTP_PACKAGES := libcurl
POSTGRES_PACKAGES := libpq

pkg = $(shell pkg-config $(1) $(2) 2>/dev/null)

CPPFLAGS += -D_GNU_SOURCE -Isrc -I. -DMELTSHIM_VERSION='"$(VERSION)"' \
            -DMELTSHIM_MODULE_DIR='"$(PREFIX)/lib/meltshim"'
CFLAGS += -std=c11 $(OPT) $(WARNINGS) $(SANFLAGS) -pthread -fPIC -fvisibility=default $(call pkg,--cflags,$(CORE_PACKAGES))
LDFLAGS += $(SANFLAGS) -rdynamic
LDLIBS += $(call pkg,--libs,$(CORE_PACKAGES)) -ldl -lm -pthread

ROOMS := base process project config store plugin airflow pipeline
LIB_SOURCES := $(sort $(foreach room,$(ROOMS),$(wildcard src/$(room)/*.c)) $(wildcard dag_generator/*.c))
SHIM_SOURCES := $(sort $(wildcard shim/*.c))
TEST_SOURCES := $(sort $(wildcard tests/unit/*.c tests/unit/*/*.c))
EMBEDDED := $(sort $(wildcard templates/* src/store/sql/*.sql))
MODULES := $(patsubst src/modules/%_module.c,$(BUILD)/meltshim-%.so,$(wildcard src/modules/*_module.c))

object = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))
LIB_OBJECTS := $(call object,$(LIB_SOURCES)) $(BUILD)/obj/embedded.o
SHIM_OBJECTS := $(call object,$(SHIM_SOURCES))
MODULE_OBJECTS := $(call object,$(wildcard src/modules/*_module.c))
# The unit tests may call the command tables, but bring their own main().
TEST_OBJECTS := $(call object,$(TEST_SOURCES)) $(BUILD)/obj/unit_suites.o \
                $(filter-out $(BUILD)/obj/shim/main.o,$(SHIM_OBJECTS))

.DEFAULT_GOAL := all
.PHONY: all help unit check soak demo bench docs lint format install uninstall clean FORCE

all: $(BUILD)/meltshim $(BUILD)/meltshim-airflow $(MODULES)

help:
	@echo "make            build $(BUILD)/meltshim and its modules"
	@echo "make check      install what the tests need and run all of them"
	@echo "make unit       run the unit tests only"
	@echo "make soak       the long form of the fault tests: hundreds of kills on both databases"
	@echo "make demo       a Meltano project from its schedules to a finished Airflow task"
	@echo "make bench      compare with the Python Meltano and with a bare shell pipe"
	@echo "make docs       write docs/cli.md from the command tables"
	@echo "make lint       clang-format, cppcheck and the include rules"
	@echo "make format     format the sources in place"
	@echo "make install    install below PREFIX=$(PREFIX), honouring DESTDIR"
	@echo "make uninstall  remove what make install has put there"
	@echo "make clean      remove $(BUILD)"
	@echo "SAN=address,undefined and WERROR=1 work with every target; BUILD=dir builds elsewhere"

$(BUILD)/libmeltshim.a: $(LIB_OBJECTS)
	@rm -f $@
	$(AR) rcs $@ $^

$(BUILD)/meltshim: $(SHIM_OBJECTS) $(BUILD)/libmeltshim.a
	$(CC) $(LDFLAGS) -o $@ $(SHIM_OBJECTS) \
	    -Wl,--whole-archive $(BUILD)/libmeltshim.a -Wl,--no-whole-archive $(LDLIBS)

# The same program under the name by which the Python Meltano starts it as its Airflow.
$(BUILD)/meltshim-airflow: $(BUILD)/meltshim
	ln -sf meltshim $@

$(BUILD)/meltshim-http.so: MODULE_LIBS = $(call pkg,--libs,$(HTTP_PACKAGES))
$(BUILD)/meltshim-postgres.so: MODULE_LIBS = $(call pkg,--libs,$(POSTGRES_PACKAGES))
$(BUILD)/obj/src/modules/postgres_module.o: MODULE_CFLAGS = $(call pkg,--cflags,$(POSTGRES_PACKAGES))
$(BUILD)/meltshim-%.so: $(BUILD)/obj/src/modules/%_module.o
	$(CC) $(SANFLAGS) -shared -o $@ $< $(MODULE_LIBS)

$(BUILD)/tests/unit: $(TEST_OBJECTS) $(BUILD)/libmeltshim.a
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -o $@ $(TEST_OBJECTS) -Wl,--whole-archive $(BUILD)/libmeltshim.a \
	    -Wl,--no-whole-archive $(LDLIBS) $(call pkg,--libs,check)

# For clang with OPT=-fsanitize=fuzzer-no-link: see tests/fuzz/run.
$(BUILD)/tests/fuzz/%: tests/fuzz/%_fuzz.c $(BUILD)/libmeltshim.a
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) -fsanitize=fuzzer -o $@ $^ $(LDLIBS)

$(BUILD)/obj/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) $(MODULE_CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/obj/%.o: $(BUILD)/gen/%.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

# Templates and SQL are built in, each as a string that ends in a NUL: embedded_<path with _>.
$(BUILD)/gen/embedded.S: $(EMBEDDED) $(BUILD)/files
	@mkdir -p $(@D)
	@{ echo '.section .note.GNU-stack,"",%progbits'; echo '.section .rodata'; \
	for file in $(EMBEDDED); do \
	    name=embedded_$$(printf %s "$$file" | tr -c 'A-Za-z0-9' _); \
	    printf '.global %s\n%s:\n.incbin "%s"\n.byte 0\n' "$$name" "$$name" "$$file"; \
	done; } > $@

$(BUILD)/obj/embedded.o: $(BUILD)/gen/embedded.S
	@mkdir -p $(@D)
	$(CC) -c -o $@ $<

# tests/unit/a/b_test.c defines the suite a_b_suite().
$(BUILD)/gen/unit_suites.c: $(BUILD)/files
	@mkdir -p $(@D)
	@names="$(subst /,_,$(patsubst tests/unit/%_test.c,%,$(filter %_test.c,$(TEST_SOURCES))))"; { \
	echo '#include "tests/unit/runner.h"'; \
	for name in $$names; do echo "Suite *$${name}_suite(void);"; done; \
	echo 'suite_maker *const unit_suites[] = {'; \
	for name in $$names; do echo "    $${name}_suite,"; done; \
	echo '    NULL,'; echo '};'; } > $@

# Rebuild what is generated from lists of files, and everything when the flags change.
$(BUILD)/files: FORCE
	@mkdir -p $(@D)
	@echo '$(EMBEDDED) $(TEST_SOURCES)' | cmp -s - $@ || echo '$(EMBEDDED) $(TEST_SOURCES)' > $@

$(BUILD)/flags: FORCE
	@mkdir -p $(@D)
	@echo "$(subst ",,$(CC) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS))" | cmp -s - $@ || \
	    echo "$(subst ",,$(CC) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS))" > $@

unit: $(BUILD)/tests/unit $(BUILD)/meltshim $(MODULES)
	$(BUILD)/tests/unit

check:
	tests/run

soak:
	tests/faults/soak

demo:
	examples/demo

bench:
	tests/bench/run

docs: $(BUILD)/meltshim
	$(BUILD)/meltshim reference > docs/cli.md

lint:
	.ci/lint

format:
	git ls-files '*.c' '*.h' | xargs clang-format-14 -i

install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/lib/meltshim
	install -m 755 $(BUILD)/meltshim $(DESTDIR)$(PREFIX)/bin/meltshim
	ln -sf meltshim $(DESTDIR)$(PREFIX)/bin/meltshim-airflow
	install -m 644 $(MODULES) $(DESTDIR)$(PREFIX)/lib/meltshim/
	install -d $(DESTDIR)$(UNIT_DIR)/meltshim-airflow-@.service.d
	install -m 644 packaging/systemd/*.d/*.conf $(DESTDIR)$(UNIT_DIR)/meltshim-airflow-@.service.d/
	for unit in packaging/systemd/*.service; do \
	    sed 's|@bindir@|$(PREFIX)/bin|' $$unit | \
	        install -m 644 /dev/stdin $(DESTDIR)$(UNIT_DIR)/$${unit##*/} || exit; done
	for file in $(COMPLETIONS); do \
	    $(BUILD)/meltshim completion $${file%%=*} | \
	        install -D -m 644 /dev/stdin $(DESTDIR)$(PREFIX)/share/$${file#*=} || exit; done

uninstall:
	rm -f $(addprefix $(DESTDIR)$(PREFIX)/bin/,meltshim meltshim-airflow)
	rm -f $(addprefix $(DESTDIR)$(UNIT_DIR)/,$(notdir $(wildcard packaging/systemd/*.service)))
	rm -f $(foreach file,$(COMPLETIONS),$(DESTDIR)$(PREFIX)/share/$(lastword $(subst =, ,$(file))))
	rm -rf $(DESTDIR)$(PREFIX)/lib/meltshim $(DESTDIR)$(UNIT_DIR)/meltshim-airflow-@.service.d

clean:
	rm -rf $(BUILD)

-include $(patsubst %.o,%.d,$(LIB_OBJECTS) $(SHIM_OBJECTS) $(MODULE_OBJECTS) $(TEST_OBJECTS))
