# Few targets; each is one command that also works without make. They run in .venv (see README.md).
BIN = .venv/bin

.PHONY: fuzz pin mutants site wasm page-digits hub wheel setup test check sanitize neon self-test docs examples bench bench-read bench-table

setup:
	python3 -m venv .venv
	$(BIN)/pip install --constraint constraints.txt --editable '.[dev]'

test:
	$(BIN)/python -m pytest

check:
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

# The engine's tests with address and undefined-behaviour checks; needs g++ and its sanitizer libraries.
SANITIZED = build/sanitized
sanitize:
	$(BIN)/cmake -S . -B $(SANITIZED) -G Ninja -DLENET_SANITIZE=ON -DPython_EXECUTABLE=$(CURDIR)/$(BIN)/python \
		-DCMAKE_MAKE_PROGRAM=$(CURDIR)/$(BIN)/ninja -Dnanobind_DIR=$$($(BIN)/python -m nanobind --cmake_dir)
	$(BIN)/cmake --build $(SANITIZED)
	LD_PRELOAD="$$(g++ -print-file-name=libasan.so) $$(g++ -print-file-name=libubsan.so)" ASAN_OPTIONS=detect_leaks=0 \
		$(BIN)/python tests/sanitized.py $(SANITIZED) -q tests/test_bindings.py tests/test_engine.py tests/test_line_network.py \
		tests/test_line_learning.py tests/test_distortions.py tests/test_learning.py tests/test_alignments.py tests/test_graph.py \
		tests/test_native_reading.py -k "not forked and not reference"

# The kernels for ARM, checked under an emulator: Debian's g++-aarch64-linux-gnu and qemu-user.
NATIVE = src/lenet/native/engine
KERNEL_FLAGS = -O3 -std=c++17 -ffp-contract=fast -fno-math-errno -fno-trapping-math -Wall -Wextra -Wno-psabi
SELF_TEST = tests/self_test.cpp $(addprefix $(NATIVE)/,learning.cpp line_learning.cpp line_loss.cpp line_model.cpp model.cpp \
	network.cpp threads.cpp) $(addprefix $(NATIVE)/../reading/,alignments.cpp glyphs.cpp graph.cpp ink.cpp lattice.cpp masks.cpp \
	picture.cpp rules.cpp seams.cpp)
MADE = build/made
$(MADE)/parameters.hpp: cmake/write_parameters.py src/lenet/preprocessing/parameters.py src/lenet/segmentation/parameters.py
	mkdir -p $(MADE)
	python3 $< $@

neon: $(MADE)/parameters.hpp
	aarch64-linux-gnu-g++ $(KERNEL_FLAGS) -DLENET_ISA=neon -DLENET_LANES=4 -I $(NATIVE) -I $(MADE) -static -pthread -o build/self_test_neon \
		$(SELF_TEST) $(NATIVE)/kernels.cpp
	qemu-aarch64 build/self_test_neon

# The same on the instruction sets of an x86 machine, so that it stays a test.
self-test: $(MADE)/parameters.hpp
	mkdir -p build/self_test
	g++ $(KERNEL_FLAGS) -DLENET_ISA=sse2 -DLENET_LANES=4 -msse2 -c -o build/self_test/sse2.o $(NATIVE)/kernels.cpp
	g++ $(KERNEL_FLAGS) -DLENET_ISA=avx2 -DLENET_LANES=8 -mavx2 -mfma -c -o build/self_test/avx2.o $(NATIVE)/kernels.cpp
	g++ $(KERNEL_FLAGS) -DLENET_ISA=avx512 -DLENET_LANES=16 -mavx512f -mavx512dq -mavx512vl -mavx512bw -mfma -c \
		-o build/self_test/avx512.o $(NATIVE)/kernels.cpp
	g++ $(KERNEL_FLAGS) -I $(NATIVE) -I $(MADE) -pthread -o build/self_test/run $(SELF_TEST) build/self_test/*.o
	build/self_test/run

# What is nearly right, thrown at all that reads files, words and requests; an hour.
fuzz:
	$(BIN)/python tests/fuzz/run.py --seconds 3600 --first $$(date +%s)

# Small changes at places drawn by chance, each given to the tests that run it; half an hour, and ten minutes to ask
# the suite which tests run what.
mutants:
	$(BIN)/python tests/mutants/run.py --seed $$(date +%s)

docs:
	$(BIN)/python docs/make_cli.py
	$(BIN)/python docs/make_pipeline.py

# What the image and a release are made with, to the byte; needs uv.
pin:
	(echo "# What the image and a release are made with, to the byte: make pin writes it, of constraints.txt. Check it with pip-audit."; \
		uv pip compile pyproject.toml --extra serve --generate-hashes --python-version 3.11 --universal \
		--constraint constraints.txt --no-header --no-annotate) > pinned.txt

# The documentation site, into build/site; a warning is an error.
site:
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --strict

examples:
	$(BIN)/python examples/make_pictures.py
	$(BIN)/python examples/make_pages.py

# The engine beside ONNX Runtime and PyTorch; some minutes.
bench:
	$(BIN)/lenet bench

# The reading benchmarks on test digits: for the final figures of a release, not for tuning.
bench-read:
	$(BIN)/python benchmarks/read_numbers.py --test --card src/lenet/assets/lines/lenet-line.md
	$(BIN)/python benchmarks/read_numbers.py --test --readers cut --no-peers --card src/lenet/assets/lenet5-reader.md
	$(BIN)/python benchmarks/read_page.py --card src/lenet/assets/lenet5-reader.md
	$(BIN)/python benchmarks/read_pasted.py --test --n 2000 --json
	$(BIN)/python benchmarks/read_hands.py
	$(BIN)/python benchmarks/read_kinds.py --n 1000

# Pages of numbers as tables, and made ones by held-out hands; peers read the same cells.
bench-table:
	$(BIN)/python benchmarks/read_tables.py

# The machine of the page that `lenet export --format html` writes, compiled anew: needs Debian 12's clang-14 and lld-14.
wasm:
	.ci/wasm $(BIN)/python

# The digits that this page has, drawn anew.
page-digits:
	$(BIN)/python docs/make_page_digits.py

# A folder for each of the shipped weights, as the Hugging Face Hub takes it.
hub:
	$(BIN)/python -m lenet.export.hub_cards build/hub

# A wheel for this Python, installed and tried in a fresh environment without a compiler.
wheel:
	.ci/wheel $(BIN)/python
