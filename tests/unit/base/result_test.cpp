#include "base/result.hpp"

#include <cerrno>
#include <memory>

#include <gtest/gtest.h>

#include "tests/support/result_matchers.hpp"

namespace penumbra {
namespace {

using penumbra::testing::fails;
using penumbra::testing::is_ok;

Result<int> half(int number) {
    if (number % 2 != 0) return fail(ErrorCode::kInvalidArgument, "an odd number has no half");
    return number / 2;
}

Result<int> quarter(int number) {
    return TRY(half(TRY(half(number))));
}

Result<void> nothing(bool succeed) {
    if (!succeed) return fail(ErrorCode::kUnavailable, "nothing is unavailable");
    return {};
}

Result<std::unique_ptr<int>> boxed(bool succeed) {
    TRY(nothing(succeed));
    return std::make_unique<int>(7);
}

TEST(Result, TryGivesTheValueOrReturnsTheError) {
    EXPECT_EQ(*quarter(8), 2);
    EXPECT_TRUE(fails(quarter(6), ErrorCode::kInvalidArgument, "odd"));
}

TEST(Result, TryMovesWhatCannotBeCopied) {
    EXPECT_TRUE(is_ok(boxed(true)));
    EXPECT_TRUE(fails(boxed(false), ErrorCode::kUnavailable));
}

TEST(Result, ErrorKeepsWhatFailedWhileCleaningUp) {
    Result<void> first = nothing(false);
    const Result<int> second = half(1);
    follow_by(first, second);
    EXPECT_EQ(first.error().describe(), "nothing is unavailable; and then: an odd number has no half");
}

TEST(Result, FollowByKeepsAFirstSuccess) {
    Result<void> first = nothing(true);
    follow_by(first, nothing(false));
    EXPECT_TRUE(is_ok(first));
}

TEST(Result, ContextStandsInFrontAndTheCodeStays) {
    const Result<void> failed = fail_in("creating shadow s1", half(1).error());
    EXPECT_TRUE(fails(failed, ErrorCode::kInvalidArgument, "creating shadow s1: an odd number"));
}

TEST(Result, ErrnoBecomesItsCode) {
    EXPECT_TRUE(fails(Result<void>(fail_errno(ENOSPC, "writing x")), ErrorCode::kResourceExhausted, "writing x: "));
    EXPECT_TRUE(fails(Result<void>(fail_errno(ENOENT, "opening x")), ErrorCode::kNotFound));
}

TEST(ResultDeathTest, AssertNamesTheConditionAndEndsTheProcess) {
    EXPECT_DEATH(ASSERT(1 + 1 == 3), "1 \\+ 1 == 3");
}

}  // namespace
}  // namespace penumbra
