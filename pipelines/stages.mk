# The stages that pipelines share, with the options they have in common. Each stage decides by its
# lineage whether it has work to do. RUN, MODEL, EPOCHS and so on are those of the pipeline.

# What `make help` says of the variables. It adds the defaults that stand in the pipelines' files.
#: PIPELINE        qa (questions with answers), pairs (labelled pairs, pairs or triplets), tickets
#:                 (texts with categories) or corpus (a folder or table of documents) [qa]
#: INPUT           your table (Parquet, CSV, JSON Lines or Arrow) or, for corpus, your folder or
#:                 table: --input
#: RUN             folder for everything that the pipeline writes
#: MODEL           sentence-transformers model to start from, a folder or an id on the Hugging Face
#:                 Hub: --model of the trainings, --baseline of the evaluation [all-MiniLM-L6-v2]
#: JUDGE           ONNX cross-encoder, a folder or an id on the Hub, which is then not trained:
#:                 --model of pairmill-filter [one is trained]
#: DEVICE          cpu or cuda, where models are trained and evaluated: --device. Build for a GPU with
#:                 `make build DEVICE=cuda` [cpu]
#: CHECK           0 leaves out the look at the input that tickets, qa and pairs begin with [1]
#: LIMIT           use only so many rows or documents of the input: --limit [all]
#: MAX_PAIRS       most positive pairs that tickets make: --max-pairs
#: TOP_K           passages that mining looks at for each anchor: --top-k
#: FOLDS           parts of the queries, each judged by a model that has not seen it: --folds [3]
#: PROMOTE_ABOVE   score above which a candidate becomes a positive: --promote-above
#: NEGATIVES       hard negatives of each pair: --num-negatives
#: EPOCHS          passes of the encoder's training: --epochs
#: BATCH_SIZE      rows in a batch of that training: --batch-size
#: LEARNING_RATE   highest learning rate of that training: --learning-rate
#: MAX_LENGTH      longest text in tokens, in both trainings: --max-length. The tuned model reads no
#:                 more then; the baseline does, unless EVALUATE_FLAGS has it too [the model's own]
#: SEED            seed of every random choice: --seed [42]
#: GENERATE_FLAGS  any other options of a stage, as also CHECK_FLAGS, MINE_FLAGS, CROSS_ENCODER_FLAGS,
#:                 FILTER_FLAGS, TRAIN_FLAGS and EVALUATE_FLAGS: they win over what the pipeline says.
#:                 Names of columns and --where hold for the check as well.
#:                 `pairmill-mine --help` and so on list them

comma := ,

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

# Runs a program that knows which variable stands for which of its options, so that what it advises
# can be done here.
knowing = PAIRMILL_MAKE_VARIABLES='--seed=SEED $(1)' $(bin)

GENERATE = $(call knowing,--input=INPUT --output=RUN --limit=LIMIT --max-pairs=MAX_PAIRS *=GENERATE_FLAGS)/pairmill-generate
EVALUATE = $(call knowing,--baseline=MODEL --device=DEVICE *=EVALUATE_FLAGS)/pairmill-evaluate

# Comes first, so that a mistyped model or a missing GPU costs nothing. Models on the Hub are fetched.
CHECK_MODELS = { $(call knowing,--model=MODEL --device=DEVICE)/pairmill-train check-model --model $(model) --device $(DEVICE) \
	|| { code=$$?; printf 'nothing was run: change MODEL or DEVICE\n' >&2; exit $$code; }; } $(if $(value JUDGE),&& { \
	$(call knowing,--model=JUDGE)/pairmill-filter check-model --model $(judge) \
	|| { code=$$?; printf 'nothing was run: change JUDGE\n' >&2; exit $$code; }; })

# What generate is told of the input holds for the check too. A check that fails stops nothing: if
# the data cannot be read, generate says so and ends the run. --fail-on in CHECK_FLAGS ends it here.
CHECK ?= 1
# Columns and conditions are those of generate, which the check takes over.
COLUMNS_OF_CHECK = $(foreach option,question answer text category id anchor positive negative label,--$(option)-column=*GENERATE_FLAGS) --where=*GENERATE_FLAGS
CHECK_INPUT = $(if $(filter 0 no false,$(CHECK)),printf 'left out: CHECK=%s\n' '$(CHECK)',$(call CHECK_TABLE,$(1)))
define CHECK_TABLE
set -- $(GENERATE_FLAGS) --; \
while test "$$1" != --; do case "$$1" in \
	--*[-_]column=* | --where=* | --delimiter=* | --quote=* | --encoding=*) set -- "$$@" "$$1"; shift ;; \
	--*[-_]column | --where | --delimiter | --quote | --encoding) set -- "$$@" "$$1" "$$2"; shift 2 ;; \
	*) shift ;; \
esac; done; shift; \
$(call knowing,--input=INPUT --output=RUN $(COLUMNS_OF_CHECK) *=CHECK_FLAGS)/pairmill-generate check $(FLAGS) $(1) --brief \
	--input $(call named,INPUT) --output $(call run,check) "$$@" $(CHECK_FLAGS) \
	|| { code=$$?; test $$code -ne 3 -a $$code -lt 128 || exit $$code; printf 'the check has ended without a result; the run goes on\n' >&2; }
endef

MINE = $(call knowing,--top-k=TOP_K *=MINE_FLAGS)/pairmill-mine $(FLAGS) --pairs $(call run,data/pairs_train.parquet) --corpus $(call run,data/corpus.parquet) \
	--top-k $(TOP_K) --output $(call run,candidates.parquet)

