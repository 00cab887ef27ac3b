#include "proto/keys.hpp"

#include <filesystem>

#include <gtest/gtest.h>

#include "base/durable_file.hpp"
#include "tests/support/result_matchers.hpp"
#include "tests/support/temporary_directory.hpp"

namespace penumbra::keys {
namespace {

using testing::fails;
using testing::is_ok;

TEST(Keys, AKeyPairComesBackFromItsFile) {
    const testing::TemporaryDirectory folder;
    const KeyPair made = KeyPair::generate();
    ASSERT_TRUE(is_ok(made.save(folder.path() / "key")));
    const Result<KeyPair> loaded = KeyPair::load(folder.path() / "key");
    ASSERT_TRUE(is_ok(loaded));
    EXPECT_EQ(loaded->public_key(), made.public_key());
    EXPECT_EQ(loaded->secret(), made.secret());
}

TEST(Keys, AKeyIsNeverReplaced) {
    const testing::TemporaryDirectory folder;
    ASSERT_TRUE(is_ok(KeyPair::generate().save(folder.path() / "key")));
    EXPECT_TRUE(fails(KeyPair::generate().save(folder.path() / "key"), ErrorCode::kAlreadyExists, "remove it first"));
}

TEST(Keys, AKeyThatOthersMayReadIsRefused) {
    const testing::TemporaryDirectory folder;
    ASSERT_TRUE(is_ok(KeyPair::generate().save(folder.path() / "key")));
    std::filesystem::permissions(folder.path() / "key", std::filesystem::perms(0640));
    EXPECT_TRUE(fails(KeyPair::load(folder.path() / "key"), ErrorCode::kPermissionDenied, "chmod 600"));
}

TEST(Keys, AFileThatIsNoKeyIsRefused) {
    const testing::TemporaryDirectory folder;
    ASSERT_TRUE(is_ok(write_file_durably(folder.path() / "key", "garbage\n")));
    EXPECT_TRUE(fails(KeyPair::load(folder.path() / "key"), ErrorCode::kDataLoss, "not a key of ours"));
    EXPECT_TRUE(fails(KeyPair::load(folder.path() / "none"), ErrorCode::kNotFound));
}

TEST(Keys, PublicKeysAreReadByZ85) {
    const KeyPair pair = KeyPair::generate();
    const Result<PublicKey> read = PublicKey::parse(pair.public_key().z85());
    ASSERT_TRUE(is_ok(read));
    EXPECT_EQ(*read, pair.public_key());
    EXPECT_TRUE(fails(PublicKey::parse("short"), ErrorCode::kInvalidArgument));
    EXPECT_TRUE(fails(PublicKey::parse(std::string(40, '"')), ErrorCode::kInvalidArgument));
    EXPECT_TRUE(fails(PublicKey::parse(std::string(40, '#')), ErrorCode::kInvalidArgument));  // above 2^32
}

TEST(Keys, TokensDiffer) {
    EXPECT_EQ(make_token().size(), 64);
    EXPECT_NE(make_token(), make_token());
    EXPECT_NE(token_hash(make_token()), token_hash(make_token()));
}

}  // namespace
}  // namespace penumbra::keys
