#include "base/ids.hpp"

#include <string>

#include <gtest/gtest.h>

#include "tests/support/result_matchers.hpp"

namespace penumbra {
namespace {

using penumbra::testing::fails;
using penumbra::testing::is_ok;

TEST(Id, AdmitsWhatIsSafeInPathsAndUnitNames) {
    for (const std::string& text : {std::string("shop"), std::string("s1"), std::string("a-b.c_d:e"),
                                    std::string("0f3c"), std::string(64, 'x')}) {
        EXPECT_TRUE(is_ok(ShadowId::parse(text))) << text;
    }
}

TEST(Id, RefusesWhatIsNot) {
    for (const std::string& text : {std::string(), std::string("-x"), std::string("../etc"), std::string("a b"),
                                    std::string("a/b"), std::string("a\0b", 3), std::string(65, 'x')}) {
        EXPECT_TRUE(fails(ShadowId::parse(text), ErrorCode::kInvalidArgument, "shadow name")) << text;
    }
}

}  // namespace
}  // namespace penumbra
