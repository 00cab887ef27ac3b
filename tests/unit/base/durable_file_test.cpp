#include "base/durable_file.hpp"

#include <algorithm>
#include <filesystem>

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "tests/support/result_matchers.hpp"
#include "tests/support/temporary_directory.hpp"

namespace penumbra {
namespace {

using penumbra::testing::fails;
using penumbra::testing::is_ok;
using penumbra::testing::TemporaryDirectory;

TEST(DurableFile, ReplacesTheWholeContentAndSetsTheMode) {
    const TemporaryDirectory folder;
    const auto path = folder.path() / "file";
    ASSERT_TRUE(is_ok(write_file_durably(path, "a longer first content", 0644)));
    ASSERT_TRUE(is_ok(write_file_durably(path, "second", 0600)));
    EXPECT_EQ(*read_file(path, 100), "second");
    struct stat info{};
    ASSERT_EQ(::stat(path.c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777U, 0600U);
}

TEST(DurableFile, LeavesNothingBesideWhenItFails) {
    const TemporaryDirectory folder;
    std::filesystem::create_directory(folder.path() / "taken");
    std::filesystem::create_directory(folder.path() / "taken" / "inside");
    EXPECT_FALSE(is_ok(write_file_durably(folder.path() / "taken", "x")));
    const auto entries = std::filesystem::directory_iterator(folder.path());
    EXPECT_EQ(std::distance(begin(entries), end(entries)), 1);
}

TEST(DurableFile, ReadingIsBounded) {
    const TemporaryDirectory folder;
    ASSERT_TRUE(is_ok(write_file_durably(folder.path() / "file", "12345")));
    EXPECT_TRUE(is_ok(read_file(folder.path() / "file", 5)));
    EXPECT_TRUE(fails(read_file(folder.path() / "file", 4), ErrorCode::kResourceExhausted, "larger than the 4 bytes"));
    EXPECT_TRUE(fails(read_file(folder.path() / "none", 4), ErrorCode::kNotFound));
}

TEST(DurableFile, RemovingWhatIsNotThereSucceeds) {
    const TemporaryDirectory folder;
    ASSERT_TRUE(is_ok(write_file_durably(folder.path() / "file", "x")));
    EXPECT_TRUE(is_ok(remove_file_durably(folder.path() / "file")));
    EXPECT_TRUE(is_ok(remove_file_durably(folder.path() / "file")));
    EXPECT_FALSE(std::filesystem::exists(folder.path() / "file"));
}

}  // namespace
}  // namespace penumbra
