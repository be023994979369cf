# Questions with answers → a fine-tuned model.

.PHONY: qa

qa: INPUT         ?= data/qa.jsonl
qa: RUN           ?= runs/qa
qa: TOP_K         ?= 10
qa: NEGATIVES     ?= 1
qa: EPOCHS        ?= 4
qa: BATCH_SIZE    ?= 32
qa: LEARNING_RATE ?= 2e-5
qa: build
	@$(CHECK_MODELS)
	@printf '\n[1/7] check: what is wrong with %s\n' $(call named,INPUT)
	@$(call CHECK_INPUT,--kind qa)
	@printf '\n[2/7] generate: splits, pairs, corpus and judgements from %s\n' $(call named,INPUT)
	@$(GENERATE) qa $(FLAGS) --input $(call named,INPUT) --output $(call run,data) $(if $(LIMIT),--limit $(LIMIT)) $(GENERATE_FLAGS)
	@printf '\n[3/7] mine: the best BM25 hits of each question, known answers left out\n'
	@$(MINE) --qrels $(call run,data/qrels_train.parquet) $(MINE_FLAGS)
	@printf '\n[4/7] train cross-encoder: a judge of question and answer\n'
	@$(TRAIN_CROSS_ENCODER)
	@printf '\n[5/7] filter: likely false negatives dropped, the rest become triplets\n'
	@$(FILTER)
	@printf '\n[6/7] train encoder: multiple-negatives ranking over in-batch and mined negatives\n'
	@$(TRAIN_ENCODER) $(TRAIN_FLAGS)
	@printf '\n[7/7] evaluate: the base model and the tuned one on the test questions\n'
	@$(EVALUATE_RETRIEVAL)
	$(WHERE_EVERYTHING_LIES)
	$(AFTER_OWN_DATA)
	@! $(IS_SAMPLE) || printf '\nNext: your own data with `make pipeline PIPELINE=qa INPUT=faq.csv RUN=runs/faq`\n      (columns id, question, answer; other names through GENERATE_FLAGS), or `make help`.\n'
