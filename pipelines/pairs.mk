# Labelled pairs, pairs or triplets → a fine-tuned model. What is labelled 0 is a hard negative.

.PHONY: pairs

pairs: INPUT         ?= data/qa.jsonl
pairs: RUN           ?= runs/pairs
pairs: TOP_K         ?= 10
pairs: NEGATIVES     ?= 1
pairs: EPOCHS        ?= 4
pairs: BATCH_SIZE    ?= 32
pairs: LEARNING_RATE ?= 2e-5
pairs: build
	@$(CHECK_MODELS)
	@printf '\n[1/7] check: what is wrong with %s\n' $(call named,INPUT)
	@$(call CHECK_INPUT,)
	@printf '\n[2/7] generate: splits, pairs, corpus and judgements from %s\n' $(call named,INPUT)
	@$(GENERATE) pairs $(FLAGS) --input $(call named,INPUT) --output $(call run,data) $(if $(LIMIT),--limit $(LIMIT)) $(GENERATE_FLAGS)
	$(call PAIRS_TO_MODEL,anchor,text,positives,data/triplets_train.parquet)
	@! $(IS_SAMPLE) || printf '\nNext: your own data with `make pipeline PIPELINE=pairs INPUT=pairs.csv RUN=runs/mine`\n      (columns anchor, positive, negative; or sentence1, sentence2, label; other names through GENERATE_FLAGS), or `make help`.\n'
