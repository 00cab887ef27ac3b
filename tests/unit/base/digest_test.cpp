#include "base/digest.hpp"

#include <string>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "tests/support/result_matchers.hpp"

namespace penumbra {
namespace {

using penumbra::testing::fails;

// FIPS 180-4 example values (NIST, "abc" and the empty message).
TEST(Digest, MatchesThePublishedVectors) {
    EXPECT_EQ(sha256("abc").hex(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    EXPECT_EQ(sha256("").hex(), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

RC_GTEST_PROP(Digest, InPiecesIsAsInOne, (const std::string& first, const std::string& second)) {
    Sha256 hash;
    hash.update(first);
    hash.update(second);
    RC_ASSERT(hash.finish() == sha256(first + second));
    hash.update(first);
    RC_ASSERT(hash.finish() == sha256(first));
}

RC_GTEST_PROP(Digest, HexRoundTrips, (const std::string& text)) {
    const Digest digest = sha256(text);
    RC_ASSERT(*Digest::from_hex(digest.hex()) == digest);
}

TEST(Digest, RefusesOtherText) {
    EXPECT_TRUE(fails(Digest::from_hex("ba78"), ErrorCode::kInvalidArgument));
    EXPECT_TRUE(fails(Digest::from_hex(std::string(64, 'g')), ErrorCode::kInvalidArgument));
}

}  // namespace
}  // namespace penumbra
