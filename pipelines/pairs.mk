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
	@printf '\n[3/7] mine: the best BM25 hits of each anchor, known positives left out\n'
	@$(MINE) --qrels $(call run,data/qrels_train.parquet) $(MINE_FLAGS)
	@printf '\n[4/7] train cross-encoder: a judge of anchor and text\n'
	@$(TRAIN_CROSS_ENCODER)
	@printf '\n[5/7] filter: likely false negatives dropped, the rest become triplets\n'
	@$(FILTER)
	@printf '\n[6/7] train encoder: multiple-negatives ranking over in-batch, given and mined negatives\n'
	@$(TRAIN_ENCODER) --train $(call run,data/triplets_train.parquet) $(TRAIN_FLAGS)
	@printf '\n[7/7] evaluate: the base model and the tuned one on the test anchors\n'
	@$(EVALUATE_RETRIEVAL)
	$(WHERE_EVERYTHING_LIES)
	$(AFTER_OWN_DATA)
	@! $(IS_SAMPLE) || printf '\nNext: your own data with `make pipeline PIPELINE=pairs INPUT=pairs.csv RUN=runs/mine`\n      (columns anchor, positive, negative; or sentence1, sentence2, label; other names through GENERATE_FLAGS), or `make help`.\n'