# The judge: a model for each fold of the queries, unless the caller has an ONNX cross-encoder of
# their own (JUDGE).
FOLDS ?= 3
judge = $(if $(value JUDGE),$(call named,JUDGE),$(call run,cross-encoder))

TRAIN_CROSS_ENCODER = $(if $(value JUDGE),printf 'left out: the judge is %s\n' $(judge),$(TRAIN_JUDGE))
TRAIN_JUDGE = $(call knowing,--model=MODEL --device=DEVICE --max-length=MAX_LENGTH --folds=FOLDS *=CROSS_ENCODER_FLAGS)/pairmill-train cross-encoder $(FLAGS) --model $(model) --device $(DEVICE) $(LENGTH) \
	--train $(call run,data/labeled_train.parquet) --train $(call run,candidates.parquet) --eval $(call run,data) \
	--folds $(FOLDS) --mined-negatives 1 --batch-size 16 --learning-rate 1e-4 --output $(judge) $(CROSS_ENCODER_FLAGS)

# A judge that has seen too little may leave no hard negative: training then goes on with pairs alone.
FILTER = $(call knowing,--model=JUDGE --num-negatives=NEGATIVES --promote-above=PROMOTE_ABOVE *=FILTER_FLAGS)/pairmill-filter $(FLAGS) --candidates $(call run,candidates.parquet) --model $(judge) \
	--cache $(call run,scores) --num-negatives $(NEGATIVES) --allow-empty --output $(call run,triplets.parquet) --audit $(call run,audit.parquet) $(FILTER_FLAGS)

TRAIN_ENCODER = $(call knowing,--model=MODEL --device=DEVICE --max-length=MAX_LENGTH --num-train-epochs=EPOCHS --epochs=EPOCHS \
	--batch-size=BATCH_SIZE --learning-rate=LEARNING_RATE *=TRAIN_FLAGS)/pairmill-train encoder $(FLAGS) --model $(model) --device $(DEVICE) $(LENGTH) \
	--train $(call run,data/pairs_train.parquet) --train $(call run,triplets.parquet) --eval $(call run,data) \
	--epochs $(EPOCHS) --batch-size $(BATCH_SIZE) --learning-rate $(LEARNING_RATE) --output $(call run,model)

EVALUATE_RETRIEVAL = $(EVALUATE) retrieval $(FLAGS) --model $(call run,model) --baseline $(model) --device $(DEVICE) \
	--corpus $(call run,data/corpus.parquet) --queries $(call run,data/queries_test.parquet) \
	--qrels $(call run,data/qrels_test.parquet) --group-by length --cache $(call run,embeddings) --output $(call run,report) $(EVALUATE_FLAGS)

# The sample's run ends with how to bring one's own data, any other with what comes after it.
IS_SAMPLE = test -n $(call quoted,$(filter data/%,$(value INPUT)))
define AFTER_OWN_DATA
	@$(IS_SAMPLE) || printf '\nThen: docs/guides/deploying.md puts a model to use, docs/guides/new-data.md goes on with new data.\n'
endef

# What is not there is not listed.
define WHERE_EVERYTHING_LIES
	@printf '\nEverything lies in %s:\n' $(call named,RUN)
	@run=$(call named,RUN); set -- \
		model/ 'the tuned model: load it with sentence-transformers or pairmill-evaluate' \
		report/report.html 'before and after, with intervals and examples: open it in a browser' \
		report/report.md 'the same for a pull request; per_query.parquet beside it has each query' \
		report-categories/report.html 'the same for the categories of tickets' \
		pairs.parquet 'the first pairs and the promoted ones' \
		audit.parquet 'every candidate with its scores, decision and reason' \
		$(if $(value JUDGE),,cross-encoder/ 'the judges, one for each fold of the queries, also as model.onnx') \
		scores/ 'scores of the candidates: a filter with other options scores nothing again' \
		embeddings/ 'of the corpus: an evaluation computes only what is new' \
		data/ 'splits, pairs, corpus and judgements' \
		check/card.html 'what was found wrong with the input: open it in a browser'; \
	while test $$# -gt 0; do \
		test ! -e "$$run/$$1" || printf '  %-30s %s\n' "$$1" "$$2"; \
		shift 2; \
	done
endef

# What questions with answers and labelled pairs have in common, from stage 3 on. Arguments: what is
# searched with, what is found, its plural, tables to train on beside pairs and mined negatives.
define PAIRS_TO_MODEL
	@printf '\n[3/7] mine: the best BM25 hits of each $(1), known $(3) left out\n'
	@$(MINE) --qrels $(call run,data/qrels_train.parquet) $(MINE_FLAGS)
	@printf '\n[4/7] train cross-encoder: a judge of $(1) and $(2)\n'
	@$(TRAIN_CROSS_ENCODER)
	@printf '\n[5/7] filter: likely false negatives dropped, the rest become triplets\n'
	@$(FILTER)
	@printf '\n[6/7] train encoder: multiple-negatives ranking over in-batch$(if $(4),$(comma) given) and mined negatives\n'
	@$(TRAIN_ENCODER) $(foreach table,$(4),--train $(call run,$(table))) $(TRAIN_FLAGS)
	@printf '\n[7/7] evaluate: the base model and the tuned one on the test $(1)s\n'
	@$(EVALUATE_RETRIEVAL)
	$(WHERE_EVERYTHING_LIES)
	$(AFTER_OWN_DATA)
endef
