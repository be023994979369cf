# A folder or table of documents → a fine-tuned model: headings ask for their sections, and what the judge is
# sure of becomes a pair as well.

.PHONY: corpus

corpus: INPUT         ?= data/docs
corpus: RUN           ?= runs/corpus
corpus: TOP_K         ?= 10
corpus: NEGATIVES     ?= 1
corpus: PROMOTE_ABOVE ?= 0.8
corpus: EPOCHS        ?= 4
corpus: BATCH_SIZE    ?= 32
corpus: LEARNING_RATE ?= 2e-5
corpus: build
	@$(CHECK_MODELS)
	@printf '\n[1/6] generate: passages of %s, and what asks for them: headings, titles, else sentences\n' $(call named,INPUT)
	@$(GENERATE) corpus $(FLAGS) --input $(call named,INPUT) --output $(call run,data) $(if $(LIMIT),--limit $(LIMIT)) $(GENERATE_FLAGS)
	@printf '\n[2/6] mine: the best BM25 hits of each heading; those of its own document are no negatives\n'
	@$(MINE) --qrels $(call run,data/qrels_train.parquet) --group-column source $(MINE_FLAGS)
	@printf '\n[3/6] train cross-encoder: a judge of heading and passage\n'
	@$(TRAIN_CROSS_ENCODER)
	@printf '\n[4/6] filter: hits that score above %s become pairs, the sound negatives triplets\n' '$(PROMOTE_ABOVE)'
	@$(FILTER) --promote-above $(PROMOTE_ABOVE) --promote-below-positive --also pairs=$(call run,pairs.parquet)
	@printf '\n[5/6] train encoder: multiple-negatives ranking over first and promoted pairs\n'
	@$(TRAIN_ENCODER) --train $(call run,pairs.parquet) $(TRAIN_FLAGS)
	@printf '\n[6/6] evaluate: the base model and the tuned one on what asks for passages of unseen documents\n'
	@$(EVALUATE_RETRIEVAL)
	$(WHERE_EVERYTHING_LIES)
	$(AFTER_OWN_DATA)
	@! $(IS_SAMPLE) || printf '\nNext: your own documents with `make pipeline PIPELINE=corpus INPUT=docs/ RUN=runs/docs`\n      (Markdown, HTML, text or a table, see docs/guides/documents.md), or `make help`.\n'
