#include "cli/render/text.hpp"

#include <gtest/gtest.h>

namespace penumbra::cli {
namespace {

TEST(IsoTime, IsUtcWithMilliseconds) {
    EXPECT_EQ(iso_time(WallTime(std::chrono::milliseconds(1'795'492'345'678))), "2026-11-24T03:52:25.678Z");
}

TEST(BytesText, UsesTheUnitThatReads) {
    EXPECT_EQ(bytes_text(0), "0 B");
    EXPECT_EQ(bytes_text(1023), "1023 B");
    EXPECT_EQ(bytes_text(1536), "1.5 KiB");
    EXPECT_EQ(bytes_text(4ULL << 30), "4.0 GiB");
}

TEST(EffectText, SaysTheSign) {
    EXPECT_EQ(effect_text(0.3), "+30.0 %");
    EXPECT_EQ(effect_text(-0.012), "-1.2 %");
}

}  // namespace
}  // namespace penumbra::cli
