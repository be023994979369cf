# The stages that pipelines share, with the options they have in common. Each stage decides by its
# lineage whether it has work to do. RUN, MODEL, EPOCHS and so on are those of the pipeline.

# A text as one word of the shell, whatever is in it.
quoted = '$(subst ','\'',$(1))'
# What the user named, without looking for variables of make in it: `$$` in a path is that.
named = $(call quoted,$(value $(1)))
# A path in the folder of the run.
run = $(call quoted,$(value RUN)/$(1))

bin    = $(call quoted,$(BIN))
FLAGS  = --seed $(SEED)
LENGTH = $(if $(MAX_LENGTH),--max-length $(MAX_LENGTH))

# The model to start from; the one that `make setup` brings lies where its own variables say.
model = $(if $(filter file,$(origin MODEL)),$(call quoted,$(MODEL)),$(call named,MODEL))

MINE = $(bin)/pairmill-mine $(FLAGS) --pairs $(call run,data/pairs_train.parquet) --corpus $(call run,data/corpus.parquet) \
	--top-k $(TOP_K) --output $(call run,candidates.parquet)

# The judge: a model for each fold of the queries, unless the caller has an ONNX cross-encoder of
# their own (JUDGE).
FOLDS ?= 3
judge = $(if $(value JUDGE),$(call named,JUDGE),$(call run,cross-encoder))

TRAIN_CROSS_ENCODER = $(if $(value JUDGE),printf 'left out: the judge is %s\n' $(judge),$(TRAIN_JUDGE))
TRAIN_JUDGE = $(bin)/pairmill-train cross-encoder $(FLAGS) --model $(model) --device $(DEVICE) $(LENGTH) \
	--train $(call run,data/labeled_train.parquet) --train $(call run,candidates.parquet) --eval $(call run,data) \
	--folds $(FOLDS) --mined-negatives 1 --batch-size 16 --learning-rate 1e-4 --output $(judge) $(CROSS_ENCODER_FLAGS)

# A judge that has seen too little may leave no hard negative: training then goes on with pairs alone.
FILTER = $(bin)/pairmill-filter $(FLAGS) --candidates $(call run,candidates.parquet) --model $(judge) \
	--cache $(call run,scores) --num-negatives $(NEGATIVES) --allow-empty --output $(call run,triplets.parquet) --audit $(call run,audit.parquet) $(FILTER_FLAGS)

TRAIN_ENCODER = $(bin)/pairmill-train encoder $(FLAGS) --model $(model) --device $(DEVICE) $(LENGTH) \
	--train $(call run,data/pairs_train.parquet) --train $(call run,triplets.parquet) --eval $(call run,data) \
	--epochs $(EPOCHS) --batch-size $(BATCH_SIZE) --learning-rate $(LEARNING_RATE) --output $(call run,model)

EVALUATE_RETRIEVAL = $(bin)/pairmill-evaluate retrieval $(FLAGS) --model $(call run,model) --baseline $(model) --device $(DEVICE) \
	--corpus $(call run,data/corpus.parquet) --queries $(call run,data/queries_test.parquet) \
	--qrels $(call run,data/qrels_test.parquet) --group-by length --cache $(call run,embeddings) --output $(call run,report) $(EVALUATE_FLAGS)

define WHERE_EVERYTHING_LIES
	@printf '\nEverything lies in %s:\n' $(call named,RUN)
	@printf '  %-20s %s\n' \
		model/ 'the tuned model: load it with sentence-transformers or pairmill-evaluate' \
		report/report.html 'before and after, with intervals and examples: open it in a browser' \
		report/report.md 'the same for a pull request; per_query.parquet beside it has each query' \
		audit.parquet 'every candidate with its scores, decision and reason' \
		cross-encoder/ 'the judges, one for each fold of the queries, also as model.onnx' \
		scores/ 'its scores: a filter with other options scores nothing again' \
		embeddings/ 'of the corpus: an evaluation computes only what is new' \
		data/ 'splits, pairs, corpus and judgements'
endef
