// Runs a fuzz target over its corpus without libFuzzer, and over every prefix and some seeded mutations of each entry,
// so that the gate needs only g++.

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

constexpr std::size_t kPrefixesMax = 256;
constexpr int kMutationsPerEntry = 200;

void run(const std::vector<std::uint8_t>& bytes) {
    // A copy of exactly this size, so that ASan sees a read one past the end.
    const std::vector<std::uint8_t> exact(bytes.begin(), bytes.end());
    static_cast<void>(LLVMFuzzerTestOneInput(exact.data(), exact.size()));
}

void run_mutations(const std::vector<std::uint8_t>& bytes) {
    std::mt19937_64 random(bytes.size());
    for (int i = 0; i < kMutationsPerEntry && !bytes.empty(); ++i) {
        std::vector<std::uint8_t> mutated = bytes;
        const std::size_t flips = 1 + random() % 4;
        for (std::size_t flip = 0; flip < flips; ++flip) {
            mutated[random() % mutated.size()] = static_cast<std::uint8_t>(random());
        }
        run(mutated);
    }
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) {
        std::fputs("usage: fuzz_replay_NAME CORPUS_FOLDER\n", stderr);
        return 2;
    }
    std::size_t entries = 0;
    for (const auto& entry : std::filesystem::directory_iterator(argv[1])) {
        std::ifstream file(entry.path(), std::ios::binary);
        const std::vector<std::uint8_t> bytes{std::istreambuf_iterator<char>(file), {}};
        for (std::size_t size = 0; size < bytes.size() && size < kPrefixesMax; ++size) {
            run({bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size)});
        }
        run(bytes);
        run_mutations(bytes);
        ++entries;
    }
    if (entries == 0) {
        std::fprintf(stderr, "the corpus %s is empty: a fuzz target without a corpus proves nothing\n", argv[1]);
        return 1;
    }
    std::printf("%zu corpus entries replayed\n", entries);
    return 0;
}
