#include "hypervisor/qcow2_layer.hpp"

#include <fstream>
#include <map>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "base/durable_file.hpp"
#include "tests/support/child_process.hpp"
#include "tests/support/result_matchers.hpp"
#include "tests/support/temporary_directory.hpp"

// Our own writer and reader against QEMU's: qemu-img check finds no fault, qemu-img compare reads what was meant.
namespace penumbra::hypervisor {
namespace {

using testing::fails;
using testing::is_ok;
using testing::run_tool;

constexpr std::uint64_t kCluster = qcow2::kClusterBytes;

std::vector<std::byte> filled(std::uint64_t bytes, int pattern) {
    std::vector<std::byte> data(bytes);
    for (std::size_t i = 0; i < data.size(); ++i)
        data[i] = static_cast<std::byte>(static_cast<std::size_t>(pattern) + i / 512);
    return data;
}

/// What the volume reads as; sparse, by cluster.
struct Model {
    std::uint64_t size = 0;
    std::map<std::uint64_t, std::vector<std::byte>> clusters;

    [[nodiscard]] std::uint64_t length_of(std::uint64_t cluster) const {
        return std::min(kCluster, size - cluster * kCluster);
    }
    void write_raw(const std::filesystem::path& path) const {
        std::ofstream raw(path, std::ios::binary);
        for (const auto& [cluster, data] : clusters) {
            raw.seekp(static_cast<std::streamoff>(cluster * kCluster));
            raw.write(reinterpret_cast<const char*>(data.data()), static_cast<std::streamsize>(data.size()));
        }
        raw.close();
        std::filesystem::resize_file(path, size);
    }
};

class Layer : public ::testing::Test {
 protected:
    [[nodiscard]] std::filesystem::path at(const std::string& name) const { return directory_.path() / name; }

    void expect_sound(const std::string& name) const {
        EXPECT_EQ(run_tool({"qemu-img", "check", "-q", "-f", "qcow2", at(name)}), 0) << name;
    }
    void expect_reads_as(const std::string& name, const Model& model) const {
        model.write_raw(at("model.raw"));
        EXPECT_EQ(run_tool({"qemu-img", "compare", "-q", "-f", "raw", "-F", "qcow2", at("model.raw"), at(name)}), 0)
            << name;
        const auto reader = LayerReader::open(at(name));  // compare takes a shorter image for one that ends in zeroes
        ASSERT_TRUE(is_ok(reader));
        EXPECT_EQ(reader->header().size, model.size);
    }
    LayerWriter create(const std::string& name, std::uint64_t size, const std::string& backing = "") const {
        auto writer = LayerWriter::create(at(name), {.size = size, .backing = backing});
        EXPECT_TRUE(is_ok(writer));
        return std::move(*writer);
    }

