# Tickets with categories → a fine-tuned model: tickets of one category are positives of each other.

.PHONY: tickets

tickets: INPUT         ?= data/tickets.jsonl
tickets: RUN           ?= runs/tickets
tickets: MAX_PAIRS     ?= 1000
tickets: TOP_K         ?= 10
tickets: NEGATIVES     ?= 1
tickets: EPOCHS        ?= 2
tickets: BATCH_SIZE    ?= 32
tickets: LEARNING_RATE ?= 2e-5
tickets: FLAGS          = --seed $(SEED)
tickets: build
	@printf '\n[1/7] generate: splits and pairs of one category from %s\n' '$(INPUT)'
	@$(BIN)/pairmill-generate tickets $(FLAGS) --input '$(INPUT)' --output '$(RUN)/data' --max-pairs $(MAX_PAIRS) \
		$(if $(LIMIT),--limit $(LIMIT)) $(GENERATE_FLAGS)
	@printf '\n[2/7] mine: tickets that look alike but are of another category\n'
	@$(BIN)/pairmill-mine $(FLAGS) --pairs '$(RUN)/data/pairs_train.parquet' --corpus '$(RUN)/data/corpus.parquet' \
		--group-column category --top-k $(TOP_K) --output '$(RUN)/candidates.parquet' $(MINE_FLAGS)
	@printf '\n[3/7] train cross-encoder: a judge of "same category?"\n'
	@$(BIN)/pairmill-train cross-encoder $(FLAGS) --model '$(MODEL)' --device $(DEVICE) --train '$(RUN)/data/labeled_train.parquet' \
		--train '$(RUN)/candidates.parquet' --mined-negatives 1 --batch-size 16 --learning-rate 1e-4 --eval '$(RUN)/data' --output '$(RUN)/cross-encoder' \
		$(if $(MAX_LENGTH),--max-length $(MAX_LENGTH)) $(CROSS_ENCODER_FLAGS)
	@printf '\n[4/7] filter: likely mislabelled neighbours dropped, the rest become triplets\n'
	@$(BIN)/pairmill-filter $(FLAGS) --candidates '$(RUN)/candidates.parquet' --model '$(RUN)/cross-encoder' \
		--num-negatives $(NEGATIVES) --output '$(RUN)/triplets.parquet' --audit '$(RUN)/audit.parquet' $(FILTER_FLAGS)
	@printf '\n[5/7] train encoder: multiple-negatives ranking; tickets of one category are never negatives\n'
	@$(BIN)/pairmill-train encoder $(FLAGS) --model '$(MODEL)' --device $(DEVICE) --train '$(RUN)/data/pairs_train.parquet' --train '$(RUN)/triplets.parquet' \
		--groups '$(RUN)/data/corpus.parquet' --eval '$(RUN)/data' --epochs $(EPOCHS) --batch-size $(BATCH_SIZE) \
		--learning-rate $(LEARNING_RATE) $(if $(MAX_LENGTH),--max-length $(MAX_LENGTH)) --output '$(RUN)/model' $(TRAIN_FLAGS)
	@printf '\n[6/7] evaluate retrieval: does a new ticket find old ones of its category?\n'
	@$(BIN)/pairmill-evaluate retrieval $(FLAGS) --model '$(RUN)/model' --baseline '$(MODEL)' --device $(DEVICE) \
		--corpus '$(RUN)/data/corpus.parquet' --queries '$(RUN)/data/queries_test.parquet' \
		--qrels '$(RUN)/data/qrels_test.parquet' --output '$(RUN)/report' $(EVALUATE_FLAGS)
	@printf '\n[7/7] evaluate classification: the category by the nearest labelled tickets\n'
	@$(BIN)/pairmill-evaluate classification $(FLAGS) --model '$(RUN)/model' --baseline '$(MODEL)' --device $(DEVICE) \
		--train '$(RUN)/data/tickets_train.parquet' --test '$(RUN)/data/tickets_test.parquet'
	@printf '\nEverything lies in %s:\n' '$(RUN)'
	@printf '  %-20s %s\n' \
		model/ 'the tuned model: load it with sentence-transformers or pairmill-evaluate' \
		report/report.md 'the retrieval table; per_query.parquet beside it has each ticket' \
		audit.parquet 'every candidate with its scores, decision and reason' \
		cross-encoder/ 'the judge, also as model.onnx' \
		data/ 'splits, pairs, corpus and judgements'
	@printf '\nNext: your own data with `make pipeline PIPELINE=tickets INPUT=tickets.csv RUN=runs/mine`\n      (columns id, text, category; other names through GENERATE_FLAGS), or `make help`.\n'
