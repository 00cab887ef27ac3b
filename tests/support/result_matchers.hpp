#pragma once

#include <string_view>

#include <gtest/gtest.h>

#include "base/result.hpp"

namespace penumbra::testing {

/// EXPECT_TRUE(is_ok(call())): on failure prints the error.
template <class T>
::testing::AssertionResult is_ok(const Result<T>& result) {
    if (result.has_value()) return ::testing::AssertionSuccess();
    return ::testing::AssertionFailure() << to_string(result.error().code) << ": " << result.error().describe();
}

/// EXPECT_TRUE(fails(call(), ErrorCode::kNotFound, "part of the sentence")).
template <class T>
::testing::AssertionResult fails(const Result<T>& result, ErrorCode code, std::string_view part = "") {
    if (result.has_value()) return ::testing::AssertionFailure() << "it succeeded";
    const Error& error = result.error();
    if (error.code == code && error.describe().find(part) != std::string::npos) return ::testing::AssertionSuccess();
    return ::testing::AssertionFailure() << to_string(error.code) << ": " << error.describe();
}

}  // namespace penumbra::testing