    testing::TemporaryDirectory directory_;
};

TEST_F(Layer, EmptyOneIsSoundAndReadsAsZero) {
    for (const std::uint64_t size : {std::uint64_t{512}, kCluster, 10 * kCluster + 512, std::uint64_t{5} << 30U}) {
        const std::string name = fmt::format("empty-{}.qcow2", size);
        LayerWriter writer = create(name, size);
        ASSERT_TRUE(is_ok(writer.seal()));
        expect_sound(name);
        expect_reads_as(name, {.size = size});
    }
}

TEST_F(Layer, ShortLastClusterAndAFarOneAreWhereTheyBelong) {
    Model model{.size = (3ULL << 30U) + 1536};
    model.clusters[7] = filled(kCluster, 3);
    model.clusters[9000] = filled(kCluster, 4);
    model.clusters[model.size / kCluster] = filled(1536, 5);
    LayerWriter writer = create("a.qcow2", model.size);
    for (const auto& [cluster, data] : model.clusters)
        ASSERT_TRUE(is_ok(writer.write(cluster * kCluster, data)));
    ASSERT_TRUE(is_ok(writer.seal()));
    expect_sound("a.qcow2");
    expect_reads_as("a.qcow2", model);
    EXPECT_LT(std::filesystem::file_size(at("a.qcow2")), 16 * kCluster);
}

TEST_F(Layer, ZeroesHideWhatLiesBelowAndTheRestShowsIt) {
    Model model{.size = 20 * kCluster};
    LayerWriter base = create("gen-1.qcow2", model.size);
    for (std::uint64_t cluster = 0; cluster < 20; ++cluster)
        model.clusters[cluster] = filled(kCluster, static_cast<int>(cluster));
    for (const auto& [cluster, data] : model.clusters)
        ASSERT_TRUE(is_ok(base.write(cluster * kCluster, data)));
    ASSERT_TRUE(is_ok(base.seal()));
    LayerWriter next = create("gen-2.qcow2", model.size, "./gen-1.qcow2");
    next.zero({.begin = 2 * kCluster, .end = 9 * kCluster});
    ASSERT_TRUE(is_ok(next.write(12 * kCluster, filled(2 * kCluster, 77))));
    ASSERT_TRUE(is_ok(next.seal()));
    for (std::uint64_t cluster = 2; cluster < 9; ++cluster)
        model.clusters[cluster] = std::vector<std::byte>(kCluster);
    const auto both = filled(2 * kCluster, 77);
    model.clusters[12].assign(both.begin(), both.begin() + kCluster);
    model.clusters[13].assign(both.begin() + kCluster, both.end());
    expect_sound("gen-2.qcow2");
    expect_reads_as("gen-2.qcow2", model);
}

TEST_F(Layer, ASmallerThenLargerChainReadsZeroWhereItWasCutOff) {
    Model model{.size = 6 * kCluster};
    LayerWriter first = create("gen-1.qcow2", model.size);
    ASSERT_TRUE(is_ok(first.write(0, filled(model.size, 9))));
    ASSERT_TRUE(is_ok(first.seal()));
    LayerWriter cut = create("gen-2.qcow2", 2 * kCluster, "./gen-1.qcow2");
    ASSERT_TRUE(is_ok(cut.seal()));
    LayerWriter grown = create("gen-3.qcow2", model.size, "./gen-2.qcow2");
    ASSERT_TRUE(is_ok(grown.seal()));
    const auto data = filled(model.size, 9);
    model.clusters[0].assign(data.begin(), data.begin() + kCluster);
    model.clusters[1].assign(data.begin() + kCluster, data.begin() + 2 * kCluster);
    expect_sound("gen-3.qcow2");
    expect_reads_as("gen-3.qcow2", model);
}

TEST_F(Layer, AnOverlayCanBeWrittenByQemuAndStaysSound) {
    LayerWriter base = create("gen-1.qcow2", 8 * kCluster);
    ASSERT_TRUE(is_ok(base.write(0, filled(8 * kCluster, 1))));
    ASSERT_TRUE(is_ok(base.seal()));
    ASSERT_TRUE(is_ok(create_overlay(at("arm.qcow2"), at("gen-1.qcow2"), Bytes(8 * kCluster))));
    ASSERT_EQ(run_tool({"qemu-io", "-f", "qcow2", "-c", "write -q -P 5 65000 3000", at("arm.qcow2")}), 0);
    expect_sound("arm.qcow2");
    EXPECT_EQ(run_tool({"qemu-io", "-r", "-f", "qcow2", "-c", "read -q -P 5 65000 3000", at("arm.qcow2")}), 0);
    expect_sound("gen-1.qcow2");
    EXPECT_TRUE(fails(create_overlay(at("arm2.qcow2"), "gen-1.qcow2", Bytes(kCluster)), ErrorCode::kInvalidArgument));
}

TEST_F(Layer, RefusesWhatQemuWouldTakeForAProtocolAndAnExistingFile) {
    for (const char* backing : {"nbd:unix:/x", "gen-1.qcow2", "json:{}"})
        EXPECT_TRUE(fails(LayerWriter::create(at("x.qcow2"), {.size = kCluster, .backing = backing}),
                          ErrorCode::kInvalidArgument));
    EXPECT_FALSE(std::filesystem::exists(at("x.qcow2")));
    LayerWriter first = create("x.qcow2", kCluster);
    EXPECT_TRUE(fails(LayerWriter::create(at("x.qcow2"), {.size = kCluster}), ErrorCode::kAlreadyExists));
}

TEST_F(Layer, OneThatWasNotSealedIsNoImage) {
    LayerWriter writer = create("half.qcow2", 4 * kCluster);
    ASSERT_TRUE(is_ok(writer.write(0, filled(kCluster, 1))));
    EXPECT_TRUE(fails(LayerReader::open(at("half.qcow2")), ErrorCode::kUnsupported));
    EXPECT_NE(run_tool({"qemu-img", "check", "-q", "-f", "qcow2", at("half.qcow2")}), 0);
}

TEST_F(Layer, AFlippedTableEntryOrACutFileIsBrokenNotMisread) {
    LayerWriter writer = create("a.qcow2", 4 * kCluster);
    ASSERT_TRUE(is_ok(writer.write(0, filled(2 * kCluster, 1))));
    ASSERT_TRUE(is_ok(writer.seal()));
    const auto ignore = [](std::uint64_t, std::span<const std::byte>) -> Result<void> { return {}; };
    const std::uint64_t l2 = 3 * kCluster;  // behind header and two clusters of data
    const auto write_entry = [&](std::uint64_t value) {
        std::fstream file(at("a.qcow2"), std::ios::binary | std::ios::in | std::ios::out);
        file.seekp(static_cast<std::streamoff>(l2));
        file << qcow2::big_endian(std::vector<std::uint64_t>{value});
    };
    for (const std::uint64_t entry : {kCluster, (2 * kCluster) | qcow2::kCopied, (99 * kCluster) | qcow2::kCopied,
                                      kCluster | qcow2::kCopied | 1U, std::uint64_t{1} << 62U}) {
        write_entry(entry);
        auto reader = LayerReader::open(at("a.qcow2"));
        ASSERT_TRUE(is_ok(reader));
        EXPECT_TRUE(fails(reader->read(ignore), ErrorCode::kDataLoss, "a.qcow2 is broken")) << entry;
    }
    std::filesystem::resize_file(at("a.qcow2"), l2);
    EXPECT_TRUE(fails(LayerReader::open(at("a.qcow2")), ErrorCode::kDataLoss));
}

/// Random layers on top of each other: QEMU finds each sound and reads the model; our reader gives back each layer.
RC_GTEST_FIXTURE_PROP(Layer, AnyChainOfLayersReadsAsItsModel, ()) {
    Model model{.size = *rc::gen::inRange<std::uint64_t>(1, 40) * kCluster - *rc::gen::element(0, 512, 4096)};
    const std::uint64_t clusters = (model.size + kCluster - 1) / kCluster;
    std::string below;
    for (int layer = 0; layer < 3; ++layer) {
        const std::string name = fmt::format("{}-{}.qcow2", *rc::gen::arbitrary<std::uint32_t>(), layer);
        LayerWriter writer = create(name, model.size, below.empty() ? "" : "./" + below);
        std::map<std::uint64_t, std::vector<std::byte>> held;
        for (std::uint64_t cluster :
             *rc::gen::container<std::vector<std::uint64_t>>(rc::gen::inRange<std::uint64_t>(0, clusters))) {
            if (held.contains(cluster)) continue;
            const std::uint64_t length = model.length_of(cluster);
            if (*rc::gen::element(true, false)) {
                held[cluster] = filled(length, *rc::gen::inRange(0, 256));
                RC_ASSERT(writer.write(cluster * kCluster, held[cluster]).has_value());
            } else {
                writer.zero({.begin = cluster * kCluster, .end = cluster * kCluster + length});
                held[cluster] = {};
            }
            model.clusters[cluster] = held[cluster].empty() ? std::vector<std::byte>(length) : held[cluster];
        }
        RC_ASSERT(writer.seal().has_value());
        RC_ASSERT(run_tool({"qemu-img", "check", "-q", "-f", "qcow2", at(name)}) == 0);
        auto reader = LayerReader::open(at(name));
        RC_ASSERT(reader.has_value());
        RC_ASSERT(reader
                      ->read([&](std::uint64_t cluster, std::span<const std::byte> data) -> Result<void> {
                          RC_ASSERT(held.contains(cluster));
                          std::vector<std::byte> expected = held.at(cluster);
                          if (!expected.empty()) expected.resize(kCluster);
                          RC_ASSERT(std::ranges::equal(data, expected));
                          held.erase(cluster);
                          return {};
                      })
                      .has_value());
        if (below.empty()) std::erase_if(held, [](const auto& entry) { return entry.second.empty(); });
        RC_ASSERT(held.empty());
        model.write_raw(at("model.raw"));
        RC_ASSERT(run_tool({"qemu-img", "compare", "-q", "-f", "raw", "-F", "qcow2", at("model.raw"), at(name)}) == 0);
        below = name;
    }
}

}  // namespace
}  // namespace penumbra::hypervisor
