# The stages that pipelines share, with the options they have in common. Each stage decides by its
# lineage whether it has work to do. RUN, MODEL, EPOCHS and so on are those of the pipeline.

FLAGS  = --seed $(SEED)
LENGTH = $(if $(MAX_LENGTH),--max-length $(MAX_LENGTH))

MINE = $(BIN)/pairmill-mine $(FLAGS) --pairs '$(RUN)/data/pairs_train.parquet' --corpus '$(RUN)/data/corpus.parquet' \
	--top-k $(TOP_K) --output '$(RUN)/candidates.parquet'

# The judge: a model for each fold of the queries, unless the caller has an ONNX cross-encoder of
# their own.
JUDGE ?= $(RUN)/cross-encoder
FOLDS ?= 3

TRAIN_CROSS_ENCODER = $(if $(filter $(RUN)/cross-encoder,$(JUDGE)),$(TRAIN_JUDGE),printf 'left out: the judge is %s\n' '$(JUDGE)')
TRAIN_JUDGE = $(BIN)/pairmill-train cross-encoder $(FLAGS) --model '$(MODEL)' --device $(DEVICE) $(LENGTH) \
	--train '$(RUN)/data/labeled_train.parquet' --train '$(RUN)/candidates.parquet' --eval '$(RUN)/data' \
	--folds $(FOLDS) --mined-negatives 1 --batch-size 16 --learning-rate 1e-4 --output '$(JUDGE)' $(CROSS_ENCODER_FLAGS)

# A judge that has seen too little may leave no hard negative: training then goes on with pairs alone.
FILTER = $(BIN)/pairmill-filter $(FLAGS) --candidates '$(RUN)/candidates.parquet' --model '$(JUDGE)' \
	--cache '$(RUN)/scores' --num-negatives $(NEGATIVES) --allow-empty --output '$(RUN)/triplets.parquet' --audit '$(RUN)/audit.parquet' $(FILTER_FLAGS)

TRAIN_ENCODER = $(BIN)/pairmill-train encoder $(FLAGS) --model '$(MODEL)' --device $(DEVICE) $(LENGTH) \
	--train '$(RUN)/data/pairs_train.parquet' --train '$(RUN)/triplets.parquet' --eval '$(RUN)/data' \
	--epochs $(EPOCHS) --batch-size $(BATCH_SIZE) --learning-rate $(LEARNING_RATE) --output '$(RUN)/model'

EVALUATE_RETRIEVAL = $(BIN)/pairmill-evaluate retrieval $(FLAGS) --model '$(RUN)/model' --baseline '$(MODEL)' --device $(DEVICE) \
	--corpus '$(RUN)/data/corpus.parquet' --queries '$(RUN)/data/queries_test.parquet' \
	--qrels '$(RUN)/data/qrels_test.parquet' --group-by length --cache '$(RUN)/embeddings' --output '$(RUN)/report' $(EVALUATE_FLAGS)

define WHERE_EVERYTHING_LIES
	@printf '\nEverything lies in %s:\n' '$(RUN)'
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
