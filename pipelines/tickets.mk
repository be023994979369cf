# Tickets with categories → a fine-tuned model: tickets of one category are positives of each other.

.PHONY: tickets

tickets: INPUT         ?= data/tickets.jsonl
tickets: RUN           ?= runs/tickets
tickets: MAX_PAIRS     ?= 500
tickets: TOP_K         ?= 10
tickets: NEGATIVES     ?= 1
tickets: EPOCHS        ?= 2
tickets: BATCH_SIZE    ?= 32
tickets: LEARNING_RATE ?= 2e-5
tickets: build
	@$(CHECK_MODELS)
	@printf '\n[1/8] check: what is wrong with %s\n' $(call named,INPUT)
	@$(call CHECK_INPUT,--kind tickets)
	@printf '\n[2/8] generate: splits and pairs of one category from %s\n' $(call named,INPUT)
	@$(GENERATE) tickets $(FLAGS) --input $(call named,INPUT) --output $(call run,data) --max-pairs $(MAX_PAIRS) \
		$(if $(LIMIT),--limit $(LIMIT)) $(GENERATE_FLAGS)
	@printf '\n[3/8] mine: tickets that look alike but are of another category\n'
	@$(MINE) --group-column category $(MINE_FLAGS)
	@printf '\n[4/8] train cross-encoder: a judge of "same category?"\n'
	@$(TRAIN_CROSS_ENCODER)
	@printf '\n[5/8] filter: likely mislabelled neighbours dropped, the rest become triplets\n'
	@$(FILTER)
	@printf '\n[6/8] train encoder: multiple-negatives ranking; tickets of one category are never negatives\n'
	@$(TRAIN_ENCODER) --groups $(call run,data/corpus.parquet) $(TRAIN_FLAGS)
	@printf '\n[7/8] evaluate retrieval: does a new ticket find old ones of its category?\n'
	@$(EVALUATE_RETRIEVAL)
	@printf '\n[8/8] evaluate classification: the category by the nearest labelled tickets\n'
	@$(EVALUATE) classification $(FLAGS) --model $(call run,model) --baseline $(model) --device $(DEVICE) \
		--train $(call run,data/tickets_train.parquet) --test $(call run,data/tickets_test.parquet) \
		--cache $(call run,embeddings) --output $(call run,report-categories)
	$(WHERE_EVERYTHING_LIES)
	$(AFTER_OWN_DATA)
	@! $(IS_SAMPLE) || printf '\nNext: your own data with `make pipeline PIPELINE=tickets INPUT=tickets.csv RUN=runs/mine`\n      (columns id, text, category; other names through GENERATE_FLAGS), or `make help`.\n'
