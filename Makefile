# Pairmill: `make pipeline` runs the main job, `make test` proves it, `make help` explains the rest.

PIPELINE ?= qa
DEVICE   ?= cpu
SEED     ?= 42

DEPS           ?= $(CURDIR)/.deps
LIBTORCH       ?= $(DEPS)/libtorch$(if $(filter cuda,$(DEVICE)),-cuda)
ORT_DYLIB_PATH ?= $(DEPS)/onnxruntime/lib/libonnxruntime.$(if $(filter Darwin,$(shell uname)),dylib,so)
MODEL          ?= $(DEPS)/models/all-MiniLM-L6-v2
PAIRMILL_MODEL ?= $(DEPS)/models/all-MiniLM-L6-v2
export LIBTORCH ORT_DYLIB_PATH PAIRMILL_MODEL

CARGO_TARGET_DIR ?= target
export CARGO_TARGET_DIR
BIN := $(CARGO_TARGET_DIR)/release

MDBOOK_VERSION := 0.5.4
MDBOOK         := $(DEPS)/mdbook-$(MDBOOK_VERSION)/bin/mdbook

.DEFAULT_GOAL := help
PREFIX   ?= /usr/local
PROGRAMS := $(addprefix pairmill-,generate mine filter train evaluate)

.PHONY: help setup build pipeline test bench kernels lint docs reference man install clean

include pipelines/*.mk

help: ## Show this text
	@echo 'Usage: make TARGET [VARIABLE=value …]'
	@echo
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-10s %s\n", $$1, $$2}' Makefile
	@echo
	@echo 'Variables of `make pipeline`, the options that they set, and [defaults]:'
	@awk 'function flush() { \
			if (name in by) printf "%18s[%s]\n", "", (number[name] == 4 && !differs[name]) ? last[name] : by[name]} \
		FNR == 1 {pipeline = FILENAME; gsub(/.*\/|\.mk/, "", pipeline)} \
		$$1 == pipeline ":" && $$3 == "?=" { \
			by[$$2] = by[$$2] (number[$$2]++ ? ", " : "") pipeline " " $$4; \
			differs[$$2] = differs[$$2] || (number[$$2] > 1 && $$4 != last[$$2]); last[$$2] = $$4} \
		/^#: [A-Z]/ {flush(); name = $$2} \
		/^#: / {print " " substr($$0, 3)} \
		END {flush()}' $(addprefix pipelines/,$(addsuffix .mk,qa pairs tickets corpus stages))
	@echo
	@echo 'Variables of `make active-learning`, beside INPUT, RUN, MODEL, LIMIT and SEED:'
	@echo '  BUDGET          texts to label at first and in each round             [500]'
	@echo '  ROUNDS          rounds after the first choice                         [5]'
	@echo '  STRATEGY        by what texts are chosen: --strategy                  [margin]'
	@echo '  SIMULATE_FLAGS  any other options of `pairmill-generate simulate`'
	@echo
	@echo 'Variables of other targets:'
	@echo '  DEPS            where `make setup` puts what it brings                [.deps]'
	@echo '  DEVICE          cuda brings and links the CUDA build of libtorch      [cpu]'
	@echo '  LIBTORCH        a libtorch of your own                                [that of DEPS]'
	@echo '  ORT_DYLIB_PATH  the library file of an ONNX Runtime of your own       [that of DEPS]'
	@echo '  CARGO_TARGET_DIR  where programs are built                            [target]'
	@echo '  PREFIX, DESTDIR where `make install` puts programs and libraries      [/usr/local]'
	@echo '  TESTS           names of the slow checks that `make bench` runs       [all]'
	@echo '  KERNEL_FLAGS    options of criterion for `make kernels`               [none]'
	@echo
	@echo 'A stage whose inputs and options have not changed is not run again.'

setup: ## Bring libtorch, ONNX Runtime and the base model into .deps/
	@python3 scripts/setup.py --deps '$(DEPS)' --device $(DEVICE)

build: setup ## Build the five programs
	@cargo build --release --workspace --bins

pipeline: $(PIPELINE) ## Run a whole pipeline: from a table or folder to a fine-tuned model and a before/after table

test: build ## Run all tests but the slow ones
	cargo test --release --workspace

bench: build ## Run the slow checks against published figures (takes long; needs PAIRMILL_DATA); TESTS='NAME …' runs some of them
	@$(if $(TESTS),,python3 scripts/setup.py --deps '$(DEPS)' mpnet paraphrase-minilm-l3-onnx minilm-l6-int8-onnx)
	cargo test --release --workspace -- --ignored --nocapture $(TESTS)

kernels: setup ## Time the hot kernels, compared with the run before (KERNEL_FLAGS='--save-baseline NAME' keeps a run)
	cargo bench --workspace --bench '*' -- $(KERNEL_FLAGS)

lint: setup ## Check formatting, lints, docs, the length of lines, links and circles
	python3 scripts/lint.py
	cargo fmt --all --check
	cargo clippy --release --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS='-D warnings' cargo doc --release --workspace --no-deps

docs: ## Build the book into target/book (brings mdBook into .deps/ the first time)
	@test -x '$(MDBOOK)' || env -u CARGO_TARGET_DIR cargo install mdbook --version $(MDBOOK_VERSION) --locked \
		--no-default-features --features search --root '$(DEPS)/mdbook-$(MDBOOK_VERSION)'
	'$(MDBOOK)' build docs --dest-dir '$(abspath $(CARGO_TARGET_DIR))/book'

reference: build ## Write the book's pages of options anew
	SNAPSHOTS=overwrite cargo test --release --workspace --test docs options

man: build ## Write the man pages of all programs and their commands into man/
	@rm -rf man
	@for program in $(PROGRAMS); do $(BIN)/$$program man man || exit; done
	@echo "wrote $$(ls man | wc -l) pages; read one with: man ./man/pairmill-mine.1"

install: man ## Install programs, libraries and man pages below PREFIX [/usr/local]; they can be moved
	install -d '$(DESTDIR)$(PREFIX)/bin' '$(DESTDIR)$(PREFIX)/lib/pairmill' '$(DESTDIR)$(PREFIX)/share/man/man1'
	install -s $(addprefix $(BIN)/,$(PROGRAMS)) '$(DESTDIR)$(PREFIX)/bin'
	cp -L '$(LIBTORCH)'/lib/*.* '$(ORT_DYLIB_PATH)' '$(DESTDIR)$(PREFIX)/lib/pairmill'
	install -m 644 man/*.1 '$(DESTDIR)$(PREFIX)/share/man/man1'

clean: ## Remove what was built and run, but not .deps/
	rm -rf runs
	cargo clean
