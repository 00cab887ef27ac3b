#include "hypervisor/image_bitmaps.hpp"

#include <csignal>
#include <filesystem>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/child_process.hpp"
#include "tests/support/result_matchers.hpp"
#include "tests/support/temporary_directory.hpp"

namespace penumbra::hypervisor {
namespace {

using testing::fails;
using testing::is_ok;

using Names = std::vector<std::string>;

/// Images as QEMU makes them: `top.qcow2` on `base.qcow2`, named relative to its folder.
class ImageBitmapsTest : public ::testing::Test {
 protected:
    ImageBitmapsTest() {
        tool({"create", "-q", "-f", "qcow2", base_, "16M"});
        tool({"create", "-q", "-f", "qcow2", "-b", "base.qcow2", "-F", "qcow2", top_});
    }
    static void tool(std::vector<std::string> arguments) {
        arguments.insert(arguments.begin(), "qemu-img");
        ASSERT_EQ(testing::run_tool(arguments), 0);
    }
    static void add(const std::string& image, const std::string& name) { tool({"bitmap", "--add", image, name}); }
    /// Of each image of the chain.
    std::vector<Names> names() {
        const auto chain = bitmaps_in_chain(top_);
        EXPECT_TRUE(is_ok(chain));
        std::vector<Names> all;
        for (const ImageBitmaps& image : chain.value_or(std::vector<ImageBitmaps>()))
            all.push_back(image.names);
        return all;
    }

    testing::TemporaryDirectory folder_;
    std::string base_ = (folder_.path() / "base.qcow2").string();
    std::string top_ = (folder_.path() / "top.qcow2").string();
};

TEST_F(ImageBitmapsTest, AreReadOfEveryImageBelowAsQemuWroteThem) {
    EXPECT_EQ(names(), (std::vector<Names>{{}, {}}));
    add(base_, "penumbra.1.1000");
    add(base_, "nightly");
    add(top_, "penumbra.2.2000");
    EXPECT_EQ(names(), (std::vector<Names>{{"penumbra.2.2000"}, {"penumbra.1.1000", "nightly"}}));
    // Long ones, so that few make a directory of many sectors.
    const std::string long_name(500, 'n');
    for (int i = 0; i < 40; ++i)
        add(base_, long_name + std::to_string(i));
    EXPECT_EQ(names()[1].size(), 42U);
    EXPECT_EQ(names()[1][41], long_name + "39");
}

TEST_F(ImageBitmapsTest, OneIsTakenOutAndTheOthersStay) {
    add(base_, "penumbra.1.1000");
    add(base_, "nightly");
    EXPECT_TRUE(is_ok(remove_bitmap(base_, CheckpointId("penumbra.1.1000"))));
    EXPECT_EQ(names(), (std::vector<Names>{{}, {"nightly"}}));
    EXPECT_TRUE(fails(remove_bitmap(base_, CheckpointId("nightly")), ErrorCode::kPermissionDenied, "not ours"));
    EXPECT_TRUE(fails(remove_bitmap(base_, CheckpointId("penumbra.$(x)")), ErrorCode::kPermissionDenied));
    EXPECT_EQ(names(), (std::vector<Names>{{}, {"nightly"}}));
    tool({"check", "-q", base_});
}

TEST_F(ImageBitmapsTest, AnImageInUseIsNotTouched) {
    add(top_, "penumbra.1.1000");
    const std::string socket = (folder_.path() / "nbd.sock").string();
    testing::ChildProcess user({"qemu-nbd", "-t", "-f", "qcow2", "-k", socket, top_});
    ASSERT_TRUE(testing::listens(socket, user));
    EXPECT_TRUE(fails(remove_bitmap(top_, CheckpointId("penumbra.1.1000")), ErrorCode::kConflict, "lock"));
    user.signal(SIGTERM);
    user.wait();
    EXPECT_EQ(names(), (std::vector<Names>{{"penumbra.1.1000"}, {}}));
    EXPECT_TRUE(is_ok(remove_bitmap(top_, CheckpointId("penumbra.1.1000"))));
}

TEST_F(ImageBitmapsTest, WhatIsNoImageHasNone) {
    const auto nowhere = bitmaps_in_chain(folder_.path() / "nowhere.qcow2");
    ASSERT_TRUE(is_ok(nowhere));
    EXPECT_TRUE(nowhere->empty());
    const std::string raw = (folder_.path() / "raw").string();
    tool({"create", "-q", "-f", "raw", raw, "1M"});
    tool({"create", "-q", "-f", "qcow2", "-b", raw, "-F", "raw", top_ + ".2"});
    EXPECT_EQ(bitmaps_in_chain(top_ + ".2")->size(), 1U);
}

}  // namespace
}  // namespace penumbra::hypervisor
