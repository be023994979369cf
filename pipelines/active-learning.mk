# Labelled tickets → how much choosing what to label would have saved.

.PHONY: active-learning

active-learning: INPUT    ?= data/tickets.jsonl
active-learning: RUN      ?= runs/active-learning
active-learning: ROUNDS   ?= 5
active-learning: BUDGET   ?= 500
active-learning: STRATEGY ?= margin
active-learning: build
	@printf '\n[1/3] generate: splits of %s\n' $(call named,INPUT)
	@$(bin)/pairmill-generate tickets $(FLAGS) --input $(call named,INPUT) --output $(call run,data) $(if $(LIMIT),--limit $(LIMIT)) $(GENERATE_FLAGS)
	@printf '\n[2/3] train export: the base model as ONNX\n'
	@$(bin)/pairmill-train export --model $(model) --output $(call run,model-onnx)
	@printf '\n[3/3] generate simulate: %s labels at first and in each of %s rounds\n' $(BUDGET) $(ROUNDS)
	@$(bin)/pairmill-generate simulate $(FLAGS) --pool $(call run,data/tickets_train.parquet) --test $(call run,data/tickets_test.parquet) \
		--model $(call run,model-onnx) --number $(BUDGET) --rounds $(ROUNDS) --strategy $(STRATEGY) --output $(call run,curve) $(SIMULATE_FLAGS)
	@printf '\nThe curve: %s. For texts without labels: docs/guides/labelling.md.\n' $(call run,curve/report.html)
