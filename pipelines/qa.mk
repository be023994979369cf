# Questions with answers → a fine-tuned model. Each stage decides by its lineage whether it has work to do.

.PHONY: qa

qa: INPUT         ?= data/qa.jsonl
qa: RUN           ?= runs/qa
qa: TOP_K         ?= 10
qa: NEGATIVES     ?= 1
qa: EPOCHS        ?= 4
qa: BATCH_SIZE    ?= 32
qa: LEARNING_RATE ?= 2e-5
qa: FLAGS          = --seed $(SEED)
qa: build
	@printf '\n[1/6] generate: splits, pairs, corpus and judgements from %s\n' '$(INPUT)'
	@$(BIN)/pairmill-generate qa $(FLAGS) --input '$(INPUT)' --output '$(RUN)/data' $(if $(LIMIT),--limit $(LIMIT)) $(GENERATE_FLAGS)
	@printf '\n[2/6] mine: the best BM25 hits of each question, known answers left out\n'
	@$(BIN)/pairmill-mine $(FLAGS) --pairs '$(RUN)/data/pairs_train.parquet' --corpus '$(RUN)/data/corpus.parquet' \
		--qrels '$(RUN)/data/qrels_train.parquet' --top-k $(TOP_K) --output '$(RUN)/candidates.parquet' $(MINE_FLAGS)
	@printf '\n[3/6] train cross-encoder: a judge of question and answer\n'
	@$(BIN)/pairmill-train cross-encoder $(FLAGS) --model '$(MODEL)' --device $(DEVICE) --train '$(RUN)/data/labeled_train.parquet' \
		--train '$(RUN)/candidates.parquet' --mined-negatives 1 --batch-size 16 --learning-rate 1e-4 --eval '$(RUN)/data' --output '$(RUN)/cross-encoder' \
		$(if $(MAX_LENGTH),--max-length $(MAX_LENGTH)) $(CROSS_ENCODER_FLAGS)
	@printf '\n[4/6] filter: likely false negatives dropped, the rest become triplets\n'
	@$(BIN)/pairmill-filter $(FLAGS) --candidates '$(RUN)/candidates.parquet' --model '$(RUN)/cross-encoder' \
		--num-negatives $(NEGATIVES) --output '$(RUN)/triplets.parquet' --audit '$(RUN)/audit.parquet' $(FILTER_FLAGS)
	@printf '\n[5/6] train encoder: multiple-negatives ranking over in-batch and mined negatives\n'
	@$(BIN)/pairmill-train encoder $(FLAGS) --model '$(MODEL)' --device $(DEVICE) --train '$(RUN)/data/pairs_train.parquet' --train '$(RUN)/triplets.parquet' \
		--eval '$(RUN)/data' --epochs $(EPOCHS) --batch-size $(BATCH_SIZE) --learning-rate $(LEARNING_RATE) \
		$(if $(MAX_LENGTH),--max-length $(MAX_LENGTH)) --output '$(RUN)/model' $(TRAIN_FLAGS)
	@printf '\n[6/6] evaluate: the base model and the tuned one on the test questions\n'
	@$(BIN)/pairmill-evaluate retrieval $(FLAGS) --model '$(RUN)/model' --baseline '$(MODEL)' --device $(DEVICE) \
		--corpus '$(RUN)/data/corpus.parquet' --queries '$(RUN)/data/queries_test.parquet' \
		--qrels '$(RUN)/data/qrels_test.parquet' --output '$(RUN)/report' $(EVALUATE_FLAGS)
	@printf '\nEverything lies in %s:\n' '$(RUN)'
	@printf '  %-20s %s\n' \
		model/ 'the tuned model: load it with sentence-transformers or pairmill-evaluate' \
		report/report.md 'the table above; per_query.parquet beside it has each question' \
		audit.parquet 'every candidate with its scores, decision and reason' \
		cross-encoder/ 'the judge, also as model.onnx' \
		data/ 'splits, pairs, corpus and judgements'
	@printf '\nNext: your own data with `make pipeline PIPELINE=qa INPUT=faq.csv RUN=runs/faq`\n      (columns id, question, answer; other names through GENERATE_FLAGS), or `make help`.\n'
