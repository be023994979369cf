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
	$(call PAIRS_TO_MODEL,question,answer,answers)
	@! $(IS_SAMPLE) || printf '\nNext: your own data with `make pipeline PIPELINE=qa INPUT=faq.csv RUN=runs/faq`\n      (columns id, question, answer; other names through GENERATE_FLAGS), or `make help`.\n'
