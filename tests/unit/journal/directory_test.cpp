// One contract, two folders: the one in memory is held to what the kernel does.
#include "journal/directory.hpp"

#include <functional>
#include <memory>

#include <gtest/gtest.h>

#include "journal/fake/memory_directory.hpp"
#include "journal/posix_directory.hpp"
#include "tests/support/result_matchers.hpp"
#include "tests/support/temporary_directory.hpp"

namespace penumbra::journal {
namespace {

using penumbra::testing::fails;
using penumbra::testing::is_ok;

struct Folder {
    penumbra::testing::TemporaryDirectory place;
    fake::CrashPoints points;
    std::unique_ptr<Directory> directory;
};

std::unique_ptr<Folder> in_memory() {
    auto folder = std::make_unique<Folder>();
    folder->directory = std::make_unique<fake::MemoryDirectory>(folder->points);
    return folder;
}

std::unique_ptr<Folder> on_disk() {
    auto folder = std::make_unique<Folder>();
    auto opened = PosixDirectory::open(folder->place.path() / "effects");
    EXPECT_TRUE(is_ok(opened));
    folder->directory = std::move(*opened);
    return folder;
}

class DirectoryContract : public ::testing::TestWithParam<std::function<std::unique_ptr<Folder>()>> {
 protected:
    std::unique_ptr<Folder> folder_ = GetParam()();
    Directory& directory_ = *folder_->directory;
};

TEST_P(DirectoryContract, BeginsEmpty) {
    EXPECT_EQ(*directory_.list(), std::vector<std::string>{});
}

TEST_P(DirectoryContract, ReadsBackWhatWasWrittenLast) {
    ASSERT_TRUE(is_ok(directory_.write("b", "a long first content")));
    ASSERT_TRUE(is_ok(directory_.write("b", "short")));
    ASSERT_TRUE(is_ok(directory_.write("a", "")));
    ASSERT_TRUE(is_ok(directory_.sync("b")));
    ASSERT_TRUE(is_ok(directory_.sync_names()));
    EXPECT_EQ(*directory_.list(), (std::vector<std::string>{"a", "b"}));
    EXPECT_EQ(*directory_.read("b", 5), "short");
    EXPECT_EQ(*directory_.read("a", 5), "");
}

TEST_P(DirectoryContract, BoundsWhatItReads) {
    ASSERT_TRUE(is_ok(directory_.write("a", "123456")));
    EXPECT_TRUE(fails(directory_.read("a", 5), ErrorCode::kResourceExhausted));
    EXPECT_TRUE(fails(directory_.read("none", 5), ErrorCode::kNotFound));
}

TEST_P(DirectoryContract, RenamesOverWhatIsThere) {
    ASSERT_TRUE(is_ok(directory_.write("new", "2")));
    ASSERT_TRUE(is_ok(directory_.write("old", "1")));
    ASSERT_TRUE(is_ok(directory_.rename("new", "old")));
    EXPECT_EQ(*directory_.list(), std::vector<std::string>{"old"});
    EXPECT_EQ(*directory_.read("old", 5), "2");
    EXPECT_TRUE(fails(directory_.rename("new", "old"), ErrorCode::kNotFound));
}

TEST_P(DirectoryContract, RemovesTwice) {
    ASSERT_TRUE(is_ok(directory_.write("a", "1")));
    EXPECT_TRUE(is_ok(directory_.remove("a")));
    EXPECT_TRUE(is_ok(directory_.remove("a")));
    EXPECT_TRUE(fails(directory_.sync("a"), ErrorCode::kNotFound));
}

INSTANTIATE_TEST_SUITE_P(InMemory, DirectoryContract, ::testing::Values(in_memory));
INSTANTIATE_TEST_SUITE_P(OnDisk, DirectoryContract, ::testing::Values(on_disk));

}  // namespace
}  // namespace penumbra::journal
